"""Codecs that only Enhanced RTMP has, played live: they are encoded as H.264 and AAC."""
import re
import subprocess

from tests.integration.support import AUTOMATIC, probe, test_clip, wait_for
from tests.integration.support.enhanced_case import (
    FLAC, SVT_AV1, VPX, X264, X265, EnhancedTest, encoded)
from tests.integration.support.live import LIVE, LiveTest

SECONDS = 6  # what a playlist still has when the stream has ended
OPUS = "-c:a libopus -b:a 64k"


class Enhanced(LiveTest, EnhancedTest):
    def test_each_codec_is_played(self):
        sources = {
            "hevc-opus": (encoded(X265 + "3", OPUS, SECONDS), "hevc", "opus"),
            "av1-aac": (encoded(SVT_AV1, seconds=SECONDS), "av1", "aac"),
            "vp9-flac": (encoded(VPX, FLAC, SECONDS), "vp9", "flac"),
            "avc-ac3": (encoded(X264 + "2", "-c:a ac3 -b:a 96k", SECONDS), "h264", "ac3"),
            "hevc-eac3": (encoded(X265 + "0", "-c:a eac3 -b:a 96k", SECONDS,
                                  pixels="yuv420p10le"), "hevc", "eac3"),
            "avc-opus": (encoded(X264 + "0", OPUS, SECONDS), "h264", "opus")}
        server = self.start_nginx(application=AUTOMATIC + LIVE, workers=2)
        names = list(sources)
        for some in (names[:3], names[3:]):
            publishers, folders = {}, {}
            for name in some:
                publishers[name] = self.send(server, name, self.flv_of(sources[name][0]),
                                             "--speed", "1")
            for name, publisher in publishers.items():
                folders[name] = self.wait_playable(server, name)
                session = self.wait_live(server, name)["session"]
                frozen, transcoder = session["frozen"], session["transcoder"]
                self.assertEqual((frozen["video_codec"], frozen["audio_codec"]),
                                 sources[name][1:], name)
                self.assertFalse(any(r["copied"] for r in transcoder["renditions"]), transcoder)
            for name, publisher in publishers.items():
                self.assertEqual(publisher.wait(), 0, f"{name}: {publisher.output()}")
            self.wait_no_programs(server)
            for name in some:
                with self.subTest(name):
                    self.check_playback(server, name, folders[name], sources[name][0])
        for video in self.wait_ended(server, len(sources)):
            self.assertEqual(video["status"], "viewable")
        self.assertEqual(self.events(server, "transcoder.failed"), [])

    def check_playback(self, server, name, folder, source):
        base = f"http://127.0.0.1:{server.http_port}"
        master = base + self.url(server, name, "master.m3u8", folder)
        found = {s["codec_type"]: s for s in probe(master, "-show_streams")["streams"]}
        self.assertEqual({kind: s["codec_name"] for kind, s in found.items()},
                         {"video": "h264", "audio": "aac"})
        last = found["video"]
        self.assertEqual((last["width"], last["height"], last["pix_fmt"]), (256, 144, "yuv420p"))
        playlist = base + self.url(server, name, f"media_{self.pictures_in(name)}.m3u8", folder)
        pictures = self.decoded(playlist)
        self.assertGreaterEqual(len(pictures), SECONDS * 25 - 3)
        self.assertGreater(likeness(playlist, source), 0.9)

    @staticmethod
    def pictures_in(name):
        # H.264 of 4:2:0 also has a rendition of its own size, which is the first one.
        return 1 if name.startswith("avc") else 0

    def test_a_source_that_turns_into_another_codec_is_played_on(self):
        hevc = self.flv_of(encoded(X265 + "0", OPUS, 10))
        server = self.start_nginx(application=AUTOMATIC + LIVE)
        publisher = self.send(server, "cam", [test_clip(seconds=6), hevc], "--speed", "1")
        folder = self.wait_playable(server, "cam")
        self.wait_restarted(server, "cam", folder)
        transcoder = self.wait_transcoder(server, "cam", "running")
        self.assertEqual((transcoder["restarts"], transcoder["error"]), (0, None))
        self.assertEqual(publisher.wait(), 0, publisher.output())
        self.wait_no_programs(server)
        wait_for(lambda: self.text(server, "cam", "media_0.m3u8", folder).endswith(
            "#EXT-X-ENDLIST\n"), 30, "it has ended")
        shown = probe(f"http://127.0.0.1:{server.http_port}"
                      + self.url(server, "cam", "media_0.m3u8", folder), "-show_streams")["streams"]
        self.assertEqual((shown[0]["width"], shown[0]["height"]), (320, 180))  # as frozen


def likeness(playlist, source):
    """SSIM of all pictures: 1 is the same."""
    said = subprocess.run(
        ["ffmpeg", "-hide_banner", "-live_start_index", "0", "-i", playlist, "-i", source, "-lavfi",
         "[0:v:0]setpts=PTS-STARTPTS[a];[1:v:0]setpts=PTS-STARTPTS,scale=256:144,format=yuv420p[b];"
         "[a][b]ssim", "-f", "null", "-"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=True, timeout=60).stderr
    return float(re.search(r"All:([0-9.]+)", said)[1])
