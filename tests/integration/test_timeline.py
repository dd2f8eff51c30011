"""What a recording's file says of its course: epochs, changes, interruptions, at any moment."""
import pathlib
import struct
from datetime import datetime, timezone

from tests.integration.support import (AT_ONCE, AUTOMATIC, Api, RecordingTest, Reply, probe,
                                       test_clip, wait_for)

WINDOW = 4
RETURNING = ("live on; recording on; auto_record on; recording_min_duration 0; "
             f"recording_reconnect_window {WINDOW}s;")

SMALL = dict(extra="-color_range tv -color_primaries bt709 -color_trc bt709 -colorspace bt709")
LARGE = dict(size="640x360", rate=30, gop=30, b_frames=2, audio_rate=44100,
             extra="-ac 2 -vf format=yuvj422p -pix_fmt yuvj422p -color_range pc "
                   "-color_primaries smpte170m -color_trc smpte170m -colorspace smpte170m")


def by_ffprobe(path):
    """(video, audio) of an epoch, as they should be told of this file."""
    streams = {s["codec_type"]: s for s in probe(path, "-show_streams")["streams"]}
    video, audio = streams["video"], streams["audio"]
    above, below = map(int, video["r_frame_rate"].split("/"))
    return {
        "codec": video["codec_name"], "profile": video["profile"], "level": video["level"],
        "width": video["width"], "height": video["height"],
        "sample_aspect_ratio": video["sample_aspect_ratio"], "pix_fmt": video["pix_fmt"],
        "color_range": video.get("color_range"), "color_primaries": video.get("color_primaries"),
        "color_transfer": video.get("color_transfer"), "color_space": video.get("color_space"),
        "bit_depth": int(video["bits_per_raw_sample"]),
        "interlaced": video["field_order"] != "progressive", "has_b_frames": video["has_b_frames"],
        "frame_rate_declared": above / below,
    }, {"codec": audio["codec_name"], "profile": audio["profile"], "sample_rate": int(audio["sample_rate"]),
        "channels": audio["channels"]}


