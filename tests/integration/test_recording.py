"""What is recorded is what was sent, whatever a well-behaved encoder sends."""
import time

from tests.integration.support import (
    AUTOMATIC, BY_HAND, Api, RecordingTest, RtmpPublisher, check_output, flv_messages,
    make_media, message_sample, mp4_samples, packets, pictures, probe, probe_warnings, test_clip,
    wait_for)


class WholeStreams(RecordingTest):
    """auto_record: the video is the stream, from its first frame to its last."""

    def recorded(self, server, sources):
        """Publishes all at once; {name: video} when they have ended. sources: name to publisher."""
        publishers = {name: publish(name) for name, publish in sources.items()}
        for name, publisher in publishers.items():
            self.assertEqual(publisher.wait(), 0, f"{name}: {self.said(publisher)}")
        self.wait_ended(server, len(sources))
        result = {}
        for name in sources:
            videos = self.videos(server, self.stream(server, name)["id"])
            self.assertEqual(len(videos), 1, f"{name}: {videos}")
            result[name] = videos[0]
        return result

    @staticmethod
    def said(publisher):
        return publisher.output() if isinstance(publisher, RtmpPublisher) else publisher.errors()

    def test_a_real_encoder_in_real_time_and_flat_out(self):
        server = self.start_nginx(application=AUTOMATIC)
        clips = {"plain": test_clip(), "b3": test_clip(b_frames=3, gop=50),
                 "ntsc": test_clip(rate="30000/1001", gop=30, audio_rate=44100)}
        sources = {}
        for kind, clip in clips.items():
            for realtime in (True, False):
                sources[f"{kind}-{'real' if realtime else 'flat'}"] = (
                    lambda name, clip=clip, realtime=realtime:
                    self.publish(server, name, source=clip, realtime=realtime))
        videos = self.recorded(server, sources)
        for name, video in videos.items():
            with self.subTest(name):
                clip = clips[name.split("-")[0]]
                self.assert_whole(server, video, clip)
                size = probe(clip, "-select_streams", "v", "-show_streams")["streams"][0]
                self.assertEqual((video["origin_width"], video["origin_height"]),
                                 (size["width"], size["height"]))
                self.assertEqual(video["origin_size"], self.stored(server, video).stat().st_size)
                self.assertAlmostEqual(video["duration"], 4000, delta=80)
                self.assertEqual(video["name"][:15], "Stream Record: ")
        self.assert_consistent(server)

    def test_kinds_of_tracks(self):
        server = self.start_nginx(application=AUTOMATIC, workers=2)
        clip = test_clip(b_frames=2)
        lavfi = "-f lavfi -t 3.9 -i sine=frequency=300:r=44100 "
        mp3 = make_media("-f lavfi -t 4 -i testsrc2=s=320x180:r=25 " + lavfi +
                         "-c:v libx264 -preset veryfast -g 25 -pix_fmt yuv420p -c:a libmp3lame")
        stereo = make_media(lavfi + "-ac 2 -c:a aac -b:a 96k")
        clips = {
            "audio-only": (clip, ("--audio-only",), {"video": False}),
            "video-only": (clip, ("--video-only",), {"audio": False}),
            "mp3": (mp3, (), {}),
            "mp3-only": (mp3, ("--audio-only",), {"video": False}),
            "aac-44100": (stereo, (), {"video": False}),
            "audio-first": (clip, ("--track-order", "audio-first"), {}),
            "video-first": (clip, ("--track-order", "video-first"), {}),
            "small-chunks": (clip, ("--chunk-size", "128"), {}),
            "growing-chunks": (clip, ("--chunk-size", "128,999,4096,65536", "--chunk-every", "90",
                                      "--chunk-inside-message"), {}),
            "wrap": (clip, ("--base-timestamp", str(2 ** 32 - 1700)), {}),
            "high-bit": (clip, ("--base-timestamp", str(2 ** 31 - 1700)), {}),
            "eager": (clip, ("--eager",), {}),
            "no-metadata": (clip, ("--no-metadata",), {}),
            "headers-again": (clip, ("--repeat-headers", "0.5"), {}),
            "cut": (clip, ("--close", "silent"), {}),
        }
        videos = self.recorded(server, {
            name: lambda name, source=source, options=options: self.send(
                server, name, source, "--speed", "4", *options)
            for name, (source, options, _) in clips.items()})
        for name, (source, _, tracks) in clips.items():
            with self.subTest(name):
                self.assert_whole(server, videos[name], source, **tracks)
        self.assert_consistent(server)

    def test_the_second_track_comes_late(self):
        server = self.start_nginx(application=AUTOMATIC)
        clip = test_clip(seconds=6, b_frames=2)
        videos = self.recorded(server, {
            f"{track}-late": lambda name, track=track: self.send(
                server, name, clip, "--speed", "2", f"--{track}-delay", "3")
            for track in ("audio", "video")})
        sent = [(m.kind, m.timestamp, message_sample(m)) for m in flv_messages(clip)]
        times = {"audio": packets(clip, "a"), "video": pictures(clip)}
        for track in ("audio", "video"):
            with self.subTest(track):
                path = self.download(server, videos[f"{track}-late"])
                self.assertEqual(probe_warnings(path), "")
                self.assertEqual(mp4_samples(path), {
                    kind: [sample for k, timestamp, sample in sent
                           if k == kind and sample and (k != track[0] or timestamp >= 3000)]
                    for kind in "av"})
                saved = {"audio": packets(path, "a"), "video": pictures(path)}
                offsets = {round(mine[0] - its[0]) for name in saved
                           for mine, its in zip(saved[name][::-1], times[name][::-1])}
                self.assertLessEqual(max(offsets) - min(offsets), 1, "A/V apart")

    def test_without_sequence_headers_there_is_no_video(self):
        server = self.start_nginx(application=AUTOMATIC)
        publisher = self.send(server, "bare", test_clip(), "--no-sequence-headers", "--loops", "0")
        stream = self.wait_live(server, "bare")
        wait_for(lambda: "bare sends media without a codec configuration" in server.log_text(), 15,
                 "a log line says so")
        reply = Api(server.http_port).put(f"streams/{stream['id']}/start_recording")
        self.assertEqual((reply.status, reply.code), (409, "no_codec_configuration"))
        self.assertIn("sequence header", reply.json["error"]["message"])
        self.assertFalse(self.stream(server, "bare")["recording"])
        publisher.stop()
        self.wait_live(server, "bare", live=False)
        time.sleep(1.5)  # nothing is to be waited for: a housekeeper would have worked by now
        self.assert_no_trace(server)


