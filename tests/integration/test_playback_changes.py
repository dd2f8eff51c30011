"""Browsers play through a change of the source, and seek across it both ways."""
import unittest

from tests.integration.support import AUTOMATIC, RecordingTest
from tests.integration.support.browser import CHROMIUM, FIREFOX, play_page
from tests.integration.support.changes import clip, flv_tags, joined, write_flv

# The upper half light, the lower dark; a picture that stayed from the other epoch is upside down.
PICTURE = "drawbox=0:0:iw:ih/2:color=0xC0C0C0:t=fill,drawbox=0:ih/2:iw:ih/2:color=0x303030:t=fill"
SECONDS = 4  # of each epoch

# Reads two points of the picture: after playing from before the change to behind it, after a seek
# back, and after a seek forward again.
PAGE = """<!doctype html><title>playing</title><video id=v muted playsinline src="/video"></video>
<script>
const video = document.getElementById("v"), steps = [];
const event = name => new Promise(done => video.addEventListener(name, done, {once: true}));
const tell = error => fetch("/result", {method: "POST", body: JSON.stringify({steps, error})});
video.addEventListener("error", () => tell(`${video.error.code} ${video.error.message}`));
function look(name) {
  const canvas = document.createElement("canvas");
  canvas.width = 64; canvas.height = 64;
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 64, 64);
  const green = y => context.getImageData(32, y, 1, 1).data[1];
  steps.push({name, at: video.currentTime, upper: green(16), lower: green(48),
              width: video.videoWidth, height: video.videoHeight});
}
async function seek(to) {
  const there = event("seeked");
  video.currentTime = to;
  await there;
  await new Promise(done => video.requestVideoFrameCallback
    ? (video.requestVideoFrameCallback(done), setTimeout(done, 500)) : setTimeout(done, 500));
}
async function play_until(to) {
  const began = performance.now();
  await video.play();
  while (video.currentTime < to && performance.now() - began < 30000)
    await new Promise(done => setTimeout(done, 20));
  video.pause();
}
(async () => {
  try {
    if (video.readyState < 1) await event("loadedmetadata");
    await seek(CHANGE - 1.5);
    look("before");
    await play_until(CHANGE + 0.8);
    look("played through");
    await seek(CHANGE - 2.5);
    look("back");
    await seek(CHANGE + 2.5);
    look("forward");
    await seek(0.5);
    look("to the beginning");
    await tell(null);
  } catch (error) { await tell(String(error)); }
})();
</script>""".replace("CHANGE", str(SECONDS))

FIRST = {"before", "back", "to the beginning"}


@unittest.skipUnless(CHROMIUM or FIREFOX, "needs a browser")
class BrowsersAcross(RecordingTest):
    def assert_change(self, name, later, size=(320, 180), browsers=(CHROMIUM, FIREFOX)):
        server = self.start_nginx(application=AUTOMATIC)
        flipped = "vflip" + ("," + later["picture"] if "picture" in later else "")
        parts = [clip(picture=PICTURE, seconds=SECONDS),
                 clip(**{**later, "picture": f"{PICTURE},{flipped}", "seconds": SECONDS})]
        flv = write_flv(self.folder / f"{name}.flv", joined(*[flv_tags(part) for part in parts]))
        self.assertEqual(self.send(server, name, flv, "--speed", "4").wait(), 0)
        [video] = self.wait_ended(server)
        self.assertFalse(video["uniform"])
        for browser in filter(None, browsers):
            with self.subTest(browser):
                self.assert_steps(play_page(self, PAGE, server, video["slug"], browser=browser)[0],
                                  size)

    def assert_steps(self, result, size):
        self.assertIsNone(result["error"], result)
        self.assertEqual(len(result["steps"]), 5, result)
        for step in result["steps"]:
            first = step["name"] in FIRST
            light, dark = ((step["upper"], step["lower"]) if first else
                           (step["lower"], step["upper"]))
            # Read with the wrong range, or the wrong way up, they are far from this.
            self.assertAlmostEqual(light, 0xC0, delta=8, msg=step)
            self.assertAlmostEqual(dark, 0x30, delta=8, msg=step)
            self.assertEqual((step["width"], step["height"]), (320, 180) if first else size, step)

    def test_size(self):
        self.assert_change("size", {"size": "256x144"}, (256, 144))

    def test_range(self):
        # Firefox (ESR 153) shows all of a file in the range that it began with.
        self.assert_change("range", {"color_range": "pc"}, browsers=(CHROMIUM,))

    def test_chroma(self):
        self.assert_change("chroma", {"picture": "format=yuv444p"})
