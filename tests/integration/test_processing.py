"""What is made of a recording: every rendition is uniform, whatever its source did in between, and
has all of its pictures at their times, in their colours, with their sound."""
import concurrent.futures
import os
import random
import signal
import struct
import subprocess
import unittest

from tests.integration.support import Api, check_output, wait_for
from tests.integration.support.changes import clip, decoded, flv_tags, joined, write_flv
from tests.integration.support.enhanced_case import (
    FLAC, SVT_AV1, VPX, X264, X265, EnhancedTest, encoded)
from tests.integration.support.media import make_media, probe
from tests.integration.support.processing import Processing, processed
from tests.integration.test_source_changes import CHANGES, Case, luma

AT_ONCE = ("live on; recording on; auto_record on; recording_min_duration 0; "
           "recording_reconnect_window 0;")
RETURNING = AT_ONCE.replace("window 0", "window 3s")
TWO = (("180p", 180, 300000, 64000), ("90p", 90, 100000, 48000))
FRAME = 0.1  # of the clips, in seconds


def times(path, track="v"):
    """When each picture or block of sound is presented, in seconds, in order."""
    frames = probe(path, "-select_streams", track, "-show_entries", "frame=pts_time")["frames"]
    return [float(frame["pts_time"]) for frame in frames]


def as_often(at, rate, end):
    """Which of the pictures that are seen at these times each one is at that rate, up to `end`."""
    return [max(i for i, time in enumerate(at) if int(time * rate + 0.5 + 1e-6) <= k)
            for k in range(round(end * rate))]


def stream(path, kind):
    [found] = [one for one in probe(path, "-show_streams")["streams"] if one["codec_type"] == kind]
    return found


class ProcessingTest(EnhancedTest):
    def recordings(self, server, sources):
        """The files of what is published under these names: {name: FLVs, one after the other}."""
        def publish(name):
            for flv in sources[name]:
                publisher = self.send(server, name, flv, "--speed", "8")
                self.assertEqual(publisher.wait(), 0, publisher.output())
                self.wait_live(server, name, live=False)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(publish, sources))
        videos = self.wait_ended(server, len(sources), timeout=60)
        found = {}
        for name in sources:
            number = self.stream(server, name)["id"]
            [video] = [video for video in videos if video["stream_id"] == number]
            found[name] = (self.stored(server, video), video)
        return found

    def assert_made(self, outcome, folder, source, renditions=TWO, pictures=None):
        """Each is there as it is said, decodes, and has the source's pictures at their times."""
        self.assertEqual((outcome.get("missing"), outcome.get("failed")), ("", None), outcome)
        wanted = times(source) if pictures is None else pictures
        self.assertEqual(len(outcome["renditions"]), len(renditions))
        for row in outcome["renditions"]:
            self.assertEqual(row["error"], "", row)
            path = folder / f"{row['name']}.mp4"
            self.assertEqual(path.stat().st_size, row["size"])
            wrong, frames = decoded(path)
            self.assertEqual(wrong, [])
            size = f"{row['width']}x{row['height']}"
            self.assertEqual({one[0] for one in frames}, {size})
            self.assertLessEqual({one[3] for one in frames}, {"tv", "unknown"})  # not said: tv
            now = times(path)
            self.assertEqual(len(now), len(wanted))
            self.assertLess(max(abs(a - b) for a, b in zip(now, wanted)), 0.001)
        self.assertEqual(outcome["progress"], sorted(outcome["progress"]))
        self.assertEqual(outcome["progress"][-1], 1)
        self.assert_nothing_left(folder)

    def assert_nothing_left(self, folder):
        self.assertEqual([path.name for path in folder.iterdir()
                          if path.name.startswith(".processing-")], [])

    def key_times(self, path):
        packets = probe(path, "-select_streams", "v", "-show_entries", "packet=pts_time,flags")
        return [float(one["pts_time"]) for one in packets["packets"] if "K" in one["flags"]]


