"""The API as HTTP: bodies of every kind, names of every kind, clients that leave, links."""
import contextlib
import itertools
import json
import random
import signal
import socket
import sqlite3
import struct
import unittest

from tests.integration.support import IntegrationTest, wait_for

BODY = {"name": "cam", "app": "live", "client_entity_data": "x"}


def padded(size):
    """A valid body of `size` bytes."""
    text = json.dumps(BODY)
    return text + " " * (size - len(text))


def after(number, action):
    """A callable that does `action` when it is called for the `number`th time."""
    calls = itertools.count(1)
    return lambda: action() if next(calls) == number else None


class ApiTest(IntegrationTest):
    def start_ready(self, **arguments):
        """Started, and its catalogue open."""
        server = self.start_nginx(**arguments)
        wait_for(lambda: self.api(server).get("streams").status == 200, what="the catalogue is open")
        return server


class RequestBodies(ApiTest):
    def setUp(self):
        super().setUp()
        self.server = self.start_ready(http="""
            client_max_body_size 10m; client_body_buffer_size 1k;
            access_log @prefix@/access.log;
            location /streaming/ { recording_api; }
            location /videos/ { recording_files; }
            location /mirrored/ { mirror /copy; recording_api; }
            location /kept/ { client_body_in_file_only clean; recording_api; }
            location = /copy { internal; return 204; }
            location /open/ { auth_request /yes; recording_api; }
            location = /yes { return 204; }
            location /ask/ { auth_request /streaming/streams; return 200 asked; }""")

    def raw(self, *parts, pause_between=None):
        """Sends `parts` one after the other; (status, head, body) of the answer."""
        with socket.create_connection(("127.0.0.1", self.server.http_port), timeout=20) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for part in parts:
                client.sendall(part if isinstance(part, bytes) else part.encode())
                if pause_between:
                    pause_between()
            received = b""
            while part := client.recv(65536):
                received += part
        head, _, body = received.partition(b"\r\n\r\n")
        return int(head.split()[1]), head.decode().lower(), body

    def post(self, headers, *parts, path="/streaming/streams", **options):
        return self.raw(f"POST {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                        f"Content-Type: application/json\r\n{headers}\r\n\r\n", *parts, **options)

    def chunked(self, text, size):
        return ["%x\r\n%s\r\n" % (len(text[at:at + size]), text[at:at + size])
                for at in range(0, len(text), size)] + ["0\r\n\r\n"]

    def assert_made(self, answer):
        status, head, body = answer
        self.assertIn(status, (200, 201), body)
        self.assertIn("cache-control: no-store", head)
        self.assertIn("content-type: application/json", head)
        self.assertIn(f"content-length: {len(body)}\r\n", head + "\r\n")
        self.assertEqual(json.loads(body)["client_entity_data"], "x")
        self.assertEqual(self.api(self.server).delete(f"streams/{json.loads(body)['id']}").status,
                         204)

    def test_bodies_however_they_come(self):
        # Every log line is written when nginx has read what came before: no guessed pause.
        settle = lambda: self.api(self.server).get("streams")  # noqa: E731
        for size in (100, 1000, 1500, 20_000, 65_536):
            text = padded(size)
            with self.subTest(size=size):
                length = f"Content-Length: {size}"
                self.assert_made(self.post(length, text))
                self.assert_made(self.post(length, text[:60], text[60:], pause_between=settle))
                step = max(1, size // 7)
                self.assert_made(self.post(length, *[text[i:i + step] for i in
                                                     range(0, size, step)], pause_between=settle))
                encoding = "Transfer-Encoding: chunked"
                self.assert_made(self.post(encoding, "".join(self.chunked(text, 997))))
                self.assert_made(self.post(encoding, *self.chunked(text, step),
                                           pause_between=settle))
                for path in ("/mirrored/streams", "/kept/streams", "/open/streams"):
                    self.assert_made(self.post(length, text, path=path))
                    self.assert_made(self.post(encoding, *self.chunked(text, step), path=path))
        self.assertFalse([line for line in self.server.log_text().splitlines()
                          if "buffered to a temporary file" in line and "/streaming/" in line])

    def test_a_body_that_is_too_large(self):
        for size in (65_537, 300_000, 5_000_000):
            for answer in (self.post(f"Content-Length: {size}", padded(size)),
                           self.post("Transfer-Encoding: chunked",
                                     "".join(self.chunked(padded(size), 60_000)))):
                self.assertEqual(answer[0], 413, size)
                self.assertEqual(json.loads(answer[2])["error"]["code"], "body_too_large")
        status, head, _ = self.raw("POST /streaming/streams HTTP/1.1\r\nHost: h\r\n"
                                   "Content-Length: 900000\r\nExpect: 100-continue\r\n"
                                   "Connection: close\r\n\r\n", padded(900_000))
        self.assertEqual(status, 413, head)
        self.assertEqual(self.api(self.server).get("streams").json, [])

    def test_the_connection_goes_on_after_a_body(self):
        def request(text, last=False):
            close = "Connection: close\r\n" if last else ""
            return (f"PUT /streaming/nothing HTTP/1.1\r\nHost: h\r\n{close}"
                    f"Content-Length: {len(text)}\r\n\r\n{text}")
        with socket.create_connection(("127.0.0.1", self.server.http_port), timeout=20) as client:
            client.sendall("".join([request("{}"), request("x" * 3000), request("{}", True)])
                           .encode())
            received = b""
            while part := client.recv(65536):
                received += part
        self.assertEqual(received.count(b"HTTP/1.1 404"), 3, received)

    def test_clients_that_leave(self):
        numbers = random.Random(3)
        for number in range(200):
            text = padded(numbers.choice((100, 3000, 60_000)))
            headers = "Content-Length: %d" % len(text)
            if number % 2:
                text, headers = "".join(self.chunked(text, 500)), "Transfer-Encoding: chunked"
            method = numbers.choice(("POST /streaming/streams", "GET /streaming/videos",
                                     "PUT /streaming/streams/live/none/start_recording"))
            with socket.create_connection(("127.0.0.1", self.server.http_port)) as client:
                client.sendall(f"{method} HTTP/1.1\r\nHost: h\r\n{headers}\r\n\r\n".encode())
                client.sendall(text[:numbers.randrange(len(text) + 1)].encode())
                if number % 3:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                      struct.pack("ii", 1, 0))
        self.assertEqual(self.api(self.server).get("streams").status, 200)

    def test_a_client_that_leaves_while_the_catalogue_is_busy(self):
        (path,) = (self.server.prefix / "data").rglob("*.db")
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as catalog:
            catalog.execute("BEGIN IMMEDIATE")
            for _ in range(5):
                with socket.create_connection(("127.0.0.1", self.server.http_port)) as client:
                    text = padded(100)
                    client.sendall(("POST /streaming/streams HTTP/1.1\r\nHost: h\r\n"
                                    "Content-Type: application/json\r\n"
                                    f"Content-Length: {len(text)}\r\n\r\n{text}").encode())
            log = self.server.prefix / "access.log"
            wait_for(lambda: log.read_text().count(" 499 ") == 5, what="five lost clients")
            catalog.execute("ROLLBACK")
        # What was asked for happens although nobody waits for the answer.
        wait_for(lambda: len(self.api(self.server).get("streams").json) == 1, what="the stream")

    def test_a_worker_that_is_told_to_quit_still_answers(self):
        (path,) = (self.server.prefix / "data").rglob("*.db")
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as catalog:
            catalog.execute("BEGIN IMMEDIATE")

            def quit_and_let_go():
                self.server.send(signal.SIGQUIT)
                wait_for(lambda: "gracefully shutting down" in self.server.log_text())
                catalog.execute("ROLLBACK")
            text = padded(100)
            status, _, body = self.post("Content-Length: 100", text,
                                        pause_between=after(2, quit_and_let_go))
        self.assertIn(status, (200, 201), body)

    def test_as_a_subrequest(self):
        reply = self.api(self.server).get("/ask/x")
        self.assertEqual((reply.status, reply.body), (200, b"asked"))


class Requests(ApiTest):
    def test_head_and_wrong_methods(self):
        server = self.start_ready()
        api = self.api(server)
        whole, head = api.get("streams"), api.request("HEAD", "streams")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertEqual(head.headers["content-length"], whole.headers["content-length"])
        for method in ("DELETE", "OPTIONS", "PROPFIND"):
            reply = api.request(method, "streams")
            self.assertEqual(reply.status, 405, method)
            self.assertIn("GET", reply.headers["allow"])
            self.assertTrue(reply.json["error"]["message"])

    def test_names_with_every_kind_of_byte(self):
        server = self.start_ready(http="""
            location /streaming/ { recording_api; }
            location /a%20b/ { recording_api; }
            location /bare { recording_api; }
            location /moved/ { rewrite ^/moved/(.*)$ /streaming/$1 last; }
            location /streaming/closed/ { return 403; }""")
        for name in ("plain", "with space", "sla/sh", "per%cent", "M\u00e4rz", "a+b&c=d#f", "%2f"):
            made = self.api(server).post("streams", {"app": "live", "name": name})
            self.assertIn(made.status, (200, 201), made.body)
            quoted = "".join("%%%02x" % byte for byte in name.encode())
            for prefix in ("/streaming/", "/bare/"):
                with self.subTest(name, prefix=prefix):
                    reply = self.api(server).get(f"{prefix}streams/live/{quoted}")
                    self.assertEqual(reply.status, 200, reply.body)
                    self.assertEqual(reply.json["name"], name)
        api = self.api(server)
        self.assertEqual(api.get("/moved/streams/live/plain").json["name"], "plain")
        self.assertEqual(api.get("/a%20b/streams").status, 404)  # the prefix in nginx.conf is literal
        self.assertEqual(api.get("//streaming//streams/live/./plain").json["name"], "plain")
        self.assertEqual(api.get("/streaming/streams?page=1").status, 200)
        self.assertEqual(api.get("/barestreams").status, 404)
        self.assertEqual(api.get("/barestreams").code, "no_such_path")
        # What nginx matched is what is answered: a path cannot pass a location by.
        self.assertEqual(api.get("/streaming/x/../closed/streams").status, 403)
        self.assertEqual(api.get("/streaming/closed/../streams").status, 200)

    def test_links(self):
        cases = (
            ("", "location /videos/ { recording_files; }", "media.example.com:81",
             "http://media.example.com:81/videos/", "rtmp://media.example.com"),
            ("public_url https://cdn.example.com/p;", "location /v { recording_files; }", "h",
             "https://cdn.example.com/p/v/", "rtmp://h"),
            ("", "location /videos/ { recording_files; }", "[::1]:8080",
             "http://[::1]:8080/videos/", "rtmp://[::1]"),
            ("", "location /videos/ { recording_files; }", 'a"><script>',
             "http://127.0.0.1:@http_port@/videos/", "rtmp://127.0.0.1"),
            ("", "", "h", None, "rtmp://h"),
        )
        for recording, files, host, prefix, rtmp in cases:
            with self.subTest(recording + files, host=host):
                server = self.start_ready(
                    recording="storage @prefix@/data/videos; min_free 1m; " + recording,
                    application="live on; recording on; recording_min_duration 0;",
                    http="location /streaming/ { recording_api; } " + files)
                self.publish(server, "cam")
                api = self.api(server)
                wait_for(lambda: api.put("streams/live/cam/start_recording").status == 200)
                wait_for(lambda: [v for v in api.get("videos").json if v["origin_size"]],
                         what="a video with something in it")
                video = api.get("videos", Host=host).json[0]
                expected = prefix and server.fill(prefix) + video["slug"] + "/source.mp4"
                self.assertEqual(video["origin_url"], expected)
                stream = api.get("streams/live/cam", Host=host).json
                self.assertEqual(stream["push_url"], f"{rtmp}:{server.rtmp_port}/live/cam")


if __name__ == "__main__":
    unittest.main()
