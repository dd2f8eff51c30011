"""Names, messages and disks that mean harm."""
import os
import subprocess
import threading
import time
import unittest

from tests.integration.support import (
    AUTOMATIC, BY_HAND, RecordingTest, check_output, differences, flv_messages,
    message_sample, mp4_samples, pictures, probe_warnings, test_clip, wait_for)

NAMES = {
    "dots": b"..",
    "dot": b".",
    "upwards": b"a/../../../../b",
    "root": b"/etc/passwd",
    "slash at the end": b"cam/",
    "hidden": b".hidden",
    "control characters": b"a\x01\x1f\x7f\r\n\tb",
    "255 bytes": b"n" * 255,
    "256 bytes": b"m" * 256,
    "255 bytes of dots": b"../" * 85,
    "not UTF-8": b"\xff\xfe\xc3(\xed\xa0\x80",
    "markup": b"<img src=x onerror=alert(1)>",
    "quotes": b"\"'`;--\\",
    "percent": b"%2e%2e%2f%00%n%s",
    "Arabic": "\u0628\u062b \u0645\u0628\u0627\u0634\u0631".encode(),
    "right to left": "\u202egpj.exe".encode(),
    "space": b" ",
    "tilde": b"~root",
    "reserved": b"source.mp4",
}


class Names(RecordingTest):
    def everything_outside(self, server):
        """Paths below the prefix that are nobody's."""
        allowed = ("data/videos/", "data/spool/")
        return [str(path) for path in server.prefix.rglob("*") if path.is_file()
                and path.suffix in (".mp4", ".tmp", ".part")
                and not str(path.relative_to(server.prefix)).startswith(allowed)]

    def test_nothing_leaves_the_storage(self):
        server = self.start_nginx(application=AUTOMATIC, workers=2)
        api = self.api(server)
        clip = test_clip(seconds=2)
        sent = [message_sample(m) for m in flv_messages(clip) if m.kind == "v"]
        senders = {label: self.send(server, name, clip, "--speed", "2")
                   for label, name in NAMES.items()}
        accepted = 0
        for label, sender in senders.items():
            sender.wait()
            with self.subTest(label):
                [report] = sender.report()
                if report["publish"] == "accepted":
                    accepted += 1
                else:
                    self.assertRegex(server.log_text(), r"refused|invalid|too long")
        self.assertGreaterEqual(accepted, len(NAMES) - 3)
        videos = self.wait_ended(server, accepted)
        root = server.prefix / "data/videos"
        for video in videos:
            with self.subTest(video["name"]):
                self.assertEqual(video["status"], "viewable", video)
                self.assertEqual(mp4_samples(self.stored(server, video))["v"],
                                 [sample for sample in sent if sample])
                parts = self.stored(server, video).relative_to(root).parts
                self.assertEqual((len(parts), parts[0]), (5, "live"), parts)
                for part in parts:
                    self.assertRegex(part, r"^[^/\x00-\x1f\x7f]+$")
                    self.assertFalse(part.startswith("."), parts)
        self.assertEqual(self.everything_outside(server), [])
        self.assert_consistent(server)
        reply = api.get("streams?per_page=100")
        reply.body.decode("utf-8")  # valid, whatever was sent
        self.assertEqual(len(reply.json), accepted)
        self.assertEqual(len({stream["id"] for stream in reply.json}), accepted)
        names = {stream["name"] for stream in reply.json}
        for label in ("markup", "Arabic", "upwards", "control characters", "quotes"):
            self.assertIn(NAMES[label].decode(), names)
        # No control character of a name reaches the log through us (but through nginx-rtmp).
        ours = [line for line in server.log_text().split("\n") if "recording: " in line]
        self.assertGreater(len(ours), 3 * accepted)
        for line in ours:
            self.assertNotRegex(line, r"[\x00-\x1f]")
            self.assertRegex(line, r"^\d{4}/\d\d/\d\d ")

    def test_no_log_line_is_forged(self):
        server = self.start_nginx(application=AUTOMATIC)
        name = b"x\n1999/01/01 00:00:00 [notice] forged"
        sender = self.send(server, name, test_clip(), "--no-sequence-headers", "--loops", "0")
        wait_for(lambda: "without a codec configuration" in server.log_text(), 15, "a log line")
        sender.stop()
        # nginx-rtmp writes names as they are; what we write is one line whatever the name.
        self.assertNotRegex(server.log_text(), r"recording: [^\n]*x\n1999")

    def test_they_are_controlled_by_their_number(self):
        server = self.start_nginx(application=BY_HAND, workers=2)
        api = self.api(server)
        labels = ("upwards", "not UTF-8", "markup", "control characters", "Arabic", "dots")
        for label in labels:
            self.send(server, NAMES[label], test_clip(seconds=2), "--loops", "0")
        streams = wait_for(lambda: (lambda s: s if len(s) == len(labels) and
                                    all(x["live"] and x["id"] for x in s) else None)(
                                        api.get("streams").json), 15, "all are live")
        for stream in streams:
            self.assertEqual(api.put(f"streams/{stream['id']}/start_recording").status, 200)
        time.sleep(1)
        for stream in streams:
            reply = api.put(f"streams/{stream['id']}/stop_recording")
            self.assertEqual((reply.status, reply.json["stream_id"]), (200, stream["id"]))
        videos = self.wait_ended(server, len(labels))
        self.assertEqual({video["status"] for video in videos}, {"viewable"}, videos)
        for video in videos:
            self.download(server, video)
            self.assertEqual(api.delete(f"videos/{video['id']}").status // 100, 2)
        self.assert_no_trace(server)


class Messages(RecordingTest):
    """The worker lives; what was good is saved, in order; the file opens."""

    HOSTILE = {
        "garbage video": ("--hostile", "garbage-video=7"),
        "garbage audio": ("--hostile", "garbage-audio=7"),
        "truncated": ("--hostile", "truncated-video=5", "--hostile", "truncated-audio=5"),
        "empty": ("--hostile", "empty-video=3", "--hostile", "empty-audio=3"),
        "cut headers": ("--hostile", "header-video=20", "--hostile", "header-audio=30"),
        "all": ("--hostile", "garbage-video=11", "--hostile", "garbage-audio=13", "--hostile",
                "truncated-video=17", "--hostile", "empty-audio=5", "--hostile", "header-video=19",
                "--seed", "77"),
        "cut in mid-message": ("--close", "cut"),
        "reset": ("--close", "reset"),
        "chunk sizes": ("--chunk-size", "128,60000,7,4096", "--chunk-every", "10",
                        "--chunk-inside-message"),
        "time backwards": ("--jump", "1:-5000", "--jump", "3:90000"),
        "time jumps": ("--jump", "2:4000000000"),
        "video header never": ("--video-delay", "100"),
    }
    # What is between the good messages need not be in the file, but may be.
    EXACT = ("empty", "cut in mid-message", "reset", "time backwards", "time jumps")

    def test_recording_goes_on_or_ends_cleanly(self):
        server = self.start_nginx(application=AUTOMATIC)
        [worker] = server.workers()
        clip = test_clip(b_frames=2)
        bystander = self.send(server, "bystander", clip)
        senders = {name: self.send(server, name.replace(" ", "-"), clip, "--speed", "2", *options)
                   for name, options in self.HOSTILE.items()}
        for sender in senders.values():
            sender.wait()
        self.assertEqual(bystander.wait(), 0)
        self.assertEqual(server.workers(), [worker], "the worker lives")
        sent = {"v": [], "a": []}
        for message in flv_messages(clip):
            if message_sample(message):
                sent[message.kind].append(message_sample(message))
        wait_for(lambda: all(v["status"] in ("viewable", "error") for v in self.videos(server)), 30,
                 "all have ended")
        self.assert_consistent(server)
        for name in (*self.HOSTILE, "bystander"):
            with self.subTest(name):
                stream = self.stream(server, name.replace(" ", "-"))
                self.assertFalse(stream["live"])
                videos = self.videos(server, stream["id"])
                self.assertTrue(all(v["status"] == "viewable" for v in videos), videos)
                if name == "chunk sizes" and not videos:
                    continue  # nginx-rtmp itself ends it
                self.assertEqual(len(videos), 1)
                if name == "bystander":
                    self.assert_whole(server, videos[0], clip)
                    continue
                path = self.download(server, videos[0])
                saved = mp4_samples(path)
                for kind in "va":
                    if name == "video header never" and kind == "v":
                        self.assertEqual(saved["v"], [])
                        continue
                    good = [s for s in saved[kind] if s in set(sent[kind])]
                    if name not in ("chunk sizes", "reset"):
                        self.assertEqual(good, sent[kind], "what was good is there, in order")
                    if name in self.EXACT:
                        self.assertEqual(saved[kind], sent[kind][:len(saved[kind])])
                # The decoder may have its opinion of garbage; the container may not be at fault.
                check_output("ffprobe", "-v", "quiet", "-show_packets", path)
                if name in self.EXACT:
                    self.assertEqual(probe_warnings(path), "")


@unittest.skipUnless(os.geteuid() == 0, "needs root, to mount")
class Disks(RecordingTest):
    def mounted(self, server, *options, size="24m"):
        """A file system of its own at the spool's place."""
        spool = server.prefix / "data/spool"
        spool.mkdir(parents=True)
        (server.prefix / "data").chmod(0o777)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=777", "none", spool],
                          capture_output=True, check=False).returncode != 0:
            self.skipTest("cannot mount here")
        self.addCleanup(subprocess.run, ["umount", "-l", spool], check=False)
        return spool

    def test_a_full_disk(self):
        server = self.make_nginx(application=AUTOMATIC + " recording_buffer 1m;", recording=(
            "storage @prefix@/data/videos; spool @prefix@/data/spool; min_free 0; "
            "catalog sqlite:@prefix@/data/catalog.db;"))
        spool = self.mounted(server, size="24m")
        server.start()
        clip = test_clip(seconds=4)
        filler = spool / "filler"
        publisher = self.send(server, "cam", clip, "--loops", "0", "--speed", "4")
        self.wait_frames(server, "cam", 4096)
        self.addCleanup(filler.unlink, missing_ok=True)
        with open(filler, "wb", buffering=0) as file:
            try:
                while file.write(b"\0" * 4096):
                    pass
            except OSError:
                pass  # full
        wait_for(lambda: '"type":"recording.failed"' in server.log_text() or
                 "recording.failed" in server.log_text(), 20, "an event tells of the full disk")
        wait_for(lambda: "recording_buffer of" in server.log_text(), 30, "samples are dropped")
        self.assertTrue(publisher.running)
        self.assertTrue(self.stream(server, "cam")["live"])
        filler.unlink()
        sizes = [path.stat().st_size for path in self.in_spool(server)]
        wait_for(lambda: [p.stat().st_size for p in self.in_spool(server)] > sizes, 40,
                 "it goes on")
        time.sleep(1)
        publisher.stop()
        [video] = self.wait_ended(server, timeout=40)
        self.assertEqual(video["status"], "viewable", video)
        path = self.download(server, video)
        self.assertEqual(probe_warnings(path), "")
        saved, sent = mp4_samples(path), {"v": [], "a": []}
        for message in flv_messages(clip):
            if message_sample(message):
                sent[message.kind].append(message_sample(message))
        for kind in "va":
            self.assertTrue(set(saved[kind]) <= set(sent[kind]))
            self.assertGreater(len(saved[kind]), 100)
        # Every picture decodes: the gap ends with a key frame.
        self.assertEqual(len(pictures(path)), len(saved["v"]))
        self.assertEqual(server.log_text().count("recording.failed"), 1, "one event a failure")

    def test_a_frozen_disk(self):
        image, mount = self.folder / "disk", self.folder / "mounted"
        mount.mkdir()
        self.folder.chmod(0o755)
        with open(image, "wb") as file:
            file.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", image], check=True, capture_output=True)
        if subprocess.run(["mount", "-o", "loop", image, mount], capture_output=True,
                          check=False).returncode != 0:
            self.skipTest("cannot mount a loop device here")
        self.addCleanup(subprocess.run, ["umount", "-l", mount], check=False)
        mount.chmod(0o777)
        server = self.start_nginx(application=AUTOMATIC, workers=2, recording=(
            f"storage {mount}/videos; spool {mount}/spool; min_free 1m; "
            f"catalog sqlite:{mount}/catalog.db;"))
        clip = test_clip(seconds=12)
        api = self.api(server)
        auto = self.send(server, "cam", clip)
        wait_for(lambda: any(p.stat().st_size > 4096 for p in mount.glob("spool/*/source.mp4")), 15,
                 "it is recorded")
        stream = self.stream(server, "cam")["id"]
        frozen = threading.Event()
        subprocess.run(["fsfreeze", "-f", mount], check=True)
        thaw = threading.Timer(5, lambda: (frozen.set(), subprocess.run(
            ["fsfreeze", "-u", mount], check=True)))
        thaw.start()
        try:
            late = self.send(server, "late", clip, "--speed", "2")
            answers = []
            while not frozen.is_set():
                for method, path in (("GET", f"streams/{stream}"), ("GET", "streams/live/cam"),
                                     ("PUT", f"streams/{stream}/start_recording"),
                                     ("GET", "streams"), ("GET", "videos")):
                    before = frozen.is_set()
                    reply = api.request(method, path)
                    answers.append((method, path, reply.status, before or not frozen.is_set()))
                time.sleep(0.1)
        finally:
            thaw.join()
        self.assertGreater(len(answers), 20, answers)
        self.assertEqual({(status, during) for _, _, status, during in answers[:-5]},
                         {(200, True)}, answers)
        self.assertEqual((auto.wait(), late.wait()), (0, 0))
        videos = self.wait_ended(server, 2)
        for video in videos:
            self.assertEqual(video["status"], "viewable", video)
            self.assertEqual(differences(clip, self.download(server, video)), [])
        server.stop()
