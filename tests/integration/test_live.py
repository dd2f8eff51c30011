"""Live playback beside recording, and each without the other."""
import os
import shutil
import signal
import subprocess
import unittest

from tests.integration.support import (
    AUTOMATIC, BY_HAND, Api, decoded_frames, make_media, probe, test_clip, wait_for)
from tests.integration.support.encoder import daemonize
from tests.integration.support.live import LIVE, LiveTest
from tests.integration.support.live_player import LivePlayer
from tests.integration.support.metrics import parse_metrics

def alive(pid):
    try:
        os.kill(pid, 0)
        return True
    except ProcessLookupError:
        return False


PLAYLISTS = [f"media_{i}.m3u8" for i in range(4)]  # pictures and sound, of the source and 144p


class Playback(LiveTest):
    def test_what_is_published_is_played_and_recorded(self):
        server = self.start_nginx(application=AUTOMATIC + LIVE, workers=2)
        clip = test_clip(seconds=14)
        publisher = self.publish(server, "cam", source=clip)
        session = self.wait_playable(server, "cam")
        self.wait_transcoder(server, "cam", "running")
        base = f"http://127.0.0.1:{server.http_port}"
        found = probe(base + self.url(server, "cam"), "-show_streams", "-show_programs")
        self.assertEqual(len(found["programs"]), 2)
        self.assertEqual(sorted((s["codec_name"], s.get("width"), s.get("height"))
                                for s in found["streams"]),
                         [("aac", None, None), ("aac", None, None), ("h264", 256, 144),
                          ("h264", 320, 180)])
        self.check_answers(server, session)
        self.assertEqual(publisher.wait(), 0, publisher.errors())
        for name in PLAYLISTS:
            wait_for(lambda name=name: self.text(server, "cam", name, session).endswith(
                "#EXT-X-ENDLIST\n"), 30, f"{name} has ended")
        self.wait_no_programs(server)
        # The source rendition is the source: what the playlist still has are its last pictures.
        sent = [md5 for _, md5 in decoded_frames(clip)]
        played = self.decoded(base + self.url(server, "cam", "media_0.m3u8", session))
        self.assertGreaterEqual(len(played), 4 * 25)
        self.assertEqual(played, sent[-len(played):])
        [started] = self.events(server, "transcoder.started")
        self.assertEqual((started["app"], started["stream"]), ("live", "cam"))
        [video] = self.wait_ended(server)
        self.assert_whole(server, video, clip)

        # A new session is another one from its beginning, and the old one can be seen to its end.
        again = self.publish(server, "cam", source=clip)
        self.wait_live(server, "cam")
        wait_for(lambda: self.session_of(server, "cam") != session, 30,
                 "the old session is not shown")
        another = self.wait_playable(server, "cam", other_than=session)
        self.assertNotEqual(another, session)
        self.assertIn("#EXT-X-ENDLIST", self.text(server, "cam", "media_0.m3u8", session))
        again.stop()
        self.wait_no_programs(server)

    def check_answers(self, server, session):
        """Of whichever worker is asked."""
        playlist = self.text(server, "cam", "media_1.m3u8", session)
        segment = next(line for line in playlist.splitlines() if line.endswith(".m4s"))
        for _ in range(8):
            self.assertEqual(self.session_of(server, "cam"), session)
            reply = self.get(server, "cam", segment, session)
            self.assertEqual((reply.status, reply.headers["content-type"]),
                             (200, "video/iso.segment"))
            self.assertIn("immutable", reply.headers["cache-control"])
        same = self.get(server, "cam", segment, session,
                        headers={"If-None-Match": reply.headers["etag"]})
        self.assertEqual(same.status, 304)
        part = self.get(server, "cam", segment, session, headers={"Range": "bytes=4-7"})
        self.assertEqual((part.status, part.body), (206, reply.body[4:8]))
        for name, kind in (("master.m3u8", "application/vnd.apple.mpegurl"),
                           ("media_0.m3u8", "application/vnd.apple.mpegurl"),
                           ("000000/manifest.mpd", "application/dash+xml")):
            reply = self.get(server, "cam", name, session)
            self.assertEqual((reply.status, reply.headers["content-type"],
                              reply.headers["cache-control"]), (200, kind, "no-cache"))
            # Whatever a player had of it before.
            again = self.get(server, "cam", name, session, headers={"Range": "bytes=0-9"})
            self.assertEqual((again.status, again.body[:7], again.headers.get("etag")),
                             (200, reply.body[:7], None))
        self.assertEqual(self.get(server, "cam", "manifest.mpd").headers["location"],
                         f"{session}/000000/manifest.mpd")
        for path in (f"/videos/live/live/cam/{session}/..%2f..%2f..%2fnginx.conf",
                     f"/videos/live/live/cam/{session}/../../../../nginx.conf",
                     f"/videos/live/live/cam/{session}/000000/none.m4s",
                     f"/videos/live/live/cam/{session}/media_9.m3u8",
                     f"/videos/live/live/cam/{session}/000000/media_0.m3u8",
                     f"/videos/live/live/cam/{session}/", "/videos/live/live/nobody/master.m3u8",
                     "/videos/live/other/cam/master.m3u8",
                     "/videos/live/live/cam/current/master.m3u8"):
            self.assertEqual(Api(server.http_port).get(path).status, 404, path)