class Changes(ProcessingTest):
    def test_sources_that_change(self):
        server = self.start_nginx(application=RETURNING)
        ways = {change: "header" for change in CHANGES}
        ways["range"] = ways["audio_rate"] = "reconnect"
        cases = {change: Case(change, way, self.folder) for change, way in ways.items()}
        files = self.recordings(server, {name: case.published for name, case in cases.items()})
        for name, (path, video) in files.items():
            with self.subTest(name):
                self.check(server, cases[name], path, video)

    def check(self, server, case, path, video):
        folder = self.folder / case.name
        outcome = processed(path, folder, *TWO)
        shown = times(path)
        which = range(len(shown))
        if case.name.startswith("rate"):  # the higher of both, all through
            which = as_often(shown, 15, 4)
            shown = [k / 15 for k in range(4 * 15)]
        self.assert_made(outcome, folder, path, pictures=shown)
        reply = Api(server.http_port).get(f"videos/{video['id']}/timeline")
        epochs = reply.json["epochs"]
        for row in outcome["renditions"]:
            self.assertAlmostEqual(row["duration"], video["duration"], delta=1000 * FRAME)
            self.assertAlmostEqual(row["duration"], sum(
                epoch["end_ms"] - epoch["start_ms"] for epoch in epochs), delta=1000 * FRAME)
        one, other = (self.key_times(folder / f"{name}.mp4") for name in ("180p", "90p"))
        self.assertEqual(one, other)
        sound = stream(folder / "180p.mp4", "audio")
        self.assertEqual((sound["codec_name"], sound["sample_rate"], sound["channels"]), (
            "aac", str(max(epoch["audio"]["sample_rate"] for epoch in epochs)),
            max(epoch["audio"]["channels"] for epoch in epochs)))
        if case.name.startswith("aspect"):
            return  # it has bars
        # As bright as each part alone: one scaler over a change of range does not see to that.
        bright = [value for source in case.sources for value in luma_of(
            source, "scale=320:180:out_range=tv,format=yuv420p")]
        bright = [bright[i] for i in which]
        now = luma(folder / "180p.mp4")
        self.assertEqual(len(now), len(bright))
        self.assertLess(max(abs(a - b) for a, b in zip(now, bright)), 1)

    def test_bars(self):
        """A portrait part of a landscape recording, and square pixels that are no more."""
        server = self.start_nginx(application=AT_ONCE)
        parts = [flv_tags(clip(size=size)) for size in ("320x180", "90x160")]
        [(path, _)] = self.recordings(server, {"turned": [
            write_flv(self.folder / "turned.flv", joined(*parts))]}).values()
        folder = self.folder / "turned"
        self.assert_made(processed(path, folder, *TWO), folder, path)
        columns = [luma_of(folder / "180p.mp4", f"crop=4:180:{x}:0") for x in (4, 160, 312)]
        self.assertEqual([round(column[-5]) for column in columns][::2], [16, 16])
        self.assertGreater(columns[1][-5], 30)
        self.assertGreater(columns[0][5], 30)

    def test_a_hundred_changes(self):
        """And sound that goes on through all of them as if there were none."""
        count = 101
        sizes = ("64x36", "96x54", "48x48")
        parts = [flv_tags(clip(size=size, rate=5, seconds=1.2, sound="-ar 8000",
                               audio_rate=8000)) for size in sizes]
        tags = joined(*[parts[i % len(parts)] for i in range(count)])
        server = self.start_nginx(application=AT_ONCE)
        [(path, _)] = self.recordings(server, {"many": [
            write_flv(self.folder / "many.flv", tags)]}).values()
        folder, wanted = self.folder / "many", (("36p", 36, 60000, 32000),)
        self.assert_made(processed(path, folder, *wanted), folder, path, wanted)


def luma_of(path, filters):
    out = check_output("ffmpeg", "-v", "error", "-i", path, "-vf", filters + ",signalstats,"
                       "metadata=print:key=lavfi.signalstats.YAVG:file=-", "-f", "null", "-")
    return [float(line.split(b"=")[1]) for line in out.splitlines() if b"YAVG=" in line]


