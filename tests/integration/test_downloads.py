"""Downloads: the same answers as for a static file, for recordings in every state."""
import hashlib
import http.client
import random
import re
import shutil
import socket
import struct
import subprocess
import threading
import time
import unittest
from email.utils import formatdate, parsedate_to_datetime

from tests.integration.support import IntegrationTest, make_media, probe, probe_warnings, wait_for

AUTO = ("live on; recording on; auto_record on; recording_min_duration 0; "
        "recording_end_on_unpublish on;")
# 20 minutes of little: an index of several pieces, and some megabytes of media.
LONG = ("-f lavfi -i testsrc2=s=64x64:r=25 -f lavfi -i sine=frequency=440:r=44100 -t 1200 "
        "-c:v libx264 -preset ultrafast -g 50 -b:v 40k -pix_fmt yuv420p -c:a aac -b:a 16k")


class DownloadTest(IntegrationTest):
    def record(self, server, source=LONG, name="cam"):
        """A finished video of `source`; its slug."""
        publisher = self.publish(server, name, source=make_media(source), realtime=False)
        self.assertEqual(publisher.wait(), 0, publisher.errors())
        video = wait_for(lambda: self.viewable(server), 30, "the video is viewable")
        return video["slug"]

    def viewable(self, server):
        videos = self.api(server).get("videos").json
        return next((v for v in videos if v["status"] in ("viewable", "ready")), None)

    def recording_in_progress(self, server, name="cam"):
        """(slug, publisher) once something of it can be downloaded."""
        publisher = self.publish(server, name)
        stream = f"streams/live/{name}"
        api = self.api(server)
        wait_for(lambda: api.get(stream).status == 200, what="the stream is there")
        video = wait_for(lambda: next(iter(api.get("videos").json), None), what="a video")
        wait_for(lambda: self.fetch(server, video["slug"]).status == 200, what="a first fragment")
        return video["slug"], publisher

    def fetch(self, server, slug, file="source.mp4", method="GET", **headers):
        return self.api(server).request(
            method, f"/videos/{slug}/{file}",
            headers={key.replace("_", "-"): value for key, value in headers.items()})


