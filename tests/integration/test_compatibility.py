"""What programs written for the original's API count on: fields, their types, and being let alone."""
import http.client
import re

from tests.integration.support import BY_HAND, Api, RecordingTest, clock, test_clip, wait_for
from tests.integration.support.changes import flv_tags, joined, write_flv
from tests.integration.support.live import LIVE, LiveTest

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


def integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


def number(value):
    return integer(value) or isinstance(value, float)


def text(value):
    return isinstance(value, str) and value != ""


def boolean(value):
    return isinstance(value, bool)


def time(value):
    return text(value) and TIME.match(value) is not None


def link(value):
    return text(value) and value.startswith("http://")


def one_of(*words):
    return lambda value: value in words


def either(*kinds):
    return lambda value: any(kind(value) for kind in kinds)


# A dict: an object with these fields. A list of one: an array of such values, with some in it.
STREAM = {
    "id": integer, "app": text, "name": text, "live": boolean, "active": boolean,
    "auto_record": boolean, "record_type": one_of("origin", "transcoded"), "recording": boolean,
    "recording_duration": number,
    "push_url": lambda value: text(value) and value.startswith("rtmp://"),
    "hls_url": link, "iframe_url": link, "transcoded_qualities": [text],
    "transcoding_speed": number, "frame_rate": number, "video_width": integer,
    "video_height": integer, "created_at": time, "started_at_primary": time,
    "finished_at_primary": time, "client_user_id": integer, "client_entity_data": text,
    "session": {
        "id": text, "started_at": time,
        "frozen": {
            "video_codec": text, "width": integer, "height": integer, "pix_fmt": text,
            "color_range": text, "frame_rate": number, "video_bit_rate": integer,
            "audio_codec": text, "sample_rate": integer, "channels": integer,
            "audio_bit_rate": integer, "encoder": text, "origins": dict.fromkeys((
                "width", "height", "pix_fmt", "color_range", "frame_rate", "video_bit_rate",
                "sample_rate", "channels", "audio_bit_rate"), text)},
        "measured": {
            "video_codec": text, "width": integer, "height": integer, "pix_fmt": text,
            "color_range": text, "frame_rate": number, "frame_rate_60s": number,
            "video_bit_rate": integer, "video_bit_rate_60s": integer,
            "key_frame_interval_seconds": number, "audio_codec": text, "sample_rate": integer,
            "channels": integer, "audio_bit_rate": integer},
        "drift": [{"field": text, "frozen": either(text, number),
                   "measured": either(text, number), "advice": text}],
        "transcoder": {
            "state": one_of("probing", "starting", "running", "restarting", "failed", "refused",
                            "ended"),
            "restarts": integer, "speed": number, "dropped_groups": integer,
            "renditions": [{"name": text, "width": integer, "height": integer,
                            "video_bit_rate": integer, "audio_bit_rate": integer,
                            "copied": boolean}],
            "error": text}}}
RENDITION = {"id": integer, "name": text, "width": integer, "height": integer, "size": integer,
             "progress": integer, "status": one_of("processing", "complete", "error"),
             "error": text, "mp4_url": link}
VIDEO = {
    "id": integer, "slug": text, "name": text,
    "status": one_of("empty", "pending", "viewable", "ready", "error"), "error": text,
    "duration": integer, "origin_video_duration": integer, "origin_size": integer,
    "origin_width": integer, "origin_height": integer, "stream_id": integer,
    "recording_started_at": time, "record_type": one_of("origin", "transcoded"),
    "origin_url": link, "iframe_url": link,
    "iframe_embed_code": lambda value: text(value) and value.startswith("<iframe "),
    "hls_url": link, "screenshot": link, "screenshots": [link], "sprite": link,
    "sprite_vtt": link, "converted_videos": [RENDITION], "transaction_id": text,
    "sequence": integer, "last_sequence": boolean,
    "recording_times": [{"started_at": time, "duration_seconds": number}], "uniform": boolean,
    "created_at": time, "updated_at": time, "client_user_id": integer, "client_entity_data": text}
VALUE = either(text, number, boolean)
TIMELINE = {
    "uniform": boolean,
    "epochs": [{
        "index": integer, "start_ms": integer, "end_ms": integer,
        "video": {
            "codec": text, "profile": text, "level": integer, "width": integer, "height": integer,
            "pix_fmt": text, "color_range": text, "color_primaries": text, "color_transfer": text,
            "color_space": text, "bit_depth": integer, "frame_rate_declared": number,
            "frame_rate_measured": number},
        "audio": {"codec": text, "sample_rate": integer, "channels": integer},
        "mp4_url": link}],
    "changes": [{"at_ms": integer, "field": text, "from": VALUE, "to": VALUE}],
    "interruptions": [{"at_ms": integer, "started_at": time, "ended_at": time, "lost_ms": integer,
                       "reason": text}],
    "timestamp_repairs": [{"at_ms": integer, "kind": text, "from": integer, "to": integer}]}
