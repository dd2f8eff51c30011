"""What a start of nginx finds, and what a reload leaves alone."""
import os
import shutil
import time

from tests.integration.support import (
    BY_HAND, Api, RecordingTest, mp4_samples, probe_warnings, test_clip, wait_for)
from tests.integration.support.crash import kill_all
from tests.integration.support.encoder import Encoder, joined

RULES = ("live on; recording on; auto_record on; recording_min_duration 0; "
         "recording_reconnect_window 8s;")


class Recovery(RecordingTest):
    def setUp(self):
        super().setUp()
        self.clip = test_clip(seconds=8)

    def encoder(self, server, name="cam", *options):
        made = Encoder(server, name, self.clip, *options)
        self.addCleanup(made.remove)
        return made

    def being_recorded(self, server, *options, name="cam", seconds=2.2):
        encoder = self.encoder(server, name, "--loops", "0", *options)
        encoder.wait_accepted()
        wait_for(lambda: len(encoder.sent()["v"]) > 25 * seconds and any(
            path.stat().st_size > 20000 for path in self.in_spool(server)), 20, "it is recorded")
        return encoder

    def reboot(self, server):
        """All processes and the tmpfs are gone; the disk is as it was."""
        kill_all(server)
        shutil.rmtree(server.runtime)

    def test_a_reboot_and_the_encoder_is_back_at_once(self):
        """It tries to connect all the time: the publish comes before the spool was looked at."""
        for workers in (1, 4):
            server = self.start_nginx(application=RULES, workers=workers)
            old = self.being_recorded(server)
            self.reboot(server)
            old.kill()
            new = self.encoder(server, "cam", "--duration", "2")
            server.start()
            new.wait_accepted()
            self.assertEqual(new.wait(), 0, new.output())
            [video] = self.wait_ended(server, 1)
            self.assertEqual((video["status"], len(video["recording_times"])), ("viewable", 2), video)
            path = self.download(server, video)
            self.assertEqual(probe_warnings(path), "")
            said, ends = joined(path, old.sent(), new.sent())
            self.assertEqual(said, [])
            # The journal is gone with the tmpfs: a fragment and a group of pictures.
            self.assertGreater(ends["v"][1], len(old.sent()["v"]) - 60)
            self.assert_consistent(server)

    def test_a_reboot_and_nobody_comes_back(self):
        server = self.start_nginx(application=RULES.replace("window 8s", "window 2s"))
        old = self.being_recorded(server)
        self.reboot(server)
        old.kill()
        server.start()
        [video] = self.wait_ended(server, 1)
        self.assertEqual(video["status"], "viewable", video)
        said, ends = joined(self.download(server, video), old.sent(), {"v": [], "a": []})
        self.assertEqual(said, [])
        self.assertGreater(ends["v"][1], len(old.sent()["v"]) - 60)
        for event in ("recording.completed", "video.viewable"):
            self.assertIn(f'"type":"{event}"', server.log_text())
        self.assert_consistent(server)

    def test_a_live_state_that_cannot_be_read(self):
        """Its file is set aside; what the journal has of the recordings is found all the same."""
        server = self.start_nginx(application=RULES.replace("window 8s", "window 3s"))
        old = self.being_recorded(server)
        kill_all(server)
        sent = old.sent()
        old.kill()
        with open(server.runtime / "state", "r+b") as state:
            state.write(b"\xff" * 64)
        server.start()
        [video] = self.wait_ended(server, 1)
        said, ends = joined(self.download(server, video), sent, {"v": [], "a": []})
        self.assertEqual(said, [])
        for kind, unread in (("v", 8), ("a", 14)):
            self.assertGreaterEqual(ends[kind][1], len(sent[kind]) - unread, kind)
        self.assert_consistent(server)
        wait_for(lambda: len(list(server.runtime.glob("journal.*"))) == 1, 10,
                 "the dead worker's journal has gone")
        self.assertEqual(server.stop(), 0)
        (server.runtime / "state.1.old").unlink()

    def test_foreign_and_unreadable_files_in_the_spool(self):
        server = self.make_nginx(application=RULES)
        spool = server.prefix / "data/spool"
        storage = server.prefix / "data/videos"
        for folder in (spool, storage):
            folder.mkdir(parents=True)
        foreign = {"notes.txt": b"shopping", "a" * 250: b"long", "lost+found/x": b"ext4's",
                   "empty/other.mp4": b"not ours", ".hidden": b"", "na\nme/source.txt": b"x",
                   "deep/er/source.mp4": b"not at this depth"}
        unreadable = {"0" * 32: b"", "1" * 32: b"garbage" * 1000, "2" * 32: os.urandom(70000),
                      "3" * 32: b"\0\0\0\x18ftypisom\0\0\0\0isomiso5"}
        for name, content in foreign.items():
            path = spool / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (spool / "dir-of-that-name" / "source.mp4").mkdir(parents=True)
        (spool / "link").symlink_to("/nowhere")
        for name, content in unreadable.items():
            (spool / name).mkdir()
            (spool / name / "source.mp4").write_bytes(content)
        for path in (server.prefix / "data", *(server.prefix / "data").rglob("*")):
            if not path.is_symlink():
                shutil.chown(path, server.user)
        server.start()
        # It works beside them.
        publisher = self.encoder(server, "cam", "--duration", "2", "--speed", "4")
        self.assertEqual(publisher.wait(), 0, publisher.output())
        self.assertEqual(Api(server.http_port).put("streams/live/cam/stop_recording").status, 200)
        [video] = wait_for(lambda: [v for v in self.videos(server) if v["status"] == "viewable"], 20,
                           "a video is ready")
        self.assertEqual(mp4_samples(self.download(server, video)), publisher.sent())

        def set_aside(name):
            return (spool / name / "source.mp4.unreadable").exists()
        for name, content in unreadable.items():
            wait_for(lambda: set_aside(name), 10, f"{name[:4]}… is set aside")
            self.assertEqual((spool / name / "source.mp4.unreadable").read_bytes(), content)
            self.assertFalse((spool / name / "source.mp4").exists())
            self.assertRegex(server.log_text(), rf"\[crit\].*{name}.*set aside")
        for name, content in foreign.items():
            self.assertEqual((spool / name).read_bytes(), content)
        self.assertTrue((spool / "dir-of-that-name/source.mp4").is_dir())
        self.assertTrue((spool / "link").is_symlink())
        self.assertEqual(len(self.videos(server)), 1)

    def test_a_reload_leaves_a_draining_worker_its_recordings(self):
        """Three times the housekeeper's round, and a kill of the worker that keeps house."""
        server = self.start_nginx(application=RULES.replace("window 8s", "window 1s"), workers=2)
        encoder = self.being_recorded(server)
        for _ in range(2):
            server.reload()
            time.sleep(1.5)
        for pid in server.workers():
            server.allow(rf"worker process {pid} exited on signal 9")
            os.kill(pid, 9)
        time.sleep(3)
        self.assertTrue(encoder.running)
        stream = self.stream(server, "cam")
        self.assertTrue(stream["live"] and stream["recording"], stream)
        encoder.stop()
        [video] = self.wait_ended(server, 1)
        self.assertEqual((video["status"], len(video["recording_times"])), ("viewable", 1), video)
        self.assertEqual(mp4_samples(self.download(server, video)), encoder.sent())
        self.assert_consistent(server)

    def test_drain_timeout(self):
        """After a reload the publisher is asked to reconnect: to the new workers, one video."""
        server = self.start_nginx(workers=2, application=RULES + "recording_drain_timeout 1s;")
        old = self.being_recorded(server)
        workers = server.workers()
        began = time.monotonic()
        server.reload()
        wait_for(lambda: not old.running, 10, "it was asked to go")
        self.assertGreater(time.monotonic() - began, 0.5)
        self.assertTrue(old.report()[0]["closed_by_peer"], old.report())
        new = self.encoder(server, "cam", "--duration", "2")
        new.wait_accepted()
        self.assertEqual(new.wait(), 0, new.output())
        wait_for(lambda: not set(workers) & set(server.workers(shutting_down=True)), 10,
                 "the old workers have ended")
        [video] = self.wait_ended(server, 1)
        self.assertEqual((video["status"], len(video["recording_times"])), ("viewable", 2), video)
        self.assertEqual(joined(self.download(server, video), old.sent(), new.sent())[0], [])
        self.assert_consistent(server)

    def test_zone(self):
        """Changed by a reload: a warning. Full: an error on what did not fit, nothing else."""
        data = "storage @prefix@/data/videos; min_free 1m; runtime @runtime@; zone %s; "
        server = self.start_nginx(application=BY_HAND,
                                  recording=data % "64k")
        text = server.conf.read_text(encoding="utf-8")
        server.conf.write_text(text.replace("zone 64k", "zone 1m"), encoding="utf-8")
        server.reload()
        wait_for(lambda: "zone was changed" in server.log_text(), 10, "a warning")
        self.assertRegex(server.log_text(), r"\[warn\].*zone was changed.*")
        encoders = []
        while "the zone is full" not in server.log_text():
            self.assertLess(len(encoders), 100)
            encoders.append(self.encoder(server, f"cam{len(encoders)}", "--loops", "0"))
            encoders[-1].wait_accepted()
        fits = len(encoders) - 1
        self.assertGreater(fits, 5)
        api = Api(server.http_port)
        self.wait_live(server, f"cam{fits - 1}")
        self.assertTrue(encoders[-1].running, "a publisher that cannot be recorded is let in")
        reply = api.put(f"streams/live/cam{fits}/start_recording")
        self.assertIn(reply.status, (404, 409, 503), reply.body)
        self.assertTrue(reply.json["error"]["message"])
        reply = api.put("streams/live/cam0/start_recording")
        self.assertEqual(reply.status, 200, reply.body)
        # Recordings that have not been settled fill their own part of the zone.
        statuses = [api.put(f"streams/live/cam{i}/start_recording").status for i in range(fits)]
        self.assertEqual(set(statuses) - {200, 503}, set(), statuses)
        cam0 = self.stream(server, "cam0")["id"]
        # Where one has gone another fits.
        encoders[0].stop()
        self.wait_live(server, "cam0", live=False)
        wait_for(lambda: [v for v in self.videos(server, cam0) if v["status"] == "viewable"], 10,
                 "its video is ready")
        again = self.encoder(server, "another", "--duration", "1")
        self.assertEqual(again.wait(), 0)
        self.assertTrue(self.stream(server, "another"))