class Sync(ProcessingTest):
    """A flash and a beep at each second: they stay together."""

    @staticmethod
    def flashing(seconds, rate=25):
        return make_media(
            f"-f lavfi -t {seconds} -i color=black:s=320x180:r={rate} -f lavfi -t {seconds} -i "
            "aevalsrc=sin(2*PI*1000*t)*lt(mod(t\\,1)\\,0.12):s=44100 -vf drawbox=c=white:t=fill:"
            "enable='lt(mod(t\\,1)\\,0.12)' -c:v libx264 -preset veryfast -g 25 -bf 2 "
            "-pix_fmt yuv420p -c:a aac -b:a 64k")

    @staticmethod
    def events(path):
        """When each flash and each beep begins."""
        bright = luma(path)
        flashes = [at for at, before, now in zip(times(path)[1:], bright, bright[1:])
                   if before < 100 <= now]
        raw = check_output("ffmpeg", "-v", "error", "-copyts", "-i", path, "-map", "0:a",
                           "-af", "aresample=8000:async=1:min_hard_comp=0.01:first_pts=0,aformat=s16:channel_layouts=mono",
                           "-f", "s16le", "-")
        loud = [abs(value) > 3000 for value, in struct.iter_unpack("<h", raw)]
        beeps = [i / 8000 for i in range(800, len(loud))
                 if loud[i] and not any(loud[i - 800:i])]
        return flashes, beeps

    def test_over_interruptions_and_changes(self):
        server = self.start_nginx(application=RETURNING)
        changing = write_flv(self.folder / "sync.flv", joined(
            flv_tags(self.flashing(4)), flv_tags(self.flashing(4, 30))))
        [(path, _)] = self.recordings(
            server, {"sync": [self.flashing(5), changing, self.flashing(3)]}).values()
        folder = self.folder / "sync"
        outcome = processed(path, folder, *TWO)
        places = [round(30 * at) for at in times(folder / "180p.mp4")]
        self.assert_made(outcome, folder, path, pictures=[place / 30 for place in places])
        # One after the other, also at the interruptions.
        self.assertEqual(places, list(range(places[0], places[0] + len(places))))
        keys = self.key_times(folder / "180p.mp4")
        self.assertLess(max(b - a for a, b in zip(keys, keys[1:])), 2.05)
        made_flashes, made_beeps = self.events(folder / "180p.mp4")
        flashes, beeps = self.events(path)
        self.assertGreater(len(beeps), 10)
        self.assertEqual((len(made_flashes), len(made_beeps)), (len(flashes), len(beeps)))
        for was, now in (*zip(flashes, made_flashes), *zip(beeps, made_beeps)):
            self.assertAlmostEqual(was, now, delta=0.02)


