"""A source that changes in the middle of a broadcast: every picture of every part stays what it
was, the timeline names what changed, and what is made of the download is right."""
import concurrent.futures
import re
import subprocess
import unittest

from tests.integration.support import Api, RecordingTest, check_output, wait_for
from tests.integration.support.changes import (clip, decoded, decoded_sound, flv_tags, in_band,
                                               is_video_header, joined, write_flv)

WINDOW = 3
RETURNING = ("live on; recording on; auto_record on; recording_min_duration 0; "
             f"recording_reconnect_window {WINDOW}s;")
INTERLACED = "-flags +ildct+ilme"

# What changes: the clips in their order, and the fields that differ.
CHANGES = {
    "range": ([{}, {"color_range": "pc"}], {"pix_fmt", "color_range"}),
    "chroma": ([{}, {"picture": "format=yuv422p"}, {"picture": "format=yuv444p"}],
               {"pix_fmt", "profile"}),
    "depth": ([{}, {"picture": "format=yuv420p10le"}], {"pix_fmt", "profile", "bit_depth"}),
    "size": ([{}, {"size": "256x144"}], {"width", "height"}),
    "aspect": ([{}, {"picture": "setsar=4/3"}], {"sample_aspect_ratio"}),
    "profile": ([{}, {"video": "-profile:v main"}], {"profile"}),
    "rate": ([{}, {"rate": 15}], {"frame_rate_declared"}),
    "b_frames": ([{}, {"video": "-bf 2"}], {"has_b_frames"}),
    "interlaced": ([{}, {"video": INTERLACED}], {"interlaced"}),
    "and_back": ([{}, {"size": "256x144"}, {}], {"width", "height"}),
    "audio_rate": ([{}, {"audio_rate": 48000}], {"audio.sample_rate"}),
    "channels": ([{}, {"channels": 2}], {"audio.channels"}),
}
WAYS = ("header", "in_band", "reconnect")


class Case:
    """One change, one way: what is published, and what must come out."""

    def __init__(self, change, way, folder):
        clips, fields = CHANGES[change]
        self.name = f"{change}-{way}"
        self.sources = [clip(**arguments) for arguments in clips]
        self.fields = {field if "." in field else f"video.{field}" for field in fields}
        parts = [flv_tags(source) for source in self.sources]
        if way == "reconnect":
            self.published = self.sources
        else:
            later = [in_band(part) if way == "in_band" else part for part in parts[1:]]
            self.published = [write_flv(folder / f"{self.name}.flv", joined(parts[0], *later))]
        self.pictures = [picture for source in self.sources for picture in decoded(source)[1]]
        # What a decoder makes of noise depends on what came before: so not of each part alone.
        self.sound = decoded_sound(write_flv(folder / f"{self.name}.whole.flv", joined(*parts)))[1]
        self.changes_at = [2000 * i for i in range(1, len(clips))]


def cases(folder, ways=WAYS):
    found = [Case(change, way, folder) for change in CHANGES for way in ways
             if way != "in_band" or change not in ("audio_rate", "channels")]
    assert found
    return found


def luma(path, *options):
    """The mean luma of each picture."""
    out = check_output("ffmpeg", "-v", "error", *options, "-i", path, "-vf",
                       "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-", "-f", "null",
                       "-")
    return [float(value) for value in re.findall(rb"YAVG=([\d.]+)", out)]


