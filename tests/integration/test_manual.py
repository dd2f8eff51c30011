"""Start and stop while a stream is interrupted, twice, and from two sides at once."""
import concurrent.futures
import random
import time

from tests.integration.support import Api, RecordingTest, mp4_samples, test_clip, wait_for
from tests.integration.support.encoder import Encoder, joined, side_by_side

RULES = "live on; recording on; recording_min_duration 0; recording_reconnect_window 6s;"


class Manual(RecordingTest):
    def setUp(self):
        super().setUp()
        self.clip = test_clip(seconds=8)

    def live(self, auto=False, workers=1, rules=RULES):
        server = self.start_nginx(application=rules + (" auto_record on;" if auto else ""),
                                  workers=workers)
        encoder = self.encoder(server, "--loops", "0")
        encoder.wait_accepted()
        return server, Api(server.http_port), self.wait_live(server, "cam")["id"], encoder

    def encoder(self, server, *options, name="cam"):
        made = Encoder(server, name, self.clip, *options)
        self.addCleanup(made.remove)
        return made

    def call(self, api, stream, name, status=200):
        reply = api.put(f"streams/{stream}/{name}_recording")
        self.assertEqual(reply.status, status, (name, reply.body))
        return reply.json if reply.body else None

    def interrupted(self, server, encoder):
        encoder.kill()
        self.wait_live(server, "cam", live=False)

    def recorded(self, server, encoder):
        """Until a second of it is on disk."""
        count = len(encoder.sent()["v"])
        self.wait_frames(server, "cam", 4096)
        wait_for(lambda: len(encoder.sent()["v"]) > count + 30, 15, "a second was sent")

    def test_stop_while_interrupted(self):
        def one(auto):
            server, api, stream, old = self.live(auto)
            if not auto:
                self.call(api, stream, "start")
            self.recorded(server, old)
            self.interrupted(server, old)
            began = time.monotonic()
            stopped = self.call(api, stream, "stop")
            self.call(api, stream, "stop", 204)
            self.assertFalse(api.get(f"streams/{stream}").json["recording"])
            [video] = self.wait_ended(server, 1)
            self.assertLess(time.monotonic() - began, 4, "at once, not when the window is over")
            self.assertEqual((video["slug"], video["status"]), (stopped["slug"], "viewable"))
            self.assertEqual(joined(self.download(server, video), old.sent(),
                                    {"v": [], "a": []})[0], [])
            reply = api.put(f"streams/{stream}/start_recording")
            self.assertEqual((reply.status, reply.code), (409, "stream_not_live"))
            # Still inside the window of what was stopped: a new session, a new recording or none.
            new = self.encoder(server, "--duration", "2")
            self.assertEqual(new.wait(), 0, new.output())
            self.wait_live(server, "cam", live=False)
            if auto:
                self.call(api, stream, "stop")
                videos = self.wait_ended(server, 2)
                self.assertEqual(mp4_samples(self.download(server, videos[1])), new.sent())
            else:
                self.call(api, stream, "stop", 204)
                self.wait_ended(server, 1)
            self.assert_consistent(server)
        side_by_side(lambda: one(False), lambda: one(True))

    def test_start_while_interrupted(self):
        def one(auto):
            server, api, stream, old = self.live(auto, workers=2)
            if not auto:
                self.call(api, stream, "start")
            self.recorded(server, old)
            running = self.call(api, stream, "start")["recording"]["slug"]
            self.interrupted(server, old)
            for _ in range(3):
                self.assertEqual(self.call(api, stream, "start")["recording"]["slug"], running)
            new = self.encoder(server, "--duration", "2")
            self.assertEqual(new.wait(), 0, new.output())
            self.assertEqual(self.call(api, stream, "start")["recording"]["slug"], running)
            self.assertEqual(self.call(api, stream, "stop")["slug"], running)
            self.call(api, stream, "stop", 204)
            [video] = self.wait_ended(server, 1)
            self.assertEqual(joined(self.download(server, video), old.sent(), new.sent())[0], [])
            self.assertEqual(len(video["recording_times"]), 2, video)
            self.assert_consistent(server)
        side_by_side(lambda: one(False), lambda: one(True))

    def test_stop_is_final_until_the_next_session(self):
        """For auto_record, too; and a start in between counts."""
        server, api, stream, old = self.live(auto=True)
        self.recorded(server, old)
        first = self.call(api, stream, "stop")["slug"]
        self.call(api, stream, "stop", 204)
        time.sleep(2.2)
        self.assertFalse(api.get(f"streams/{stream}").json["recording"])
        self.wait_ended(server, 1)
        second = self.call(api, stream, "start")["recording"]["slug"]
        self.assertNotEqual(first, second)
        self.recorded(server, old)
        self.assertEqual(self.call(api, stream, "stop")["slug"], second)
        server.reload()  # no new session either
        time.sleep(1.2)
        self.assertFalse(api.get(f"streams/{stream}").json["recording"])
        self.interrupted(server, old)
        new = self.encoder(server, "--duration", "2")
        self.assertEqual(new.wait(), 0, new.output())
        third = self.call(api, stream, "stop")["slug"]
        videos = self.wait_ended(server, 3)
        self.assertEqual([video["slug"] for video in videos], [first, second, third])
        self.assertEqual(mp4_samples(self.download(server, videos[2])), new.sent())
        self.assert_consistent(server)

    def test_a_stop_outlives_the_death_of_the_worker(self):
        server, api, stream, old = self.live(auto=False)
        self.call(api, stream, "start")
        self.recorded(server, old)
        self.call(api, stream, "stop")
        server.kill_worker()
        old.kill()
        new = self.encoder(server, "--duration", "1")
        self.assertEqual(new.wait(), 0, new.output())
        self.call(api, stream, "stop", 204)
        [video] = self.wait_ended(server, 1)
        self.assertEqual(joined(self.download(server, video), old.sent(),
                                {"v": [], "a": []})[0], [])
        self.assert_consistent(server)

    def test_the_encoder_leaves_right_after_the_start(self):
        """Promised is promised: what was held since the last key frame is the video. Also with a
        draining worker."""
        server = self.start_nginx(application=RULES.replace("window 6s", "window 0"), workers=2)
        for turn in range(4):
            encoder = self.encoder(server, "--loops", "0")
            encoder.wait_accepted()
            stream = self.wait_live(server, "cam")["id"]
            wait_for(lambda: len(encoder.sent()["v"]) >= 5, 10, "it sends")
            if turn % 2:
                server.reload()
            self.call(Api(server.http_port), stream, "start")
            encoder.stop()
            videos = self.wait_ended(server, turn + 1)
            self.assertEqual((videos[turn]["status"], videos[turn]["error"]), ("viewable", None))
            saved, sent = mp4_samples(self.download(server, videos[turn])), encoder.sent()
            self.assertEqual(saved["v"], sent["v"][-len(saved["v"]):])
            self.assertGreaterEqual(len(saved["v"]), 1)
            self.wait_live(server, "cam", live=False)

    def test_races_over_four_workers(self):
        """Every recording that was started was stopped exactly once, and is one video."""
        server, api, stream, _ = self.live(workers=4)

        def client(number):
            chance = random.Random(number)
            started, stopped = [], []
            for _ in range(40):
                if chance.random() < 0.5:
                    reply = Api(server.http_port).put(f"streams/{stream}/start_recording")
                    self.assertEqual(reply.status, 200, reply.body)
                    started.append(reply.json["recording"]["slug"])
                else:
                    reply = Api(server.http_port).put(f"streams/{stream}/stop_recording")
                    self.assertIn(reply.status, (200, 204), reply.body)
                    if reply.status == 200:
                        stopped.append(reply.json["slug"])
            return started, stopped

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            results = list(pool.map(client, range(4)))
        started = {slug for begun, _ in results for slug in begun}
        stopped = [slug for _, ended in results for slug in ended]
        self.assertEqual(len(stopped), len(set(stopped)), "nothing was stopped twice")
        last = api.put(f"streams/{stream}/stop_recording")
        if last.status == 200:
            stopped.append(last.json["slug"])
        self.assertEqual(set(stopped), started)
        wait_for(lambda: not self.in_spool(server) and len(self.videos(server)) >= min(
            100, len(started)) and all(v["status"] in ("viewable", "error")
                                       for v in self.videos(server)), 30, "all have ended")
        for video in self.videos(server):
            self.assertIn(video["slug"], started)
            self.assertIn(video["error"], (None, "nothing_received"), video)
        self.assert_consistent(server)