class FinishedVideo(DownloadTest):
    def setUp(self):
        super().setUp()
        self.server = self.start_nginx(application=AUTO, workers=2)
        self.slug = self.record(self.server, LONG)
        self.whole = self.fetch(self.server, self.slug)
        self.assertEqual(self.whole.status, 200)

    def get(self, **headers):
        return self.fetch(self.server, self.slug, **headers)

    def test_everything_a_static_file_does(self):
        """One recording serves all of it: making one is what takes time."""
        for check in (self.the_whole_is_a_regular_mp4, self.ranges, self.unsatisfiable_ranges,
                      self.several_ranges_are_the_whole, self.if_range, self.conditions,
                      self.head, self.other_methods, self.attachments, self.raw_bytes,
                      self.wrong_paths):
            with self.subTest(check.__name__):
                check()

    def the_whole_is_a_regular_mp4(self):
        self.assertEqual(self.whole.headers["content-type"], "video/mp4")
        self.assertEqual(self.whole.headers["accept-ranges"], "bytes")
        self.assertEqual(self.whole.headers["x-content-type-options"], "nosniff")
        self.assertEqual(int(self.whole.headers["content-length"]), len(self.whole.body))
        self.assertNotIn("content-disposition", self.whole.headers)
        self.assertLess(self.whole.body.find(b"moov"), self.whole.body.find(b"mdat"))
        path = self.server.prefix / "whole.mp4"
        path.write_bytes(self.whole.body)
        self.assertEqual(probe_warnings(path), "")
        self.assertAlmostEqual(float(probe(path, "-show_format")["format"]["duration"]), 1200,
                               delta=1)

    def ranges(self):
        size = len(self.whole.body)
        media = self.whole.body.find(b"mdat") + 12  # the index ends and the file begins
        self.assertGreater(media, 300_000, "too small an index to test its pieces")
        numbers = random.Random(1)
        spans = [(0, 0), (0, 1023), (16383, 16384), (16384, 16384), (media - 1, media),
                 (media, media), (0, media), (0, size - 1), (media, size - 1), (size - 1, size - 1),
                 (20, media - 1), (16384 + 131072 - 1, 16384 + 131072), (1, size + 5)]
        spans += [tuple(sorted(numbers.sample(range(size), 2))) for _ in range(20)]
        spans += [tuple(sorted(numbers.sample(range(media), 2))) for _ in range(20)]
        for first, last in spans:
            reply = self.get(Range=f"bytes={first}-{last}")
            last = min(last, size - 1)
            self.assertEqual(reply.status, 206, (first, last))
            self.assertEqual(reply.headers["content-range"], f"bytes {first}-{last}/{size}")
            self.assertEqual(reply.body, self.whole.body[first:last + 1], (first, last))
        for text, first in ((f"bytes={size - 10}-", size - 10), (f"bytes={media + 5}-", media + 5),
                            (f"bytes={media - 5}-", media - 5), ("bytes=-10", size - 10),
                            (f"bytes=-{size + 10}", 0)):
            reply = self.get(Range=text)
            self.assertEqual(reply.status, 206, text)
            self.assertEqual(reply.headers["content-range"], f"bytes {first}-{size - 1}/{size}")
            self.assertEqual(reply.body, self.whole.body[first:], text)

    def unsatisfiable_ranges(self):
        size = len(self.whole.body)
        for text in (f"bytes={size}-", f"bytes={size + 7}-{size + 9}", "bytes=x-y"):
            reply = self.get(Range=text)
            self.assertEqual(reply.status, 416, text)
            self.assertEqual(reply.headers["content-range"], f"bytes */{size}", text)

    def several_ranges_are_the_whole(self):
        reply = self.get(Range="bytes=0-9,20-29")
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.body, self.whole.body)

    def if_range(self):
        etag, modified = self.whole.headers["etag"], self.whole.headers["last-modified"]
        for validator, status in ((etag, 206), ('"x"', 200), (modified, 206),
                                  (formatdate(0, usegmt=True), 200), (f"W/{etag}", 200)):
            reply = self.get(Range="bytes=5-9", If_Range=validator)
            self.assertEqual(reply.status, status, validator)
            self.assertEqual(reply.body, self.whole.body[5:10] if status == 206
                             else self.whole.body, validator)

    def conditions(self):
        etag, modified = self.whole.headers["etag"], self.whole.headers["last-modified"]
        long_ago = formatdate(0, usegmt=True)
        for headers, status in (
                ({"If_None_Match": etag}, 304), ({"If_None_Match": f'"a", {etag}'}, 304),
                ({"If_None_Match": '"other"'}, 200), ({"If_None_Match": "*"}, 304),
                ({"If_Modified_Since": modified}, 304), ({"If_Modified_Since": long_ago}, 200),
                ({"If_Match": etag}, 200), ({"If_Match": '"other"'}, 412),
                ({"If_Unmodified_Since": modified}, 200),
                ({"If_Unmodified_Since": long_ago}, 412)):
            reply = self.get(**headers)
            self.assertEqual(reply.status, status, headers)
            if status == 304:
                self.assertEqual(reply.body, b"")
                self.assertEqual(reply.headers["etag"], etag)
            elif status == 200:
                self.assertEqual(reply.body, self.whole.body)

    def head(self):
        reply = self.get(method="HEAD")
        self.assertEqual((reply.status, reply.body), (200, b""))
        for name in ("content-length", "etag", "last-modified", "content-type", "accept-ranges"):
            self.assertEqual(reply.headers[name], self.whole.headers[name], name)

    def other_methods(self):
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            reply = self.get(method=method)
            self.assertEqual(reply.status, 405, method)
            self.assertEqual(reply.headers["allow"], "GET, HEAD", method)

    def attachments(self):
        for file, saved in (("source.mp4/download=My_name-1.x", "My_name-1.x.mp4"),
                            ("source.mp4/download=source", "source.mp4")):
            reply = self.fetch(self.server, self.slug, file, Range="bytes=3-9")
            self.assertEqual(reply.status, 206)
            self.assertEqual(reply.body, self.whole.body[3:10])
            self.assertEqual(reply.headers["content-disposition"],
                             f'attachment; filename="{saved}"')
        reply = self.fetch(self.server, self.slug, "source.mp4/download", method="HEAD")
        self.assertRegex(reply.headers["content-disposition"],
                         r'^attachment; filename="Stream Record_ cam, [^"]*\.mp4"$')
        video = self.viewable(self.server)
        changed = self.api(self.server).patch(f"videos/{video['id']}", {"name": "M\u00e4rz \"1\""})
        self.assertEqual(changed.status, 200, changed.body)
        reply = self.fetch(self.server, self.slug, "source.mp4/download", method="HEAD")
        self.assertEqual(reply.headers["content-disposition"],
                         "attachment; filename=\"M__rz _1_.mp4\"; "
                         "filename*=UTF-8''M%C3%A4rz%20_1_.mp4")

    def raw_bytes(self):
        (path,) = (self.server.prefix / "data/videos").rglob(f"{self.slug}/source.mp4")
        on_disk = path.read_bytes()
        raw = self.fetch(self.server, self.slug, "source.media")
        self.assertEqual(raw.status, 200)
        self.assertEqual(raw.body, on_disk)
        part = self.fetch(self.server, self.slug, "source.media", Range="bytes=10-5000")
        self.assertEqual((part.status, part.body), (206, on_disk[10:5001]))

    def wrong_paths(self):
        for path in ("", f"{self.slug}/", f"{self.slug}/source.mp", "x/source.mp4",
                     f"{'0' * 32}/source.mp4", f"{self.slug.upper()}/source.mp4",
                     f"{self.slug}/source.mp4/download=.x", f"{self.slug}/source.mp4/download=a%20b",
                     f"{self.slug}/..%2f..%2f..%2f..%2fcatalog.db", f"{self.slug}/source.mp4%00",
                     f"{self.slug}/source.media/download"):
            # 400: nginx itself refuses a NUL, and what leads out of its root.
            self.assertEqual(self.api(self.server).get("/videos/" + path).status,
                             400 if "%00" in path or ".." in path else 404, path)


