"""A browser plays the download, and seeks in it."""
import unittest

from tests.integration.support import AUTOMATIC, BY_HAND, RecordingTest, test_clip, wait_for
from tests.integration.support.browser import CHROMIUM, play_page
from tests.integration.support.enhanced import enhanced_flv
from tests.integration.support.enhanced_case import FLAC, SVT_AV1, VPX, X264, encoded

# Plays a moment at the beginning, in the middle and at the beginning again, and tells of each.
PAGE = """<!doctype html><title>playing</title><video id=v muted playsinline src="/video"></video>
<script>
const video = document.getElementById("v"), steps = [];
const event = name => new Promise(done => video.addEventListener(name, done, {once: true}));
const tell = (what, error) => fetch("/result", {method: "POST", body: JSON.stringify(
  {steps, error, width: video.videoWidth, height: video.videoHeight, duration: video.duration})});
video.addEventListener("error", () => tell("error", `${video.error.code} ${video.error.message}`));
async function advance(name) {
  const from = video.currentTime, began = performance.now();
  await video.play();
  while (video.currentTime < from + 0.3 && performance.now() - began < 20000)
    await new Promise(done => setTimeout(done, 20));
  video.pause();
  steps.push({name, from, to: video.currentTime,
              frames: video.getVideoPlaybackQuality().totalVideoFrames});
}
async function seek(to) {
  const there = event("seeked");
  video.currentTime = to;
  await there;
}
(async () => {
  try {
    if (video.readyState < 1) await event("loadedmetadata");
    await advance("beginning");
    await seek(video.duration / 2);
    await advance("middle");
    await seek(0);
    await advance("beginning again");
    await tell("done", null);
  } catch (error) { await tell("failed", String(error)); }
})();
</script>"""


@unittest.skipUnless(CHROMIUM, "needs chromium")
class Chromium(RecordingTest):
    def assert_played(self, result, seconds):
        self.assertIsNone(result["error"], result)
        self.assertEqual((result["width"], result["height"]), (320, 180))
        self.assertAlmostEqual(result["duration"], seconds, delta=0.2)
        self.assertEqual([step["name"] for step in result["steps"]],
                         ["beginning", "middle", "beginning again"])
        for step, at in zip(result["steps"], (0, seconds / 2, 0)):
            self.assertAlmostEqual(step["from"], at, delta=0.15, msg=result)
            self.assertGreater(step["to"], step["from"] + 0.2, result)
        frames = [step["frames"] for step in result["steps"]]
        self.assertLess(0, frames[0], result)
        self.assertLess(frames[0], frames[1], result)
        self.assertLess(frames[1], frames[2], result)

    def test_finished_downloads(self):
        server = self.start_nginx(application=AUTOMATIC)
        clips = {"plain": test_clip(seconds=8), "b3": test_clip(seconds=8, b_frames=3, gop=50)}
        for name, clip in clips.items():
            self.assertEqual(self.send(server, name, clip, "--speed", "8").wait(), 0)
        for video in self.wait_ended(server, len(clips)):
            with self.subTest(video["name"]):
                self.assert_played(play_page(self, PAGE, server, video["slug"])[0], 8)
        with self.subTest("a clip"):  # from the key frame at 2 s
            self.assert_played(play_page(self, PAGE, server, video["slug"], "?from=2.5&to=7")[0], 5)

    def test_codecs_of_enhanced_rtmp(self):
        """Those that Chromium has: HEVC, AC-3 and E-AC-3 are not among them."""
        server = self.start_nginx(application=AUTOMATIC)
        sources = {"av1": encoded(SVT_AV1, seconds=8),
                   "vp9-opus": encoded(VPX, "-c:a libopus -b:a 64k", seconds=8),
                   "avc-flac": encoded(X264 + "2", FLAC, seconds=8)}
        for name, source in sources.items():
            flv = enhanced_flv(self.folder / f"{name}.flv", source)
            self.assertEqual(self.send(server, name, flv, "--speed", "8").wait(), 0)
        for video in self.wait_ended(server, len(sources)):
            with self.subTest(video["name"]):
                self.assert_played(play_page(self, PAGE, server, video["slug"])[0], 8)

    def test_recorded_by_hand_in_mid_stream(self):
        server = self.start_nginx(application=BY_HAND)
        self.send(server, "cam", test_clip(seconds=8, b_frames=2), "--loops", "0", "--speed", "2")
        stream = self.wait_live(server, "cam")["id"]
        wait_for(lambda: self.stream(server, "cam")["session"], 10, "a session")
        api = self.api(server)
        self.assertEqual(api.put(f"streams/{stream}/start_recording").status, 200)
        wait_for(lambda: self.stream(server, "cam")["recording_duration"] > 4, 20, "4 s")
        # While it is recorded, too.
        slug = self.videos(server)[0]["slug"]
        growing = play_page(self, PAGE, server, slug)[0]
        self.assertIsNone(growing["error"], growing)
        self.assertEqual(len(growing["steps"]), 3, growing)
        self.assertEqual(api.put(f"streams/{stream}/stop_recording").status, 200)
        [video] = self.wait_ended(server)
        self.assert_played(play_page(self, PAGE, server, slug)[0], video["duration"] / 1000)
