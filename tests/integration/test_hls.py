"""The player page, and HLS of the file itself: across changes, finished and while it grows."""
import datetime
import json
import re
import time
import unittest

from tests.integration.support import AUTOMATIC, Api, RecordingTest, test_clip, wait_for
from tests.integration.support.browser import CHROMIUM, embed
from tests.integration.support.changes import (
    clip, decoded, flv_tags, is_video_header, joined, write_flv)
from tests.integration.support.compare import packets

# The upper half light, the lower dark; in every other part it is upside down.
PICTURE = "drawbox=0:0:iw:ih/2:color=0xC0C0C0:t=fill,drawbox=0:ih/2:iw:ih/2:color=0x303030:t=fill"
SECONDS = 5  # of each part
PARTS = [{}, {"size": "256x144"}, {"size": "256x144", "color_range": "pc"},
         {"size": "256x144", "color_range": "pc", "audio_rate": 22050}]

# In an iframe, from its iframe_embed_code. Looks at two points of the picture and at the pitch.
OUTSIDE = """<!doctype html><title>embedding</title>EMBED
<script>
const tell = told => fetch("/told", {method: "POST", body: JSON.stringify(told)});
const pause = ms => new Promise(done => setTimeout(done, ms));
const inside = () => document.querySelector("iframe").contentDocument;
const until = async what => {
  const began = performance.now();
  while (!what()) {
    if (performance.now() - began > 60000) throw new Error(`not within a minute: ${what}`);
    await pause(20);
  }
};
const steps = [];
let video, spectrum, round = 0, still = 0;  // the longest that a picture stood still, in media time
function look(name) {
  const canvas = document.createElement("canvas");
  canvas.width = 64; canvas.height = 64;
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 64, 64);
  const green = y => context.getImageData(32, y, 1, 1).data[1];
  const levels = new Float32Array(spectrum.frequencyBinCount);
  spectrum.getFloatFrequencyData(levels);
  const peak = levels.indexOf(Math.max(...levels));
  steps.push({name, at: video.currentTime, upper: green(16), lower: green(48),
              width: video.videoWidth, height: video.videoHeight, still,
              hertz: peak * spectrum.context.sampleRate / spectrum.fftSize});
}
async function play_from_to(from, to) {
  video.pause();
  video.currentTime = from;
  await until(() => !video.seeking && video.readyState > 2);
  still = 0;
  await video.play();
  // Shown, not only decoded: a busy machine is late with pictures.
  const mine = ++round, shown = meta => {
    if (mine !== round) return;
    if (last >= from && meta.mediaTime > last) still = Math.max(still, meta.mediaTime - last);
    last = meta.mediaTime;
    video.requestVideoFrameCallback((_, next) => shown(next));
  };
  let last = -1;
  video.requestVideoFrameCallback((_, meta) => shown(meta));
  await until(() => (last >= to - 0.3 && last <= to + 5 && video.currentTime >= to) || video.ended);
}
(async () => {
  try {
    await until(() => inside()?.querySelector("video")?.readyState > 1);
    video = inside().querySelector("video");
    const audio = new AudioContext();
    spectrum = audio.createAnalyser();
    spectrum.fftSize = 8192;
    spectrum.smoothingTimeConstant = 0;
    audio.createMediaElementSource(video).connect(spectrum);
    spectrum.connect(audio.destination);
    for (const [from, to] of STEPS) {
      await play_from_to(from, to);
      look(`${from} to ${to}`);
    }
    await tell({steps, duration: video.duration, growing: GROWING,
                says: inside().querySelector("[role=status]").textContent,
                player: inside().documentElement.dataset.player});
    await play_from_to(TAIL, 1e9);
    await until(() => video.ended || performance.now() > 150000);
    await tell({ended: video.currentTime, duration: video.duration});
  } catch (error) {
    await tell({error: String(error), steps, at: video?.currentTime,
                failed: inside()?.documentElement.dataset.error,
                says: inside()?.querySelector("[role=status]")?.textContent});
  }
})();
</script>"""


def source_of(test, *changes):
    parts = [clip(**{"seconds": SECONDS, **change,
                     "picture": PICTURE + (",vflip" if i % 2 else "")})
             for i, change in enumerate(changes)]
    flv = write_flv(test.folder / "changes.flv", joined(*[flv_tags(part) for part in parts]))
    return flv, parts


