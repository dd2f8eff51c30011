"""A returning encoder takes the place of its silent connection, and of no other."""
import concurrent.futures
import http.server
import os
import subprocess
import threading
import time

from tests.integration.support import (
    RecordingTest, flv_messages, message_sample, mp4_samples, probe_warnings, test_clip, wait_for)
from tests.integration.support.encoder import Encoder, joined, side_by_side

RULES = ("live on; recording on; auto_record on; recording_min_duration 0; "
         "recording_reconnect_window 8s; recording_takeover_timeout 1s;")


class Denying(http.server.BaseHTTPRequestHandler):
    """on_publish that lets in the first publisher of a name and nobody after it."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        time.sleep(0.2)
        self.server.calls.append(body)
        self.send_response(200 if len(self.server.calls) == 1 else 403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Takeover(RecordingTest):
    def setUp(self):
        super().setUp()
        self.clip = test_clip(seconds=8)

    def encoder(self, server, *options):
        made = Encoder(server, "cam", self.clip, *options)
        self.addCleanup(made.remove)
        return made

    def silent_encoder(self, server, silence=60, viewer=None):
        """Sends 1.5 s and then nothing, its connection still there."""
        made = self.encoder(server, "--loops", "0", "--pause", f"{4 if viewer else 1.5}:{silence}")
        if viewer:
            made.wait_accepted()
            viewer.start()
        wait_for(lambda: '"event":"pause"' in made.output(), 15, "it is silent")
        return made

    def assert_one_video(self, server, before, after):
        [video] = self.wait_ended(server, 1)
        self.assertEqual((video["status"], len(video["recording_times"])), ("viewable", 2), video)
        path = self.download(server, video)
        self.assertEqual(probe_warnings(path), "")
        said, ends = joined(path, before.sent(), after.sent())
        self.assertEqual(said, [])
        for kind, samples in before.sent().items():
            self.assertEqual(ends[kind], (0, len(samples)), "all of the first connection")
        self.assert_consistent(server)

    def replaced(self, workers):
        server = self.start_nginx(application=RULES, workers=workers)
        old = self.silent_encoder(server)
        began = time.monotonic()
        new = self.encoder(server, "--duration", "2", "--close", "silent")
        accepted = new.wait_accepted()
        self.assertLess(accepted - began, 6)
        self.assertEqual(new.wait(), 0, new.output())
        wait_for(lambda: not old.running, 10, "the old connection was ended")
        self.assertTrue(old.report()[0]["closed_by_peer"], old.report())
        self.assert_one_video(server, old, new)
        self.assertIn("takes the place of a silent one", server.log_text())

    def test_on_the_same_worker_and_on_another(self):
        side_by_side(lambda: self.replaced(1), lambda: self.replaced(4))

    def test_over_and_over_through_four_workers(self):
        """Each encoder falls silent and is replaced by the next: one video, nothing missing."""
        server = self.start_nginx(application=RULES.replace("timeout 1s", "timeout 300ms"),
                                  workers=4)
        encoders = []
        for _ in range(5):
            encoder = self.encoder(server, "--loops", "0", "--pause", "1.1:60")
            encoder.wait_accepted()
            wait_for(lambda: '"event":"pause"' in encoder.output(), 15, "it is silent")
            encoders.append(encoder)
        encoders[-1].kill()
        [video] = self.wait_ended(server, 1, timeout=40)
        self.assertEqual((video["status"], len(video["recording_times"])), ("viewable", 5), video)
        saved = mp4_samples(self.download(server, video))
        for kind in "va":
            self.assertEqual(saved[kind], sum((e.sent()[kind] for e in encoders), []))
        self.assert_consistent(server)

    def test_not_from_one_that_sends(self):
        def one(workers):
            server = self.start_nginx(application=RULES.replace("window 8s", "window 0"),
                                      workers=workers)
            old = self.encoder(server)
            old.wait_accepted()
            refused = 0
            while old.running and refused < 12:
                new = self.encoder(server, "--eager", "--hold", "1")
                if new.wait() == 0:
                    self.fail(f"{workers} workers: let in: {new.output()}")
                self.assertEqual(new.report()[0]["code"], "NetStream.Publish.BadName")
                refused += 1
            self.assertGreater(refused, 3)
            self.assertEqual(old.wait(), 0, old.output())
            [video] = self.wait_ended(server, 1)
            self.assert_whole(server, video, self.clip)
        side_by_side(lambda: one(1), lambda: one(4))

    def test_two_at_once_through_four_workers(self):
        """One is let in, and its recording has one writer. RECORDING_LONG=1: 100 tries."""
        tries = 25 if os.environ.get("RECORDING_LONG") else 5
        server = self.start_nginx(application=RULES.replace("window 8s", "window 0"), workers=4)
        all_sent = {"v": [], "a": []}
        for message in flv_messages(self.clip):
            if sample := message_sample(message):
                all_sent[message.kind].append(sample)

        def race(name):
            accepted = 0
            for _ in range(tries):
                both = self.send(server, name, self.clip, "-n", "2", "--stagger", "0",
                                 "--duration", "0.6", "--hold", "0.3", "--eager")
                both.wait()
                verdicts = [row["publish"] for row in both.report()]
                self.assertIn(sorted(verdicts), (["accepted", "refused"], ["refused", "refused"]))
                accepted += verdicts.count("accepted")
                self.wait_live(server, name, live=False)
            return accepted
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            accepted = sum(pool.map(race, ("one", "two", "three", "four")))
        self.assertGreaterEqual(accepted, tries * 3)
        wait_for(lambda: not self.in_spool(server) and not any(
            video["status"] == "pending" for video in self.videos(server)), 20, "all have ended")
        files = self.in_storage(server)
        self.assertEqual(len(files), accepted)
        for path in files:
            self.assertEqual(probe_warnings(path), "")
            for kind, samples in mp4_samples(path).items():
                self.assertEqual(samples, all_sent[kind][:len(samples)])
                self.assertGreater(len(samples), 5)

    def test_off(self):
        server = self.start_nginx(application=RULES + "recording_takeover off;", workers=2)
        old = self.silent_encoder(server, silence=3)
        time.sleep(1.2)
        for _ in range(3):
            new = self.encoder(server)
            self.assertNotEqual(new.wait(), 0)
            self.assertEqual(new.report()[0]["code"], "NetStream.Publish.BadName")
        self.assertTrue(old.running)
        time.sleep(2)
        self.assertTrue(old.running, "it goes on after its silence")
        old.stop()
        [video] = self.wait_ended(server, 1)
        self.assertEqual(mp4_samples(self.download(server, video)), old.sent())

    def denied(self, workers):
        """Refused by on_publish, which comes after our gate: all is as it was."""
        answering = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Denying)
        answering.calls = []
        threading.Thread(target=answering.serve_forever, daemon=True).start()
        self.addCleanup(answering.server_close)
        self.addCleanup(answering.shutdown)
        server = self.start_nginx(workers=workers, application=RULES + (
            f"on_publish http://127.0.0.1:{answering.server_port}/; notify_method post;"))
        viewer = Viewer(self, server)
        old = self.silent_encoder(server, silence=4, viewer=viewer)
        time.sleep(1.2)
        for _ in range(4):
            new = self.encoder(server)
            self.assertNotEqual(new.wait(), 0, new.output())
        # At least one of them had been at the place of the silent one.
        self.assertGreater(len(answering.calls), 1)
        time.sleep(4)
        self.assertTrue(old.running, old.output())
        old.stop()
        viewer.stop()
        [video] = self.wait_ended(server, 1)
        self.assertEqual(len(video["recording_times"]), 1, video)
        self.assertEqual(mp4_samples(self.download(server, video)), old.sent())
        if workers == 1:
            self.assertTrue(viewer.saw(old.sent()["v"][-35:-10]), "what came after its silence")

    def test_a_denied_newcomer_leaves_the_old_one(self):
        side_by_side(lambda: self.denied(1), lambda: self.denied(4))

    def test_viewers_stay(self):
        server = self.start_nginx(application=RULES)
        viewer = Viewer(self, server)
        old = self.silent_encoder(server, viewer=viewer)
        new = self.encoder(server, "--duration", "4")
        new.wait_accepted()
        self.assertEqual(new.wait(), 0, new.output())
        sent = new.sent()["v"]
        wait_for(lambda: viewer.saw(sent[-35:-10]), 5, "the viewer got the new pictures")
        self.assert_one_video(server, old, new)


class Viewer:
    """ffmpeg plays the stream through nginx-rtmp into a file until it is stopped."""

    def __init__(self, test, server):
        self.path = test.folder / f"viewed-{server.rtmp_port}.flv"
        self.url = f"rtmp://127.0.0.1:{server.rtmp_port}/live/cam live=1"
        self.process = None
        test.addCleanup(self.stop)

    def start(self):
        self.process = subprocess.Popen(
            ["ffmpeg", "-v", "error", "-y", "-analyzeduration", "2000000", "-i", self.url, "-c",
             "copy", "-flush_packets", "1", str(self.path)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()  # it waits for the next packet before it hears another signal
            self.process.wait()

    def saw(self, samples):
        """These pictures, one behind the other."""
        seen = [message_sample(message) for message in flv_messages(self.path)
                if message.kind == "v" and message_sample(message)]
        return any(seen[i:i + len(samples)] == samples for i in range(len(seen)))
