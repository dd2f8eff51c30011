"""Longer than recording_max_duration: parts, cut at key frames; every sample is in one of them."""
import os

from tests.integration.support import (
    Api, RecordingTest, mp4_samples, probe_warnings, test_clip, wait_for)
from tests.integration.support.encoder import Encoder, side_by_side

RULES = "live on; recording on; auto_record on; recording_reconnect_window 0;"


class Divided(RecordingTest):
    def setUp(self):
        super().setUp()
        self.clip = test_clip(seconds=8, gop=50)

    def encoder(self, server, name, *options):
        made = Encoder(server, name, self.clip, *options)
        self.addCleanup(made.remove)
        return made

    def parts_of(self, server, count, timeout=60):
        """In the order of their sequence, which is that of their numbers."""
        videos = self.wait_ended(server, count, timeout)
        self.assertEqual([v["sequence"] for v in videos], list(range(1, count + 1)))
        self.assertEqual(len({v["transaction_id"] for v in videos}), 1)
        self.assertEqual([v["last_sequence"] for v in videos], [False] * (count - 1) + [True])
        self.assertEqual(len({v["slug"] for v in videos}), count)
        return videos

    def assert_parts_are(self, server, videos, sent):
        """Nothing lost, doubled or in another order; each begins with a key frame."""
        together = {"v": [], "a": []}
        for video in videos:
            self.assertEqual((video["status"], video["error"]), ("viewable", None), video)
            path = self.stored(server, video)
            self.assertEqual(probe_warnings(path), "")
            self.assertEqual(len(together["v"]) % 50, 0, "a part begins with a key frame")
            for kind, samples in mp4_samples(path).items():
                together[kind] += samples
        for kind in "va":
            self.assertEqual(len(together[kind]), len(sent[kind]), kind)
            self.assertEqual(together[kind], sent[kind], kind)

    def test_four_hours_in_parts_of_ten_minutes(self):
        """Real timestamps, sent faster than real time (here: 40 min; RECORDING_LONG=1: 4 h)."""
        minutes = 240 if os.environ.get("RECORDING_LONG") else 40
        server = self.start_nginx(application=RULES + (
            "recording_max_duration 10m; recording_buffer 256m; recording_fragment 5s;"))
        publisher = self.encoder(server, "cam", "--loops", "0", "--duration", minutes * 60,
                                 "--flat-out")
        self.assertEqual(publisher.wait(600), 0, publisher.output())
        videos = self.parts_of(server, minutes // 10, timeout=120)
        self.assert_parts_are(server, videos, publisher.sent())
        for video in videos:
            self.assertAlmostEqual(video["duration"], 600_000, delta=2100)
        self.assertNotIn("recording_buffer of", server.log_text())
        self.assert_consistent(server)

    def test_minimum_is_of_the_whole_recording(self):
        def last_part_is_kept():
            server = self.start_nginx(application=RULES + (
                "recording_max_duration 10s; recording_min_duration 5s;"))
            encoder = self.encoder(server, "cam", "--loops", "0", "--duration", "23.5", "--speed",
                                   "8")
            self.assertEqual(encoder.wait(), 0, encoder.output())
            videos = self.parts_of(server, 3)
            self.assertLess(videos[2]["duration"], 5000)
            self.assert_parts_are(server, videos, encoder.sent())
            self.assert_consistent(server)

        def whole_is_not():
            server = self.start_nginx(application=RULES + (
                "recording_max_duration 10s; recording_min_duration 5s;"))
            short = self.encoder(server, "short", "--duration", "4.5", "--speed", "8")
            self.assertEqual(short.wait(), 0, short.output())
            [video] = self.wait_ended(server, 1)
            self.assertEqual((video["status"], video["error"]), ("error", "too_short"), video)
            self.assertIn('"reason":"too_short"', server.log_text())
            wait_for(lambda: not self.in_spool(server), 10, "its file is gone")
            self.assertEqual(self.in_storage(server), [])
            exact = self.encoder(server, "exact", "--duration", "5.2", "--speed", "8")
            self.assertEqual(exact.wait(), 0, exact.output())
            videos = self.wait_ended(server, 2)
            self.assertEqual(videos[1]["status"], "viewable", videos)
        side_by_side(last_part_is_kept, whole_is_not)

    def test_interrupted_and_divided(self):
        """The limit counts what is in the file; an interruption is no new broadcast."""
        server = self.start_nginx(workers=2, application=RULES.replace("window 0", "window 6s") + (
            "recording_max_duration 10s; recording_min_duration 0;"))
        sent = {"v": [], "a": []}
        for turn in range(3):
            publisher = self.encoder(server, "cam", "--loops", "0", "--stop-after-messages",
                                     "620", "--speed", "8", "--close", "silent")
            self.assertEqual(publisher.wait(), 0, publisher.output())
            for kind, samples in publisher.sent().items():
                sent[kind] += samples
            if turn == 1:
                for pid in server.workers():
                    server.allow(rf"worker process {pid} exited on signal 9")
                    os.kill(pid, 9)
                wait_for(server.workers, 20, "workers")
        wait_for(lambda: len(self.videos(server)) >= 3 and all(
            v["status"] == "viewable" for v in self.videos(server)), 40, "all have ended")
        videos = self.parts_of(server, len(self.videos(server)))
        self.assertGreaterEqual(len(videos), 3)
        together = {"v": [], "a": []}
        for video in videos:
            self.assertLess(video["duration"], 10_000 + 2000 + 500)
            for kind, samples in mp4_samples(self.stored(server, video)).items():
                together[kind] += samples
        for kind in "va":
            self.assertEqual(together[kind], sent[kind], kind)
        self.assert_consistent(server)

    def test_a_stop_ends_the_last_part(self):
        server = self.start_nginx(application=RULES.replace(" auto_record on;", "") + (
            "recording_max_duration 10s; recording_min_duration 0;"))
        publisher = self.encoder(server, "cam", "--loops", "0", "--speed", "8")
        publisher.wait_accepted()
        stream = self.wait_live(server, "cam")["id"]
        api = Api(server.http_port)
        started = api.put(f"streams/{stream}/start_recording")
        self.assertEqual(started.status, 200, started.body)
        wait_for(lambda: len(self.videos(server)) >= 3, 20, "two parts and another")
        again = api.put(f"streams/{stream}/start_recording")
        self.assertEqual(again.status, 200)
        self.assertNotEqual(again.json["recording"]["slug"], started.json["recording"]["slug"])
        stopped = api.put(f"streams/{stream}/stop_recording")
        self.assertEqual((stopped.status, stopped.json["slug"]),
                         (200, again.json["recording"]["slug"]))
        count = stopped.json["sequence"]
        videos = self.parts_of(server, count)
        self.assertEqual(videos[-1]["slug"], stopped.json["slug"])
        publisher.kill()
