"""However a broadcast is interrupted: one video inside the reconnect window, two beyond it.

A table of {what breaks} x {1, 4 workers}; each server has four streams: {recorded by hand,
automatically} x {the encoder is back inside the window, beyond it}.

RECORDING_TRUE_WINDOW=1: the table with the window of 60 s that people get, and encoders that come
back 10 s before its end.
"""
import concurrent.futures
import contextlib
import os
import signal
import threading
import time

from tests.integration.support import (
    Api, RecordingTest, mp4_samples, pictures, probe_warnings, test_clip, wait_for)
from tests.integration.support.crash import kill_all
from tests.integration.support.encoder import (
    Encoder, Network, daemonize, joined, side_by_side)

TRUE_WINDOW = bool(os.environ.get("RECORDING_TRUE_WINDOW"))
WINDOW = 60.0 if TRUE_WINDOW else 3.0  # seconds
SHORT_GAP = 50.0 if TRUE_WINDOW else 0.0
RULES = (f"live on; recording on; recording_min_duration 0; "
         f"recording_reconnect_window {int(WINDOW)}s; recording_takeover_timeout 600ms;")
# Messages that were with the kernel, but not with nginx, when it was killed or the cable pulled.
UNREAD = {"v": 8, "a": 14}
KINDS = [(how, gap) for how in ("manual", "auto") for gap in ("short", "long")]


