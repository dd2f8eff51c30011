"""Enhanced RTMP: codecs by FourCC, and all that stands around their frames."""
from tests.integration.support import AUTOMATIC, Api, differences, enhanced, wait_for
from tests.integration.support.enhanced import enhanced_messages
from tests.integration.support.enhanced_case import (
    FLAC, GROWING, SVT_AV1, VPX, X264, X265, EnhancedTest, encoded)


class Codecs(EnhancedTest):
    def check(self, sources):
        """{name: (MP4, video codec, audio codec)}: each is whole while growing and when finished."""
        server = self.start_nginx(application=GROWING)
        publishers = {name: self.send(server, name, self.flv_of(source), "--speed", "4",
                                      "--close", "silent")
                      for name, (source, _, _) in sources.items()}
        for name, publisher in publishers.items():
            self.assertEqual(publisher.wait(), 0, f"{name}: {publisher.output()}")
        streams = {name: self.wait_live(server, name, live=False) for name in sources}
        for name, (source, _, _) in sources.items():
            with self.subTest(name, state="growing"):
                [video] = self.videos(server, streams[name]["id"])
                wait_for(lambda: video["slug"] and not differences(
                    source, self.download(server, video)), 20, f"all of {name} is in the file",
                    interval=0.3)
        for name, (source, video_codec, audio_codec) in sources.items():
            with self.subTest(name, state="finished"):
                reply = Api(server.http_port).put(f"streams/{streams[name]['id']}/stop_recording")
                self.assertEqual(reply.status, 200, reply.body)
                [video] = wait_for(lambda: [v for v in self.videos(server, streams[name]["id"])
                                            if v["status"] == "viewable"], 20, f"{name} is ready")
                self.assert_whole(server, video, source)
                [epoch] = self.epochs(server, video)["epochs"]
                self.assertEqual((epoch["video"]["codec"], epoch["audio"]["codec"]),
                                 (video_codec, audio_codec))

    def test_hevc_opus_and_av1_aac(self):
        self.check({"hevc-opus": (encoded(X265 + "3", "-c:a libopus -b:a 64k"), "hevc", "opus"),
                    "av1-aac": (encoded(SVT_AV1), "av1", "aac")})

    def test_vp9_opus_and_avc_aac(self):
        self.check({"vp9-opus": (encoded(VPX, "-c:a libopus -b:a 64k"), "vp9", "opus"),
                    "avc-aac": (encoded(X264 + "2"), "h264", "aac")})

    def test_hevc_ac3_and_avc_flac(self):
        self.check({"hevc-ac3": (encoded(X265 + "0", "-c:a ac3 -b:a 96k"), "hevc", "ac3"),
                    "avc-flac": (encoded(X264 + "0", FLAC), "h264", "flac")})

    def test_avc_eac3_and_hevc_mp3(self):
        self.check({"avc-eac3": (encoded(X264 + "0", "-c:a eac3 -b:a 96k"), "h264", "eac3"),
                    "hevc-mp3": (encoded(X265 + "2", "-c:a libmp3lame"), "hevc", "mp3")})

    def test_frames_of_opus_that_are_long_and_short(self):
        self.check({f"opus-{ms}": (encoded(X264 + "0", f"-c:a libopus -frame_duration {ms}"),
                                   "h264", "opus") for ms in (10, 60)})


