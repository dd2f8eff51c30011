"""The page that plays a live stream, in a browser, from whichever worker answers."""
import os
import pathlib
import signal
import time
import unittest

from tests.integration.support import AUTOMATIC, Api, test_clip, wait_for
from tests.integration.support.browser import CHROMIUM, embed
from tests.integration.support.live import LIVE, LiveTest, signed

# Shows the page in an iframe, and tells once a second what it plays.
OUTSIDE = """<!doctype html><title>embedding</title>
<iframe src="PAGE" width="640" height="360" allow="autoplay"></iframe>
<script>
const inside = () => document.querySelector("iframe").contentDocument;
setInterval(() => {
  const video = inside().querySelector("video");
  if (video === null) return;
  const quality = video.getVideoPlaybackQuality();
  fetch("/told", {method: "POST", body: JSON.stringify({
    player: inside().documentElement.dataset.player, at: video.currentTime,
    frames: quality.totalVideoFrames, width: video.videoWidth, height: video.videoHeight,
    says: inside().querySelector("[role=status]").textContent})});
}, 1000);
</script>"""


class Page(LiveTest):
    @unittest.skipUnless(CHROMIUM, "needs chromium")
    def test_plays_and_waits_and_plays_again(self):
        server = self.start_nginx(
            application=AUTOMATIC + LIVE, workers=4,
            recording="storage @prefix@/data/videos; min_free 1m; link_secret secret;")
        clip = test_clip(seconds=60, rate=30, gop=30)
        page = signed("/videos/live/live/cam", int(time.time()) + 3600, "secret")
        site = embed(self, OUTSIDE.replace("PAGE", page), server)

        def told(what, where, timeout=60):
            return wait_for(lambda: next((t for t in site.results[::-1] if where(t)), None), timeout,
                            f"the page {what}; it told {site.results[-3:]}")
        told("waits for the stream", lambda t: "not live" in t["says"])
        publisher = self.publish(server, "cam", source=clip)
        link = wait_for(lambda: (self.stream(server, "cam") or {}).get("hls_url"), 60,
                        "there is a link", interval=0.05)
        reply = Api(server.http_port).get(link[link.index("/videos/"):])
        self.assertEqual(reply.status, 302, "the link leads nowhere yet")
        first = told("plays", lambda t: t["frames"] > 0)
        self.assertEqual((first["player"], first["says"]), ("hls.js", ""))
        self.assertRegex(self.wait_live(server, "cam")["iframe_url"],
                         f"^http://127.0.0.1:{server.http_port}/videos/live/live/cam"
                         r"\?md5=[\w-]{22}&expires=\d+$")
        # 20 s of it, without a stop: all are shown while as much time passes.
        later = told("has played 20 s", lambda t: t["at"] >= first["at"] + 20)
        self.assertAlmostEqual(later["frames"] - first["frames"],
                               30 * (later["at"] - first["at"]), delta=20)
        self.assertIn((later["width"], later["height"]), ((320, 180), (256, 144)))
        self.assertEqual({status for _, status in site.asked} - {200, 302, 404}, set())
        # The next session is found by the page itself.
        publisher.stop()
        told("sees the end", lambda t: "ended" in t["says"])
        self.publish(server, "cam", source=clip)
        told("plays again", lambda t: t["says"] == "" and 0 < t["at"] < 10 and t["frames"] > 0)

    @unittest.skipUnless(CHROMIUM, "needs chromium")
    def test_goes_on_by_itself_when_ffmpeg_or_its_worker_dies(self):
        server = self.start_nginx(application=AUTOMATIC + LIVE, workers=1)
        clip = test_clip(seconds=120, rate=30, gop=30)
        site = embed(self, OUTSIDE.replace("PAGE", "/videos/live/live/cam"), server)
        publisher = self.publish(server, "cam", source=clip)

        def plays(folder, what):
            wait_for(lambda: any(f"/{folder}/" in path and path.split("?")[0].endswith(".m4s")
                                 and status == 200 for path, status in site.asked), 60,
                     f"{what}: its segments are loaded")
            told = len(site.results)
            first = wait_for(lambda: next((t for t in site.results[told:] if t["frames"] > 0
                                           and t["says"] == ""), None), 60, f"{what}: it plays")
            return wait_for(lambda: next((t for t in site.results[told:]
                                          if t["at"] >= first["at"] + 3), None), 60,
                            f"{what}: it plays on; it told {site.results[-3:]}")

        first = self.wait_playable(server, "cam")
        before = plays(f"{first}/000000", "at first")
        [program] = self.programs(server, "cam", launchers=False)
        os.kill(program, signal.SIGKILL)
        # The player that there is goes on by itself, over the joint in its playlist.
        asked = len(site.asked)
        after = plays(f"{first}/000001", "after the death of ffmpeg")
        self.assertGreater(after["at"], before["at"] + 3)
        self.assertEqual([path for path, _ in site.asked[asked:] if "master.m3u8" in path], [])
        # Before either could write its end.
        [program] = self.programs(server, "cam", launchers=False)
        [worker] = server.workers()
        os.kill(worker, signal.SIGSTOP)
        os.kill(program, signal.SIGKILL)
        server.kill_worker(worker)
        self.assertTrue(self.text(server, "cam", "media_0.m3u8", first).endswith(
            "#EXT-X-ENDLIST\n"))
        publisher.wait()
        self.publish(server, "cam", source=clip)
        second = self.wait_playable(server, "cam", other_than=first)
        plays(f"{second}/000000", "after the death of the worker")

    def test_page_and_what_it_loads(self):
        server = self.start_nginx(application=AUTOMATIC + LIVE)
        api = Api(server.http_port)
        page = api.get("/videos/live/live/any%2Fname")
        self.assertEqual((page.status, page.headers["content-type"]),
                         (200, "text/html; charset=utf-8"))
        policy = page.headers["content-security-policy"]
        self.assertIn("default-src 'none'; script-src 'self';", policy)
        self.assertNotIn("frame-ancestors", policy)  # it is there to be embedded
        self.assertNotIn("<script>", page.body.decode())
        for name, kind in (("live.js", "text/javascript"), ("live.css", "text/css"),
                           ("hls.js", "text/javascript")):
            reply = api.get(f"/videos/player/{name}")
            self.assertEqual((reply.status, reply.headers["content-type"]),
                             (200, f"{kind}; charset=utf-8"))
            same = api.request("GET", f"/videos/player/{name}",
                               headers={"If-None-Match": reply.headers["etag"]})
            self.assertEqual((same.status, same.body), (304, b""))
        for path in ("live/none/cam", "live/live", "player/", "player/none.js", "player/../x"):
            self.assertEqual(api.get(f"/videos/{path}").status, 404, path)
        self.assertEqual(pathlib.Path("pages/live.js").read_bytes(),
                         api.get("/videos/player/live.js").body)
