"""What is told of a source is what ffprobe says of it, field by field, whatever its codec."""
import re

from tests.integration.support import AUTOMATIC, make_media, probe
from tests.integration.support.enhanced_case import EnhancedTest

TV_709 = "-color_range tv -color_primaries bt709 -color_trc bt709 -colorspace bt709"
PQ = "-color_range tv -color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc"
HLG = "-color_range tv -color_primaries bt2020 -color_trc arib-std-b67 -colorspace bt2020nc"
SMPTE = "-color_range tv -color_primaries smpte170m -color_trc smpte170m -colorspace smpte170m"
X265 = "-c:v libx265 -preset ultrafast -tag:v hvc1 -x265-params log-level=1:keyint=5"
AOM = "-c:v libaom-av1 -usage realtime -cpu-used 8"
VPX = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"
PICTURE = "-f lavfi -t 0.4 -i testsrc2=s={size}:r={rate} "

# codec, size, rate, what else
VIDEO = [
    (X265, "1280x720", "30000/1001", "-pix_fmt yuv420p " + TV_709),
    (X265, "320x180", "25", "-pix_fmt yuvj420p -color_range pc"),
    (X265, "640x360", "50", "-pix_fmt yuv420p10le " + PQ),
    (X265, "320x180", "60", "-pix_fmt yuv422p10le " + HLG),
    (X265, "354x198", "25", "-pix_fmt yuv444p"),
    (X265, "320x180", "25", "-pix_fmt yuv444p12le -color_range pc"),
    (X265, "320x180", "25", "-pix_fmt yuv422p " + SMPTE),
    (X265, "320x180", "25", "-pix_fmt yuv420p12le"),
    (X265, "320x180", "25", "-pix_fmt gray"),
    (X265, "320x180", "25", "-pix_fmt gray10le"),
    (X265, "320x180", "25", "-pix_fmt gbrp"),
    (X265, "720x576", "25", "-vf setsar=64/45 -pix_fmt yuv420p"),
    (X265, "720x480", "25", "-vf setsar=853/720 -pix_fmt yuv420p"),
    (X265 + ":bframes=4:b-adapt=0:scaling-list=default", "320x180", "25", "-pix_fmt yuv420p"),
    (X265 + ":bframes=0", "426x240", "24000/1001", "-pix_fmt yuv420p"),
    (X265 + ":temporal-layers=2:bframes=3", "640x360", "30", "-pix_fmt yuv420p"),
    (X265 + ":hrd=1:vbv-maxrate=900:vbv-bufsize=900:max-cll=1000,400", "640x360", "25",
     "-pix_fmt yuv420p10le " + PQ),
    ("-c:v libsvtav1 -preset 12", "640x360", "30000/1001", "-pix_fmt yuv420p"),
    ("-c:v libsvtav1 -preset 12", "640x360", "25", "-pix_fmt yuv420p10le " + PQ),
    (AOM, "320x180", "25", "-pix_fmt yuv420p -color_range pc -color_primaries bt709 "
                           "-color_trc bt709 -colorspace bt709"),
    (AOM, "322x182", "25", "-pix_fmt yuv444p"),
    (AOM, "320x180", "25", "-pix_fmt yuv422p"),
    (AOM, "320x180", "25", "-pix_fmt yuv420p12le"),
    (AOM, "320x180", "25", "-pix_fmt gray10le"),
    (AOM, "320x180", "25", "-pix_fmt gbrp"),
    (VPX, "320x180", "25", "-pix_fmt yuv420p"),
    (VPX, "640x360", "25", "-pix_fmt yuv420p -color_range pc -color_primaries bt709 "
                           "-color_trc bt709 -colorspace bt709"),
    (VPX, "320x180", "25", "-pix_fmt yuv444p"),
    (VPX, "320x180", "25", "-pix_fmt yuv422p -colorspace smpte170m"),
    (VPX, "320x180", "25", "-pix_fmt gbrp"),
    (VPX, "640x360", "25", "-pix_fmt yuv420p10le " + PQ),
    (VPX, "320x180", "25", "-pix_fmt yuv422p12le"),
]
X264 = "-c:v libx264 -preset ultrafast -g 5"
AVC = [
    (X264, "1280x720", "30000/1001", "-profile:v baseline -pix_fmt yuv420p " + TV_709),
    (X264, "320x180", "25", "-profile:v main -bf 2 -coder 1 -pix_fmt yuv420p"),
    (X264, "640x360", "24000/1001", "-profile:v high -bf 3 -pix_fmt yuv420p " + SMPTE),
    (X264, "640x360", "25", "-preset medium -bf 3 -x264-params b-pyramid=normal -pix_fmt yuv420p"),
    (X264, "320x180", "25", "-pix_fmt yuvj420p -color_range pc"),
    (X264, "320x180", "25", "-pix_fmt yuvj444p -color_range pc"),
    (X264, "320x180", "50", "-pix_fmt yuv420p10le " + PQ),
    (X264, "320x180", "60", "-pix_fmt yuv422p " + HLG),
    (X264, "320x180", "60", "-pix_fmt yuv422p10le " + HLG),
    (X264, "354x198", "25", "-pix_fmt yuv444p"),
    (X264, "320x180", "25", "-pix_fmt yuv444p10le"),
    (X264, "320x180", "25", "-pix_fmt gray"),
    (X264, "322x182", "15", "-pix_fmt yuv420p"),
    (X264, "720x576", "25", "-vf setsar=64/45 -pix_fmt yuv420p"),
    (X264, "720x480", "25", "-vf setsar=853/720 -pix_fmt yuv420p"),
    (X264, "720x576", "25", "-flags +ildct+ilme -pix_fmt yuv420p"),
    (X264, "320x180", "25", "-level 1.3 -pix_fmt yuv420p"),
    (X264, "320x180", "25", "-level 5.1 -refs 4 -pix_fmt yuv420p"),
    (X264, "320x180", "10", "-qp 0 -pix_fmt yuv420p"),
    (X264, "426x240", "120", "-x264-params nal-hrd=cbr:vbv-maxrate=900:vbv-bufsize=900 -b:v 900k "
                             "-pix_fmt yuv420p"),
    (X264 + " -intra-refresh 1", "320x180", "25", "-pix_fmt yuv420p"),
]
# codec, rate, channels, what else
AUDIO = [
    ("libopus", 48000, 1, ""), ("libopus", 24000, 2, ""), ("libopus", 48000, 6, "-b:a 160k"),
    ("ac3", 48000, 1, ""), ("ac3", 44100, 2, ""), ("ac3", 32000, 6, ""), ("ac3", 48000, 4, ""),
    ("eac3", 48000, 1, ""), ("eac3", 44100, 2, ""), ("eac3", 32000, 6, ""),
    ("flac -strict -2", 44100, 2, ""), ("flac -strict -2", 96000, 6, "-sample_fmt s32"),
    ("flac -strict -2", 8000, 1, ""),
    ("aac", 48000, 6, ""), ("aac", 22050, 1, ""), ("libmp3lame", 44100, 2, ""),
    ("libmp3lame", 16000, 1, ""),
]