class OtherWaysToSend(DownloadTest):
    """What nginx does with the buffers must not change the bytes."""

    WAYS = {
        "plain": "sendfile on; aio threads;",
        "read": "sendfile off; aio off; output_buffers 2 8k;",
        "threads": "sendfile off; aio threads;",
        "chunked": "sendfile on; sendfile_max_chunk 64k;",
        "postponed": "sendfile on; postpone_output 4m;",
        "limited": "sendfile on; limit_rate 8m; limit_rate_after 100k;",
        "no-etag": "etag off;",
        "not-cut": "max_ranges 0;",
    }

    def test_every_way_sends_the_same_bytes(self):
        locations = "".join(
            f"location /{name}/ {{ rewrite ^/{name}/(.*)$ /{name}-files/$1 last; }}"
            f"location /{name}-files/ {{ {text} recording_files; }}"
            for name, text in self.WAYS.items())
        server = self.start_nginx(
            application=AUTO, http="location /streaming/ { recording_api; } "
            "location /videos/ { recording_files; }" + locations)
        slug = self.record(server, LONG)
        whole = self.fetch(server, slug).body
        api = self.api(server)
        for name in self.WAYS:
            with self.subTest(name):
                reply = api.get(f"/{name}/{slug}/source.mp4")
                self.assertEqual(reply.status, 200)
                self.assertEqual(reply.body, whole)
                for first, last in ((0, 199_999), (50_000, 250_000), (len(whole) - 9_000, 10 ** 12)):
                    reply = api.get(f"/{name}/{slug}/source.mp4", Range=f"bytes={first}-{last}")
                    cut = name != "not-cut"
                    self.assertEqual(reply.status, 206 if cut else 200)
                    self.assertEqual(reply.body, whole[first:last + 1] if cut else whole)
        self.assertNotIn("etag", api.get(f"/no-etag/{slug}/source.mp4").headers)

    @unittest.skipUnless(shutil.which("curl") and shutil.which("openssl"), "needs curl, openssl")
    def test_over_tls_and_http2(self):
        server = self.make_nginx(application=AUTO, http="""
            location /streaming/ { recording_api; }
            location /videos/ { recording_files; }
            listen unix:@prefix@/h2.sock http2;
            listen unix:@prefix@/tls.sock ssl;
            listen unix:@prefix@/h2tls.sock ssl http2;
            ssl_certificate @prefix@/cert.pem; ssl_certificate_key @prefix@/cert.pem;""")
        pem = str(server.prefix / "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x",
                        "-keyout", pem, "-out", pem + ".crt"], check=True, capture_output=True)
        with open(pem, "ab") as out, open(pem + ".crt", "rb") as crt:
            out.write(crt.read())
        server.start()
        slug = self.record(server, LONG)
        whole = self.fetch(server, slug).body
        for name, scheme, option in (("h2", "http", "--http2-prior-knowledge"),
                                     ("tls", "https", "--http1.1"), ("h2tls", "https", "--http2")):
            for span in (None, (0, 200_000), (100_000, 1_000_000)):
                with self.subTest(name, span=span):
                    command = ["curl", "-sSkf", option, "--unix-socket",
                               str(server.prefix / f"{name}.sock")]
                    if span:
                        command += ["-r", f"{span[0]}-{span[1]}"]
                    body = subprocess.run([*command, f"{scheme}://x/videos/{slug}/source.mp4"],
                                          check=True, capture_output=True).stdout
                    self.assertEqual(body, whole[span[0]:span[1] + 1] if span else whole)

    def test_behind_and_inside_other_requests(self):
        """auth_request in front, error_page behind, SSI around: the handler is one of many."""
        server = self.start_nginx(application=AUTO, http="""
            location /streaming/ { recording_api; }
            location /videos/ { recording_files; }
            location /guarded/ { auth_request /open; recording_files; }
            location /closed/ { auth_request /shut; recording_files; }
            location /explained/ { error_page 404 = /sorry; recording_files; }
            location /again/ { error_page 404 /videos/@slug@/source.mp4; recording_files; }
            location = /open { return 204; }
            location = /shut { return 403; }
            location = /sorry { return 200 sorry; }
            location /page { ssi on; ssi_types *; root @prefix@; }
            """.replace("@slug@", "$arg_slug"))
        slug = self.record(server)
        api = self.api(server)
        whole = self.fetch(server, slug).body
        self.assertEqual(api.get(f"/guarded/{slug}/source.mp4").body, whole)
        self.assertEqual(api.get(f"/guarded/{slug}/source.mp4", Range="bytes=5-9").body, whole[5:10])
        self.assertEqual(api.get(f"/closed/{slug}/source.mp4").status, 403)
        self.assertEqual(api.get(f"/explained/{'0' * 32}/source.mp4").body, b"sorry")
        again = api.get(f"/again/{'0' * 32}/source.mp4?slug={slug}")
        self.assertEqual((again.status, again.body), (404, whole))
        include = f'<!--# include virtual="/videos/{slug}/source.mp4" -->'
        (server.prefix / "page").write_text(f"<{include}|{include}>", encoding="ascii")
        page = api.get("/page")
        self.assertEqual(page.body, b"<" + whole + b"|" + whole + b">")


