"""recording-inspect on growing, crashed and finished files."""
import json
import subprocess

from tests.integration.support import (AUTOMATIC, Api, RecordingTest, module_path, pictures, test_clip,
                                       wait_for)

RETURNING = ("live on; recording on; auto_record on; recording_min_duration 0; "
             "recording_reconnect_window 60s;")


def inspect(*arguments):
    return subprocess.run([module_path().parent / "recording-inspect", *map(str, arguments)],
                          stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True)


class Inspect(RecordingTest):
    def told(self, *arguments):
        done = inspect("--json", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_a_finished_file(self):
        server = self.start_nginx(application=AUTOMATIC)
        first, second = test_clip(seconds=2), test_clip(seconds=2, size="640x360")
        self.assertEqual(self.send(server, "cam", [first, second]).wait(), 0)
        [video] = self.wait_ended(server)
        path = self.stored(server, video)
        story = Api(server.http_port).get(f"videos/{video['id']}/timeline").json
        for epoch in story["epochs"]:
            epoch["mp4_url"] = None
        told = self.told(path)
        facts = told.pop("file")
        self.assertEqual(told, story)
        self.assertEqual((facts["state"], facts["slug"], facts["size"], facts["video_samples"]),
                         ("finished", video["slug"], path.stat().st_size, 100))
        text = inspect(path)
        self.assertEqual(text.returncode, 0)
        self.assertIn("uniform: no", text.stdout)
        self.assertIn("video.width, from 320, to 640", text.stdout.replace("field ", ""))
        before = path.read_bytes()
        self.assertEqual(inspect("--repair", path).returncode, 0)
        self.assertEqual(path.read_bytes(), before)

    def test_a_growing_file_is_refused_and_a_crashed_one_closed(self):
        server = self.start_nginx(application=RETURNING)
        self.send(server, "cam", test_clip(seconds=8), "--speed", "1")
        self.wait_frames(server, "cam", 20_000)
        [path] = self.in_spool(server)
        self.assertEqual(self.told(path)["file"]["state"], "being recorded")
        busy = inspect("--repair", path)
        self.assertEqual(busy.returncode, 3, busy.stderr)
        self.assertIn("another process writes", busy.stderr)
        wait_for(lambda: self.videos(server)[0]["duration"] > 2000, 15, "2 s are saved")
        copy = self.folder / "crashed.mp4"
        copy.write_bytes(path.read_bytes()[:-1])
        before = pictures(copy)
        facts = self.told(copy)["file"]
        self.assertEqual(facts["state"], "not closed")
        done = inspect("--repair", "--json", copy)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["file"]["state"], "finished")
        kept = [h for _, h in pictures(copy)]
        self.assertEqual(len(kept), facts["video_samples"])
        self.assertEqual(kept, [h for _, h in before][:len(kept)])
        self.assertGreater((self.folder / "crashed.mp4.torn").stat().st_size, 0)

    def test_what_is_wrong_is_said(self):
        other = self.folder / "other.mp4"
        other.write_bytes(b"no recording" * 1000)
        for arguments, code in (((other,), 2), (("--repair", other), 2),
                                ((self.folder / "none.mp4",), 1), ((self.folder,), 1),
                                ((), 64), (("--nonsense", other), 64), ((other, other), 64)):
            done = inspect(*arguments)
            self.assertEqual(done.returncode, code, (arguments, done.stderr))
            self.assertNotEqual(done.stderr, "")
            self.assertEqual(done.stdout, "")
        self.assertEqual(other.read_bytes(), b"no recording" * 1000)
        self.assertEqual(inspect("--help").returncode, 0)