class Case:
    """One server, four streams, one break."""

    def __init__(self, test, how, workers, clip):
        self.test, self.how, self.workers, self.clip = test, how, workers, clip
        self.said = []
        self.network = None
        self.encoders = []

    def __str__(self):
        return f"{self.how}, {self.workers} workers"

    def prepare(self):
        """In the test's thread: all that it cleans up."""
        rtmp = f"application auto {{ {RULES} auto_record on; }}"
        if self.how == "silence":
            self.network = Network()
            self.test.addCleanup(self.network.remove)
            self.network.start()
            rtmp = f"listen {self.network.server_address}:@rtmp_port@; " + rtmp
        self.server = self.test.make_nginx(workers=self.workers, application=RULES, rtmp=rtmp)
        if self.how == "upgrade":
            daemonize(self.server)
        self.api = Api(self.server.http_port)

    def encoder(self, how, name, *options, network=None):
        made = Encoder(self.server, name, self.clip, *options,
                       app="auto" if how == "auto" else "live", network=network)
        self.encoders.append(made)
        return made

    def run(self):
        self.server.start()
        before = {}
        for how, gap in KINDS:
            before[how, gap] = self.encoder(how, gap, "--loops", "0", network=self.network)
        for encoder in before.values():
            encoder.wait_accepted()
        for how, gap in KINDS:
            app = "auto" if how == "auto" else "live"
            self.test.wait_live(self.server, gap, app=app)
            if how == "manual":
                reply = self.api.put(f"streams/{app}/{gap}/start_recording")
                self.test.assertEqual(reply.status, 200, reply.body)
        wait_for(lambda: len(self.test.in_spool(self.server)) == 4, 20, "four recordings grow")
        time.sleep(1.5)
        at_break = {key: encoder.sent() for key, encoder in before.items()}
        getattr(self, "break_by_" + self.how)(before)
        broken = time.monotonic()
        after, back = {}, {}
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            def come_back(key):
                how, gap = key
                until = broken + (WINDOW + 1.2 if gap == "long" else SHORT_GAP)
                time.sleep(max(0.0, until - time.monotonic()))
                after[key] = self.encoder(how, gap, "--duration", "2")
                back[key] = after[key].wait_accepted()
                return after[key].wait()
            for status, key in zip(pool.map(come_back, KINDS), KINDS):
                if status != 0:
                    self.said.append(f"{key}: {after[key].output()}")
        self.gaps = {key: back[key] - broken for key in KINDS}
        for encoder in before.values():
            encoder.kill()
        self.wait_all_ended()
        for key in KINDS:
            self.look_at(key, at_break[key], before[key].sent(), after[key].sent())
        self.test.assert_consistent(self.server)

    def wait_all_ended(self):
        def ended():
            videos = self.test.videos(self.server)
            return len(videos) >= 4 and all(v["status"] in ("viewable", "error") for v in videos) and (
                not self.test.in_spool(self.server))
        wait_for(ended, 40 + WINDOW, f"{self}: all recordings have ended: "
                            f"{self.test.videos(self.server)}", interval=0.1)

    def look_at(self, key, at_break, sent, after):
        how, gap = key
        where = f"{self}, {how}, {gap} gap of {self.gaps[key]:.2f} s"
        stream = self.test.stream(self.server, gap, app="auto" if how == "auto" else "live")
        videos = self.test.videos(self.server, stream["id"])
        expected = 1 if gap == "short" else 2
        if len(videos) != expected or any(v["status"] != "viewable" for v in videos):
            self.said.append(f"{where}: {len(videos)} videos, not {expected}: {videos}")
            return
        paths = [self.test.download(self.server, video) for video in videos]
        for path in paths:
            if warnings := probe_warnings(path):
                self.said.append(f"{where}: {warnings}")
        nothing = {"v": [], "a": []}
        said, ends = joined(paths[0], sent, after if expected == 1 else nothing)
        if expected == 2:
            more, rest = joined(paths[1], nothing, after)
            said += more + ([f"the second has more: {rest}"] if any(
                b - a for a, b in rest.values()) else [])
        self.said += [f"{where}: {line}" for line in said]
        for kind, (first, end) in ends.items():
            if end < len(at_break[kind]) - UNREAD[kind]:
                self.said.append(f"{where}: {kind}: only {end} of {len(at_break[kind])} before "
                                 f"the break were saved")
            if how == "auto" and first != 0:
                self.said.append(f"{where}: {kind}: begins at {first}")
            if kind == "v" and first % 25 != 0:
                self.said.append(f"{where}: begins at {first}, which is no key frame")
        times = [len(video["recording_times"]) for video in videos]
        if times != ([2] if expected == 1 else [1, 1]):
            self.said.append(f"{where}: recording_times {[v['recording_times'] for v in videos]}")

    # what breaks

    def break_by_drop(self, before):
        for encoder in before.values():
            encoder.kill()

    def break_by_silence(self, _):
        self.network.pull()

    def break_by_reload(self, before):
        self.server.reload()
        time.sleep(0.5)  # the old workers go on
        self.break_by_drop(before)

    def break_by_upgrade(self, before):
        old = self.server.process.master()
        workers = set(self.server.workers())
        os.kill(old, signal.SIGUSR2)
        wait_for(lambda: self.server.process.master() != old and set(self.server.workers()) -
                 workers, 20, "the new binary runs")
        os.kill(old, signal.SIGQUIT)
        wait_for(lambda: not workers & set(self.server.workers()), 20, "the old one drains")
        time.sleep(0.5)
        self.break_by_drop(before)

    def break_by_kill(self, _):
        for pid in self.server.workers():
            self.server.allow(rf"worker process {pid} exited on signal 9")
            os.kill(pid, signal.SIGKILL)
        wait_for(self.server.workers, 20, "other workers run")

    def break_by_crash(self, _):
        kill_all(self.server)
        self.server.start()


class Interrupted(RecordingTest):
    def setUp(self):
        super().setUp()
        self._download_lock = threading.Lock()
        self.clip = test_clip(seconds=8)

    def download(self, server, video):
        with self._download_lock:
            return super().download(server, video)

    def run_table(self, *breaks):
        cases = [Case(self, how, workers, self.clip) for how in breaks for workers in (1, 4)]
        for case in cases:
            case.prepare()

        def run(case):
            try:
                case.run()
            except AssertionError as error:
                case.said.append(f"{case}: {error}")
            finally:
                for encoder in case.encoders:
                    encoder.remove()
        with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
            list(pool.map(run, cases))
        self.assertFalse(said := sum((case.said for case in cases), []), "\n".join(said))

    def test_by_the_encoder_or_a_reload(self):
        self.run_table("drop", "reload", "upgrade")

    def test_by_a_kill(self):
        self.run_table("kill", "crash")

    def test_by_a_silent_network(self):
        if os.geteuid() != 0:
            self.skipTest("network namespaces need root")
        probe = Network()
        with contextlib.ExitStack() as stack:
            stack.callback(probe.remove)
            try:
                probe.start()
            except OSError as error:
                self.skipTest(f"no network namespaces here: {error}")
        self.run_table("silence")