def seconds(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def now():
    return datetime.now(timezone.utc).timestamp()


class Timelines(RecordingTest):
    def timeline(self, server, video) -> Reply:
        return Api(server.http_port).get(f"videos/{video['id']}/timeline")

    def told(self, server, video):
        reply = self.timeline(server, video)
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json

    def assert_epoch(self, epoch, path, audio=True):
        """The epoch is material of this file."""
        video = dict(epoch["video"])
        self.assertAlmostEqual(video.pop("frame_rate_measured"), video["frame_rate_declared"],
                               delta=0.2)
        wanted = by_ffprobe(path)
        self.assertEqual((video, epoch["audio"]), (wanted[0], wanted[1] if audio else None))
        self.assertTrue(epoch["mp4_url"].endswith(f"/source.mp4?epoch={epoch['index']}"))

    def recorded(self, server):
        return wait_for(lambda: [v for v in self.videos(server) if v["origin_size"] > 0], 15,
                        "something is saved")[0]

    def check_times(self, server, video, story, gap_kept):
        """`recording_times` and the interruption are the same story, told by the clock."""
        [interruption] = story["interruptions"]
        first, second = video["recording_times"]
        self.assertAlmostEqual(seconds(first["started_at"]) + first["duration_seconds"],
                               seconds(interruption["started_at"]), delta=0.7)
        self.assertEqual(second["started_at"], interruption["ended_at"])
        self.assertAlmostEqual(first["duration_seconds"] * 1000, interruption["at_ms"], delta=1)
        self.assertAlmostEqual(
            (seconds(interruption["ended_at"]) - seconds(interruption["started_at"])) * 1000,
            interruption["lost_ms"], delta=2)
        media = sum(t["duration_seconds"] for t in video["recording_times"]) * 1000
        gap = interruption["lost_ms"] if gap_kept else 0
        self.assertAlmostEqual(media + gap, video["duration"], delta=30)

    def come_back_different(self, gap):
        server = self.start_nginx(application=RETURNING + f" recording_gap {gap};")
        small, large = test_clip(seconds=8, **SMALL), test_clip(seconds=3, **LARGE)
        encoder = self.send(server, "cam", small, "--speed", "1")
        video = self.recorded(server)
        early = wait_for(lambda: (t := self.told(server, video))["epochs"][0]["end_ms"] > 1500
                         and t, 15, "the timeline grows")
        self.assert_epoch(early["epochs"][0], small)
        self.assertEqual((len(early["epochs"]), early["uniform"], early["interruptions"]),
                         (1, True, []))
        encoder.kill()
        killed = now()
        self.wait_live(server, "cam", live=False)
        waiting = wait_for(lambda: (t := self.told(server, video))["epochs"][0]["end_ms"]
                           >= early["epochs"][0]["end_ms"] and t, 5, "it can be read")
        self.assertEqual((len(waiting["epochs"]), waiting["changes"]), (1, []))
        wait_for(lambda: now() - killed > 1.2, 5, "a moment passes")
        back = now()
        self.assertEqual(self.send(server, "cam", large, "--speed", "1").wait(), 0)
        [video] = self.wait_ended(server)

        story = self.told(server, video)
        self.assertEqual([e["index"] for e in story["epochs"]], [0, 1])
        first, second = story["epochs"]
        self.assert_epoch(first, small)
        self.assert_epoch(second, large)
        self.assertEqual((first["start_ms"], first["end_ms"]), (0, second["start_ms"]))
        self.assertEqual(second["end_ms"], video["duration"])
        self.assertEqual((story["uniform"], video["uniform"]), (False, False))
        expected = []
        for track, a, b in zip(("video", "audio"), by_ffprobe(small), by_ffprobe(large)):
            expected += [{"at_ms": second["start_ms"], "field": f"{track}.{field}",
                          "from": a[field], "to": b[field]} for field in a if a[field] != b[field]]
        self.assertGreater(len(expected), 8)
        self.assertEqual(story["changes"], expected)

        [interruption] = story["interruptions"]
        self.assertEqual(interruption["reason"], "connection")
        self.assertAlmostEqual(seconds(interruption["started_at"]), killed, delta=0.6)
        self.assertAlmostEqual(seconds(interruption["ended_at"]), back, delta=0.6)
        kept = interruption["lost_ms"] if gap == "keep" else 0
        self.assertAlmostEqual(second["start_ms"] - interruption["at_ms"], kept, delta=60)
        self.assertEqual(story["timestamp_repairs"], [])
        self.check_times(server, video, story, gap == "keep")

    def test_another_picture_after_a_reconnect(self):
        self.come_back_different("close")

    def test_another_picture_after_a_gap_that_is_kept(self):
        self.come_back_different("keep")

    def test_a_change_in_mid_stream(self):
        server = self.start_nginx(application=AUTOMATIC)
        small, large = test_clip(seconds=2, **SMALL), test_clip(seconds=2, **LARGE)
        self.assertEqual(self.send(server, "cam", [small, large]).wait(), 0)
        [video] = self.wait_ended(server)
        story = self.told(server, video)
        self.assert_epoch(story["epochs"][0], small)
        self.assert_epoch(story["epochs"][-1], large)
        fields = [change["field"] for change in story["changes"]]
        self.assertEqual(len(fields), len(set(fields)), story["changes"])
        self.assertLessEqual({"video.width", "video.pix_fmt", "audio.sample_rate"}, set(fields))
        for change in story["changes"]:
            self.assertAlmostEqual(change["at_ms"], 2000, delta=150)
        self.assertEqual((story["interruptions"], video["uniform"]), ([], False))

    def test_sound_that_comes_late_changes_nothing(self):
        server = self.start_nginx(application=AUTOMATIC)
        clip = test_clip(seconds=4)
        self.assertEqual(
            self.send(server, "cam", clip, "--speed", "2", "--audio-delay", "2").wait(), 0)
        [video] = self.wait_ended(server)
        story = self.told(server, video)
        self.assertEqual((story["uniform"], video["uniform"]), (True, True))
        self.assertEqual((story["changes"], story["interruptions"]), ([], []))
        first, second = story["epochs"]
        self.assert_epoch(first, clip, audio=False)
        self.assert_epoch(second, clip)
        self.assertAlmostEqual(second["start_ms"], 2000, delta=1100)

    def test_why_it_was_interrupted(self):
        clip = test_clip(seconds=8)
        ends = {"connection": lambda server, encoder: encoder.kill(),
                "unpublished": lambda server, encoder: encoder.stop(),
                "worker_died": lambda server, encoder: server.kill_worker()}
        servers = {reason: self.start_nginx(application=RETURNING) for reason in ends}
        encoders = {reason: self.send(server, "cam", clip, "--speed", "1")
                    for reason, server in servers.items()}
        for reason, server in servers.items():
            video = self.recorded(server)
            ends[reason](server, encoders[reason])
            self.wait_live(server, "cam", live=False)
            self.assertEqual(self.told(server, video)["interruptions"], [])
        for server in servers.values():
            self.send(server, "cam", test_clip(seconds=2), "--speed", "2")
        for reason, server in servers.items():
            with self.subTest(reason):
                [video] = self.wait_ended(server)
                story = self.told(server, video)
                self.assertEqual([i["reason"] for i in story["interruptions"]], [reason])
                self.assertTrue(story["uniform"], story["changes"])
                self.assertEqual(len(video["recording_times"]), 2)

    def test_declared_frame_rates_are_those_of_metadata(self):
        """nginx-rtmp keeps whole numbers of them, cut off."""
        server = self.start_nginx(application=AUTOMATIC)
        clip = pathlib.Path(test_clip(seconds=1)).read_bytes()  # its VUI says 25
        said = clip.index(b"framerate\0") + len(b"framerate\0")
        wanted = {"ntsc": (30000 / 1001, 29.97), "half": (12.5, 12.5), "none": (float("nan"), 25)}
        for name, (rate, _) in wanted.items():
            source = self.folder / f"{name}.flv"
            source.write_bytes(clip[:said] + struct.pack(">d", rate) + clip[said + 8:])
            self.send(server, name, source)
        for video in self.wait_ended(server, len(wanted)):
            name = Api(server.http_port).get(f"streams/{video['stream_id']}").json["name"]
            [epoch] = self.told(server, video)["epochs"]
            self.assertEqual(epoch["video"]["frame_rate_declared"], wanted[name][1], name)

    def test_no_file_no_timeline(self):
        server = self.start_nginx(application=AUTOMATIC.replace(
            AT_ONCE, "recording_min_duration 1m; recording_reconnect_window 0;"))
        self.assertEqual(self.send(server, "cam", test_clip(seconds=2)).wait(), 0)
        [video] = self.wait_ended(server)
        self.assertEqual(video["error"], "too_short")
        reply = self.timeline(server, video)
        self.assertEqual((reply.status, reply.code), (404, "video_has_no_file"))
        self.assertIn("too_short", reply.json["error"]["message"])
        reply = self.timeline(server, {"id": video["id"] + 1})
        self.assertEqual((reply.status, reply.code), (404, "video_not_found"))