class Independence(LiveTest):
    """Whatever happens to the transcoder, the recording is the source."""

    @unittest.skipUnless(os.geteuid() == 0, "a small file system must be mounted")
    def test_killed_stopped_slow_and_out_of_disk(self):
        full = self.folder / "full"
        full.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=192k,mode=777", "live", full],
                       check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", full], check=True)
        self.folder.chmod(0o755)
        slow = self.folder / "slow"
        slow.write_text('#!/bin/sh\nexec ffmpeg -readrate 0.3 "$@"\n')
        slow.chmod(0o755)
        server = self.start_nginx(
            application=AUTOMATIC + LIVE, workers=2,
            http="location /streaming/ { recording_api; } location /videos/ { recording_files; } "
                 "location = /metrics { recording_metrics; }",
            rtmp=f"application full {{ {AUTOMATIC} {LIVE.replace('@prefix@/live', str(full))} }}"
                 f"application slow {{ {AUTOMATIC} {LIVE} transcoder_command {slow}; }}")
        clip = test_clip(seconds=60)  # one that died for the fifth time is back after 31 s
        publishers = {name: self.publish(server, name, source=clip)
                      for name in ("killed", "stopped")}
        publishers["late"] = self.publish(server, "late", app="slow", source=clip)
        publishers["out"] = self.publish(server, "out", app="full", source=clip)

        stopped = self.wait_playable(server, "stopped")
        [program] = self.programs(server, "stopped", launchers=False)
        os.kill(program, signal.SIGSTOP)

        killed = self.wait_playable(server, "killed")
        player = LivePlayer(server, self.url(server, "killed", "media_0.m3u8", killed))
        seen = set()
        for kills in range(1, 6):
            [victim] = wait_for(lambda: [pid for pid in self.programs(
                server, "killed", launchers=False) if pid not in seen], 40, "it runs again")
            seen.add(victim)
            os.kill(victim, signal.SIGKILL)
            wait_for(lambda kills=kills: f"recording: live live/killed is started again"
                     in server.log_text() and server.log_text().count(
                         "live live/killed is started again") == kills, 30, "it is told")
        back = self.wait_transcoder(server, "killed", "running", timeout=60)
        self.assertEqual(back["restarts"], 5)
        self.assertEqual(self.session_of(server, "killed"), killed)
        self.assertFalse(player.ended)

        # It made nothing for too long: another one took its place.
        self.wait_restarted(server, "stopped", stopped)
        self.wait_transcoder(server, "stopped", "running")
        self.assertNotIn(program, self.programs(server, "stopped"))

        trouble = wait_for(lambda: (self.transcoder(server, "out", "full") or {}).get("error"), 30,
                           "a full disk is told")
        self.assertIn("No space left", trouble)
        behind = wait_for(lambda: (self.transcoder(server, "late", "slow") or {}).get(
            "dropped_groups"), 60, "groups that were left out are counted")
        self.assertGreater(behind, 0)
        for name, publisher in publishers.items():
            self.assertEqual(publisher.wait(90), 0, f"{name}: {publisher.errors()}")
        self.assertIn("live slow/late: slow is too slow", server.log_text())
        metrics = parse_metrics(Api(server.http_port).request("GET", "/metrics").body.decode())
        self.assertGreaterEqual(metrics["nginx_recording_live_dropped_groups_total"], behind)
        self.assertRegex(server.log_text(), r"live slow/late: \d+ groups of pictures \(\d+ messages\)")
        self.wait_no_programs(server)
        for video in self.wait_ended(server, 4):
            self.assert_whole(server, video, clip)
        self.assert_consistent(server)
        self.check_played(player, clip)

    def check_played(self, player, clip):
        """One playlist led over all deaths: what it had are parts of the source, in its order."""
        wait_for(lambda: player.ended, 30, "the player is told the end")
        self.assertEqual(player.faults, [])
        parts = player.parts()
        self.assertGreaterEqual(len(parts), 2)
        sent, at = [md5 for _, md5 in decoded_frames(clip)], 0
        for i, part in enumerate(parts):
            path = self.folder / f"part-{i}.mp4"
            path.write_bytes(part)
            played = [md5 for _, md5 in decoded_frames(path)]
            self.assertGreater(len(played), 0)
            at = sent.index(played[0], at)
            self.assertEqual(played, sent[at:at + len(played)])
        self.assertEqual(played, sent[-len(played):])

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("mkfs.btrfs"),
                         "needs a file system with quotas")
    def test_a_quota_is_told_and_live_returns_when_there_is_room(self):
        image, disk = self.folder / "image", self.folder / "disk"
        with open(image, "wb") as file:
            file.truncate(128 << 20)
        subprocess.run(["mkfs.btrfs", "-q", image], check=True, capture_output=True)
        disk.mkdir()
        if subprocess.run(["mount", "-o", "loop", image, disk], check=False).returncode != 0:
            self.skipTest("no loop device can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        limited = disk / "live"

        def btrfs(*arguments):
            subprocess.run(["btrfs", *arguments], check=True, capture_output=True)
        btrfs("quota", "enable", disk)
        btrfs("subvolume", "create", limited)
        btrfs("qgroup", "limit", "300k", limited)
        self.folder.chmod(0o755)
        limited.chmod(0o777)
        server = self.start_nginx(application=AUTOMATIC + LIVE.replace("@prefix@/live",
                                                                       str(limited)))
        clip = test_clip(seconds=60)
        publisher = self.publish(server, "cam", source=clip)
        trouble = wait_for(lambda: (self.transcoder(server, "cam") or {}).get("error"), 40,
                           "the quota is told")
        self.assertIn("quota", trouble.lower())
        btrfs("qgroup", "limit", "none", limited)
        self.wait_restarted(server, "cam", self.wait_playable(server, "cam"))
        self.wait_transcoder(server, "cam", "running")
        self.assertEqual(publisher.wait(90), 0, publisher.errors())
        [video] = self.wait_ended(server)
        self.assert_whole(server, video, clip)
        self.wait_no_programs(server)

    def test_live_goes_on_when_nothing_can_be_recorded(self):
        server = self.start_nginx(application=AUTOMATIC + LIVE,
                                  recording="storage @prefix@/data/videos; min_free 900000g;")
        clip = test_clip(seconds=9)
        publisher = self.publish(server, "cam", source=clip)
        session = self.wait_playable(server, "cam")
        self.assertEqual(publisher.wait(), 0, publisher.errors())
        self.wait_no_programs(server)
        self.assertIn("no_space", [event["error"] for event in self.events(
            server, "recording.failed")])
        played = self.decoded(f"http://127.0.0.1:{server.http_port}"
                              + self.url(server, "cam", "media_0.m3u8", session))
        sent = [md5 for _, md5 in decoded_frames(clip)]
        self.assertEqual(played, sent[-len(played):])
        self.assert_no_trace(server)


class Refusals(LiveTest):
    def test_what_cannot_be_transcoded_is_said_and_recorded(self):
        broken = self.folder / "broken"
        broken.write_text("#!/bin/sh\necho I am broken >&2\nexit 3\n")
        broken.chmod(0o755)
        self.folder.chmod(0o755)
        live_only = AUTOMATIC.replace("recording on", "recording off") + LIVE
        server = self.make_nginx(application=AUTOMATIC + LIVE, rtmp=f"""
            application missing {{ {AUTOMATIC} {LIVE} transcoder_command /nowhere/ffmpeg; }}
            application broken {{ {AUTOMATIC} {LIVE} transcoder_command {broken};
                                  transcoder_restarts 1; }}
            application seen {{ {live_only} }}""")
        accepted, said = server.test()
        self.assertTrue(accepted, said)
        self.assertIn('"/nowhere/ffmpeg" cannot be run', said)
        server.start()
        clip = test_clip(seconds=20)
        speex = make_media(
            "-f lavfi -t 12 -i testsrc2=s=320x180:r=25 -f lavfi -t 12 -i sine=f=440:r=48000 "
            "-c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p -c:a libspeex -ar 16000 -ac 1")
        publishers = {
            "live": self.send(server, "d", speex, "--speed", "1"),
            "missing": self.publish(server, "a", app="missing", source=clip),
            "broken": self.publish(server, "b", app="broken", source=clip),
            "seen": self.publish(server, "c", app="seen", source=clip),
        }
        refused = self.wait_transcoder(server, "d", "refused")
        self.assertIn("codec number 11 of FLV", refused["error"])
        missing = self.wait_transcoder(server, "a", "failed", app="missing")
        self.assertEqual(missing["restarts"], 0)
        self.assertIn("/nowhere/ffmpeg cannot be run: No such file", missing["error"])
        failed = self.wait_transcoder(server, "b", "failed", app="broken")
        self.assertEqual(failed["restarts"], 1)
        self.assertIn("exited with status 3: I am broken", failed["error"])
        self.assertEqual({event["app"] for event in self.events(server, "transcoder.failed")},
                         {"live", "missing", "broken"})
        self.wait_playable(server, "c", app="seen")
        stream = self.wait_live(server, "c", app="seen")
        reply = Api(server.http_port).put(f"streams/{stream['id']}/start_recording")
        self.assertEqual((reply.status, reply.code), (409, "recording_off"))
        for publisher in publishers.values():
            publisher.stop()
        for video in self.wait_ended(server, 3):
            self.assertEqual(video["status"], "viewable")
        self.wait_no_programs(server)


class Lifetimes(LiveTest):
    def test_a_reload_leaves_the_session_and_a_death_leaves_nothing(self):
        server = self.start_nginx(application=AUTOMATIC + LIVE)
        clip = test_clip(seconds=45)
        publishers = [self.publish(server, name, source=clip) for name in ("one", "two")]
        sessions = {name: self.wait_playable(server, name) for name in ("one", "two")}
        server.reload()
        for name, publisher in zip(sessions, publishers):
            self.assertEqual(self.session_of(server, name), sessions[name])
            self.assertNotIn("#EXT-X-ENDLIST",
                             self.text(server, name, "media_0.m3u8", sessions[name]))
            publisher.stop()
            wait_for(lambda name=name: "#EXT-X-ENDLIST" in self.text(
                server, name, "media_1.m3u8", sessions[name]), 30, "the one that left has its end")
            self.wait_no_programs(server, name)
        self.publish(server, "three", source=clip)
        self.wait_playable(server, "three")
        server.kill_worker()
        self.wait_no_programs(server)
        # Another worker goes on with it when the encoder is back.
        back = self.publish(server, "three", source=clip)
        self.wait_transcoder(server, "three", "running")
        back.stop()
        self.wait_no_programs(server)

    def test_an_upgrade_of_the_binary_leaves_the_sessions(self):
        server = daemonize(self.make_nginx(application=AUTOMATIC + LIVE)).start()
        clip = test_clip(seconds=60)
        publishers = {name: self.publish(server, name, source=clip) for name in ("one", "two")}
        sessions = {name: self.wait_playable(server, name) for name in publishers}
        old, workers = server.process.master(), set(server.workers())
        os.kill(old, signal.SIGUSR2)
        wait_for(lambda: server.process.master() != old and set(server.workers()) - workers, 20,
                 "the new binary runs")
        os.kill(old, signal.SIGQUIT)
        wait_for(lambda: not workers & set(server.workers()), 20, "the old one drains")
        for name, publisher in publishers.items():
            self.assertEqual(self.session_of(server, name), sessions[name])
            shown = self.text(server, name, "media_0.m3u8", sessions[name])
            wait_for(lambda name=name, shown=shown: self.text(
                server, name, "media_0.m3u8", sessions[name]) != shown, 20, f"{name} goes on")
            publisher.stop()
        self.wait_no_programs(server)
        wait_for(lambda: not any(alive(pid) for pid in workers | {old}), 40,
                 "nothing of the old binary is left")
        [worker] = server.workers()
        open_before = None
        for _ in range(3):
            again = self.publish(server, "one", source=clip)
            sessions["one"] = self.wait_playable(server, "one", other_than=sessions["one"])
            again.stop()
            self.wait_no_programs(server)
            open_before = open_before or self.descriptors(worker)
        wait_for(lambda: self.descriptors(worker) <= open_before, 30, "no descriptor is left open")
        children = subprocess.run(["ps", "--ppid", str(worker), "-o", "stat="],
                                  capture_output=True, text=True, check=False).stdout.split()
        self.assertEqual(children, [], "zombies")

    def test_a_hundred_sessions_leave_nothing(self):
        sink = self.folder / "sink"
        sink.write_text("#!/bin/sh\nexec cat >/dev/null\n")
        sink.chmod(0o755)
        self.folder.chmod(0o755)
        server = self.start_nginx(application=BY_HAND + LIVE + f" transcoder_command {sink};")
        clip = test_clip()
        [worker] = server.workers()
        for i in range(5):  # half of them have a pipe more
            reply = Api(server.http_port).post("streams", {
                "app": "live", "name": f"s{i}", "record_type": "transcoded"})
            self.assertEqual(reply.status, 201, reply.body)

        def round_of(count):
            publishers = [self.send(server, f"s{i}", clip, "--speed", "8") for i in range(count)]
            for publisher in publishers:
                self.assertEqual(publisher.wait(), 0, publisher.output())
            self.wait_no_programs(server)

        round_of(10)
        before = self.descriptors(worker)
        for _ in range(10):
            round_of(10)
        wait_for(lambda: self.descriptors(worker) <= before, 30, "no descriptor is left open")
        self.assertGreaterEqual(server.log_text().count("unknown process"), 100)
        children = subprocess.run(["ps", "--ppid", str(worker), "-o", "stat="],
                                  capture_output=True, text=True, check=False).stdout.split()
        self.assertEqual(children, [], "zombies")