class SourceChanges(RecordingTest):
    def timeline(self, server, video):
        reply = Api(server.http_port).get(f"videos/{video['id']}/timeline")
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json

    def of(self, server, name):
        def there():
            stream = self.stream(server, name)
            return stream and stream["id"] and [video for video in self.videos(server)
                                                if video["stream_id"] == stream["id"]]
        [video] = wait_for(there, 15, f"{name} is recorded")
        return video

    def everywhere(self, function, rows):
        """In threads, since most of it waits for ffmpeg; all failures together."""
        failures = []
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for row, running in [(row, pool.submit(function, row)) for row in rows]:
                try:
                    running.result()
                except AssertionError as failure:
                    failures.append(f"{row.name}: {failure}")
        self.assertFalse(failures, "\n".join(failures))

    def assert_pictures(self, case, path):
        wrong, pictures = decoded(path)
        self.assertEqual(wrong, [])
        same = sum(a == b for a, b in zip(case.pictures, pictures))
        self.assertEqual((same, len(pictures)), (len(case.pictures), len(case.pictures)))

    def assert_sound(self, case, path):
        wrong, blocks = decoded_sound(path)
        self.assertEqual(wrong, [])
        same = sum(a == b for a, b in zip(case.sound, blocks))
        self.assertEqual((same, len(blocks)), (len(case.sound), len(case.sound)))

    def assert_timeline(self, case, video, told):
        self.assertEqual({change["field"] for change in told["changes"]}, case.fields)
        self.assertEqual((told["uniform"], video["uniform"]), (False, False))
        starts = [epoch["start_ms"] for epoch in told["epochs"]]
        self.assertEqual(len(starts), len(case.sources), starts)
        for start, wanted in zip(starts[1:], case.changes_at):
            self.assertAlmostEqual(start, wanted, delta=250)
        for epoch, source in zip(told["epochs"], case.sources):
            self.assertAlmostEqual(epoch["video"]["frame_rate_measured"],
                                   epoch["video"]["frame_rate_declared"], delta=0.4)
        for before, after in zip(told["epochs"], told["epochs"][1:]):
            differing = {f"{track}.{field}" for track in ("video", "audio")
                         for field in before[track] if field != "frame_rate_measured"
                         and before[track][field] != after[track][field]}
            self.assertEqual({change["field"] for change in told["changes"]
                              if change["at_ms"] == after["start_ms"]}, differing)

    def assert_uniform_made(self, case, path, told):
        """At 720p: of the whole file no error and as many pictures; of each epoch, put together, as
        bright, which ffmpeg's scaler alone does not heed when the range changes."""
        made = self.folder / f"{case.name}-720p.mp4"
        whole = subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-i", path, "-vf", "scale=1280:720,setsar=1,format="
             "yuv420p", "-fps_mode", "passthrough", "-c:v", "libx264", "-preset", "ultrafast",
             "-crf", "40", "-c:a", "aac", made],
            stdin=subprocess.DEVNULL, capture_output=True, check=False)
        self.assertEqual((whole.returncode, whole.stderr), (0, b""))
        self.assertEqual(len(luma(made)), len(case.pictures))
        parts = []
        for epoch, source in zip(told["epochs"], case.sources):
            part = self.folder / f"{case.name}-{epoch['index']}.ts"
            scale = "scale=1280:720:out_range=tv,setsar=1,format=yuv420p"
            cut = ["-ss", str(max(epoch["start_ms"] - 5, 0) / 1000)] if epoch["index"] else []
            length = (epoch["end_ms"] - epoch["start_ms"]) / 1000 - 0.05
            errors = subprocess.run(
                ["ffmpeg", "-v", "error", "-y", *cut, "-i", path, "-t", f"{length:.3f}", "-an",
                 "-vf", scale, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", part],
                stdin=subprocess.DEVNULL, capture_output=True, check=False)
            self.assertEqual((errors.returncode, errors.stderr), (0, b""))
            alone = subprocess.run(
                ["ffmpeg", "-v", "error", "-i", source, "-vf", scale + ",signalstats,metadata="
                 "print:key=lavfi.signalstats.YAVG:file=-", "-f", "null", "-"],
                stdin=subprocess.DEVNULL, capture_output=True, check=False).stdout
            bright = [float(value) for value in re.findall(rb"YAVG=([\d.]+)", alone)]
            now = luma(part)
            self.assertGreater(len(now), 10)
            for i in (0, 5, 9):
                self.assertAlmostEqual(now[i], bright[i], delta=1.5)
            parts.append(part)
        listing = "concat:" + "|".join(map(str, parts))
        check_output("ffmpeg", "-v", "error", "-y", "-i", listing, "-c", "copy", made)

    def send_all(self, server, case):
        for source in case.published:
            self.assertEqual(self.send(server, case.name, source).wait(), 0)
            if len(case.published) > 1:
                self.wait_live(server, case.name, live=False)

    def test_finished(self):
        server = self.start_nginx(application=RETURNING)
        rows = cases(self.folder)
        self.everywhere(lambda case: self.send_all(server, case), rows)
        self.wait_ended(server, len(rows), timeout=60)

        def check(case):
            video = self.of(server, case.name)
            path, told = self.download(server, video), self.timeline(server, video)
            self.assert_pictures(case, path)
            self.assert_pictures(case, self.stored(server, video))
            self.assert_sound(case, path)
            self.assert_timeline(case, video, told)
            self.assert_uniform_made(case, path, told)
        self.everywhere(check, rows)
        self.assert_events(server, rows)

    def assert_events(self, server, rows):
        """One for each change, in words and in fields."""
        events = self.events(server, "recording.source_changed")
        by_video = {}
        for data in events:
            by_video.setdefault(data["video_id"], []).append(data)
        for case in rows:
            video = self.of(server, case.name)
            told = [{"at_ms": data["at_ms"], **change} for data in by_video[video["id"]]
                    for change in data["changes"]]
            self.assertEqual(told, self.timeline(server, video)["changes"], case.name)
        words = " ".join(data["message"] for data in events)
        self.assertIn("pixel format yuv420p → yuvj420p, colour range tv → pc at 00:00:0", words)

    def test_headers_that_change_nothing(self):
        same = clip(seconds=60, size="160x90")
        [header] = [tag for tag in flv_tags(same) if is_video_header(tag[0], tag[2])]
        again = [tag for kind, ms, body in flv_tags(same) for tag in (
            [(9, ms, header[2])] if kind == 9 else []) + [(kind, ms, body)]]
        self.assertGreater(len(again), 600 + len(flv_tags(same)) - 5)
        # Its SPS has other bytes, of how long a motion vector may be.
        equal = [clip(), clip(encoder=":mvrange=64")] * 2
        self.assertNotEqual(*(next(body for kind, _, body in flv_tags(source)
                                   if is_video_header(kind, body)) for source in equal[:2]))
        server = self.start_nginx(application=RETURNING)
        for name, tags, sources in (
                ("again", again, [same]), ("equal", joined(*map(flv_tags, equal)), equal)):
            path = write_flv(self.folder / f"{name}.flv", tags)
            self.assertEqual(self.send(server, name, path, "--speed", "20").wait(), 0)
            video = self.of(server, name)
            self.wait_live(server, name, live=False)
            wait_for(lambda: self.of(server, name)["status"] == "viewable", 15, f"{name} is ready")
            told = self.timeline(server, video)
            self.assertEqual((len(told["epochs"]), told["changes"], told["uniform"]), (1, [], True))
            wrong, pictures = decoded(self.download(server, video))
            self.assertEqual(wrong, [])
            self.assertEqual(pictures, sum((decoded(source)[1] for source in sources), []))
        self.assertNotIn("recording.source_changed", server.log_text())

    def test_growing_and_after_a_crash(self):
        # Long enough for all to be looked at before their silence ends them.
        server = self.start_nginx(application=RETURNING.replace(f"{WINDOW}s", "20s"))
        rows = cases(self.folder, ("header", "in_band"))
        for case in rows:
            self.send(server, case.name, case.published[0], "--hold", "60")

        def growing(case):
            path = self.folder / f"{case.name}.growing.mp4"

            def all_there():
                video = self.of(server, case.name)
                reply = Api(server.http_port).get(f"/videos/{video['slug']}/source.mp4")
                path.write_bytes(reply.body)
                return reply.status == 200 and len(decoded(path)[1]) == len(case.pictures)
            wait_for(all_there, 20, "all is on disk", interval=0.5)
            self.assert_pictures(case, path)
            told = self.timeline(server, self.of(server, case.name))
            self.assertEqual({change["field"] for change in told["changes"]}, case.fields)
        self.everywhere(growing, rows)
        server.kill_worker()
        self.wait_ended(server, len(rows), timeout=60)

        def recovered(case):
            video = self.of(server, case.name)
            self.assert_pictures(case, self.download(server, video))
            self.assert_timeline(case, video, self.timeline(server, video))
        self.everywhere(recovered, rows)


if __name__ == "__main__":
    unittest.main()
