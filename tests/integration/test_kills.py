"""Workers killed at random under many encoders that come back: nothing lost, doubled or altered.

RECORDING_LONG=1: 50 kills instead of 12.
"""
import os
import random
import subprocess
import threading
import time

from tests.integration.support import (
    RecordingTest, flv_messages, fnv1a, is_sanitized, make_media, mp4_samples, probe_warnings,
    module_path, testing_module_path, wait_for)
from tests.integration.support.crash import MessageLog, Samples
from tests.integration.support.encoder import Encoder
from tests.integration.support.flv import is_sequence_header

KILLS = 50 if os.environ.get("RECORDING_LONG") else 12
PUBLISHERS = 10
RULES = ("live on; recording on; auto_record on; recording_min_duration 0; "
         "recording_reconnect_window 60s;")


def clip(number):
    """One that no other publisher sends: size and tone are its own."""
    return make_media(
        f"-f lavfi -t 6 -i testsrc2=s={160 + 16 * number}x96:r=25 "
        f"-f lavfi -t 5.9 -i sine=frequency={300 + 40 * number}:r=48000 "
        f"-c:v libx264 -preset veryfast -g {10 + 5 * number} -bf {number % 3} -sc_threshold 0 "
        "-b:v 150k -pix_fmt yuv420p -c:a aac -b:a 48k")


class Sessions:
    """The message log's lines, told apart by whose they are: each source has its own header."""

    def __init__(self, sources):
        self._samples = [Samples(source) for source in sources]
        self._owner = {}
        for number, source in enumerate(sources):
            for message in flv_messages(source):
                if message.kind == "v" and is_sequence_header(message):
                    self._owner[f"{fnv1a(message.body):016x}"] = number

    def read(self, log):
        """For each source the sessions in their order: [(samples, kind of the last message)]."""
        lines = {}
        for row in log.read():
            lines.setdefault(row.session, []).append(row)
        result = [[] for _ in self._samples]
        for rows in lines.values():
            number = self._owner[rows[0].hash]  # the first message of a session
            result[number].append((self._samples[number].of(rows), rows[-1].kind))
        return result


def unlike(sessions, saved):
    """What is wrong with a file that should hold all of `sessions`. The last message of one that
    was killed may be there or not: it is logged a moment before it is kept."""
    said = []
    for kind in "va":
        have = saved[kind]
        ends = {0}
        for number, (samples, last) in enumerate(sessions):
            want = samples[kind]
            forms = [want]
            if kind == last and want and number + 1 < len(sessions):
                forms.append(want[:-1])
            reached = {end + len(form) for end in ends for form in forms
                       if have[end:end + len(form)] == form}
            if not reached:
                end = max(ends)
                same = next((i for i, (a, b) in enumerate(zip(want, have[end:])) if a != b),
                            min(len(want), len(have) - end))
                said.append(f"{kind}: of session {number + 1} of {len(sessions)} only the first "
                            f"{same} of {len(want)} are at {end} of {len(have)}")
                break
            ends = reached
        else:
            if len(have) not in ends:
                said.append(f"{kind}: {len(have) - max(ends)} samples too many")
    return said


class ManyKills(RecordingTest):
    def setUp(self):
        super().setUp()
        if is_sanitized(module_path()):
            self.skipTest("the module with the message log is run once")
        if not testing_module_path().exists():
            self.skipTest(f"no {testing_module_path()}: RECORDING_TESTING=1 tools/build.sh")

    def publish_on_and_on(self, server, sources):
        """Encoders that connect again whenever they were thrown out; the function that ends it."""
        done = threading.Event()

        def run(encoder):
            while not done.is_set():
                if not encoder.running:
                    encoder.connect()
                done.wait(0.05)
        encoders = [Encoder(server, f"cam{i}", source, "--loops", "0",
                            "--chunk-size", (128, 4096)[i % 2]) for i, source in enumerate(sources)]
        threads = [threading.Thread(target=run, args=(encoder,)) for encoder in encoders]
        for encoder, thread in zip(encoders, threads):
            self.addCleanup(encoder.remove)
            thread.start()

        def end():
            done.set()
            for thread in threads:
                thread.join()
        self.addCleanup(end)
        return encoders, end

    def test_a_random_worker_again_and_again(self):
        seed = int(os.environ.get("RECORDING_SEED", random.SystemRandom().randrange(10 ** 6)))
        chance = random.Random(seed)
        sources = [clip(i) for i in range(PUBLISHERS)]
        sessions = Sessions(sources)
        log = MessageLog()
        self.addCleanup(log.remove)
        server = self.start_nginx(module=testing_module_path(), main=log.main, workers=4,
                                  environment=log.environment, application=RULES)
        encoders, end_all = self.publish_on_and_on(server, sources)
        wait_for(lambda: len(self.in_spool(server)) == PUBLISHERS, 60, "all are recorded")

        def interrupted():
            return sum(map(len, sessions.read(log))) - PUBLISHERS
        kills = 0
        while kills < KILLS or interrupted() < KILLS:
            time.sleep(chance.uniform(0, 0.8))
            workers = wait_for(server.workers, 20, "a worker runs")
            server.kill_worker(chance.choice(workers))
            kills += 1
        wait_for(lambda: len(server.workers()) == 4, 20, "four workers run")
        for encoder in encoders:
            wait_for(lambda: encoder.running and '"event":"accepted"' in encoder.output(), 60,
                     "every encoder is back")
        time.sleep(1)
        end_all()
        for encoder in encoders:
            encoder.stop()  # all that it sent has been read
        for i in range(PUBLISHERS):
            self.wait_live(server, f"cam{i}", live=False)
            stopped = self.api(server).put(f"streams/live/cam{i}/stop_recording")
            self.assertEqual(stopped.status, 200, stopped.body)
        videos = self.wait_ended(server, PUBLISHERS, timeout=60)
        handed = sessions.read(log)
        said = []
        for i in range(PUBLISHERS):
            stream = self.stream(server, f"cam{i}")
            [video] = [v for v in videos if v["stream_id"] == stream["id"]]
            where = f"seed {seed}, {kills} kills, cam{i}, {len(handed[i])} sessions"
            if video["status"] != "viewable":
                said.append(f"{where}: {video}")
                continue
            for path in (self.download(server, video), self.stored(server, video)):
                said += [f"{where}: {line}" for line in unlike(handed[i], mp4_samples(path))]
                if complaint := probe_warnings(path) or decoding(path):
                    said.append(f"{where}: {complaint[:500]}")
        self.assertEqual(said, [], "\n".join(said))
        self.assert_consistent(server)


def decoding(path):
    """What a decoder has to say against the file."""
    return subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-map", "0", "-fps_mode",
                           "passthrough", "-enc_time_base", "1:120000", "-f", "null",
                           "-"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False).stderr