STARTED = {
    "data": {"stream": {"id": integer}}, "errors": [VALUE], "warnings": [VALUE],
    "recording": {"video_id": integer, "slug": text,
                  "state": one_of("requested", "active", "interrupted", "ending"),
                  "automatic": boolean, "started_at": time, "duration_seconds": number,
                  "transaction_id": text, "sequence": integer}}
ERROR = {"error": {"code": lambda value: text(value) and re.fullmatch("[a-z0-9_]+", value),
                   "message": lambda value: text(value) and len(value) > 15}}

# What is null, or an array without entries, and when. Everything else is filled.
PLAYED = {"hls_url", "transcoding_speed", "transcoded_qualities"}
OFFLINE = PLAYED | {"iframe_url", "frame_rate", "video_width", "video_height", "session"}
NEVER_LIVE = OFFLINE | {"started_at_primary", "finished_at_primary"}
MADE_LATER = {"screenshot", "screenshots", "sprite", "sprite_vtt", "converted_videos"}
RECORDED = MADE_LATER | {"error", "recording_times", "uniform"}
OF_THE_CALLER = {"client_user_id", "client_entity_data"}
NOT_KEPT = MADE_LATER | OF_THE_CALLER | {"origin_url", "iframe_url", "iframe_embed_code",
                                         "hls_url"}


def faults(value, shape, unfilled, path=""):
    """What is not as `shape`, or, of the paths in `unfilled`, is filled."""
    if path in unfilled:
        nothing = [] if isinstance(shape, list) else None
        return [] if value == nothing else [f"{path} is {value!r}, not {nothing}"]
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{path} is {value!r}"]
        found = []
        for name, inner in shape.items():
            field = f"{path}.{name}".lstrip(".")
            found += (faults(value[name], inner, unfilled, field) if name in value
                      else [f"{field} is missing"])
        return found
    if isinstance(shape, list):
        if not isinstance(value, list) or not value:
            return [f"{path} is {value!r}"]
        return [fault for one in value for fault in faults(one, shape[0], unfilled, path + "[]")]
    return [] if shape(value) else [f"{path} is {value!r}"]


