"""What programs written for the original's API count on: fields, their types, and being let alone."""
import re

from tests.integration.support import AUTOMATIC, RecordingTest, test_clip

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


def time(value):
    return isinstance(value, str) and TIME.match(value) is not None


def integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


def number(value):
    return integer(value) or isinstance(value, float)


def of(*kinds):
    return lambda value: any(isinstance(value, kind) for kind in kinds)


def nullable(check):
    return lambda value: value is None or check(value)


text, boolean, array = of(str), of(bool), of(list)
link = nullable(lambda value: isinstance(value, str) and value.startswith("http://"))
STREAM = {
    "id": integer, "app": text, "name": text, "live": boolean, "active": boolean,
    "auto_record": boolean, "record_type": lambda value: value in ("origin", "transcoded"),
    "recording": boolean, "recording_duration": number, "push_url": nullable(text),
    "hls_url": link, "iframe_url": link, "transcoded_qualities": array,
    "transcoding_speed": nullable(number), "frame_rate": nullable(number),
    "video_width": nullable(integer), "video_height": nullable(integer), "created_at": time,
    "started_at_primary": nullable(time), "finished_at_primary": nullable(time),
    "client_user_id": nullable(integer), "client_entity_data": nullable(text)}
VIDEO = {
    "id": integer, "slug": text, "name": text,
    "status": lambda value: value in ("empty", "pending", "viewable", "ready", "error"),
    "error": nullable(text), "duration": integer, "origin_video_duration": integer,
    "origin_size": integer, "origin_width": nullable(integer), "origin_height": nullable(integer),
    "stream_id": nullable(integer), "recording_started_at": time, "record_type": text,
    "origin_url": link, "iframe_url": link, "iframe_embed_code": nullable(text), "hls_url": link,
    "screenshot": link, "screenshots": array, "sprite": link, "sprite_vtt": link,
    "converted_videos": array, "transaction_id": nullable(text), "sequence": integer,
    "last_sequence": boolean, "recording_times": array, "uniform": nullable(boolean),
    "created_at": time, "updated_at": time, "client_user_id": nullable(integer),
    "client_entity_data": nullable(text)}


class Compatibility(RecordingTest):
    def assert_fields(self, shown, fields):
        for name, check in fields.items():
            self.assertIn(name, shown)
            self.assertTrue(check(shown[name]), f"{name}: {shown[name]!r}")

    def test_fields_have_their_types(self):
        server = self.start_nginx(application=AUTOMATIC)
        publisher = self.send(server, "cam", test_clip(seconds=4), "--loops", "0")
        self.wait_frames(server, "cam")
        with self.subTest("while it is recorded"):
            self.assert_fields(self.stream(server, "cam"), STREAM)
            self.assert_fields(self.videos(server)[0], VIDEO)
        publisher.kill()
        [video] = self.wait_ended(server)
        with self.subTest("afterwards"):
            self.assert_fields(self.stream(server, "cam"), STREAM)
            self.assert_fields(video, VIDEO)
            self.assertTrue(number(video["recording_times"][0]["duration_seconds"]))
            self.assertTrue(time(video["recording_times"][0]["started_at"]))

    def test_what_is_unknown_is_ignored(self):
        server = self.start_nginx(application=AUTOMATIC)
        api = self.api(server)
        made = api.post("streams", {
            "name": "cam", "app": "live", "pull": False, "cdn_id": 7, "uri": "rtmp://x/y",
            "quality_set_id": None, "broadcast_ids": [1], "dvr_enabled": True, "client_user_id": 5})
        self.assertIn(made.status, (200, 201), made.body)
        self.assert_fields(made.json, STREAM)
        stream = made.json["id"]
        for path in ("streams?with_broadcasts=1&page=1", f"streams/{stream}?x=y",
                     f"videos?stream_id={stream}&sort=asc&per_page=5"):
            self.assertEqual(api.get(path).status, 200, path)
        for body in ({"stream": {"auto_record": False, "dvr_duration": 60}},
                     {"auto_record": True, "html_overlay": False}):
            changed = api.request("PATCH", f"streams/{stream}", body)
            self.assertEqual(changed.status, 200, changed.body)
        self.assertTrue(changed.json["auto_record"])
