"""Whatever an encoder's clock does: all of it is saved, on one clock, and what was done is told."""
import bisect

from .support import clock
from .support.compare import all_packets, packets, pictures
from .support.media import probe_warnings
from .support.recording import AUTOMATIC, RecordingTest, test_clip
from .support.wait import wait_for

HOUR = 3_600_000
WRAP = 2**32


class Timestamps(RecordingTest):
    # name: (fault, timestamp of the first message, repairs told: (kind, at ms, from, to))
    FAULTS = {
        "backward": (clock.jump(2000, -1200), 0, [("backward", 2000, 800, 2000)]),
        "forward by hours": (clock.jump(2000, 3 * HOUR), 0,
                             [("forward_jump", 2000, 3 * HOUR + 2000, 2000)]),
        "a reset": (clock.reset(2000), HOUR, [("backward", 2000, HOUR, HOUR + 2000)]),
        "a reset to zero": (clock.reset(2000, -HOUR), HOUR, [("reset", 2000, 0, HOUR + 2000)]),
        "hours and back": (clock.after(clock.jump(1000, HOUR), clock.jump(3000, -HOUR)), 0,
                           [("forward_jump", 1000, HOUR + 1000, 1000),
                            ("backward", 3000, 3000, HOUR + 3000)]),
        "a wrap": (clock.jump(0, 0), WRAP - 2000, []),
        "a wrap and a jump": (clock.jump(2000, HOUR), WRAP - 2000,
                              [("forward_jump", 2000, HOUR, 0)]),
        "a wrap and a jump back": (clock.jump(3000, -2000), WRAP - 2000,
                                   [("backward", 3000, WRAP - 1000, 1000)]),
        "sound alone": (clock.jump(2000, HOUR, "a"), 0,
                        [("forward_jump", 2000, HOUR + 2000, 2000)]),
        "pictures alone": (clock.jump(2000, -1200, "v"), 0, [("backward", 2000, 800, 2000)]),
        "one wrong picture": (clock.one_wrong(2000, HOUR, "v"), 0,
                              [("forward_jump", 2000, HOUR + 2000, 2000),
                               ("backward", 2040, 2040, HOUR + 2040)]),
        "flapping": (clock.flapping(500, HOUR), 0,
                     [("forward_jump", 1000, HOUR + 1000, 1000),
                      ("backward", 1500, 1500, HOUR + 1500),
                      ("forward_jump", 2000, HOUR + 2000, 2000),
                      ("backward", 2500, 2500, HOUR + 2500)]),
    }

    def send_wrong(self, server, name, clip, fault, *options, base=0):
        path = self.folder / f"{name}.txt"
        clock.write_timestamps(clip, fault, path, base)
        return self.send(server, name, clip, "--timestamps", path, *options)

    def assert_one_clock(self, clip, path, apart=40, late=40):
        """Every picture and packet is there, once, in order; times rise; sound and picture are as
        far from each other as they were, and nothing is far from where it was."""
        self.assertEqual(probe_warnings(path), "")
        times = {}
        for name, sent, saved in (("v", pictures(clip), pictures(path)),
                                  ("a", packets(clip, "a"), packets(path, "a"))):
            self.assertEqual([row[1] for row in saved], [row[1] for row in sent], name)
            times[name] = [(a[0], b[0] - a[0]) for a, b in zip(sent, saved)]
        for track in ("video", "audio"):
            dts = [float(row[2]) for row in all_packets(path) if row[0] == track]
            self.assertTrue(all(a < b for a, b in zip(dts, dts[1:])), f"{track}: times rise")
        zero = times["v"][0][1]
        sound = [time for time, _ in times["a"]]
        for time, off in times["v"]:
            near = times["a"][min(bisect.bisect(sound, time), len(sound) - 1)]
            self.assertLessEqual(abs(off - near[1]), apart, f"at {time} and {near}")
            self.assertLessEqual(abs(off - zero), late, f"at {time}")

    def recorded(self, server, names):
        """{name: video} when all have ended."""
        wait_for(lambda: len(self.videos(server)) >= len(names) and all(
            v["status"] in ("viewable", "error") for v in self.videos(server)), 60, "all have ended")
        found = {}
        for name in names:
            [found[name]] = self.videos(server, self.stream(server, name)["id"])
            self.assertEqual((found[name]["status"], found[name]["error"]), ("viewable", None))
        return found

    def told(self, server, video):
        reply = self.api(server).get(f"videos/{video['id']}/timeline")
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(reply.json["interruptions"], [])
        return reply.json["timestamp_repairs"]

    def test_all_is_saved_on_one_clock(self):
        server = self.start_nginx(application=AUTOMATIC)
        clip = test_clip(b_frames=2)
        names = {fault: fault.replace(" ", "-") for fault in self.FAULTS}
        senders = [self.send_wrong(server, names[name], clip, fault, base=base)
                   for name, (fault, base, _) in self.FAULTS.items()]
        for sender in senders:
            self.assertEqual(sender.wait(), 0)
        videos = self.recorded(server, names.values())
        for name, (_, _, repairs) in self.FAULTS.items():
            with self.subTest(name):
                video = videos[names[name]]
                self.assert_one_clock(clip, self.download(server, video))
                self.assertAlmostEqual(video["duration"], 4000, delta=60)
                told = self.told(server, video)
                self.assertEqual([(r["kind"], r["count"]) for r in told],
                                 [(kind, 1) for kind, *_ in repairs], told)
                for row, (_, at, came, meant) in zip(told, repairs):
                    # The first message behind the jump may be sound or picture, a frame apart.
                    self.assertAlmostEqual(row["at_ms"], at, delta=45)
                    self.assertAlmostEqual(row["from"], came, delta=45)
                    self.assertAlmostEqual(row["to"] % WRAP, meant % WRAP, delta=45)

    def test_timestamps_that_stand_still(self):
        server = self.start_nginx(application=AUTOMATIC)
        clip = test_clip()
        self.assertEqual(self.send_wrong(server, "cam", clip, clock.standing(2000, 2200)).wait(), 0)
        video = self.recorded(server, ["cam"])["cam"]
        # As it was sent: the last picture should have been shown 200 ms later at most.
        self.assert_one_clock(clip, self.download(server, video), apart=201, late=201)
        [repair] = self.told(server, video)
        self.assertEqual((repair["kind"], repair["track"], repair["count"]), ("repeated", "video", 4))
        self.assertEqual((repair["from"], repair["to"]), (2000, 2000))

    def test_negative_composition_times(self):
        server = self.start_nginx(application=AUTOMATIC)
        clip = test_clip(b_frames=2)
        later = clock.with_later_timestamps(clip, self.folder / "later.flv", 80)
        self.assertEqual(self.send(server, "cam", later).wait(), 0)
        video = self.recorded(server, ["cam"])["cam"]
        # The one that shows it is too late to be decoded before its time.
        self.assert_one_clock(clip, self.download(server, video), apart=81, late=81)
        [repair] = self.told(server, video)
        self.assertEqual((repair["kind"], repair["track"]), ("negative_cts", "video"))
        self.assertLess(repair["from"], 0)

    def test_a_drift_is_kept(self):
        server = self.start_nginx(application=AUTOMATIC)
        clip = test_clip()
        self.assertEqual(self.send_wrong(server, "cam", clip, clock.drift(20)).wait(), 0)
        video = self.recorded(server, ["cam"])["cam"]
        self.assertEqual(self.told(server, video), [])
        path = self.download(server, video)
        first, last = packets(path, "a")[0][0], packets(path, "a")[-1][0]
        sent = packets(clip, "a")
        self.assertAlmostEqual(last - first, (sent[-1][0] - sent[0][0]) * 1.02, delta=2)

    def test_a_pause_is_kept(self):
        server = self.start_nginx(application=AUTOMATIC)
        clip = test_clip()
        sender = self.send(server, "cam", clip, "--speed", "1", "--pause", "2:12", "--jump",
                           "2:12000")
        self.assertEqual(sender.wait(), 0)
        video = self.recorded(server, ["cam"])["cam"]
        self.assertEqual(self.told(server, video), [])
        self.assertAlmostEqual(video["duration"], 16000, delta=60)

    def test_parts_are_as_long_as_without_jumps(self):
        server = self.start_nginx(application=AUTOMATIC + " recording_max_duration 10s;")
        clip = test_clip(seconds=32)
        faults = {"plain": clock.jump(0, 0), "jumps": clock.after(
            clock.jump(1500, 5 * HOUR), clock.jump(13300, -6 * HOUR), clock.reset(26500, -HOUR))}
        for name, fault in faults.items():
            sender = self.send_wrong(server, name, clip, fault, base=2 * HOUR)
            self.assertEqual(sender.wait(), 0)
        wait_for(lambda: len(self.videos(server)) >= 8 and all(
            v["status"] in ("viewable", "error") for v in self.videos(server)), 60, "all have ended")
        parts = {name: self.videos(server, self.stream(server, name)["id"]) for name in faults}
        self.assertEqual(len(parts["plain"]), 4)
        self.assertEqual(len(parts["jumps"]), 4)
        saved = []
        for plain, jumps in zip(parts["plain"], parts["jumps"]):
            self.assertAlmostEqual(plain["duration"], jumps["duration"], delta=60)
            saved += [row[1] for row in pictures(self.download(server, jumps))]
        self.assertEqual(saved, [row[1] for row in pictures(clip)])