class Kinds(ProcessingTest):
    def test_codecs(self):
        sources = {"hevc-opus": encoded(X265 + "3", "-c:a libopus -b:a 64k"),
                   "av1-aac": encoded(SVT_AV1), "vp9-opus": encoded(VPX, "-c:a libopus -b:a 64k"),
                   "hevc-ac3": encoded(X265 + "0", "-c:a ac3 -b:a 96k"),
                   "avc-flac": encoded(X264 + "0", FLAC)}
        server = self.start_nginx(application=AT_ONCE)
        files = self.recordings(server, {name: [self.flv_of(source)]
                                         for name, source in sources.items()})
        for name, (path, _) in files.items():
            with self.subTest(name):
                outcome = processed(path, self.folder / name, *TWO, pictures=True)
                self.assert_made(outcome, self.folder / name, path)
                self.assertEqual((outcome["poster"], outcome["sprite"]), (True, True), outcome)
                sound = times(self.folder / name / "180p.mp4", "a")
                self.assertLess(sound[0], 0.03)
                self.assertGreater(sound[-1], 3.9)

    def test_high_dynamic_range(self):
        """Paper white (203 cd/m2) is 58 % of PQ, and light in a rendition."""
        flv = make_media(
            "-f lavfi -t 2 -i color=s=320x180:r=10 -vf format=yuv420p10le,geq=lum=573:cb=512:cr=512 "
            "-c:v libx264 -profile:v high10 -g 10 -bf 0 -crf 10 -color_range tv -color_primaries bt2020 -color_trc smpte2084 -colorspace "
            "bt2020nc -an")
        server = self.start_nginx(application=AT_ONCE)
        [(path, _)] = self.recordings(server, {"high": [flv]}).values()
        folder = self.folder / "high"
        self.assert_made(processed(path, folder, *TWO, pictures=True), folder, path)
        self.assertAlmostEqual(luma(folder / "180p.mp4")[5], 201, delta=6)
        made = stream(folder / "180p.mp4", "video")
        self.assertEqual((made["pix_fmt"], made["color_transfer"], made["color_space"]),
                         ("yuv420p", "bt709", "bt709"))

    def test_tracks_that_are_not_there(self):
        whole = flv_tags(clip(seconds=4))
        sources = {
            "sound": [tag for tag in whole if tag[0] == 8],
            "pictures": [tag for tag in whole if tag[0] == 9],
            "later": [tag for tag in whole if tag[0] == 9 or tag[2][1] == 0 or tag[1] > 1500],
            "gap": [tag for tag in whole if tag[0] == 9 or tag[1] < 1000 or tag[1] > 2500]}
        server = self.start_nginx(application=AT_ONCE)
        files = self.recordings(server, {name: [write_flv(self.folder / f"{name}.flv", tags)]
                                         for name, tags in sources.items()})
        for name in ("pictures", "later", "gap"):
            path = files[name][0]
            self.assert_made(processed(path, self.folder / name, *TWO), self.folder / name, path)
        self.assertEqual(len(probe(self.folder / "pictures/180p.mp4", "-show_streams")["streams"]),
                         1)
        for name in ("later", "gap"):  # silence is sound, too
            sound = times(self.folder / name / "180p.mp4", "a")
            self.assertLess(max(b - a for a, b in zip([0, *sound], sound)), 0.03)
        only = self.folder / "sound"
        outcome = processed(files["sound"][0], only, *TWO, pictures=True)
        self.assertEqual((outcome["missing"], outcome["error"], outcome["poster"]), ("", "", False))
        for row in outcome["renditions"]:
            self.assertEqual((row["error"], row["width"]), ("", 0))
            self.assertAlmostEqual(row["duration"], files["sound"][1]["duration"], delta=30)
            stream(only / f"{row['name']}.mp4", "audio")

    def test_sizes(self):
        """Never larger than the source; of a portrait one the shorter side is meant."""
        server = self.start_nginx(application=AT_ONCE)
        [(path, _)] = self.recordings(server, {"tall": [clip(size="180x320")]}).values()
        wanted = (("180p", 180, 300000, 64000), ("100p", 100, 100000, 64000),
                  ("360p", 360, 800000, 64000))
        outcome = processed(path, self.folder / "tall", *wanted)
        large = outcome["renditions"].pop()
        self.assertIn("180x320", large["error"])
        self.assertFalse((self.folder / "tall/360p.mp4").exists())
        self.assert_made(outcome, self.folder / "tall", path, wanted[:2])
        self.assertEqual([(row["width"], row["height"]) for row in outcome["renditions"]],
                         [(180, 320), (100, 178)])

    def test_pictures(self):
        """In the right colours, and none of the black at the beginning."""
        black = clip(picture="drawbox=c=black:t=fill,format=yuv444p", color_range="pc", seconds=2)
        blue = clip(picture="drawbox=c=0x4080c0:t=fill:w=160,format=yuv444p", color_range="pc",
                    seconds=4)
        flv = write_flv(self.folder / "full.flv", joined(flv_tags(black), flv_tags(blue)))
        server = self.start_nginx(application=AT_ONCE)
        [(path, _)] = self.recordings(server, {"full": [flv]}).values()
        folder = self.folder / "full"
        outcome = processed(path, folder, pictures=True)
        self.assertEqual(outcome["error"], "")
        shots = [folder / f"screenshot-{i + 1}.jpg" for i in range(outcome["screenshots"])]
        self.assertGreater(len(shots), 2)

        def pixel(picture, x, y=90, *options):
            return list(check_output("ffmpeg", "-v", "error", *options, "-i", picture, "-vf",
                                     f"crop=8:8:{x}:{y},scale=1:1:flags=area", "-pix_fmt", "rgb24",
                                     "-frames:v", "1", "-f", "rawvideo", "-"))
        colour = pixel(path, 80, 90, "-ss", "4")
        self.assertGreater(colour[2] - colour[0], 100)
        for picture in (folder / "poster.jpg", shots[-1]):
            self.assertEqual(stream(picture, "video")["width"], 320)
            for value, right in zip(pixel(picture, 80), colour):
                self.assertAlmostEqual(value, right, delta=6)
        cues = (folder / "sprite.vtt").read_text()
        sheet = stream(folder / "sprite.jpg", "video")
        self.assertEqual((sheet["width"], sheet["height"]), (960, 90))
        self.assertEqual(cues.count("sprite.jpg#xywh="), 6)
        self.assertIn("00:00:05.000 --> 00:00:0", cues)
        for value, right in zip(pixel(folder / "sprite.jpg", 5 * 160 + 40, 40), colour):
            self.assertAlmostEqual(value, right, delta=8)


