"""Who is not let in leaves no trace; who is not an encoder is not recorded twice."""
import contextlib
import http.server
import re
import signal
import sqlite3
import subprocess
import threading
import time
import xml.etree.ElementTree

from tests.integration.support import (
    AUTOMATIC, Api, RecordingTest, RtmpPublisher, flv_messages, message_sample, mp4_samples,
    packets, probe_warnings, test_clip, wait_for)
from tests.integration.support.enhanced import enhanced_flv
from tests.integration.support.enhanced_case import X265, encoded
from tests.integration.support.encoder import Encoder
from tests.integration.support.nginx import DEFAULT_HTTP, take_port


class Answering(http.server.BaseHTTPRequestHandler):
    """on_publish: 403 for names that begin with "bad", after a moment as a real one takes."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        time.sleep(self.server.delay)
        self.send_response(403 if "&name=bad" in body else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_):
        pass


def traces(server):
    """All that a publisher may leave behind: rows, files, folders, journals, locks, events."""
    with contextlib.closing(sqlite3.connect(
            f"file:{server.prefix}/data/catalog.db?mode=ro", uri=True)) as catalogue:
        rows = {table: catalogue.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
                for table in ("streams", "videos", "deleted_videos")}
    shown = [{key: stream[key] for key in ("id", "name", "live", "recording", "started_at_primary")}
             | {"session": (stream["session"] or {}).get("id")}
             for stream in Api(server.http_port).get("streams").json]
    return {**rows, "GET /streams": shown,
            "GET /videos": [video["slug"] for video in Api(server.http_port).get("videos").json],
            "data": sorted(str(path.relative_to(server.prefix))
                           for path in (server.prefix / "data").rglob("*")),
            "runtime": sorted(path.name for path in server.runtime.rglob("*")),
            "events": server.log_text().count("recording: event")}


def settled(server):
    """The catalogue is there, and has given numbers for videos away: nothing comes late."""
    if not (server.prefix / "data/catalog.db").exists():
        return False
    with contextlib.closing(sqlite3.connect(
            f"file:{server.prefix}/data/catalog.db?mode=ro", uri=True)) as catalogue:
        try:
            return catalogue.execute("SELECT next FROM counters WHERE name = 'video_id'"
                                     ).fetchone()[0] > 1
        except sqlite3.OperationalError:  # it is being made
            return False


class Refused(RecordingTest):
    def on_publish(self, delay=0.3):
        answering = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        answering.delay = delay
        threading.Thread(target=answering.serve_forever, daemon=True).start()
        self.addCleanup(answering.server_close)
        self.addCleanup(answering.shutdown)
        return f"on_publish http://127.0.0.1:{answering.server_port}/; notify_method post;"

    @contextlib.contextmanager
    def leaving_no_trace(self, server):
        """What is done in it changes nothing that anybody could find."""
        before = traces(server)
        yield
        time.sleep(0.5)  # for what may come late
        self.maxDiff = None
        self.assertEqual(traces(server), before)

    @contextlib.contextmanager
    def nothing_happens(self, **arguments):
        server = self.start_nginx(**arguments)
        wait_for(lambda: settled(server), 20, "the catalogue is there")
        with self.leaving_no_trace(server):
            yield server
        self.assert_no_trace(server)
        self.assertEqual(traces(server)["GET /streams"], [])
        self.assertEqual(traces(server)["events"], 0)

    def second_is_refused(self, workers):
        server = self.start_nginx(application=AUTOMATIC, workers=workers)
        wait_for(lambda: settled(server), 20, "the catalogue is there")
        clip, other = test_clip(seconds=8), test_clip(b_frames=2)
        first = Encoder(server, "cam", clip, "--loops", "0")
        self.addCleanup(first.remove)
        self.wait_live(server, "cam")
        self.wait_frames(server, "cam")
        wait_for(lambda: traces(server)["videos"], 10, "the video has its row")
        with self.leaving_no_trace(server):
            for _ in range(6):  # over 4 workers: some reach the first one's, some another
                second = self.send(server, "cam", other, "--eager", "--hold", "1")
                self.assertNotEqual(second.wait(), 0)
                [report] = second.report()
                self.assertEqual((report["publish"], report["code"]),
                                 ("refused", "NetStream.Publish.BadName"), report)
        self.assertTrue(self.stream(server, "cam")["live"])
        first.stop()
        [video] = self.wait_ended(server)
        path = self.download(server, video)
        self.assertEqual(probe_warnings(path), "")
        self.assertEqual(mp4_samples(path), first.sent())
        self.assert_consistent(server)
        self.assertIn('"live/cam" refused', server.log_text())
        # The name is free again.
        self.assertEqual(self.send(server, "cam", clip, "--speed", "8").wait(), 0)
        self.wait_ended(server, 2)

    def test_second_publisher_of_a_name(self):
        self.second_is_refused(1)

    def test_second_publisher_of_a_name_through_another_worker(self):
        self.second_is_refused(4)

    def test_second_publisher_through_another_server_block(self):
        port, _claim = take_port()
        server = self.start_nginx(application=AUTOMATIC, rtmp=f"""
            application live {{ {AUTOMATIC} }} application other {{ {AUTOMATIC} }} }}
            server {{ listen 127.0.0.1:{port};""")
        clip = test_clip()
        first = self.send(server, "cam", clip)
        self.wait_frames(server, "cam")
        second = RtmpPublisher(port, "cam", clip)
        self.addCleanup(second.kill)
        self.assertNotEqual(second.wait(), 0)
        self.assertEqual(second.report()[0]["code"], "NetStream.Publish.BadName")
        # The same name in another application is another stream.
        self.assertEqual(self.send(server, "cam", clip, app="other").wait(), 0)
        first.wait()
        for video in self.wait_ended(server, 2):
            self.assert_whole(server, video, clip)
        self.assert_consistent(server)

    def test_deny_publish(self):
        with self.nothing_happens(application=AUTOMATIC + " deny publish all;",
                                  workers=2) as server:
            for options in ((), ("--eager",)):
                publisher = self.send(server, "cam", test_clip(), "--speed", "4", *options)
                self.assertNotEqual(publisher.wait(), 0)

    def test_on_publish_says_no(self):
        with self.nothing_happens(application=AUTOMATIC + self.on_publish(),
                                  workers=2) as server:
            for _ in range(2):
                publisher = self.send(server, "bad", test_clip(), "--eager", "--loops", "0")
                self.assertNotEqual(publisher.wait(), 0)

    def assert_first_pictures_at_most_are_missing(self, path):
        """A publisher accepted between two key frames: its first pictures cannot be shown."""
        self.assertRegex(probe_warnings(path), r"^(.*Missing key frame while searching.*\s*)?$")

    def test_on_publish_says_yes_later_than_the_media_come(self):
        """From the first frame after it was accepted, with what the encoder had declared before."""
        server = self.start_nginx(application=AUTOMATIC + self.on_publish(delay=1))
        clip = test_clip(seconds=6)
        publisher = self.send(server, "good", clip, "--eager")
        self.assertEqual(publisher.wait(), 0, publisher.output())
        [video] = self.wait_ended(server)
        self.assertEqual(video["status"], "viewable", video)
        path = self.download(server, video)
        self.assert_first_pictures_at_most_are_missing(path)
        sent, saved = samples_of(clip), mp4_samples(path)
        self.assertIn(len(saved["v"]), range(25, 140))
        for kind, samples in saved.items():
            self.assertEqual(samples, sent[kind][-len(samples):])

    def test_headers_of_enhanced_rtmp_that_come_before_on_publish_has_answered(self):
        """nginx-rtmp keeps those of H.264 and AAC only."""
        server = self.start_nginx(application=AUTOMATIC + self.on_publish(delay=1))
        source = encoded(X265 + "0", "-c:a libopus", seconds=6)
        flv = enhanced_flv(self.folder / "sent.flv", source)
        publisher = self.send(server, "good", flv, "--eager")
        self.assertEqual(publisher.wait(), 0, publisher.output())
        [video] = self.wait_ended(server)
        self.assertEqual(video["status"], "viewable", video)
        path = self.download(server, video)
        self.assert_first_pictures_at_most_are_missing(path)
        for track in "va":
            saved, sent = packets(path, track), packets(source, track)
            self.assertGreater(len(saved), len(sent) * 0.3)
            self.assertLess(len(saved), len(sent) * 0.95)
        self.assertEqual(packets(path, "a")[-1][1], packets(source, "a")[-1][1])

    def test_a_refused_second_publisher_does_not_take_the_first_ones_place(self):
        """on_publish is asked after our gate: the first one goes on whatever it answers."""
        server = self.start_nginx(application=AUTOMATIC + self.on_publish(delay=0.1))
        clip = test_clip(seconds=6)
        first = self.send(server, "cam", clip)
        self.wait_frames(server, "cam")
        for _ in range(3):
            self.assertNotEqual(self.send(server, "cam", clip, "--eager").wait(), 0)
        self.assertEqual(first.wait(), 0)
        [video] = self.wait_ended(server)
        self.assert_whole(server, video, clip)


class NotEncoders(RecordingTest):
    def test_a_pulled_stream_is_recorded_from_its_first_message(self):
        origin = self.start_nginx(application="live on;")
        clip = test_clip()
        # The puller is there before what it pulls, and stays when that ends.
        edge = self.start_nginx(application=AUTOMATIC + " pull rtmp://127.0.0.1:"
                                f"{origin.rtmp_port}/live/cam name=cam static;")
        self.addCleanup(edge.stop, signal.SIGTERM)  # nginx-rtmp's static pulls never drain
        self.wait_live(edge, "cam")
        self.assertEqual(self.send(origin, "cam", clip, "--hold", "0.5").wait(), 0)
        wait_for(lambda: self.stream(edge, "cam")["recording_duration"] > 3.8, 15, "all came")
        self.assertEqual(self.api(edge).put("streams/live/cam/stop_recording").status, 200)
        [video] = self.wait_ended(edge)
        self.assert_whole(edge, video, clip)
        edge.stop(signal.SIGTERM)
        for left in edge.runtime.glob("journal.*"):
            left.unlink()  # what a publisher sent last is kept over a fast stop

    def test_copies_in_other_workers_are_nobody(self):
        """What rtmp_auto_push does. nginx-rtmp built as a dynamic module never accepts its own
        pushes: it opens their sockets when nginx has registered all listening ones. So they are
        pushed to an ordinary Unix socket, by which nginx-rtmp knows a copy as well."""
        server = self.start_nginx(
            workers=4, rtmp="listen unix:@prefix@/copies;", http=DEFAULT_HTTP +
            "location /stat { rtmp_stat all; }", application=AUTOMATIC +
            "push rtmp://unix:@prefix@/copies:/live; push_reconnect 100ms;")
        clip = test_clip(seconds=8)
        publisher = self.send(server, "cam", clip, "--loops", "4")
        self.wait_live(server, "cam")
        self.wait_frames(server, "cam", 30000)
        owner, copies = wait_for(lambda: self.publishers(server), 20, "another worker has a copy")
        # Viewers on that worker get the copy's pictures.
        wait_for(lambda: self.viewed(server, copies, clip), 40, "the copy is seen")
        self.assertEqual([p.name for p in server.runtime.glob("r.*.lock")],
                         [f"r.{self.videos(server)[0]['slug']}.lock"])
        self.assertEqual(len(self.in_spool(server)), 1)
        self.assertEqual(wait_for(lambda: self.publishers(server), 20, "it is there yet")[0], owner)
        publisher.stop()
        [video] = self.wait_ended(server)
        path = self.download(server, video)
        self.assertEqual(probe_warnings(path), "")
        sent = samples_of(clip)
        for kind, saved in mp4_samples(path).items():
            self.assertGreater(len(saved), 50)
            self.assertEqual(saved, (sent[kind] * 5)[:len(saved)])
        self.assert_consistent(server)
        log = server.log_text()
        self.assertEqual([stream["name"] for stream in self._list(server, "streams")], ["cam"])
        self.assertEqual((log.count("stream.started"), log.count("recording.started"),
                          log.count("stream.ended")), (1, 1, 1))
        self.assertNotIn('"live/cam" refused', log)

    @staticmethod
    def publishers(server):
        """(worker that has the encoder, workers that have a copy), as nginx-rtmp tells; None when
        there is no copy yet."""
        owner, copies = None, set()
        for _ in range(24):  # each time whichever worker takes the connection
            page = xml.etree.ElementTree.fromstring(Api(server.http_port).get("/stat").body)
            for client in page.iterfind(".//stream/client[publishing]"):
                pid = int(page.findtext("pid"))
                if client.findtext("address") == "unix:":
                    copies.add(pid)
                else:
                    owner = pid
        return (owner, copies - {owner}) if owner and copies - {owner} else None

    def viewed(self, server, workers, clip):
        """Whether one of some viewers came to one of these workers and saw the clip's pictures."""
        self._viewers = getattr(self, "_viewers", 0) + 1
        viewers = {}
        for i in range(6):
            tag = f"viewer={self._viewers}x{i}"
            path = self.folder / f"{tag}.flv"
            viewers[tag] = path, subprocess.Popen(
                ["ffmpeg", "-v", "error", "-i", f"rtmp://127.0.0.1:{server.rtmp_port}/live/cam?{tag}"
                 " live=1", "-t", "2", "-c", "copy", str(path)], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def with_copy():
            plays = re.findall(r" (\d+)#.* play: name='cam' args='(viewer=[0-9x]+)",
                               server.log_text())
            return [tag for pid, tag in plays if int(pid) in workers and tag in viewers]
        deadline = time.monotonic() + 8
        try:
            while time.monotonic() < deadline:
                if any(viewers[tag][1].poll() == 0 for tag in with_copy()):
                    break
                time.sleep(0.1)
            known = set(samples_of(clip)["v"])
            for tag in with_copy():
                path, process = viewers[tag]
                if process.poll() == 0:
                    seen = samples_of(path)["v"]
                    self.assertGreater(len(seen), 10)
                    self.assertLessEqual(set(seen), known)
                    return True
            return False
        finally:
            for _, process in viewers.values():
                process.kill()
                process.wait()


def samples_of(path):
    result = {"v": [], "a": []}
    for message in flv_messages(path):
        if sample := message_sample(message):
            result[message.kind].append(sample)
    return result