class GrowingVideo(DownloadTest):
    def test_a_prefix_that_plays_and_an_etag_that_changes(self):
        server = self.start_nginx(application=AUTO, workers=2)
        slug, publisher = self.recording_in_progress(server)
        first = self.fetch(server, slug)
        self.assertEqual(first.status, 200)
        path = server.prefix / "growing.mp4"
        path.write_bytes(first.body)
        self.assertEqual(probe_warnings(path), "")
        self.assertLess(parsedate_to_datetime(first.headers["last-modified"]).timestamp(),
                        time.time())

        def longer():
            reply = self.fetch(server, slug)
            return reply if len(reply.body) > len(first.body) else None
        second = wait_for(longer, 10, "another fragment")
        self.assertTrue(second.body.startswith(first.body))
        self.assertNotEqual(first.headers["etag"], second.headers["etag"])
        # What a client has begun to load cannot be continued by date, and not by an old tag.
        for validator in (second.headers["last-modified"], first.headers["etag"]):
            reply = self.fetch(server, slug, Range="bytes=0-9", If_Range=validator)
            self.assertEqual(reply.status, 200, validator)
        raw = self.fetch(server, slug, "source.media")
        self.assertTrue(raw.body.startswith(second.body))
        publisher.stop()
        wait_for(lambda: self.viewable(server), what="finished")
        finished = self.fetch(server, slug)
        self.assertNotIn(finished.headers["etag"], (first.headers["etag"], second.headers["etag"]))
        self.assertNotEqual(finished.headers["last-modified"], second.headers["last-modified"])
        self.assertNotEqual(finished.body[:len(first.body)], first.body)

    def test_a_download_ends_as_it_began_although_the_recording_is_finished(self):
        server = self.start_nginx(application=AUTO, http="""
            location /streaming/ { recording_api; }
            location /videos/ { recording_files; }
            location /slow/ { limit_rate 20k; recording_files; }""")
        slug, publisher = self.recording_in_progress(server)
        wait_for(lambda: len(self.fetch(server, slug).body) > 100_000, what="100 kB")
        before = self.fetch(server, slug)
        connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=60)
        self.addCleanup(connection.close)
        connection.request("GET", f"/slow/{slug}/source.mp4")
        answer = connection.getresponse()
        length = int(answer.headers["content-length"])
        body = answer.read(100)
        publisher.stop()
        wait_for(lambda: self.viewable(server), what="finished, and moved to the storage")
        self.assertNotEqual(self.fetch(server, slug).body[:length], before.body)
        body += answer.read()
        self.assertEqual(len(body), length)
        self.assertTrue(body.startswith(before.body))

    def test_deleted_videos_are_gone(self):
        server = self.start_nginx(application=AUTO, workers=2)
        slug = self.record(server)
        for _ in range(10):  # each worker has it open now
            self.assertEqual(self.fetch(server, slug).status, 200)
        api = self.api(server)
        self.assertIn(api.delete(f"videos/{self.viewable(server)['id']}").status, (200, 204))
        wait_for(lambda: all(self.fetch(server, slug).status == 404 for _ in range(10)),
                 what="404 from every worker")


