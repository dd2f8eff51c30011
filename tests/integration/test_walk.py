"""The walk that a user takes: from a new stream to a page that plays its video, and to its end."""
import json
import re
import subprocess
import unittest
import urllib.parse

from tests.integration.support import Api, wait_for
from tests.integration.support.browser import CHROMIUM, embed
from tests.integration.support.recording import RecordingTest

RECORDING = """storage @prefix@/data/videos; min_free 1m;
    rendition 144p video=150k audio=48k; rendition 96p video=80k audio=32k;"""

# Somebody's page with the video in it, by the code that the API gives; it presses play and tells
# what came of it.
PAGE = """<!doctype html><meta charset=utf-8><title>embedding</title>CODE
<script>
const frame = document.querySelector("iframe"), sleep = ms => new Promise(r => setTimeout(r, ms));
(async () => {
  const began = performance.now();
  let video = null;
  while (performance.now() - began < 60000) {
    video = frame.contentDocument && frame.contentDocument.querySelector("video");
    if (video && video.readyState >= 1) break;
    await sleep(50);
  }
  if (video) {
    video.muted = true;
    await video.play();
    while (!video.ended && performance.now() - began < 60000) await sleep(50);
  }
  await fetch("/result", {method: "POST", body: JSON.stringify(video ? {
    ended: video.ended, at: video.currentTime, duration: video.duration, width: video.videoWidth,
    frames: video.getVideoPlaybackQuality().totalVideoFrames} : {ended: false})});
})();
</script>"""


def probe(path):
    output = subprocess.run(
        ["ffprobe", "-v", "warning", "-of", "json", "-show_streams", "-show_format", str(path)],
        capture_output=True, text=True, check=True)
    return json.loads(output.stdout), output.stderr


class Walk(RecordingTest):
    @unittest.skipUnless(CHROMIUM, "needs chromium")
    def test_from_a_new_stream_to_the_end_of_its_video(self):
        server = self.start_nginx(
            workers=2, worker=1, recording=RECORDING,
            application="live on; recording on; recording_reconnect_window 0; "
                        "recording_min_duration 1s;")
        api = Api(server.http_port)
        created = api.post("streams", {"name": "front-door", "client_user_id": 7})
        self.assertEqual(created.status, 201, created.body)
        stream = created.json["id"]
        publisher = self.publish(server, "front-door")
        wait_for(lambda: api.get(f"streams/{stream}").json["live"], 20, "it is live")
        started = api.put(f"streams/{stream}/start_recording")
        self.assertEqual(started.status, 200, started.body)
        wait_for(lambda: api.get(f"streams/{stream}").json["recording_duration"] > 2, 20, "2 s")
        stopped = api.put(f"streams/{stream}/stop_recording")
        self.assertEqual(stopped.status, 200, stopped.body)
        video = stopped.json["id"]
        seen = wait_for(lambda: self.video(api, video, ("viewable", "ready")), 20, "viewable")
        # The source can be downloaded at once, whatever else is still made.
        source = self.fetch(api, seen["origin_url"])
        (self.folder / "source.mp4").write_bytes(source)
        self.assertEqual(probe(self.folder / "source.mp4")[1], "")
        publisher.kill()

        ready = wait_for(lambda: self.video(api, video, ("ready", "error")), 90, "ready")
        self.assertEqual((ready["status"], ready["error"]), ("ready", None), ready)
        self.assertEqual([one["name"] for one in ready["converted_videos"]], ["144p", "96p"])
        for rendition in ready["converted_videos"]:
            self.assertEqual((rendition["status"], rendition["progress"]), ("complete", 100))
            body = self.fetch(api, rendition["mp4_url"])
            self.assertEqual(len(body), rendition["size"], rendition)
            path = self.folder / f"{rendition['name']}.mp4"
            path.write_bytes(body)
            facts, said = probe(path)
            self.assertEqual(said, "")
            picture = next(s for s in facts["streams"] if s["codec_type"] == "video")
            self.assertEqual((picture["codec_name"], picture["width"], picture["height"]),
                             ("h264", rendition["width"], rendition["height"]))
            self.assertEqual([s["codec_name"] for s in facts["streams"]
                              if s["codec_type"] == "audio"], ["aac"])
            self.assertAlmostEqual(float(facts["format"]["duration"]), ready["duration"] / 1000,
                                   delta=0.1)
        for picture in [ready["screenshot"], ready["sprite"], *ready["screenshots"]]:
            self.assertEqual(self.fetch(api, picture)[:3], b"\xff\xd8\xff", picture)
        self.assertIn(b"sprite.jpg#xywh=", self.fetch(api, ready["sprite_vtt"]))

        played = self.play_embedded(server, ready)
        self.assertTrue(played["ended"], played)
        self.assertAlmostEqual(played["duration"], ready["duration"] / 1000, delta=0.3)
        self.assertGreater(played["frames"], 20)

        self.assertEqual(api.delete(f"videos/{video}").status, 204)
        self.assertEqual(api.get(f"videos/{video}").status, 404)
        for url in (ready["origin_url"], ready["converted_videos"][0]["mp4_url"],
                    ready["screenshot"], ready["hls_url"]):
            self.assertEqual(api.request("GET", self.path_of(url)).status, 404, url)
        wait_for(lambda: not [path for path in (server.prefix / "data").rglob("*")
                              if path.is_file() and "catalog" not in path.name], 20, "no file left")

    @staticmethod
    def video(api, number, states):
        video = api.get(f"videos/{number}").json
        return video if video["status"] in states else None

    @staticmethod
    def path_of(url):
        parts = urllib.parse.urlsplit(url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def fetch(self, api, url):
        reply = api.request("GET", self.path_of(url))
        self.assertEqual(reply.status, 200, url)
        return reply.body

    def play_embedded(self, server, video):
        code = re.sub(r"https?://[^/\"]+", "", video["iframe_embed_code"])
        site = embed(self, PAGE.replace("CODE", code), server)
        return wait_for(lambda: site.results, 90, "the page has played")[0]
