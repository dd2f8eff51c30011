"""kill -9 loses nothing that nginx-rtmp had handed over."""
import concurrent.futures
import os
import random
import signal
import time

from tests.integration.support import (
    AUTOMATIC, BY_HAND, RecordingTest, is_sanitized, message_sample, module_path,
    mp4_samples, flv_messages, probe_warnings, test_clip, testing_module_path, wait_for)
from tests.integration.support.crash import MessageLog, Samples, kill_all, lost_samples

INSTANTS = 20
SERVERS = 4


class Killed(RecordingTest):
    def setUp(self):
        super().setUp()
        if is_sanitized(module_path()):
            self.skipTest("the module with the message log has no sanitizers")
        if not testing_module_path().exists():
            self.skipTest(f"no {testing_module_path()}: RECORDING_TESTING=1 tools/build.sh")

    def logged_nginx(self, **arguments):
        log = MessageLog()
        self.addCleanup(log.remove)
        server = self.start_nginx(module=testing_module_path(), main=log.main,
                                  environment=log.environment, **arguments)
        return server, log

    def kill_once(self, server, whole):
        if whole:
            kill_all(server)
            server.start()
        else:
            server.kill_worker()

    def kill_again_and_again(self, number, clip, samples, server, log):
        """Rounds of publish, kill, recovery on one server; what went wrong."""
        chance = random.Random(1000 + number)
        said = []
        for turn in range(INSTANTS // SERVERS):
            log.clear()
            known = {video["slug"] for video in self.videos(server)}
            publisher = self.send(server, f"cam{turn}", clip, "--speed", str(chance.choice((1, 4))),
                                  "--loops", "0", "--chunk-size", str(chance.choice((128, 4096))))
            instant = chance.uniform(0.05, 2.5)
            # From when the recording stands: what comes before is the catalogue's first answer.
            wait_for(lambda: log.path.stat().st_size > 0 and any(
                v["slug"] not in known for v in self.videos(server)), 20, "it is recorded")
            time.sleep(instant)
            self.kill_once(server, whole=turn % 2 == 1)
            publisher.kill()
            logged = log.read()
            where = f"server {number}, turn {turn}, {instant:.2f} s, {len(logged)} messages"
            try:
                wait_for(lambda: len(self.videos(server)) > len(known) and all(
                    v["status"] in ("viewable", "error") for v in self.videos(server)), 30, "recovery")
            except AssertionError as late:
                return said + [f"{where}: {late}: {self.videos(server)}"]
            new = [v for v in self.videos(server) if v["slug"] not in known]
            if len(new) != 1 or new[0]["status"] != "viewable":
                said.append(f"{where}: videos {new}")
                continue
            for path in (self.download(server, new[0]), self.stored(server, new[0])):
                said += [f"{where}: {line}" for line in
                         lost_samples(samples.of(logged), path, logged[-1].kind)]
                if warnings := probe_warnings(path):
                    said.append(f"{where}: {warnings}")
        return said

    def test_at_twenty_instants(self):
        clip = test_clip(seconds=8, b_frames=2, gop=50)
        samples = Samples(clip)
        servers = [self.logged_nginx(application=AUTOMATIC) for _ in range(SERVERS)]
        with concurrent.futures.ThreadPoolExecutor(SERVERS) as pool:
            said = list(pool.map(lambda i: self.kill_again_and_again(i, clip, samples, *servers[i]),
                                 range(SERVERS)))
        self.assertEqual(sum(said, []), [])
        for server, _ in servers:
            self.assert_consistent(server)

    def test_the_encoder_comes_back_and_it_is_one_video(self):
        """Within recording_reconnect_window, to another worker and after a start of nginx."""
        clip = test_clip(seconds=4, gop=50)
        samples = Samples(clip)
        server, log = self.logged_nginx(workers=2, application=AUTOMATIC.replace(
            "recording_reconnect_window 0", "recording_reconnect_window 8s"))
        for turn in range(4):
            before = log.path.stat().st_size
            publisher = self.send(server, "cam", clip, "--loops", "0", "--stop-after-messages",
                                  "400")
            wait_for(lambda: log.path.stat().st_size > before + 5000, 20, "messages came")
            if turn == 3:
                publisher.stop()
                break
            stream = self.stream(server, "cam")
            self.assertTrue(stream["live"] and stream["recording"], stream)
            if turn == 1:
                kill_all(server)
                server.start()
            else:
                for pid in server.workers():
                    server.allow(rf"worker process {pid} exited on signal 9")
                    os.kill(pid, signal.SIGKILL)
                wait_for(lambda: len(server.workers()) == 2 and server._listening(), 20, "workers")
            publisher.kill()
        [video] = self.wait_ended(server, 1, timeout=40)
        path = self.download(server, video)
        self.assertEqual(lost_samples(samples.of(log.read()), path, None), [])
        self.assertEqual(probe_warnings(path), "")
        self.assertEqual(len(video["recording_times"]), 4, video)
        self.assert_consistent(server)

    def test_a_fast_stop_loses_nothing_either(self):
        """nginx -s stop does not wait for publishers, nor for us."""
        clip = test_clip(seconds=4)
        samples = Samples(clip)
        server, log = self.logged_nginx(application=AUTOMATIC, workers=2)
        self.send(server, "cam", clip, "--loops", "0")
        self.wait_frames(server, "cam", 30000)
        server.keeps_journals = True
        self.assertEqual(server.stop(signal.SIGTERM), 0)
        logged = log.read()
        server.start()
        [video] = self.wait_ended(server)
        self.assertEqual(lost_samples(samples.of(logged), self.download(server, video), None), [])
        self.assert_consistent(server)

    def test_before_the_catalogue_has_answered(self):
        """auto_record of the application holds from the first message, catalogue or not."""
        clip = test_clip(seconds=4)
        samples = Samples(clip)
        server, log = self.logged_nginx(application=AUTOMATIC)
        said = []
        for turn in range(4):
            log.clear()
            known = {video["slug"] for video in self.videos(server)}
            publisher = self.send(server, f"cam{turn}", clip, "--flat-out", "--loops", "0")
            wait_for(lambda: log.path.stat().st_size > 2000, 20, "messages came", interval=0.0005)
            kill_all(server)
            publisher.kill()
            logged = log.read()
            server.start()
            try:
                wait_for(lambda: len(self.videos(server)) > len(known) and all(
                    v["status"] in ("viewable", "error") for v in self.videos(server)), 8, "recovery")
            except AssertionError:
                said.append(f"turn {turn}: {len(logged)} messages and no video")
                continue
            [new] = [v for v in self.videos(server) if v["slug"] not in known]
            said += [f"turn {turn}: {line}" for line in lost_samples(
                samples.of(logged), self.download(server, new), logged[-1].kind)]
        self.assertEqual(said, [])


class KilledWithAnyModule(RecordingTest):
    """Without the message log: what is saved is what was sent, without a hole."""

    def test_worker(self):
        server = self.start_nginx(application=AUTOMATIC)
        clip = test_clip(seconds=4, b_frames=2)
        sent = {"v": [], "a": []}
        for message in flv_messages(clip):
            if message_sample(message):
                sent[message.kind].append(message_sample(message))
        publisher = self.send(server, "cam", clip, "--loops", "0")
        self.wait_frames(server, "cam", 60000)
        server.kill_worker()
        publisher.kill()
        [video] = self.wait_ended(server)
        path = self.download(server, video)
        self.assertEqual(probe_warnings(path), "")
        saved = mp4_samples(path)
        for kind in "va":
            self.assertGreater(len(saved[kind]), 20)
            self.assertEqual(saved[kind], (sent[kind] * 9)[:len(saved[kind])])
        self.assert_consistent(server)


class Manual(RecordingTest):
    def test_a_manual_recording_goes_on_after_a_kill(self):
        server = self.start_nginx(application=BY_HAND.replace("window 0", "window 10s"))
        clip = test_clip()
        publisher = self.send(server, "cam", clip, "--loops", "0")
        stream = self.wait_live(server, "cam")["id"]
        started = self.api(server).put(f"streams/{stream}/start_recording").json["recording"]
        self.wait_frames(server, "cam", 4096)
        server.kill_worker()
        publisher.kill()
        self.send(server, "cam", clip, "--loops", "0")
        self.wait_live(server, "cam")
        wait_for(lambda: self.stream(server, "cam")["recording"], 10, "it goes on")
        again = self.api(server).put(f"streams/{stream}/start_recording").json["recording"]
        self.assertEqual(again["slug"], started["slug"])
        time.sleep(1)
        self.assertEqual(self.api(server).put(f"streams/{stream}/stop_recording").status, 200)
        [video] = self.wait_ended(server)
        self.assertEqual(len(video["recording_times"]), 2, video)
        self.assert_consistent(server)
