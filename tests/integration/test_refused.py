"""Who is not let in leaves no trace; who is not an encoder is not recorded twice."""
import http.server
import signal
import threading
import time

from tests.integration.support import (
    AUTOMATIC, RecordingTest, RtmpPublisher, mp4_samples, probe_warnings, test_clip, wait_for)
from tests.integration.support.nginx import free_ports


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


class Refused(RecordingTest):
    def on_publish(self, delay=0.3):
        answering = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        answering.delay = delay
        threading.Thread(target=answering.serve_forever, daemon=True).start()
        self.addCleanup(answering.server_close)
        self.addCleanup(answering.shutdown)
        return f"on_publish http://127.0.0.1:{answering.server_port}/; notify_method post;"

    def assert_nothing_happened(self, server, name):
        time.sleep(0.5)
        self.assertIsNone(self.stream(server, name))
        self.assert_no_trace(server)
        self.assertNotIn("stream.started", server.log_text())

    def second_is_refused(self, workers):
        server = self.start_nginx(application=AUTOMATIC, workers=workers)
        clip, other = test_clip(seconds=6), test_clip(b_frames=2)
        first = self.send(server, "cam", clip)
        self.wait_frames(server, "cam")
        for _ in range(6):  # over 4 workers: some reach the first one's, some another
            second = self.send(server, "cam", other, "--eager", "--hold", "1")
            self.assertNotEqual(second.wait(), 0)
            [report] = second.report()
            self.assertEqual((report["publish"], report["code"]),
                             ("refused", "NetStream.Publish.BadName"), report)
        self.assertTrue(self.stream(server, "cam")["live"])
        self.assertEqual(first.wait(), 0, first.output())
        [video] = self.wait_ended(server)
        self.assert_whole(server, video, clip)
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
        [port] = free_ports(1)
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
        server = self.start_nginx(application=AUTOMATIC + " deny publish all;", workers=2)
        for options in ((), ("--eager",)):
            publisher = self.send(server, "cam", test_clip(), "--speed", "4", *options)
            self.assertNotEqual(publisher.wait(), 0)
        self.assert_nothing_happened(server, "cam")

    def test_on_publish_says_no(self):
        server = self.start_nginx(application=AUTOMATIC + self.on_publish())
        publisher = self.send(server, "bad", test_clip(), "--eager", "--loops", "0")
        self.assertNotEqual(publisher.wait(), 0)
        self.assert_nothing_happened(server, "bad")

    def test_on_publish_says_yes_later_than_the_media_come(self):
        """From the first frame after it was accepted, with what the encoder had declared before."""
        server = self.start_nginx(application=AUTOMATIC + self.on_publish(delay=1))
        clip = test_clip(seconds=6)
        publisher = self.send(server, "good", clip, "--eager")
        self.assertEqual(publisher.wait(), 0, publisher.output())
        [video] = self.wait_ended(server)
        self.assertEqual(video["status"], "ready", video)
        path = self.download(server, video)
        self.assertEqual(probe_warnings(path), "")
        samples = mp4_samples(path)
        self.assertGreater(len(samples["v"]), 100)
        self.assertLess(len(samples["v"]), 140)

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

    def test_auto_push_copies_are_nobody(self):
        server = self.make_nginx(
            application=AUTOMATIC, workers=4,
            main="rtmp_auto_push on; rtmp_socket_dir @prefix@/push; ")
        (server.prefix / "push").mkdir()
        (server.prefix / "push").chmod(0o777)  # the workers make sockets there
        server.start()
        clip = test_clip(seconds=6)
        publisher = self.send(server, "cam", clip)
        self.wait_live(server, "cam")
        self.assertEqual(publisher.wait(), 0, publisher.output())
        [video] = self.wait_ended(server)
        self.assert_whole(server, video, clip)
        self.assert_consistent(server)
        log = server.log_text()
        self.assertEqual(log.count("stream.started"), 1)
        self.assertNotIn("refused", log)
        self.assertEqual(log.count("relay: create push name='cam'"), 3, "copies were made")