class SilentButConnected(RecordingTest):
    """An interruption counts from the last message, whether or not the connection stands."""

    def recorded(self, auto, pause, at=2.5):
        server = self.start_nginx(application=RULES + (" auto_record on;" if auto else ""))
        encoder = Encoder(server, "cam", self.clip, "--duration", "5", "--pause", f"{at}:{pause}")
        self.addCleanup(encoder.remove)
        encoder.wait_accepted()
        stream = self.wait_live(server, "cam")["id"]
        if not auto:
            Api(server.http_port).put(f"streams/{stream}/start_recording")
        self.assertEqual(encoder.wait(WINDOW + 60), 0, encoder.output())
        Api(server.http_port).put(f"streams/{stream}/stop_recording")
        wait_for(lambda: self.videos(server) and not self.in_spool(server) and all(
            video["status"] == "viewable" for video in self.videos(server)), 20, "all have ended")
        videos = self.videos(server)
        paths = [self.stored(server, video) for video in videos]
        for path in paths:
            self.assertEqual(probe_warnings(path), "")
        self.assert_consistent(server)
        return [mp4_samples(path) for path in paths], encoder.sent()

    def test_silence(self):
        self.clip = test_clip(seconds=8)

        def short(auto):
            [saved], sent = self.recorded(auto, WINDOW - 1.5)
            first = sent["v"].index(saved["v"][0])
            self.assertEqual(saved["v"], sent["v"][first:])
            self.assertEqual(saved["a"], sent["a"][-len(saved["a"]):])
            self.assertLessEqual(first, 0 if auto else 50)

        def long(auto):
            (before, after), sent = self.recorded(auto, WINDOW + 1.5)
            first = sent["v"].index(before["v"][0])
            end = first + len(before["v"])
            self.assertEqual(before["v"], sent["v"][first:end])
            self.assertIn(end, range(61, 66), "up to the silence")
            # What comes after it is a new recording, and begins with a key frame.
            again = sent["v"].index(after["v"][0])
            self.assertEqual(again, 75)
            self.assertEqual(after["v"], sent["v"][again:])
            self.assertEqual(after["a"], sent["a"][-len(after["a"]):])
        side_by_side(lambda: short(True), lambda: short(False), lambda: long(True),
                     lambda: long(False))


class BetweenPictures(RecordingTest):
    def test_what_comes_after_it_is_seen_after_what_was_before(self):
        """With B-frames the last picture that came may be seen later than ones that never came."""
        server = self.start_nginx(application=RULES + " auto_record on;")
        clip = test_clip(seconds=8, b_frames=3, gop=50)

        def interrupted(count):
            name = f"cam{count}"
            first = Encoder(server, name, clip, "--stop-after-messages", count, "--close", "silent")
            self.addCleanup(first.remove)
            first.wait_accepted()
            first.wait()
            second = Encoder(server, name, clip, "--duration", "1")
            self.addCleanup(second.remove)
            second.wait_accepted()
            self.assertEqual(second.wait(), 0, second.output())
            stopped = Api(server.http_port).put(f"streams/live/{name}/stop_recording").json
            return first, second, stopped["slug"]
        counts = range(80, 92)  # audio and video: six instants within two groups of pictures
        with concurrent.futures.ThreadPoolExecutor(len(counts)) as pool:
            encoders = list(pool.map(interrupted, counts))
        videos = {video["slug"]: video for video in self.wait_ended(server, len(counts))}
        for count, (first, second, slug) in zip(counts, encoders):
            self.assertEqual((videos[slug]["status"], len(videos[slug]["recording_times"])),
                             ("viewable", 2), videos[slug])
            path = self.download(server, slug)
            self.assertEqual(joined(path, first.sent(), second.sent())[0], [])
            times = [time for time, _ in pictures(path)]
            self.assertEqual([(a, b) for a, b in zip(times, times[1:]) if b <= a + 20], [],
                             f"after {count} messages")
        self.assert_consistent(server)