class Playlists(RecordingTest):
    def text(self, server, slug, name):
        reply = Api(server.http_port).get(f"/videos/{slug}/{name}")
        self.assertEqual(reply.status, 200, reply.body)
        return reply.body.decode()

    def test_ffmpeg_plays_what_was_sent(self):
        server = self.start_nginx(application=AUTOMATIC)
        flv, parts = source_of(self, *PARTS)
        self.assertEqual(self.send(server, "cam", flv, "--speed", "8").wait(), 0)
        [video] = self.wait_ended(server)
        master = video["hls_url"]
        sent = [decoded(part)[1] for part in parts]
        wrong, played = decoded(master)
        self.assertEqual([line for line in wrong if "MOOV" not in line], [])
        self.assertEqual([frame[2:] + frame[:1] for frame in played],
                         [frame[2:] + frame[:1] for part in sent for frame in part])
        # FFmpeg 5.1 passes the map of a changed sound over, and cannot decode what follows.
        self.assertEqual([md5 for _, md5 in packets(master, "a")],
                         [md5 for part in parts for _, md5 in packets(part, "a")])
        text = self.text(server, video["slug"], "source.m3u8")
        self.assertEqual(text.count("#EXT-X-DISCONTINUITY\n"), 3)
        self.assertEqual(text.count("#EXT-X-MAP:"), 4)
        self.assertEqual(text.count("#EXT-X-PROGRAM-DATE-TIME:"), 4)
        self.assertIn("#EXT-X-INDEPENDENT-SEGMENTS", text)
        total = sum(float(value) for value in re.findall(r"#EXTINF:([\d.]+),", text))
        self.assertAlmostEqual(total, video["duration"] / 1000, delta=0.05)
        master_text = self.text(server, video["slug"], "master.m3u8")
        self.assertRegex(master_text, r"RESOLUTION=320x180,FRAME-RATE=10\.000\nsource\.m3u8\n")
        self.assertRegex(master_text, r'CODECS="avc1\.\w{6},.*mp4a\.40\.2"')

    def test_answers(self):
        server = self.start_nginx(application=AUTOMATIC)
        self.assertEqual(self.send(server, "cam", test_clip(seconds=12), "--speed", "8").wait(), 0)
        [video] = self.wait_ended(server)
        api, base = Api(server.http_port), f"/videos/{video['slug']}"
        for name, kind in (("master.m3u8", "application/vnd.apple.mpegurl"),
                           ("source.m3u8", "application/vnd.apple.mpegurl"),
                           ("chapters.vtt", "text/vtt")):
            reply = api.get(f"{base}/{name}")
            self.assertEqual((reply.status, reply.headers["content-type"]), (200, kind))
            self.assertEqual(reply.headers["cache-control"], "no-cache")
            head = api.request("HEAD", f"{base}/{name}")
            self.assertEqual((head.status, head.body, head.headers["content-length"]),
                             (200, b"", str(len(reply.body))))
            same = api.request("GET", f"{base}/{name}",
                               headers={"If-None-Match": reply.headers["etag"]})
            self.assertEqual((same.status, same.body), (304, b""))
        # What is beside the source, under its own name.
        folder = self.stored(server, video).parent
        stored = (folder / "source.mp4").read_bytes()
        (folder / "720p.mp4").write_bytes(stored)
        (folder / ".processing-1.mp4").write_bytes(stored)
        (folder / "broken.mp4").write_bytes(b"none of ours")
        (folder / "poster.jpg").write_bytes(b"\xff\xd8 a picture")
        (folder / "sprite.vtt").write_bytes(b"WEBVTT\n")
        (folder / "secret.txt").write_bytes(b"not to be had")
        self.assertEqual(api.get(f"{base}/720p.mp4").body, api.get(f"{base}/source.mp4").body)
        for raw in ("720p.media", "720p.m4s"):
            self.assertEqual(api.get(f"{base}/{raw}").body, stored)
        part = api.request("GET", f"{base}/720p.mp4?from=2&to=4",
                           headers={"Range": "bytes=0-99"})
        self.assertEqual((part.status, len(part.body)), (206, 100))
        saved = api.get(f"{base}/720p.mp4/download").headers["content-disposition"]
        self.assertIn("720p.mp4", saved)
        self.assertEqual(api.get(f"{base}/720p.m3u8").body.decode(),
                         api.get(f"{base}/source.m3u8").body.decode().replace(
                             "source.m4s", "720p.m4s"))
        wait_for(lambda: b"720p.m3u8" in api.get(f"{base}/master.m3u8").body, 5,
                 "the quality is in the playlist of all")
        self.assertNotIn(b"broken", api.get(f"{base}/master.m3u8").body)
        for name, kind in (("poster.jpg", "image/jpeg"), ("sprite.vtt", "text/vtt")):
            reply = api.get(f"{base}/{name}")
            self.assertEqual((reply.status, reply.headers["content-type"], reply.body),
                             (200, kind, (folder / name).read_bytes()))
            self.assertEqual(reply.headers["cache-control"], "max-age=3600")
        for name in ("sprite.jpg", "screenshot-1.jpg", "480p.mp4", "480p.m3u8", "secret.txt",
                     ".processing-1.mp4", "..%2Fsource.mp4", "720p.mp4%2F..", "%2e%2e/x.mp4"):
            self.assertEqual(api.get(f"{base}/{name}").status, 404, name)
        # Gone with its video, and told so.
        self.assertEqual(self.api(server).request("DELETE", f"videos/{video['id']}").status, 204)
        gone = api.get(f"{base}/master.m3u8")
        self.assertEqual((gone.status, gone.json["error"]["code"]), (404, "video_deleted"))
        self.assertEqual(api.get(base).status, 404)
        self.assertEqual(api.get(f"/videos/{'0' * 32}/master.m3u8").json["error"]["code"],
                         "video_not_found")

    def test_an_interruption_is_a_chapter(self):
        server = self.start_nginx(application="live on; recording on; auto_record on; "
                                              "recording_min_duration 0; "
                                              "recording_reconnect_window 3s;")
        for _ in range(2):
            self.assertEqual(
                self.send(server, "cam", test_clip(seconds=5), "--speed", "8").wait(), 0)
        [video] = self.wait_ended(server)
        chapters = self.text(server, video["slug"], "chapters.vtt")
        cues = re.findall(r"00:00:(\S+) --> 00:00:(\S+)\n(.*)", chapters)
        self.assertEqual((len(cues), cues[0][2]), (2, "Beginning"), chapters)
        self.assertRegex(cues[1][2], r"^After an interruption( of [1-9]\d* s)? "
                                     r"\((connection|unpublished)\)$")
        self.assertAlmostEqual(float(cues[1][0]), 5, delta=0.2)
        self.assertAlmostEqual(float(cues[1][1]), 10, delta=0.3)
        playlist = self.text(server, video["slug"], "source.m3u8")
        before, after = playlist.split("#EXT-X-DISCONTINUITY\n")
        self.assertAlmostEqual(sum(map(float, re.findall(r"#EXTINF:([\d.]+),", before))),
                               float(cues[1][0]), delta=0.01)
        self.assertNotIn("#EXT-X-MAP", after)  # nothing of the source has changed

    def test_too_short(self):
        server = self.start_nginx(application="live on; recording on; auto_record on; "
                                              "recording_reconnect_window 0;")
        self.assertEqual(self.send(server, "cam", test_clip(seconds=2), "--speed", "8").wait(), 0)
        [video] = self.wait_ended(server)
        self.assertEqual(video["error"], "too_short")
        self.assertEqual((video["hls_url"], video["iframe_url"], video["iframe_embed_code"]),
                         (None, None, None))
        reply = Api(server.http_port).get(f"/videos/{video['slug']}/master.m3u8")
        self.assertEqual((reply.status, reply.json["error"]["code"]), (404, "too_short"))


