"""record_type "transcoded": what is saved is the best rendition of live playback."""
import os
import re
import signal

from tests.integration.support import Api, make_media, pictures, probe, test_clip, wait_for
from tests.integration.support.live import LIVE, LiveTest

RULES = ("live on; recording on; recording_min_duration 0; recording_max_duration 0; "
         "recording_reconnect_window {window}; ")
# What no browser shows: it is encoded for players, as 256x144.
ODD_COLOURS = ("-f lavfi -t {seconds} -i testsrc2=s=320x180:r=25 "
               "-f lavfi -t {seconds} -i sine=frequency=440:r=48000 -c:v libx264 -preset ultrafast "
               "-g 25 -pix_fmt yuv444p -b:v 300k -c:a aac -b:a 64k")


def clip(seconds):
    return make_media(ODD_COLOURS.format(seconds=seconds))


class Transcoded(LiveTest):
    def start(self, window="8s", auto=True, live=LIVE, **more):
        rules = RULES.format(window=window) + f"auto_record {'on' if auto else 'off'}; "
        return self.start_nginx(application=rules + live, workers=2, **more)

    def make_stream(self, server, name, record_type="transcoded", app="live"):
        reply = Api(server.http_port).post(
            "streams", {"app": app, "name": name, "record_type": record_type})
        self.assertEqual(reply.status, 201, reply.body)
        return reply.json

    def saved(self, server, video):
        """Decoded pictures of a video of the best rendition."""
        self.assertEqual((video["status"], video["record_type"], video["origin_width"],
                          video["origin_height"]), ("viewable", "transcoded", 256, 144), video)
        path = self.stored(server, video)
        found = probe(path, "-show_streams")["streams"]
        self.assertEqual(sorted((s["codec_name"], s.get("width"), s.get("height"), s.get("pix_fmt"))
                                for s in found),
                         [("aac", None, None, None), ("h264", 256, 144, "yuv420p")])
        return [md5 for _, md5 in pictures(path)]

    def played(self, server, name, session):
        return self.decoded(f"http://127.0.0.1:{server.http_port}"
                            + self.url(server, name, "media_0.m3u8", session))

    def test_the_best_rendition_is_saved_from_the_first_picture_to_the_last(self):
        server = self.start()
        self.make_stream(server, "cam")
        source = test_clip(seconds=10)
        self.publish(server, "plain", source=source)
        # One whose encoder has left before anything of it is made.
        self.make_stream(server, "brief")
        brief = self.send(server, "brief", clip(2), "--speed", "4")
        self.assertEqual(self.publish(server, "cam", source=clip(10)).wait(), 0)
        self.assertEqual(brief.wait(), 0, brief.output())
        session = self.session_of(server, "cam")
        self.wait_no_programs(server)
        videos = self.wait_ended(server, 3)
        plain = next(video for video in videos if video["record_type"] == "origin")
        self.assert_whole(server, plain, source)
        short, video = sorted((video for video in videos if video is not plain),
                              key=lambda video: video["duration"])
        self.assertEqual(len(self.saved(server, short)), 50)
        saved, played = self.saved(server, video), self.played(server, "cam", session)
        self.assertGreaterEqual(len(played), 5 * 25)
        self.assertEqual(saved[-len(played):], played)
        # Every picture of the ten seconds, the last ones included: none is encoded twice.
        self.assertEqual(len(saved), 250)
        self.assertAlmostEqual(video["duration"], 10000, delta=100)
        self.assertEqual(probe_sound(self.stored(server, video)), 48000)
        self.assert_consistent(server)

    def test_it_goes_on_over_a_death_of_ffmpeg_and_a_reconnect(self):
        server = self.start()
        self.make_stream(server, "cam")
        publisher = self.publish(server, "cam", source=clip(60))
        first = self.wait_playable(server, "cam")
        self.wait_recorded(server, "cam", 3)
        [victim] = self.programs(server, "cam", launchers=False)
        os.kill(victim, signal.SIGKILL)
        self.wait_restarted(server, "cam", first)
        self.wait_recorded(server, "cam", 5)
        publisher.kill()
        wait_for(lambda: not self.stream(server, "cam")["live"], 20, "the encoder has gone")
        again = self.publish(server, "cam", source=clip(60))
        self.wait_playable(server, "cam", other_than=first)
        self.wait_recorded(server, "cam", 9)
        again.stop()
        self.wait_no_programs(server)
        [video] = self.wait_ended(server)
        saved = self.saved(server, video)
        self.assertGreaterEqual(len(saved), 9 * 25)
        [died, left] = self.timeline(server, video)["interruptions"]
        self.assertEqual((died["reason"], left["reason"]), ("transcoder", "connection"))
        self.assertGreater(died["lost_ms"], 500)  # it is started again after a second
        self.assertAlmostEqual(video["duration"], len(saved) * 40, delta=300)
        kinds = [len(self.events(server, f"recording.{kind}"))
                 for kind in ("started", "interrupted", "resumed", "completed", "failed")]
        self.assertEqual(kinds, [1, 3, 2, 1, 0])
        self.assert_consistent(server)

    def test_it_is_started_and_stopped_by_hand_and_survives_its_worker(self):
        server = self.start(auto=False)
        api = Api(server.http_port)
        stream = self.make_stream(server, "cam")
        publisher = self.publish(server, "cam", source=clip(60))
        self.wait_playable(server, "cam")
        reply = api.put(f"streams/{stream['id']}/start_recording")
        self.assertEqual(reply.status, 200, reply.body)
        self.wait_recorded(server, "cam", 3)
        self.assertEqual(api.put(f"streams/{stream['id']}/stop_recording").status, 200)
        [by_hand] = self.wait_ended(server)
        self.assertGreaterEqual(len(self.saved(server, by_hand)), 3 * 25)

        self.assertEqual(api.put(f"streams/{stream['id']}/start_recording").status, 200)
        self.wait_recorded(server, "cam", 3)
        for worker in server.workers():
            server.kill_worker(worker)
        publisher.wait()
        wait_for(lambda: (self.stream(server, "cam") or {}).get("live") is False, 20, "it is gone")
        again = self.publish(server, "cam", source=clip(60))
        self.wait_recorded(server, "cam", 6)
        again.stop()
        video = next(video for video in self.wait_ended(server, 2) if video["id"] != by_hand["id"])
        self.assertGreaterEqual(len(self.saved(server, video)), 6 * 25)
        self.wait_no_programs(server)
        self.assert_consistent(server)

    def test_a_change_counts_from_the_next_session(self):
        server = self.start()
        api = Api(server.http_port)
        stream = self.make_stream(server, "cam", "origin")
        publisher = self.publish(server, "cam", source=clip(20))
        self.wait_recorded(server, "cam", 1)
        reply = api.patch(f"streams/{stream['id']}", {"record_type": "transcoded"})
        self.assertEqual((reply.status, reply.json["record_type"]), (200, "transcoded"))
        self.wait_recorded(server, "cam", 3)
        publisher.kill()
        wait_for(lambda: not self.stream(server, "cam")["live"], 20, "the encoder has gone")
        again = self.publish(server, "cam", source=clip(20))
        wait_for(lambda: len(self.videos(server)) == 2, 30, "another video has begun")
        self.wait_recorded(server, "cam", 3)
        again.stop()
        videos = self.wait_ended(server, 2)
        self.assertEqual({(video["record_type"], video["origin_height"]) for video in videos},
                         {("origin", 180), ("transcoded", 144)})

    def test_what_is_not_transcoded_is_not_saved_silently(self):
        broken = self.folder / "broken"
        broken.write_text("#!/bin/sh\necho I am broken >&2\nexit 3\n")
        broken.chmod(0o755)
        self.folder.chmod(0o755)
        automatic = RULES.format(window="8s") + "auto_record on; "
        server = self.start(rtmp=f"""
            application off {{ {automatic} }}
            application broken {{ {automatic} {LIVE} transcoder_command {broken};
                                  transcoder_restarts 0; }}""")
        words = {"off": ("transcoder_off", "transcoder on"),
                 "broken": ("no_rendition", "I am broken")}
        publishers = []
        for app, (code, said) in words.items():
            stream = self.make_stream(server, app, app=app)
            publishers.append(self.publish(server, app, app=app, source=test_clip(seconds=20)))
            event = wait_for(lambda app=app: next(
                (event for event in self.events(server, "recording.failed")
                 if event["stream"] == app), None), 30, f"{app} is told")
            self.assertEqual(event["error"], "no_rendition")
            self.assertIn(said, event["message"])
            reply = Api(server.http_port).put(f"streams/{stream['id']}/start_recording")
            self.assertEqual((reply.status, reply.code), (409, code))
            self.assertIn(said, reply.json["error"]["message"])
        self.assertEqual(self.videos(server), [])
        self.assertEqual(len(re.findall("is not recorded: its record_type", server.log_text())), 2)
        for publisher in publishers:
            publisher.stop()

    def wait_recorded(self, server, name, seconds):
        wait_for(lambda: (self.stream(server, name) or {}).get("recording_duration", 0) >= seconds,
                 60, f"{seconds} s of {name} are recorded", interval=0.1)

    def timeline(self, server, video):
        reply = Api(server.http_port).get(f"videos/{video['id']}/timeline")
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json


def probe_sound(path):
    return next(int(stream["sample_rate"]) for stream in probe(path, "-show_streams")["streams"]
                if stream["codec_type"] == "audio")