def video_by_ffprobe(path):
    [stream] = probe(path, "-show_streams")["streams"]
    above, below = map(int, stream["r_frame_rate"].split("/"))
    depth = re.search(r"(\d+)le$", stream["pix_fmt"])
    says_rate = stream["codec_name"] in ("h264", "hevc")
    said = {field: stream.get(field) for field in (
        "profile", "level", "width", "height", "sample_aspect_ratio", "pix_fmt", "color_range",
        "color_primaries", "color_transfer", "color_space", "has_b_frames")}
    said |= {"codec": stream["codec_name"], "bit_depth": int(depth[1]) if depth else 8,
             "interlaced": stream["field_order"] != "progressive",
             # The others leave it to the times of their frames.
             "frame_rate_declared": round(above / below, 3) if says_rate else None}
    return said


class Parameters(EnhancedTest):
    def told(self, clips):
        """What the timeline says of each, published side by side."""
        server = self.start_nginx(application=AUTOMATIC)
        for at in range(0, len(clips), 8):
            publishers = [self.send(server, f"clip{i}", self.flv_of(clip), "--speed", "4")
                          for i, clip in enumerate(clips[at:at + 8], at)]
            for publisher in publishers:
                self.assertEqual(publisher.wait(), 0, publisher.output())
        self.wait_ended(server, len(clips))
        for i, clip in enumerate(clips):
            [video] = self.videos(server, self.stream(server, f"clip{i}")["id"])
            self.assertEqual((video["status"], video["error"]), ("viewable", None), f"{i} {clip}")
            [epoch] = self.epochs(server, video)["epochs"]
            yield epoch

    def test_video(self):
        self.assertGreaterEqual(len(VIDEO), 30)
        self.assert_video(VIDEO)

    def test_avc(self):
        self.assert_video(AVC)

    def assert_video(self, encodings):
        clips = [make_media(PICTURE.format(size=size, rate=rate) + f"{codec} {more}", ".mp4")
                 for codec, size, rate, more in encodings]
        for described, clip, epoch in zip(encodings, clips, self.told(clips)):
            with self.subTest(" ".join(described)):
                said, wanted = dict(epoch["video"]), video_by_ffprobe(clip)
                said.pop("frame_rate_measured")
                if said["codec"] == "vp9":  # ffprobe does not read the level that is in vpcC
                    self.assertEqual((wanted.pop("level"), said.pop("level") > 0), (-99, True))
                self.assertEqual(said, wanted)

    def test_audio(self):
        clips = [make_media(f"-f lavfi -t 0.5 -i sine=frequency=440:r={rate} -ac {channels} "
                            f"-c:a {codec} {more}", ".mp4")
                 for codec, rate, channels, more in AUDIO]
        for described, clip, epoch in zip(AUDIO, clips, self.told(clips)):
            with self.subTest(str(described)):
                [stream] = probe(clip, "-show_streams")["streams"]
                said = epoch["audio"]
                self.assertEqual((said["codec"], said["sample_rate"], said["channels"]),
                                 (stream["codec_name"], int(stream["sample_rate"]),
                                  stream["channels"]))