class OddPackets(EnhancedTest):
    """What stands around the frames costs none of them."""

    def setUp(self):
        super().setUp()
        self.server = self.start_nginx(application=AUTOMATIC)

    def check(self, source, messages, **tracks):
        video = self.recorded(self.server, self.flv(messages))
        self.assert_whole(self.server, video, source, **tracks)

    def logged(self, text):
        return self.server.log_text().count(text)

    def test_modifiers(self):
        source = encoded(X265 + "3", "-c:a libopus -b:a 64k")
        nano = (123456).to_bytes(3, "big")
        self.check(source, [
            enhanced.with_mod_ex(message, nano) if i % 3 == 0 else
            enhanced.with_mod_ex(message, bytes(300), nano, mod_type=0 if i % 3 == 1 else 5)
            for i, message in enumerate(enhanced_messages(source))])

    def test_several_tracks(self):
        source = encoded(X265 + "3", "-c:a libopus -b:a 64k")
        messages = []
        for i, message in enumerate(enhanced_messages(source)):
            order = (enhanced.ONE_TRACK, enhanced.MANY_TRACKS,
                     enhanced.MANY_TRACKS_MANY_CODECS)[i % 3]
            others = () if order == enhanced.ONE_TRACK else (
                (1, b"vvc1", bytes(50)), (2, b"av01", b""))
            messages.append(enhanced.as_multitrack(message, order, others, first=i % 2 == 0))
            if order == enhanced.ONE_TRACK:  # the other one has a message of its own
                messages.append(enhanced.as_multitrack(message, order, track=7))
        self.check(source, messages)
        self.assertEqual(self.logged("only number 0 is recorded"), 2, "once for each kind")
        self.assertEqual(self.logged("of other tracks"), 1, "the count, in the end")

    def test_packets_of_no_known_type(self):
        source = encoded(X265 + "3", "-c:a libopus -b:a 64k")
        messages, odd = [], set()
        for i, message in enumerate(enhanced_messages(source)):
            code, most = (b"hvc1", 7) if message.kind == "v" else (b"Opus", 3)
            for packet_type in (enhanced.METADATA, 8 + i % most):
                if message.kind == "a" and packet_type == enhanced.METADATA:
                    continue  # which is MultichannelConfig there
                messages.append(enhanced.ex_message(
                    message.kind, message.timestamp, packet_type, code,
                    b"\x02\x00\x09colorInfo\x03\x00\x00\x09"))
            odd.add((message.kind, 8 + i % most))
            messages.append(enhanced.Message("v", message.timestamp, bytes([0xD1, i % 2])))
            messages.append(message)
        last = messages[-1].timestamp
        messages += [enhanced.ex_message("v", last, enhanced.SEQUENCE_END, b"hvc1"),
                     enhanced.ex_message("a", last, enhanced.SEQUENCE_END, b"Opus")]
        self.check(source, messages)
        said = [line for line in self.server.log_text().splitlines() if "are not known here" in line]
        self.assertEqual(len(said), len(odd), "once for each")
        self.assertEqual(self.logged("packets of unknown types"), 1, "the count, in the end")

    def test_codecs_that_cannot_be_recorded_are_named(self):
        source = encoded(X264 + "0")
        messages = []
        for message in enhanced_messages(source):
            messages.append(message._replace(body=message.body[:1] + b"vvc1" + message.body[5:]))
            messages.append(message)
        self.check(source, messages)
        self.assertEqual(self.logged('codec "vvc1" cannot be recorded'), 2)

    def test_an_opus_header_that_says_nothing(self):
        source = encoded(X264 + "0", "-c:a libopus -b:a 160k -ac 6",
                         sound="sine=frequency=440:r=48000,pan=5.1|c0=c0|c1=c0|c2=c0")
        messages = []
        for message in enhanced_messages(source):
            if message.kind == "a" and message.body[0] & 15 == enhanced.SEQUENCE_START:
                messages.append(message._replace(body=message.body[:5]))
                message = enhanced.ex_message("a", message.timestamp,
                                              enhanced.MULTICHANNEL_CONFIG, b"Opus",
                                              bytes([1, 6, 0, 0, 0, 0x3F]))
            messages.append(message)
        video = self.recorded(self.server, self.flv(messages))
        self.assert_whole(self.server, video, source)
        self.assertEqual(self.epochs(self.server, video)["epochs"][-1]["audio"]["channels"], 6)


class Described(EnhancedTest):
    """What no sequence header says."""

    def test_av1_whose_header_is_in_its_key_frames_alone(self):
        source = encoded(SVT_AV1)
        server = self.start_nginx(application=AUTOMATIC)
        messages = [m._replace(body=m.body[:9]) if m.kind == "v" and m.body[0] & 15 == 0 else m
                    for m in enhanced_messages(source)]
        self.assert_whole(server, self.recorded(server, self.flv(messages)), source)

    def test_av1_whose_header_is_in_no_key_frame(self):
        source = encoded(SVT_AV1)
        server = self.start_nginx(application=AUTOMATIC)
        messages, headers = [], 0
        for message in enhanced_messages(source):
            body = message.body
            if message.kind == "v" and body[0] & 15 == enhanced.SEQUENCE_START:
                start = len(messages)
            elif message.kind == "v" and body[5] == 0x0A:
                obu = body[5:7 + body[6]]
                messages[start] = messages[start]._replace(body=messages[start].body[:9] + obu)
                message = message._replace(body=body[:5] + body[5 + len(obu):])
                headers += 1
            messages.append(message)
        self.assertGreater(headers, 3)
        self.assert_whole(server, self.recorded(server, self.flv(messages)), source)

    def test_hevc_whose_sets_are_in_band_already(self):
        source = encoded(X265 + "3:repeat-headers=1")
        server = self.start_nginx(application=AUTOMATIC)
        self.assert_whole(server, self.recorded(server, self.flv_of(source)), source)

    def test_vp9_without_a_sequence_header(self):
        source = encoded(VPX, "-c:a libopus")
        server = self.start_nginx(application=AUTOMATIC)
        messages = [m for m in enhanced_messages(source)
                    if m.kind == "a" or m.body[0] & 15 != enhanced.SEQUENCE_START]
        self.assert_whole(server, self.recorded(server, self.flv(messages)), source)
