"""Videos become ready, exactly once, whatever happens to the program that makes them."""
import random
import signal
import sqlite3
import subprocess
import time
import unittest
import urllib.parse

from tests.integration.support import wait_for, module_path
from tests.integration.support.recording import AUTOMATIC, RecordingTest, test_clip

BLOCK = ("storage @prefix@/data/videos; min_free 1m; "
         "rendition 240p video=300k audio=64k; rendition 120p video=100k; ")


class Jobs(RecordingTest):
    def record(self, server, name, **clip):
        self.send(server, name, test_clip(**{"seconds": 3, "size": "426x240", **clip}))
        return wait_for(lambda: self.settled(server, name), 20, f"{name} is viewable")

    def of(self, server, name):
        found = [v for v in self.videos(server) if v["name"].startswith(f"Stream Record: {name},")]
        self.assertLess(len(found), 2)
        return found[0] if found else None

    def settled(self, server, name):
        video = self.of(server, name)
        return video if video and video["status"] in ("viewable", "ready", "error") else None

    def ready(self, server, name, timeout=90):
        def found():
            video = self.of(server, name)
            return video if video and video["status"] == "ready" else None
        return wait_for(found, timeout, f"{name} is ready")

    def video_folder(self, server, slug):
        [path] = (server.prefix / "data/videos").glob(f"live/*/*/{slug}")
        return path

    def working(self, server):
        """The folders of jobs in progress."""
        return list((server.prefix / "data/videos/.processing").glob("*"))

    def files_of(self, server):
        return sorted(str(p.relative_to(server.prefix / "data/videos"))
                      for p in (server.prefix / "data/videos").rglob("*") if p.is_file())

    def check_ready(self, server, video, names=("240p", "120p")):
        self.assertEqual([r["name"] for r in video["converted_videos"]], list(names))
        self.assertIsNone(video["error"])
        folder = self.video_folder(server, video["slug"])
        for one in video["converted_videos"]:
            self.assertEqual((one["status"], one["progress"], one["error"]),
                             ("complete", 100, None))
            self.assertEqual(one["height"], int(one["name"][:-1]))
            self.assertTrue(one["mp4_url"].endswith(f"/{video['slug']}/{one['name']}.mp4"))
            self.assertTrue((folder / f"{one['name']}.mp4").exists())
        for field in ("screenshot", "sprite", "sprite_vtt"):
            self.assertTrue((folder / video[field].rpartition("/")[2]).exists(), field)
        self.assertTrue(video["screenshots"])
        for url in video["screenshots"]:
            self.assertTrue((folder / url.rpartition("/")[2]).exists(), url)
        self.assertFalse([p.name for p in folder.iterdir() if p.name.startswith(".")])


