"""The base of tests that publish and look at what was recorded."""
import json
import pathlib
import re
import tempfile

from .api import Api
from .case import IntegrationTest
from .compare import all_packets, differences
from .media import make_media, probe_warnings
from .rtmp import RtmpPublisher
from .wait import wait_for

# Short media must count, and an ended publish must be a finished video.
AT_ONCE = "recording_min_duration 0; recording_reconnect_window 0;"
BY_HAND = "live on; recording on; " + AT_ONCE
AUTOMATIC = BY_HAND + " auto_record on;"
ENDED = ("viewable", "error")


def test_clip(seconds=4, rate=25, gop=25, b_frames=0, audio_rate=48000, size="320x180", extra=""):
    """An FLV with H.264 and AAC whose pictures all differ."""
    return make_media(
        # Sound ends before the pictures: rtmp-publisher leaves out what is beyond them.
        f"-f lavfi -t {seconds} -i testsrc2=s={size}:r={rate} "
        f"-f lavfi -t {seconds - 0.1:.1f} -i sine=frequency=440:r={audio_rate} "
        f"-c:v libx264 -preset veryfast -g {gop} -bf {b_frames} -sc_threshold 0 "
        f"-b:v 300k -pix_fmt yuv420p -c:a aac -b:a 64k {extra}")


test_clip.__test__ = False


class RecordingTest(IntegrationTest):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self._downloads = 0

    def send(self, server, name, source, *options, app="live"):
        """With rtmp-publisher, as fast as the server takes it unless `options` say otherwise."""
        publisher = RtmpPublisher(server.rtmp_port, name, source, *options, app=app)
        self.addCleanup(publisher.kill)
        return publisher

    # what the API says

    def stream(self, server, name, app="live"):
        for stream in self._list(server, "streams?per_page=100"):
            if stream["app"] == app and stream["name"] == name:
                return stream
        return None

    def videos(self, server, stream=None):
        """Oldest first."""
        query = "" if stream is None else f"&stream_id={stream}"
        return self._list(server, "videos?per_page=100" + query)[::-1]

    def _list(self, server, path):
        reply = Api(server.http_port).get(path)
        self.assertEqual(reply.status, 200, f"GET {path}: {reply.body[:300]}")
        return reply.json

    def wait_live(self, server, name, live=True, app="live"):
        def there():
            stream = self.stream(server, name, app)
            # Its number comes from the catalogue, a moment after the first publish of all.
            return stream if stream is not None and stream["live"] == live and (
                stream["id"]) else None
        return wait_for(there, 15, f"{name!r} is {'' if live else 'not '}live")

    def wait_frames(self, server, name, bytes_on_disk=1):
        """Until something of the stream's recording is on disk."""
        def there():
            stream = self.stream(server, name)
            return stream is not None and stream["recording"] and any(
                path.stat().st_size > bytes_on_disk for path in self.in_spool(server))
        wait_for(there, 15, f"{name!r} is being recorded")

    def events(self, server, kind):
        found = []
        for line in server.log_text().splitlines():
            if match := re.search(r"recording: event (\{.*\})", line):
                event = json.loads(match[1])
                if event["type"] == kind:
                    found.append(event["data"])
        return found

    def wait_ended(self, server, count=1, timeout=30):
        """All videos, when there are `count` and none is being recorded any more."""
        def there():
            videos = self.videos(server)
            return videos if len(videos) >= count and all(
                video["status"] in ENDED for video in videos) else None
        try:
            videos = wait_for(there, timeout, f"{count} videos have ended")
        except AssertionError as late:
            raise AssertionError(f"{late}; there are {self.videos(server)}") from None
        self.assertEqual(len(videos), count, videos)
        return videos

    # what is on disk

    @staticmethod
    def in_storage(server):
        return sorted(path for path in (server.prefix / "data/videos").rglob("*.mp4")
                      if path.is_file())

    @staticmethod
    def in_spool(server):
        return sorted(path for path in (server.prefix / "data/spool").rglob("*.mp4")
                      if path.is_file())

    def download(self, server, video):
        """The path of a fresh download of a video object or slug."""
        slug = video if isinstance(video, str) else video["slug"]
        reply = Api(server.http_port).get(f"/videos/{slug}/source.mp4")
        self.assertEqual(reply.status, 200, reply.body[:300])
        self.assertEqual(int(reply.headers["content-length"]), len(reply.body))
        self._downloads += 1
        path = self.folder / f"download-{self._downloads}.mp4"
        path.write_bytes(reply.body)
        return path

    def stored(self, server, video):
        """The file of a finished video."""
        found = [path for path in self.in_storage(server) if path.parent.name == video["slug"]]
        self.assertEqual(len(found), 1, f"{video['slug']} among {self.in_storage(server)}")
        return found[0]

    def assert_whole(self, server, row, source, **tracks):
        """Both the download and the file are what was sent."""
        self.assertEqual((row["status"], row["error"]), ("viewable", None), row)
        path, stored = self.download(server, row), self.stored(server, row)
        self.assertEqual(differences(source, path, **tracks), [], "the download")
        self.assertEqual(probe_warnings(stored), "", "the file on disk")
        self.assertEqual(all_packets(stored), all_packets(path), "the file on disk")

    def assert_consistent(self, server):
        """Every ready video has its file, every file its video, and nothing waits in the spool."""
        ready = {video["slug"] for video in self.videos(server) if video["status"] == "viewable"}
        files = {path.parent.name for path in self.in_storage(server)}
        self.assertEqual(files, ready)
        self.assertEqual(self.in_spool(server), [])

    def assert_no_trace(self, server):
        self.assertEqual(self.videos(server), [])
        self.assertEqual(self.in_storage(server) + self.in_spool(server), [])
