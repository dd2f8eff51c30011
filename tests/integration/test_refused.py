"""Who is not let in leaves no trace; who is not an encoder is not recorded twice."""
import http.server
import threading
import time

from tests.integration.support import (
    AT_ONCE, AUTOMATIC, Api, RecordingTest, differences, mp4_samples, probe_warnings, test_clip,
    wait_for)


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
        server = self.start_nginx(application=AUTOMATIC, rtmp="""
            application other { live on; recording on; auto_record on; %s } }
            server { listen 127.0.0.1:@http_port@1; application live { %s }""".replace(
                "@http_port@1", "unix:@prefix@/second.sock") % (AT_ONCE, AUTOMATIC))
        first = self.send(server, "cam", test_clip())
        self.wait_frames(server, "cam")
        # The same name in another application is another stream.
        self.assertEqual(self.send(server, "cam", test_clip(), app="other").wait(), 0)
        first.wait()
        self.wait_ended(server, 2)
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
        """deny and on_publish decide after and before our gate: the first one goes on either way."""
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
        edge = self.make_nginx(
            application=AUTOMATIC + f" pull rtmp://127.0.0.1:{origin.rtmp_port}/live/cam name=cam "
            "static; ", rtmp="")
        # First the puller, then what is pulled: the origin forwards from the first message on.
        edge.start()
        time.sleep(0.5)
        self.assertEqual(self.send(origin, "cam", clip, "--hold", "0.5").wait(), 0)
        edge.stop()
        edge.start()
        videos = self.wait_ended(edge)
        self.assertEqual(videos[0]["status"], "ready", videos)
        path = self.download(edge, videos[0])
        self.assertEqual(probe_warnings(path), "")
        self.assertEqual(differences(clip, path), [])

    def test_auto_push_copies_are_nobody(self):
        server = self.start_nginx(
            application=AUTOMATIC, workers=4,
            main="rtmp_auto_push on; rtmp_socket_dir @prefix@; ")
        server_folder = server.prefix
        server_folder.chmod(0o777)  # the sockets are made by the workers
        clip = test_clip(seconds=6)
        publisher = self.send(server, "cam", clip)
        stream = self.wait_live(server, "cam")
        self.assertTrue(stream["active"])
        self.assertEqual(publisher.wait(), 0, publisher.output())
        [video] = self.wait_ended(server)
        self.assert_whole(server, video, clip)
        self.assert_consistent(server)
        log = server.log_text()
        self.assertEqual(log.count("stream.started"), 1)
        self.assertNotIn("refused", log)
        self.assertIn("auto-push", log.replace("auto_push", "auto-push"), "copies were made")