class Growing(RecordingTest):
    def test_a_download_is_whole_at_any_moment(self):
        server = self.start_nginx(application=AUTOMATIC)
        clip = test_clip(seconds=8, b_frames=2)
        source = [md5 for _, md5 in pictures(clip)]
        publisher = self.publish(server, "grow", source=clip)
        video = wait_for(lambda: self.videos(server), 15, "the video is known")[0]
        self.wait_frames(server, "grow", 4096)
        taken = []  # looked at when it is over, so as not to slow the taking down
        while publisher.running:
            reply = Api(server.http_port).get(f"/videos/{video['slug']}/source.mp4")
            self.assertEqual(reply.status, 200)
            on_disk = b"".join(path.read_bytes() for path in self.in_spool(server))
            taken.append((reply.headers["etag"], reply.body, on_disk))
            time.sleep(0.5)
        frames, tags = [1], []
        for tag, body, on_disk in taken:
            path = self.folder / "taken.mp4"
            path.write_bytes(body)
            self.assertEqual(probe_warnings(path), "")
            seen = [md5 for _, md5 in pictures(path)]
            self.assertEqual(seen, source[:len(seen)])
            self.assertGreaterEqual(len(seen), frames[-1])
            self.assertEqual(tag == (tags or [None])[-1], len(seen) == frames[-1],
                             "the ETag follows the content")
            frames.append(len(seen))
            tags.append(tag)
            if on_disk:  # read in mid-append its last fragment may be a part of one
                path.write_bytes(on_disk)
                out = check_output("ffmpeg", "-v", "quiet", "-i", path, "-map", "0:v:0",
                                   "-fps_mode", "passthrough", "-f", "framemd5", "-")
                have = sum(not line.startswith(b"#") for line in out.splitlines())
                self.assertGreaterEqual(have, len(seen), "the file on disk has fewer")
        self.assertGreater(len(set(frames)), 4, frames)
        [video] = self.wait_ended(server)
        final = Api(server.http_port).get(f"/videos/{video['slug']}/source.mp4").headers["etag"]
        self.assertNotIn(final, tags, "finished, the file is laid out differently")
        self.assert_whole(server, video, clip)


class Preroll(RecordingTest):
    """A manual start reaches back to the last key frame."""

    def start_in_mid_gop(self, preroll):
        """Starts 3 s after a key frame of a 4 s GOP; (saved pictures, all pictures, the click)."""
        server = self.start_nginx(application=BY_HAND + f" recording_preroll {preroll};")
        clip = test_clip(seconds=12, gop=100)
        publisher = self.send(server, "cam", clip, "--speed", "2")
        stream = self.wait_live(server, "cam")
        wait_for(lambda: sent_ms(server) >= 7000 / 2, 15, "7 s have been sent")
        reply = Api(server.http_port).put(f"streams/{stream['id']}/start_recording")
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(publisher.wait(), 0)
        [video] = self.wait_ended(server)
        path = self.download(server, video)
        self.assertEqual(probe_warnings(path), "")
        saved, source = pictures(path), pictures(clip)
        self.assertEqual([md5 for _, md5 in saved], [md5 for _, md5 in source][-len(saved):])
        self.assertGreater(len(packets(path, "a")), 100)
        return len(source) - len(saved)

    def test_gop(self):
        self.assertEqual(self.start_in_mid_gop("gop"), 100)

    def test_off(self):
        self.assertEqual(self.start_in_mid_gop("off"), 200)


def sent_ms(server):
    """Since the stream of a server with one became live."""
    started = [s["session"]["started_at"] for s in Api(server.http_port).get("streams").json
               if s["session"]]
    if not started:
        return 0
    from datetime import datetime, timezone
    began = datetime.fromisoformat(started[0].replace("Z", "+00:00"))
    return (datetime.now(timezone.utc) - began).total_seconds() * 1000