class Fields(LiveTest):
    COLOURS = "-color_range tv -color_primaries bt709 -color_trc bt709 -colorspace bt709"

    def check(self, value, shape, unfilled=()):
        self.assertEqual(faults(value, shape, unfilled), [], value)
        return value

    def wait_filled(self, ask, shape, unfilled=(), timeout=20):
        """What `ask` gives, once nothing of it is otherwise."""
        last = {}

        def there():
            last["value"] = ask()
            return not faults(last["value"], shape, unfilled)
        try:
            wait_for(there, timeout, "every field is filled", interval=0.1)
        except AssertionError:
            self.check(last["value"], shape, unfilled)
        return last["value"]

    def changing_source(self):
        """Another picture, other sound after two seconds."""
        parts = [test_clip(seconds=2, size="320x240", extra=self.COLOURS),
                 test_clip(seconds=40, size="256x144", audio_rate=44100, extra=self.COLOURS)]
        return write_flv(self.folder / "changing.flv", joined(*map(flv_tags, parts)))

    def start(self):
        rules = "live on; recording on; auto_record on; "
        self.server = self.start_nginx(
            workers=2, worker=1, application=rules + LIVE
            + "recording_min_duration 0; recording_reconnect_window 30s;",
            recording="storage @prefix@/data/videos; min_free 1m; "
                      "rendition 144p video=150k audio=48k;",
            rtmp=f"application brief {{ {rules} recording_min_duration 1m; "
                 "recording_reconnect_window 0; } "
                 f"application broken {{ live on; {LIVE} transcoder_command /bin/false; }}")
        self.api = Api(self.server.http_port)
        wait_for(lambda: self.api.get("streams").status == 200, what="the catalogue is open")

    def told(self, path):
        return self.api.get(path).json

    def videos_of(self, stream):
        """Newest first."""
        return self.told(f"videos?stream_id={stream['id']}")

    def test_every_field_is_filled(self):
        self.start()
        made = self.api.post("streams", {"app": "live", "name": "cam", "client_user_id": 5,
                                         "client_entity_data": "studio"})
        stream = self.check(made.json, STREAM, NEVER_LIVE)
        source, times = self.changing_source(), self.folder / "times"
        clock.write_timestamps(source, clock.jump(1000, 3_600_000), times)
        first = self.send(self.server, "cam", source, "--speed", "2", "--timestamps", times)
        self.send(self.server, "brief", test_clip(seconds=2), app="brief")
        broken = self.send(self.server, "broken", test_clip(seconds=40), "--speed", "1",
                           app="broken")
        self.wait_frames(self.server, "cam")
        [video] = self.videos_of(stream)
        video = f"videos/{video['id']}"
        self.wait_filled(lambda: self.told(f"{video}/timeline"), TIMELINE, {"interruptions"})
        first.kill()
        self.wait_live(self.server, "cam", live=False)
        second = self.send(self.server, "cam", source, "--speed", "1")
        self.wait_filled(lambda: self.transcoder(self.server, "broken", "broken"),
                         STREAM["session"]["transcoder"], {"speed"})
        broken.stop()
        self.check_while_recorded(stream, video)
        self.check_control(stream)
        second.stop()
        self.check_afterwards(stream, video)
        [discarded] = self.videos_of(self.told("streams/brief/brief"))
        self.check(discarded, VIDEO, NOT_KEPT)

    def check_while_recorded(self, stream, video):
        self.wait_filled(lambda: self.told(f"streams/{stream['id']}"), STREAM,
                         {"session.transcoder.error"})
        self.check(self.videos_of(stream)[0], VIDEO, RECORDED | OF_THE_CALLER)
        changed = self.api.patch(video, {"client_user_id": 9, "client_entity_data": "news"})
        self.check(changed.json, VIDEO, RECORDED)
        self.check(self.told(video), VIDEO, RECORDED)
        self.wait_filled(lambda: self.told(f"{video}/timeline"), TIMELINE)

    def check_control(self, stream):
        def stop():
            return self.api.put(f"streams/{stream['id']}/stop_recording")
        self.check(stop().json, VIDEO, RECORDED | OF_THE_CALLER)
        for _ in range(2):
            self.check(self.api.put(f"streams/{stream['id']}/start_recording").json, STARTED,
                       {"errors", "warnings"})
        self.wait_filled(lambda: self.videos_of(stream)[0], VIDEO, RECORDED | OF_THE_CALLER)
        self.check(stop().json, VIDEO, RECORDED | OF_THE_CALLER)
        self.assertEqual(stop().status, 204)

    def check_afterwards(self, stream, video):
        ready = self.wait_filled(lambda: self.told(video), VIDEO,
                                 {"error", "converted_videos[].error"}, timeout=40)
        self.assertIn(ready, self.told("videos"))
        self.check(self.told(f"{video}/timeline"), TIMELINE)
        asked = self.api.post(f"{video}/renditions", {"name": "240p"})
        self.check(asked.json["converted_videos"][1], RENDITION,
                   {"width", "height", "size", "error", "mp4_url"})
        self.wait_live(self.server, "cam", live=False)
        self.check(self.told(f"streams/{stream['id']}"), STREAM, OFFLINE)

    def test_errors_have_one_shape(self):
        server = self.start_nginx(application=BY_HAND,
                                  recording="storage @prefix@/data/videos; min_free 900000g;")
        api = self.api(server)
        self.send(server, "cam", test_clip(seconds=40), "--speed", "1")
        stream = f"streams/{self.wait_live(server, 'cam')['id']}"
        wait_for(lambda: api.put(f"{stream}/start_recording").status == 422, 10,
                 "free space is known")
        self.assertEqual(api.post("streams", {"app": "live", "name": "idle"}).status, 201)
        json = {"Content-Type": "application/json"}
        for status, method, path, body, headers in (
                (400, "PATCH", stream, "{", json),
                (400, "PATCH", stream, {"auto_record": "perhaps"}, json),
                (400, "GET", "videos?page=none", None, {}),
                (404, "GET", "streams/999", None, {}),
                (404, "DELETE", "videos/999", None, {}),
                (404, "GET", "videos/999/timeline", None, {}),
                (404, "GET", "broadcasts", None, {}),
                (405, "DELETE", "videos", None, {}),
                (409, "PUT", "streams/live/idle/start_recording", None, {}),
                (409, "POST", "streams", {"app": "live", "name": "idle"}, json),
                (409, "DELETE", stream, None, {}),
                (413, "PATCH", stream, " " * 100_000, json),
                (415, "POST", "streams", "name=cam", {"Content-Type": "text/plain"}),
                (422, "PUT", f"{stream}/start_recording", None, {})):
            with self.subTest(f"{status} {method} {path}"):
                reply = api.request(method, path, body, headers)
                self.assertEqual(reply.status, status, reply.body)
                self.assertEqual(reply.headers["content-type"], "application/json")
                self.check(reply.json, ERROR)
                self.assertEqual((len(reply.json), len(reply.json["error"])), (1, 2))