class ImpatientClients(DownloadTest):
    """Clients that leave at every stage, and those that read slowly, harm nobody."""

    def test_leaving_early(self):
        server = self.start_nginx(application=AUTO, http="""
            access_log @prefix@/access.log;
            location /streaming/ { recording_api; }
            location /videos/ { recording_files; }
            location /slow/ { limit_rate 300k; recording_files; }""")
        slug = self.record(server, LONG)
        whole = hashlib.sha256(self.fetch(server, slug).body).hexdigest()
        numbers = random.Random(2)
        for number in range(150):
            prefix = "slow" if number % 3 == 0 else "videos"
            file = numbers.choice(("source.mp4", "source.mp4/download", "source.media"))
            if number % 10 == 0:  # what no worker has open: catalogue and file are asked
                file, prefix = f"../{numbers.randrange(16 ** 32):032x}/source.mp4", "videos"
            self.leave(server, f"/{prefix}/{slug}/{file}",
                       read=numbers.choice((0, 0, 1, 1000, 20_000, 150_000, 500_000)),
                       reset=number % 2 == 0)
        again = self.fetch(server, slug)
        self.assertEqual(hashlib.sha256(again.body).hexdigest(), whole)
        log = (server.prefix / "access.log").read_text()
        self.assertRegex(log, r'" 200 \d+ ')

    def leave(self, server, path, read, reset):
        with socket.create_connection(("127.0.0.1", server.http_port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                           .encode())
            while read > 0:
                got = len(client.recv(min(read, 65536)))
                read = read - got if got else 0
            if reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def test_slow_and_many(self):
        server = self.start_nginx(application=AUTO, workers=2)
        slug = self.record(server, LONG)
        whole = self.fetch(server, slug).body
        failures = []

        def load(seed):
            numbers = random.Random(seed)
            with socket.create_connection(("127.0.0.1", server.http_port)) as client:
                client.settimeout(60)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 131072)
                client.sendall(f"GET /videos/{slug}/source.mp4 HTTP/1.1\r\nHost: x\r\n"
                               "Connection: close\r\n\r\n".encode())
                received = bytearray()
                while part := client.recv(numbers.randrange(1, 65536)):
                    received += part
                    if numbers.random() < 0.02:
                        time.sleep(0.01)
            if received.partition(b"\r\n\r\n")[2] != whole:
                failures.append(seed)
        threads = [threading.Thread(target=load, args=(seed,)) for seed in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_a_client_that_stops_reading_is_let_go(self):
        server = self.start_nginx(application=AUTO, http="""
            access_log @prefix@/access.log; send_timeout 1s;
            location /streaming/ { recording_api; }
            location /videos/ { recording_files; }""")
        slug = self.record(server, LONG)
        with socket.create_connection(("127.0.0.1", server.http_port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(f"GET /videos/{slug}/source.mp4 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            wait_for(lambda: re.search("client timed out", server.log_text()), 20, "a time-out")


if __name__ == "__main__":
    unittest.main()