class Mishaps(ProcessingTest):
    def changing(self, seconds=2):
        parts = [flv_tags(clip(size=size, seconds=seconds))
                 for size in ("320x180", "256x144", "320x180")]
        server = self.start_nginx(application=AT_ONCE)
        [(path, video)] = self.recordings(server, {"cam": [
            write_flv(self.folder / "cam.flv", joined(*parts))]}).values()
        return path, video

    def test_a_part_that_cannot_be_decoded(self):
        path, video = self.changing(seconds=4)
        packets = probe(path, "-select_streams", "v", "-show_entries",
                        "packet=pts_time,pos,size")["packets"]
        damaged = self.folder / "damaged.mp4"
        data = bytearray(path.read_bytes())
        noise = random.Random(6)
        for packet in packets:
            if 3.98 < float(packet["pts_time"]) < 7.9:
                at, size = int(packet["pos"]), int(packet["size"])
                data[at:at + size] = noise.randbytes(size)
        damaged.write_bytes(data)
        folder = self.folder / "damaged"
        outcome = processed(damaged, folder, *TWO, pictures=True)
        self.assertRegex(outcome["missing"],
                         "^00:00:03–00:00:08 could not be decoded: .*(NAL|nvalid)")
        for row in outcome["renditions"]:
            self.assertEqual(row["error"], "")
            self.assertAlmostEqual(row["duration"], video["duration"], delta=1000 * FRAME)
            wrong, frames = decoded(folder / f"{row['name']}.mp4")
            self.assertEqual(wrong, [])
            self.assertEqual(times(folder / f"{row['name']}.mp4"),
                             [at for at in times(path) if not 3.98 < at < 7.9])
        self.assertTrue(outcome["poster"] and outcome["sprite"])
        self.assertNotEqual(outcome["error"], "")

    def test_killed_and_tried_again(self):
        path, _ = self.changing()
        folder = self.folder / "made"
        running = Processing(path, folder, *TWO)
        wait_for(lambda: any(folder.glob(".processing-*")), 20, "a file that is not whole",
                 interval=0.001)
        running.kill()
        self.assertEqual(list(folder.glob("[!.]*")), [])
        self.assertNotEqual(list(folder.glob(".processing-*")), [])
        self.assert_made(processed(path, folder, *TWO), folder, path)
        before = (folder / "90p.mp4").stat()
        self.assert_made(processed(path, folder, *TWO), folder, path)  # takes their place
        self.assertNotEqual(before.st_ino, (folder / "90p.mp4").stat().st_ino)

    def slow_ffmpeg(self):
        """An ffmpeg that says its number, and goes on when it is told."""
        script = self.folder / "ffmpeg"
        script.write_text(f"#!/bin/sh\necho $$ >> {self.folder}/pids\nexec sleep 1000\n")
        script.chmod(0o755)
        return script

    def test_what_was_damaged_gets_no_name(self):
        """Behind the encoders' back, in a picture that no key frame is: seen before it is given out."""
        path, _ = self.changing()
        folder = self.folder / "made"
        script = self.folder / "ffmpeg"
        script.write_text("""#!/bin/sh
for word; do case $word in
file:*90p*)
    at=$(ffprobe -v error -select_streams v -show_entries packet=pos,flags -of csv=p=0 "${word#file:}" |
         grep -v K | head -n 3 | tail -n 1 | cut -d , -f 1)
    printf 'noise' | dd of="${word#file:}" bs=1 seek=$((at + 20)) conv=notrunc 2> /dev/null ;;
esac; done
exec ffmpeg "$@"
""")
        script.chmod(0o755)
        outcome = processed(path, folder, *TWO, ffmpeg=script)
        whole, damaged = outcome["renditions"]
        self.assertEqual((whole["name"], whole["error"]), ("180p", ""))
        self.assertRegex(damaged["error"], "^what was written ")
        self.assertEqual([path.name for path in folder.iterdir()], ["180p.mp4"])

    def test_cancelled(self):
        path, _ = self.changing()
        folder = self.folder / "made"
        running = Processing(path, folder, *TWO, ffmpeg=self.slow_ffmpeg())
        pids = self.folder / "pids"
        wait_for(lambda: pids.exists() and pids.read_text().endswith("\n"), 20, "ffmpeg runs")
        running.process.send_signal(signal.SIGTERM)
        outcome = running.finish(timeout=10)
        self.assertEqual(outcome["failed"], "cancelled")
        self.assertEqual(list(folder.iterdir()), [])
        for pid in pids.read_text().split():
            wait_for(lambda: not os.path.exists(f"/proc/{pid}"), 10, "ffmpeg is gone")

    def test_what_cannot_be_run_or_read(self):
        path, _ = self.changing()
        folder = self.folder / "made"
        absent = processed(path, folder, *TWO, ffmpeg="/nowhere/ffmpeg")
        self.assertEqual(absent["failed"],
                         "/nowhere/ffmpeg cannot be run: No such file or directory")
        self.assertEqual(list(folder.iterdir()), [])
        other = self.folder / "other.mp4"
        other.write_bytes(make_media("-f lavfi -t 1 -i testsrc2=s=64x36:r=5", ".mp4").read_bytes())
        self.assertIn("failed", processed(other, folder, *TWO))
        self.assertIn("failed", processed(self.folder / "absent.mp4", folder, *TWO))


if __name__ == "__main__":
    unittest.main()
