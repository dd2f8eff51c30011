"""Sources of every kind: each gives a ladder that can be played, or is refused in plain words."""
import json
import pathlib
import re
import struct

from tests.integration.support import AUTOMATIC, Api, make_media, probe, test_clip, wait_for
from tests.integration.support.live import LIVE, LiveTest
from tests.integration.support.media import check_output

SECONDS = 8
PICTURES = f"-f lavfi -t {SECONDS} -i testsrc2=s={{size}}:r={{rate}}"
SOUND = f"-f lavfi -t {SECONDS} -i sine=frequency=440:r=48000"
H264 = "-c:v libx264 -preset ultrafast -g 25 -b:v 300k"
AAC = "-c:a aac -b:a 64k"


def clip(size="320x180", rate=25, video=H264 + " -pix_fmt yuv420p", audio=AAC):
    inputs = [PICTURES.format(size=size, rate=rate)] if video else []
    inputs += [SOUND] if audio else []
    return make_media(" ".join([*inputs, video or "", audio or ""]))


def declaring(folder, source, rate):
    """The same file, whose onMetaData says another frame rate."""
    data = pathlib.Path(source).read_bytes()
    at = data.index(b"framerate\0") + len(b"framerate\0")
    path = folder / f"declaring-{rate}-{pathlib.Path(source).name}"
    path.write_bytes(data[:at] + struct.pack(">d", rate) + data[at + 8:])
    return path


# What the VUI says is no frame rate: 1000 a second.
ABSURD_VUI = "-bsf:v h264_metadata=tick_rate=2000"
NAN = float("nan")


