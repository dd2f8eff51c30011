"""The machine's clock is set while nginx records: no recording is moved, split or prolonged."""
import datetime
import glob
import pathlib
import time

from tests.integration.support import (
    Api, RecordingTest, is_sanitized, module_path, probe_warnings, test_clip, wait_for)
from tests.integration.support.crash import kill_all
from tests.integration.support.encoder import Encoder, joined, side_by_side

WINDOW = 8
RULES = ("live on; recording on; auto_record on; recording_min_duration 0; "
         f"recording_reconnect_window {WINDOW}s; ")
HOUR = 3600


class FakeClock:
    """What gettimeofday says to one nginx; its monotonic clocks go on as they are."""

    def __init__(self, folder, name):
        self._path = folder / f"clock-{name}"
        self.offset = 0
        self.set(0)
        folder.chmod(0o755)  # read by the workers
        [library] = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        self.environment = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(self._path),
                            "FAKETIME_NO_CACHE": "1", "DONT_FAKE_MONOTONIC": "1",
                            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
        self.main = " ".join(f"env {name};" for name in self.environment)

    def set(self, seconds):
        self.offset = seconds
        part = self._path.with_suffix(".new")
        part.write_text(f"{seconds:+d}s\n", encoding="ascii")
        part.chmod(0o644)
        part.rename(self._path)

    def now(self):
        return time.time() + self.offset


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class ClockJumps(RecordingTest):
    def setUp(self):
        super().setUp()
        if is_sanitized(module_path()):
            self.skipTest("two libraries that replace libc's calls do not go together")
        self.clip = test_clip(seconds=8)

    def encoder(self, server, *options):
        made = Encoder(server, "cam", self.clip, *options)
        self.addCleanup(made.remove)
        made.wait_accepted()
        return made

    def recorded(self, name, recording=None, interrupted=None, crash=False, gap="close"):
        """Jumps to these offsets while it is recorded and while it is interrupted."""
        clock = FakeClock(self.folder, name)
        server = self.start_nginx(application=RULES + f"recording_gap {gap};", main=clock.main,
                                  environment=clock.environment, workers=2)
        earliest = clock.now()
        first = self.encoder(server, "--loops", "0")
        self.wait_frames(server, "cam", 20000)
        latest = clock.now()
        if recording is not None:
            clock.set(recording)
        time.sleep(2)
        if crash:
            kill_all(server)
            for name_of in ("faketime_shm_{}", "sem.faketime_sem_{}"):  # the library's
                pathlib.Path("/dev/shm", name_of.format(server.process.pid)).unlink(missing_ok=True)
        first.kill()
        broken = time.monotonic()
        if interrupted is not None:
            time.sleep(0.5)
            clock.set(interrupted)
        if crash:
            server.start()
        time.sleep(1)
        self.assertEqual([v["status"] for v in self.videos(server)], ["pending"], name)
        second = self.encoder(server, "--duration", "2")
        back, back_at = time.monotonic(), clock.now()
        self.assertEqual(second.wait(), 0, second.output())
        # The window passes in time that nobody set, too.
        [video] = self.wait_ended(server, 1, timeout=30)
        self.assertEqual((video["status"], video["sequence"]), ("viewable", 1), name)
        path = self.download(server, video)
        self.assertEqual(probe_warnings(path), "")
        said, ends = joined(path, first.sent(), second.sent())
        self.assertEqual(said, [], name)
        self.assertEqual([begin for begin, _ in ends.values()], [0, 0], name)

        # What is told of it.
        lost = [back - broken - 0.5, back - broken + 5]
        before, after = video["recording_times"]
        pictures = [ends["v"][1] / 25, 2.0]
        for stretch, wanted in zip((before, after), pictures):
            self.assertAlmostEqual(stretch["duration_seconds"], wanted, delta=0.2, msg=name)
        self.assertBetween(seconds(before["started_at"]), earliest - 1, latest, name)
        self.assertBetween(seconds(after["started_at"]), back_at - 2, back_at + 5, name)
        self.assertEqual(before["started_at"][:16], video["recording_started_at"][:16], name)
        timeline = Api(server.http_port).get(f"videos/{video['id']}/timeline").json
        [interruption] = timeline["interruptions"]
        self.assertBetween(interruption["lost_ms"] / 1000, *lost, name)
        self.assertAlmostEqual(
            seconds(interruption["ended_at"]) - seconds(interruption["started_at"]),
            interruption["lost_ms"] / 1000, delta=0.002, msg=name)
        self.assertEqual(interruption["ended_at"], after["started_at"], name)
        self.assertEqual((timeline["timestamp_repairs"], timeline["changes"]), ([], []), name)
        kept = interruption["lost_ms"] / 1000 if gap == "keep" else 0
        self.assertAlmostEqual(video["duration"] / 1000, sum(pictures) + kept, delta=0.2, msg=name)
        self.assertEqual(server.log_text().count('"recording.completed"'), 1, name)
        self.assert_consistent(server)

    def assertBetween(self, value, low, high, name):
        self.assertTrue(low <= value <= high, f"{name}: {value} is not in [{low}, {high}]")

    def test_by_an_hour_while_recording_and_while_interrupted(self):
        side_by_side(lambda: self.recorded("forward", recording=HOUR),
                     lambda: self.recorded("back", recording=-HOUR),
                     lambda: self.recorded("forward-between", interrupted=HOUR),
                     lambda: self.recorded("back-between", interrupted=-HOUR, gap="keep"))

    def test_to_and_fro_and_over_a_crash(self):
        side_by_side(lambda: self.recorded("to-and-fro", recording=HOUR, interrupted=-HOUR),
                     lambda: self.recorded("crash-forward", interrupted=HOUR, crash=True),
                     lambda: self.recorded("crash-back", interrupted=-HOUR, crash=True))