@unittest.skipUnless(CHROMIUM, "needs chromium")
class ThroughHlsJs(RecordingTest):
    def steps(self):
        """Across each change; back over all of them, and forward again."""
        ends = [SECONDS * i for i in range(1, len(PARTS))]
        return ([[end - 1, end + 0.8] for end in ends] +
                [[1, 1.8], [ends[-1] + 1, ends[-1] + 1.8]] +
                [[end - 2, end - 1] for end in ends[::-1]])

    def open(self, server, video, growing, steps=None, quality=None):
        page = OUTSIDE.replace("EMBED", re.sub(
            r'src="http://[^/]+', 'src="', video["iframe_embed_code"]))
        for word, value in (("STEPS", json.dumps(steps or self.steps())),
                            ("GROWING", str(growing).lower()),
                            ("TAIL", SECONDS * len(PARTS) - 1)):
            page = page.replace(word, str(value))
        return embed(self, page, server, quality)

    def assert_steps(self, told, steps=None, quality=None):
        steps = steps or self.steps()
        self.assertNotIn("error", told)
        self.assertEqual((told["player"], told["says"]), ("hls.js", ""))
        self.assertEqual(len(told["steps"]), len(steps), told)
        for step, (_, to) in zip(told["steps"], steps):
            part = int(to / SECONDS)
            light, dark = ((step["lower"], step["upper"]) if part % 2 else
                           (step["upper"], step["lower"]))
            self.assertAlmostEqual(light, 0xC0, delta=8, msg=step)
            self.assertAlmostEqual(dark, 0x30, delta=8, msg=step)
            size = "171x96" if quality == "96p" else PARTS[part].get("size", "320x180")
            self.assertEqual(f"{step['width']}x{step['height']}", size, step)
            self.assertAlmostEqual(step["hertz"], 440, delta=12, msg=step)
            self.assertAlmostEqual(step["at"], to, delta=1, msg=step)

    def test_finished(self):
        server = self.start_nginx(application=AUTOMATIC)
        flv, _ = source_of(self, *PARTS)
        self.assertEqual(self.send(server, "cam", flv, "--speed", "8").wait(), 0)
        [video] = self.wait_ended(server)
        site = self.open(server, video, False)
        wait_for(lambda: site.results, 120, "it was played")
        self.assert_steps(site.results[0])
        wait_for(lambda: len(site.results) > 1, 60, "it was played to the end")
        self.assertAlmostEqual(site.results[1].get("ended", 0), video["duration"] / 1000, delta=0.3,
                               msg=site.results[1])
        self.assertEqual({path.rpartition("/")[2] for path, status in site.asked if status >= 400},
                         {"favicon.ico", "poster.jpg", "sprite.vtt"})

    def test_each_quality_across_a_change_and_an_interruption(self):
        """The same at the same time in each, though time was left in for what is missing. And no
        picture stands still for a group, as it does where the sound jumps behind a key frame.
        """
        server = self.start_nginx(
            worker=1, recording="storage @prefix@/data/videos; min_free 1m; "
                                "rendition 96p video=80k audio=48k;",
            application="live on; recording on; auto_record on; recording_min_duration 0; "
                        "recording_reconnect_window 6s; recording_gap keep;")
        flv, _ = source_of(self, *PARTS[:3])
        tags = flv_tags(flv)
        [_, _, again] = [ms for kind, ms, body in tags if is_video_header(kind, body)]
        for number, half in enumerate((
                [tag for tag in tags if tag[1] < again],
                [(kind, ms - again, body) for kind, ms, body in tags if ms >= again])):
            if number > 0:
                time.sleep(3)  # what is missing
            path = write_flv(self.folder / f"{number}.flv", half)
            self.assertEqual(self.send(server, "cam", path, "--speed", "8").wait(), 0)
        def ready():
            [video] = self.videos(server)
            return video if video["status"] == "ready" else None
        video = wait_for(ready, 60, "it is ready")
        api = Api(server.http_port)
        lists = [api.get(f"/videos/{video['slug']}/{name}.m3u8").body.decode()
                 for name in ("source", "96p")]
        whole, quality = [[
            [sum(map(float, re.findall(r"#EXTINF:([\d.]+),", part))),
             *map(datetime.datetime.fromisoformat, re.findall("DATE-TIME:(.*)", part))]
            for part in text.split("#EXT-X-DISCONTINUITY\n")] for text in lists]
        self.assertEqual(len(whole), 3, lists)
        self.assertEqual(len(quality), 3, lists)
        for one, other in zip(whole, quality):
            self.assertAlmostEqual(one[0], SECONDS, delta=0.4)
            # But for two pictures that an encoder holds back.
            self.assertAlmostEqual(one[0], other[0], delta=0.25)
            self.assertAlmostEqual(one[1].timestamp(), other[1].timestamp(), delta=0.25)

        steps = [[end - 1, end + 0.8] for end in (SECONDS, 2 * SECONDS)]
        for name in ("source", "96p"):
            with self.subTest(name):
                site = self.open(server, video, False, steps, name)
                wait_for(lambda site=site: site.results, 120, "it was played")
                self.assert_steps(site.results[0], steps, name)
                for step in site.results[0]["steps"]:  # a group is a second, or two
                    self.assertLess(step["still"], 0.9, step)

    def test_growing(self):
        server = self.start_nginx(application=AUTOMATIC)
        flv, _ = source_of(self, *PARTS[:-1], {**PARTS[-1], "seconds": 60})
        publisher = self.send(server, "cam", flv)
        slug = wait_for(lambda: [v["slug"] for v in self.videos(server) if v["hls_url"]], 20,
                        "it is recorded")[0]
        api = Api(server.http_port)
        early = api.get(f"/videos/{slug}/master.m3u8")
        self.assertIn(early.status, (200, 404))
        if early.status == 404:
            self.assertEqual(early.json["error"]["code"], "no_media_yet")
        seconds = SECONDS * len(PARTS)

        def saved():
            text = api.get(f"/videos/{slug}/source.m3u8").body.decode()
            return sum(map(float, re.findall(r"#EXTINF:([\d.]+),", text))) >= seconds and text
        first = wait_for(saved, 60, f"{seconds} s can be played")
        self.assertNotIn("ENDLIST", first)
        [video] = self.videos(server)
        self.assertEqual(video["status"], "pending")
        site = self.open(server, video, True)
        wait_for(lambda: site.results, 120, "it was played")
        publisher.kill()
        self.assert_steps(site.results[0])
        [video] = self.wait_ended(server)
        wait_for(lambda: len(site.results) > 1, 90, "it was played to the end")
        # The player page found the end by itself.
        self.assertAlmostEqual(site.results[1].get("ended", 0), video["duration"] / 1000, delta=0.3,
                               msg=site.results[1])
        last = api.get(f"/videos/{slug}/source.m3u8").body.decode()
        self.assertTrue(last.startswith(first), (first, last))
        self.assertTrue(last.endswith("#EXT-X-ENDLIST\n"))
