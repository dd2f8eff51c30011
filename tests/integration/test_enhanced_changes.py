"""Sources of Enhanced RTMP that change, and recordings of them that are torn off."""
from tests.integration.support import (
    AUTOMATIC, Api, check_output, is_sanitized, module_path, packets, pictures, probe_warnings,
    testing_module_path, wait_for)
from tests.integration.support.crash import MessageLog, kill_all
from tests.integration.support.mp4 import read_mp4
from tests.integration.support.enhanced_case import (
    FLAC, GROWING, SVT_AV1, VPX, X264, X265, EnhancedTest, encoded)


def raw_pictures(path):
    """Digests of the decoded pictures in their own size, not scaled to that of the first one; in
    ten bits, which hold eight of them exactly."""
    out = check_output("ffmpeg", "-v", "error", "-i", path, "-map", "0:v:0", "-autoscale", "0",
                       "-pix_fmt", "yuv420p10le", "-fps_mode", "passthrough", "-f", "framemd5",
                       "-")
    return [line.split(",")[5].strip() for line in out.decode().splitlines()
            if not line.startswith("#")]


class Changes(EnhancedTest):
    def changed(self, first, second, fields):
        """One video with all of both, and two epochs that differ in `fields`."""
        server = self.start_nginx(application=GROWING)
        publisher = self.send(server, "cam", [self.flv_of(first), self.flv_of(second)], "--speed",
                              "8", "--close", "silent")
        self.assertEqual(publisher.wait(), 0, publisher.output())
        stream = self.wait_live(server, "cam", live=False)
        wanted = (raw_pictures(first) + raw_pictures(second),
                  [md5 for source in (first, second) for _, md5 in packets(source, "a")])

        def saved(video):
            path = self.download(server, video)
            self.assertEqual(probe_warnings(path), "")
            return raw_pictures(path), [md5 for _, md5 in packets(path, "a")]

        # What is growing has one sample entry alone: the change is in its key frames.
        [video] = self.videos(server)
        wait_for(lambda: saved(video) == wanted, 20, "the growing file is both", interval=0.3)
        reply = Api(server.http_port).put(f"streams/{stream['id']}/stop_recording")
        self.assertEqual(reply.status, 200, reply.body)
        [video] = self.wait_ended(server)
        self.assertEqual((video["status"], video["error"]), ("viewable", None), video)
        self.assertEqual(saved(video), wanted)
        story = self.epochs(server, video)
        self.assertEqual({change["field"] for change in story["changes"]}, fields)
        return story

    def test_size_of_hevc(self):
        audio = "-c:a libopus -b:a 64k"
        story = self.changed(encoded(X265 + "3", audio),
                             encoded(X265 + "3", audio, size="426x240", filters=",vflip"),
                             {"video.width", "video.height"})
        self.assertEqual([(c["from"], c["to"]) for c in story["changes"]],
                         [(320, 426), (180, 240)])

    def test_depth_and_size_of_av1(self):
        self.changed(encoded(SVT_AV1),
                     encoded(SVT_AV1, size="640x360", pixels="yuv420p10le", filters=",vflip"),
                     {"video.width", "video.height", "video.pix_fmt", "video.bit_depth",
                      "video.level"})

    def test_size_of_vp9(self):
        audio = "-c:a libopus -b:a 64k"
        self.changed(encoded(VPX, audio), encoded(VPX, audio, size="640x360", filters=",vflip"),
                     {"video.width", "video.height", "video.level"})

    def test_channels_of_flac_and_ac3(self):
        for audio in (FLAC, "-c:a ac3 -b:a 96k"):
            with self.subTest(audio):
                self.changed(encoded(X264 + "0", audio), encoded(X264 + "0", audio + " -ac 2"),
                             {"audio.channels"})

    def test_another_codec_is_another_video_of_the_transaction(self):
        server = self.start_nginx(application=AUTOMATIC)
        parts = [encoded(X264 + "2"), encoded(X265 + "3", size="426x240"), encoded(SVT_AV1)]
        publisher = self.send(server, "cam", [self.flv_of(part) for part in parts], "--speed", "8")
        self.assertEqual(publisher.wait(), 0, publisher.output())
        videos = self.wait_ended(server, 3)
        self.assertEqual([video["sequence"] for video in videos], [1, 2, 3], videos)
        self.assertEqual(len({video["transaction_id"] for video in videos}), 1)
        heard = []
        for video, part in zip(videos, parts):
            path = self.download(server, video)
            self.assertEqual(probe_warnings(path), "")
            self.assertEqual([md5 for _, md5 in pictures(path)],
                             [md5 for _, md5 in pictures(part)])
            heard += [md5 for _, md5 in packets(path, "a")]
        self.assertEqual(heard, [md5 for part in parts for _, md5 in packets(part, "a")])


class Killed(EnhancedTest):
    """kill -9 of nginx while it records what has no emulation prevention, too."""

    def setUp(self):
        super().setUp()
        if is_sanitized(module_path()):
            self.skipTest("the module with the message log has no sanitizers")
        if not testing_module_path().exists():
            self.skipTest(f"no {testing_module_path()}: RECORDING_TESTING=1 tools/build.sh")

    def killed(self, source):
        log = MessageLog()
        self.addCleanup(log.remove)
        server = self.start_nginx(module=testing_module_path(), main=log.main,
                                  environment=log.environment, application=AUTOMATIC)
        publisher = self.send(server, "cam", self.flv_of(source), "--speed", "1")
        wait_for(lambda: self.videos(server) and log.path.stat().st_size > 8000, 20, "it records")
        kill_all(server)
        publisher.kill()
        came = {kind: sum(row.kind == kind for row in log.read()) for kind in "va"}
        server.start()
        [video] = self.wait_ended(server, timeout=40)
        self.assertEqual((video["status"], video["error"]), ("viewable", None), video)
        path = self.download(server, video)
        self.assertEqual(probe_warnings(path), "")
        headers = {track.kind: 1 if track.entry not in (b"ac-3", b"ec-3") else 0
                   for track in read_mp4(source)}
        for kind, select in (("v", "video"), ("a", "audio")):
            sent = [md5 for _, md5 in packets(source, kind)]
            saved = [md5 for _, md5 in packets(path, kind)]
            # The message being handed over when it was killed may be there or not.
            self.assertIn(came[kind] - headers[kind] - len(saved), (0, 1), select)
            if kind == "a":
                self.assertEqual(saved, sent[:len(saved)])
        whole = raw_pictures(source)
        seen = raw_pictures(path)
        self.assertGreater(len(seen), 10)
        # Of pictures that refer to later ones, those of the end are not shown yet.
        self.assertEqual(seen[:len(seen) - 4], whole[:len(seen) - 4])

    def test_hevc_and_opus(self):
        self.killed(encoded(X265 + "3", "-c:a libopus -b:a 64k", seconds=8))

    def test_av1_and_aac(self):
        self.killed(encoded(SVT_AV1, seconds=8))