class Processing(Jobs):
    def test_two_renditions(self):
        server = self.start_nginx(worker=1, recording=BLOCK, application=AUTOMATIC)
        self.record(server, "cam")
        video = self.ready(server, "cam")
        self.check_ready(server, video)
        wait_for(lambda: not self.working(server), 10, "nothing is left of the work")

    def test_larger_ones_are_not_made(self):
        server = self.start_nginx(worker=1, recording=BLOCK, application=AUTOMATIC)
        self.record(server, "small", size="212x120")
        self.check_ready(server, self.ready(server, "small"), ["120p"])

    def test_one_more_by_hand(self):
        server = self.start_nginx(worker=1, recording="storage @prefix@/data/videos; min_free 1m;",
                                  application=AUTOMATIC)
        self.record(server, "cam")
        video = self.ready(server, "cam")
        self.assertEqual(video["converted_videos"], [])
        api = self.api(server)
        path = f"videos/{video['id']}/renditions"
        asked = api.post(path, {"name": "240p"})
        self.assertEqual(asked.status, 201, asked.body)
        self.assertEqual(asked.json["status"], "viewable")
        self.assertEqual([r["name"] for r in asked.json["converted_videos"]], ["240p"])
        self.check_ready(server, self.ready(server, "cam"), ["240p"])
        again = api.post(path, {"name": "240p"})
        self.assertEqual((again.status, again.json["status"]), (200, "ready"))
        larger = api.post(path, {"name": "720p"})
        self.assertEqual((larger.status, larger.code), (409, "larger_than_source"))
        unknown = api.post(path, {"name": "huge"})
        self.assertEqual((unknown.status, unknown.code), (400, "no_such_rendition"))
        self.assertIn("1080p, 720p, 480p", unknown.json["error"]["message"])
        self.assertEqual(api.post(path, {}).status, 400)
        self.assertEqual(api.post("videos/999999/renditions", {"name": "240p"}).status, 404)

    def test_a_lost_catalogue_is_made_again(self):
        server = self.start_nginx(worker=1, recording=BLOCK, application=AUTOMATIC)
        self.record(server, "cam")
        before = self.ready(server, "cam")
        server.stop()
        for path in (server.prefix / "data").glob("catalog.db*"):
            path.unlink()
        for put in ("1 videos were put", "0 videos were put"):
            done = subprocess.run([module_path().parent / "recording-worker", "-r", "-c",
                                   server.conf], stderr=subprocess.PIPE, text=True, check=True)
            self.assertIn(put, done.stderr)
        server.start()
        after = self.ready(server, "cam")
        for field in ("id", "slug", "name", "duration", "origin_size", "origin_width", "origin_url",
                      "transaction_id", "sequence", "last_sequence", "recording_started_at",
                      "recording_times", "record_type", "uniform"):
            self.assertEqual(after[field], before[field], field)
        self.check_ready(server, after)
        for old, new in zip(before["converted_videos"], after["converted_videos"]):
            self.assertEqual({**new, "id": old["id"]}, old)
        source = self.api(server, "").get(urllib.parse.urlsplit(after["origin_url"]).path)
        self.assertEqual((source.status, len(source.body)), (200, after["origin_size"]))

    def test_by_itself_with_worker_off(self):
        server = self.start_nginx(recording=BLOCK, application=AUTOMATIC)
        video = self.record(server, "cam")
        self.assertEqual((video["status"], video["converted_videos"]), ("viewable", []))
        with subprocess.Popen([module_path().parent / "recording-worker", "-c", server.conf],
                              stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as program:
            self.addCleanup(program.kill)
            self.check_ready(server, self.ready(server, "cam"))
            program.send_signal(signal.SIGTERM)
            self.assertEqual(program.wait(20), 0)
        self.assertEqual(self.api(server).delete(f"videos/{video['id']}").status, 204)
        self.assertEqual(self.files_of(server), [])

    def test_delete_in_the_middle(self):
        server = self.start_nginx(worker=1, recording=BLOCK, application=AUTOMATIC)
        video = self.record(server, "cam", seconds=40)
        wait_for(lambda: self.working(server), 30, "the job is being done")
        self.assertEqual(self.api(server).delete(f"videos/{video['id']}").status, 204)
        wait_for(lambda: not self.working(server), 20, "the job is cancelled")
        self.assertEqual(self.files_of(server), [])
        self.assertEqual(self.api(server).get(f"videos/{video['id']}").status, 404)
        self.record(server, "after")
        self.check_ready(server, self.ready(server, "after"))

    def test_a_source_that_cannot_be_read_is_given_up_with_words(self):
        server = self.start_nginx(recording=BLOCK, application=AUTOMATIC)
        video = self.record(server, "cam")
        source = self.video_folder(server, video["slug"]) / "source.mp4"
        source.write_bytes(b"this is no recording")
        server.conf.write_text(server.conf.read_text().replace("worker off;", "worker 1;"))
        server.reload()
        def told():
            found = self.of(server, "cam")
            return found if found["error"] else None
        video = wait_for(told, 40, "it is given up")
        self.assertEqual(video["status"], "viewable")
        self.assertTrue(video["error"].startswith("processing_failed: 240p, 120p: "), video["error"])
        self.assertEqual([(one["name"], one["status"]) for one in video["converted_videos"]],
                         [("240p", "error"), ("120p", "error")])
        for one in video["converted_videos"]:
            self.assertTrue(video["error"].endswith(one["error"]), video)

    def test_metrics(self):
        server = self.start_nginx(worker=1, recording=BLOCK, application=AUTOMATIC, http="""
            location /streaming/ { recording_api; } location /videos/ { recording_files; }
            location /metrics { recording_metrics; }""")
        self.record(server, "cam")
        self.ready(server, "cam")
        text = self.api(server).get("/metrics").body.decode()
        values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
        self.assertEqual(values['nginx_recording_jobs{state="waiting"}'], "0")
        self.assertEqual(values['nginx_recording_jobs{state="failed"}'], "0")
        self.assertEqual(values["nginx_recording_jobs_done_total"], "1")
        self.assertGreater(float(values["nginx_recording_processing_seconds_total"]), 0)


class Killed(Jobs):
    KILLS = 20

    def test_killed_in_the_middle(self):
        """Each video becomes ready exactly once, though the program dies 20 times over them."""
        server = self.start_nginx(recording=BLOCK, application=AUTOMATIC)
        names = [f"cam{i}" for i in range(3)]
        for name in names:
            self.record(server, name, seconds=8)
        chance = random.Random(6)
        for _ in range(self.KILLS):
            before = set(self.working(server))
            with subprocess.Popen([module_path().parent / "recording-worker", "-c", server.conf],
                                  stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as program:
                self.addCleanup(program.kill)
                wait_for(lambda: set(self.working(server)) - before or all(
                    self.of(server, name)["status"] == "ready" for name in names), 40,
                         "a job begins")
                # Anywhere in it.
                time.sleep(chance.uniform(0, 1.5))
                program.kill()
        server.conf.write_text(server.conf.read_text().replace("worker off;", "worker 1;"))
        server.reload()
        for name in names:
            self.check_ready(server, self.ready(server, name, 240))
        wait_for(lambda: not self.working(server), 20, "nothing is left of the work")
        with sqlite3.connect(f"file:{server.prefix}/data/catalog.db?mode=ro", uri=True) as rows:
            [(count,)] = rows.execute("SELECT count(*) FROM renditions")
            self.assertEqual(count, 2 * len(names))
            [(done,)] = rows.execute("SELECT next FROM counters WHERE name = 'jobs_done'")
            self.assertEqual(done, len(names))

    def test_a_stop_in_the_middle_gives_the_job_back(self):
        server = self.start_nginx(worker=1, recording=BLOCK, application=AUTOMATIC)
        self.record(server, "cam", seconds=40)
        wait_for(lambda: self.working(server), 30, "the job is being done")
        server.stop()
        wait_for(lambda: not server.recording_workers(), 10, "it is gone")
        self.assertEqual(self.working(server), [])
        server.start()
        self.check_ready(server, self.ready(server, "cam"))


if __name__ == "__main__":
    unittest.main()