class Unknown(RecordingTest):
    """Parameters and fields that only the original has, in every call."""

    QUERY = "with_broadcasts=1&sort=-id&dvr&page[size]=3&name=%20x"
    FIELDS = {"pull": False, "cdn_id": 7, "uri": "rtmp://x/y", "quality_set_id": None,
              "broadcast_ids": [1], "dvr_enabled": True, "dvr_duration": 60, "html_overlay": False,
              "projection": "regular", "poster": None, "ad_id": 1, "tags": [{"x": {"y": 1}}]}

    def ask(self, api, method, path, body):
        """(status, JSON of the answer) of the call as the original's clients may make it."""
        url = f"{api.prefix}{path}{'&' if '?' in path else '?'}{self.QUERY}"
        if not path.startswith("events"):
            reply = api.request(method, url, body)
            return reply.status, reply.json if reply.body else None
        connection = http.client.HTTPConnection(api.host, api.port, timeout=api.timeout)
        try:  # it does not end
            connection.request(method, url)
            return connection.getresponse().status, None
        finally:
            connection.close()

    def test_what_is_unknown_is_ignored(self):
        server = self.start_nginx(application=BY_HAND)
        api = self.api(server)
        wait_for(lambda: api.get("streams").status == 200, what="the catalogue is open")
        described = {(method.upper(), path) for path, calls in api.get("openapi.json").json[
            "paths"].items() for method in calls if method != "parameters"}
        asked = set()

        def ask(method, path, fields=None, expect=200, wrapper=None, of=None):
            """With more in the body, flat or in the object that the original's clients send."""
            body = {**self.FIELDS, **(fields or {})}
            if wrapper:
                body = {wrapper: body, "extra": 1}
            status, json = self.ask(api, method, path if of is None else path.format(id=of), body)
            self.assertEqual(status, expect, (method, path, json))
            asked.add((method, "/" + path.partition("?")[0]))
            return json

        stream = ask("POST", "streams", {"app": "live", "name": "cam", "client_user_id": 5},
                     expect=201)
        self.assertEqual((stream["name"], stream["client_user_id"]), ("cam", 5))
        self.assertEqual([one["id"] for one in ask("GET", "streams?page=1&per_page=5")],
                         [stream["id"]])
        publisher = self.send(server, "cam", test_clip(size="320x240", seconds=40), "--speed", "1")
        self.wait_live(server, "cam")
        of = {"of": stream["id"]}
        for wrapper, client in (("stream", 6), (None, 7)):
            ask("PATCH", "streams/{id}", {"client_user_id": client}, wrapper=wrapper, **of)
            self.assertEqual(ask("GET", "streams/{id}", **of)["client_user_id"], client)
        self.assertEqual(len(ask("GET", "streams/{id}/sessions", **of)), 1)
        started = ask("PUT", "streams/{id}/start_recording", wrapper="stream", **of)
        self.assertEqual(started, {**started, "errors": [], "warnings": []})
        self.wait_frames(server, "cam")
        stopped = ask("PUT", "streams/{id}/stop_recording", **of)
        self.assertEqual(stopped["id"], started["recording"]["video_id"])
        ask("PUT", "streams/{id}/stop_recording", expect=204, wrapper="stream", **of)
        [video] = self.wait_ended(server)
        publisher.stop()
        self.assertEqual([one["id"] for one in ask(
            "GET", f"videos?stream_id={stream['id']}&status=viewable&per_page=5")], [video["id"]])
        of = {"of": video["id"]}
        self.assertEqual(ask("GET", "videos/{id}", **of)["slug"], video["slug"])
        self.assertEqual(ask("GET", "videos?fields=id,cdn_views,status"),
                         [{"id": video["id"], "status": "viewable"}])
        for wrapper, name in (("video", "News"), (None, "News, again")):
            self.assertEqual(ask("PATCH", "videos/{id}", {"name": name}, wrapper=wrapper,
                                 **of)["name"], name)
        ask("POST", "videos/{id}/renditions", {"name": "240p"}, expect=201, **of)
        ask("POST", "videos/{id}/renditions", {"name": "240p"}, wrapper="rendition", **of)
        self.assertEqual(len(ask("GET", "videos/{id}/timeline", **of)["epochs"]), 1)
        for path in ("space", "webhooks", "events", "openapi.json"):
            ask("GET", path)
        ask("DELETE", "videos/{id}", expect=204, **of)
        self.assertEqual(ask("GET", "videos"), [])
        self.wait_live(server, "cam", live=False)
        ask("DELETE", "streams/{id}", expect=204, of=stream["id"])
        self.assertEqual(ask("GET", "streams"), [])
        self.assertEqual(asked, described)
