"""The base of tests that publish by Enhanced RTMP."""
from .api import Api
from .enhanced import enhanced_flv, write_flv
from .media import make_media
from .recording import RecordingTest

# Long enough to look at what is growing when all has come.
GROWING = "live on; recording on; auto_record on; recording_min_duration 0;"
X265 = "-c:v libx265 -preset ultrafast -tag:v hvc1 -x265-params log-level=1:keyint=25:bframes="
SVT_AV1 = "-c:v libsvtav1 -preset 12 -g 25 -svtav1-params lp=1"
VPX = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25 -b:v 300k"
X264 = "-c:v libx264 -preset veryfast -g 25 -b:v 300k -bf "
FLAC = "-c:a flac -strict -2"


def encoded(video, audio="-c:a aac -b:a 64k", seconds=4, size="320x180", rate=25, filters="",
            pixels="yuv420p", sound="sine=frequency=440:r=48000"):
    """An MP4 of these codecs whose pictures all differ."""
    return make_media(
        f"-f lavfi -t {seconds} -i testsrc2=s={size}:r={rate}{filters} "
        f"-f lavfi -t {seconds - 0.1:.1f} -i {sound} {video} -pix_fmt {pixels} {audio}", ".mp4")


class EnhancedTest(RecordingTest):
    def flv(self, messages, name="made"):
        return write_flv(self.folder / f"{name}.flv", messages)

    def flv_of(self, source, **options):
        return enhanced_flv(self.folder / f"{source.stem}.flv", source, **options)

    def recorded(self, server, flv, name="cam"):
        """The one video of a publish."""
        publisher = self.send(server, name, flv, "--speed", "8")
        self.assertEqual(publisher.wait(), 0, publisher.output())
        [video] = self.wait_ended(server)
        return video

    def epochs(self, server, video):
        reply = Api(server.http_port).get(f"videos/{video['id']}/timeline")
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json