class Sources(LiveTest):
    def table(self):
        """name: (file, options of rtmp-publisher, what is expected)"""
        usual, absurd = clip(), clip(video=f"{H264} -pix_fmt yuv420p {ABSURD_VUI}")
        both = [("source", 320, 180), ("144p", 256, 144)]
        small = both[1:]  # what cannot be copied is made in the sizes that are asked for
        odd = clip(video=f"{H264} -vf scale=321:181,format=yuv444p -pix_fmt yuv444p")
        said = {"frame_rate": 25, "pix_fmt": "yuv420p"}
        return {
            "usual": (usual, [], both, dict(said, rate_from="onMetaData", copied=True)),
            "no-metadata": (usual, ["--no-metadata"], both,
                            dict(said, rate_from="configuration", copied=True)),
            "neither": (absurd, ["--no-metadata"], both,
                        dict(said, rate_from="timestamps", copied=True)),
            "zero": (declaring(self.folder, usual, 0.0), [], both,
                     dict(said, rate_from="configuration")),
            "negative": (declaring(self.folder, usual, -25.0), [], both,
                         dict(said, rate_from="configuration")),
            "nan": (declaring(self.folder, absurd, NAN), [], both,
                    dict(said, rate_from="timestamps")),
            "1000": (declaring(self.folder, absurd, 1000.0), [], both,
                     dict(said, rate_from="timestamps")),
            "half-declared": (declaring(self.folder, usual, 12.0), [], small,
                              dict(said, frame_rate=12, rate_from="onMetaData", copied=False,
                                   drift=("frame_rate", 12.0, 25.0))),
            "portrait": (clip("180x320"), [], [("source", 180, 320), ("144p", 144, 256)], said),
            "odd-444": (odd, [], [("144p", 254, 144)],
                        dict(said, pix_fmt="yuv444p", copied=False)),
            "full-range": (clip(video=f"{H264} -vf scale=out_range=pc,format=yuvj420p "
                                      "-pix_fmt yuvj420p -color_range pc"), [], both,
                           dict(said, pix_fmt="yuvj420p", color_range="pc", copied=True)),
            "10-bit": (clip(video="-c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p10le"), [],
                       small, dict(said, pix_fmt="yuv420p10le", copied=False)),
            "interlaced": (clip(video=f"{H264} -pix_fmt yuv420p -flags +ilme+ildct"), [], small,
                           dict(said, copied=False)),
            "tiny": (clip("128x72"), [], [("source", 128, 72)], said),
            "silent": (clip(audio=None), [], both, dict(said, silent=True)),
            "late-sound": (usual, ["--audio-delay", "2"], both, said),
            "no-sound": (usual, ["--video-only"], both, dict(said, silent=True)),
            "sound": (clip(video=None), [], [("source", None, None), ("audio48k", None, None)],
                      {}),
            "mp3": (clip(audio="-c:a libmp3lame -b:a 64k -ar 44100"), [], both, said),
        }

    def test_each_gives_a_ladder_or_a_reason(self):
        server = self.start_nginx(application=AUTOMATIC + LIVE, workers=2)
        table = self.table()
        table_refused = {"speex": make_media(
            f"{PICTURES.format(size='320x180', rate=25)} {SOUND} {H264} -pix_fmt yuv420p "
            "-c:a libspeex -ar 16000 -ac 1")}
        for name, source in table_refused.items():
            publisher = self.send(server, name, source, "--hold", "300")
            refused = self.wait_transcoder(server, name, "refused")
            self.assertIn("audio in codec number 11 of FLV is not transcoded live",
                          refused["error"])
            publisher.stop()
        folders, shown = {}, {}
        names = list(table)
        for some in (names[i:i + 4] for i in range(0, len(names), 4)):
            publishers = {name: self.send(server, name, table[name][0], "--speed", "1", "--events",
                                          "--hold", "300", *table[name][1]) for name in some}
            for name, publisher in publishers.items():
                folders[name] = self.wait_playable(server, name)
                shown[name] = self.wait_live(server, name)
                wait_for(lambda: '"done"' in publisher.output(), 60, f"all of {name} is sent")
                publisher.stop()
                self.assertEqual(publisher.wait(), 0, f"{name}: {publisher.output()}")
            self.wait_no_programs(server)
        for name, (source, _, ladder, said) in table.items():
            with self.subTest(name):
                self.check_session(shown[name]["session"], ladder, said)
                self.check_playback(server, name, folders[name], ladder, said)
        drifted = {event["stream"] for event in self.events(server, "stream.drift")}
        self.assertEqual(drifted, {name for name, row in table.items() if "drift" in row[3]})
        self.wait_no_programs(server)

    def frozen_sessions(self, server, names, others=()):
        """{name: its session as soon as it is frozen}; not one of `others`, by their ids."""
        found = {}

        def all_there():
            for stream in self._list(server, "streams?per_page=100"):
                session = stream["session"]
                if session and session["frozen"] and session["id"] not in others:
                    found.setdefault(stream["name"], session)
            return names <= set(found)
        try:
            wait_for(all_there, 15, "all sources are frozen", interval=0.1)
        except AssertionError as late:
            raise AssertionError(f"{late}; missing: {names - set(found)}") from None
        return found

    def wait_drift(self, server, fields):
        """The session of "cam" when these fields, and no others, have drifted."""
        def drifted():
            session = (self.stream(server, "cam") or {}).get("session")
            return session if session and fields == {
                drift["field"] for drift in session["drift"]} else None
        return wait_for(drifted, 30, f"{fields} drift", interval=0.1)

    def check_session(self, session, ladder, said):
        frozen, transcoder = session["frozen"], session["transcoder"]
        self.assertEqual([(r["name"], r["width"], r["height"]) for r in transcoder["renditions"]],
                         ladder)
        for field in ("frame_rate", "pix_fmt", "color_range"):
            if field in said:
                self.assertEqual(frozen[field], said[field], json.dumps(frozen))
        if "rate_from" in said:
            self.assertEqual(frozen["origins"]["frame_rate"], said["rate_from"])
        if "copied" in said:
            self.assertEqual(transcoder["renditions"][0]["copied"], said["copied"])
        self.assertEqual(frozen["audio_codec"] is None, said.get("silent", False))

    def check_playback(self, server, name, folder, ladder, said):
        """The master says what the media are; they are what was frozen."""
        master = self.text(server, name, "master.m3u8", folder)
        variants = re.findall(r"#EXT-X-STREAM-INF:(\S+)\n(\S+)", master)
        self.assertEqual(len(variants), len(ladder), master)
        for (attributes, playlist), (_, width, height) in zip(variants, ladder):
            track = self.track(server, name, folder, playlist)
            [stream] = probe(track, "-count_frames", "-show_streams")["streams"]
            codec = re.search(r'CODECS="([^",]+)', attributes)[1]
            if width is None:
                self.assertEqual((stream["codec_name"], codec), ("aac", "mp4a.40.2"))
                continue
            self.assertEqual((stream["width"], stream["height"]), (width, height))
            self.assertIn(f"RESOLUTION={width}x{height},", attributes)
            self.assertIn(f"FRAME-RATE={said['frame_rate']:.3f}", attributes)
            level = int(stream["level"])
            self.assertTrue(codec.startswith("avc1.") and int(codec[-2:], 16) == level, attributes)
            self.assertIn(stream["pix_fmt"], ("yuv420p", "yuvj420p"))
            self.assertEqual(stream.get("color_range", "tv"), said.get("color_range", "tv"))
            self.check_rate(track, said["frame_rate"])
            self.check_bandwidth(server, name, folder, playlist, attributes)

    def track(self, server, name, folder, playlist):
        """All that a media playlist has, as one file."""
        text = wait_for(lambda: (t := self.text(server, name, playlist, folder)).endswith(
            "#EXT-X-ENDLIST\n") and t, 30, f"{playlist} of {name} has ended")
        files = re.findall(r'URI="([^"]+)"', text) + re.findall(r"^[^#\s]+$", text, re.M)
        path = self.folder / f"{name}-{playlist}.mp4"
        path.write_bytes(b"".join(self.get(server, name, file, folder).body for file in files))
        return path

    def check_rate(self, track, rate):
        times = sorted(float(packet["pts_time"]) for packet in probe(
            track, "-show_entries", "packet=pts_time")["packets"])
        steps = [b - a for a, b in zip(times, times[1:])]
        self.assertGreater(len(steps), 2 * rate)
        self.assertAlmostEqual(sum(steps) / len(steps), 1 / rate, delta=0.02 / rate)
        self.assertLess(max(steps), 1.6 / rate)

    def check_bandwidth(self, server, name, folder, playlist, attributes):
        """No segment is above what is said of its rendition."""
        most = int(re.search(r"BANDWIDTH=(\d+)", attributes)[1])
        text = self.text(server, name, playlist, folder)
        for seconds, file in re.findall(r"#EXTINF:([\d.]+),\n(?:#\S+\n)*(\S+)", text):
            if float(seconds) > 0.5:
                size = len(self.get(server, name, file, folder).body)
                self.assertLessEqual(size * 8 / float(seconds), most, f"{file} of {name}")

    def test_a_session_stays_what_it_was_built_for(self):
        """12 declared and 30 sent: live plays at 12 and says so; after a reconnect with the truth
        it plays at 30; the recording has every picture of both, in one video."""
        server = self.start_nginx(
            application="live on; recording on; auto_record on; recording_min_duration 0; "
                        "recording_reconnect_window 60s;" + LIVE)
        truth = test_clip(seconds=12, rate=30, gop=30)
        lie = declaring(self.folder, truth, 12.0)
        encoder = self.send(server, "cam", lie, "--speed", "1")
        session = self.wait_drift(server, {"frame_rate"})
        [drift] = session["drift"]
        self.assertEqual((drift["field"], drift["frozen"]), ("frame_rate", 12.0))
        self.assertIn("the session was built for 12 fps; the encoder now sends 30; reconnect the "
                      "encoder to apply", drift["advice"])
        self.assertAlmostEqual(session["measured"]["frame_rate"], 30, delta=0.5)
        self.assertEqual(encoder.wait(60), 0, encoder.output())
        folder = self.wait_playable(server, "cam")
        self.check_rate(self.track(server, "cam", folder, "media_0.m3u8"), 12)

        encoder = self.send(server, "cam", truth, "--speed", "1")
        again = self.frozen_sessions(server, {"cam"}, others=(session["id"],))["cam"]
        self.assertEqual(again["frozen"]["frame_rate"], 30.0)
        self.assertEqual(encoder.wait(60), 0, encoder.output())
        folder = self.wait_playable(server, "cam", other_than=folder)
        self.check_rate(self.track(server, "cam", folder, "media_0.m3u8"), 30)
        events = self.events(server, "stream.drift")
        self.assertEqual([event["drift"][0]["field"] for event in events], ["frame_rate"])
        Api(server.http_port).put("streams/live/cam/stop_recording")
        [video] = self.wait_ended(server)
        sent = check_output("ffprobe", "-v", "error", "-count_packets", "-select_streams", "v",
                            "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", truth)
        saved = check_output("ffprobe", "-v", "error", "-count_packets", "-select_streams", "v",
                             "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0",
                             self.download(server, video))
        self.assertEqual(int(saved), 2 * int(sent))

    def test_a_source_that_changes_keeps_the_session_s_size(self):
        server = self.start_nginx(application=AUTOMATIC + LIVE)
        wide, high = test_clip(seconds=5), test_clip(
            seconds=7, size="240x320", audio_rate=44100,
            extra="-vf format=yuvj444p -pix_fmt yuvj444p -color_range pc")
        publisher = self.send(server, "cam", [wide, high], "--speed", "1")
        before = self.frozen_sessions(server, {"cam"})["cam"]
        self.assertTrue(before["transcoder"]["renditions"][0]["copied"])
        session = self.wait_drift(
            server, {"width", "height", "pix_fmt", "color_range", "sample_rate"})
        self.assertEqual(session["frozen"], before["frozen"])
        self.assertFalse(session["transcoder"]["renditions"][0]["copied"])
        self.assertEqual(publisher.wait(60), 0, publisher.output())
        self.wait_no_programs(server)
        # What is played at the end is of the changed source, in the size that was frozen.
        folder = self.wait_playable(server, "cam")
        for playlist, size in (("media_0.m3u8", (320, 180)), ("media_1.m3u8", (256, 144))):
            track = self.track(server, "cam", folder, playlist)
            [stream] = probe(track, "-show_streams")["streams"]
            self.assertEqual((stream["width"], stream["height"]), size)
            left = check_output("ffmpeg", "-v", "error", "-i", track, "-frames:v", "1", "-vf",
                                "crop=8:in_h:0:0,format=gray", "-f", "rawvideo", "-")
            self.assertLess(max(left), 24, "a narrower picture has bars beside it")
        self.wait_ended(server)
