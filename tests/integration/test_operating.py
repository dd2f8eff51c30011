"""What those who run it look at: metrics, space, and videos that go."""
import concurrent.futures
import os
import socket
import time
import unittest

from tests.integration.support import AT_ONCE, AUTOMATIC, Api, test_clip, wait_for
from tests.integration.support.live import LiveTest
from tests.integration.support.metrics import parse_metrics

METRICS = """
    location /streaming/ { recording_api; }
    location /videos/ { recording_files; }
    location = /metrics { recording_metrics; }"""


class Metrics(LiveTest):
    def metrics(self, server):
        reply = Api(server.http_port).request("GET", "/metrics")
        self.assertEqual((reply.status, reply.headers["content-type"]),
                         (200, "text/plain; version=0.0.4; charset=utf-8"))
        found = parse_metrics(reply.body.decode())
        return {name.removeprefix("nginx_recording_"): value for name, value in found.items()}

    def wait_metric(self, server, name, value):
        wait_for(lambda: self.metrics(server)[name] == value, 20, f"{name} is {value}")

    def test_counted_over_workers_their_death_and_reloads(self):
        free = os.statvfs("/tmp")
        min_free = free.f_bavail * free.f_frsize // 4 * 3
        server = self.start_nginx(
            workers=2, http=METRICS,
            application="live on; recording on; auto_record on; recording_reconnect_window 0; "
                        "recording_min_duration 2s;",
            recording=f"storage @prefix@/data/videos; min_free {min_free // 1024}k;")
        self.assertEqual(self.metrics(server)["active"], 0)
        self.assertEqual(self.send(server, "a", test_clip(seconds=4)).wait(), 0)
        [video] = self.wait_ended(server)
        seen = self.metrics(server)
        for _ in range(8):  # of whichever worker
            self.assertEqual(self.metrics(server)["bytes_total"], video["origin_size"])
        self.assertEqual([seen[name] for name in (
            'interruptions_total{result="ended"}', 'interruptions_total{result="resumed"}',
            'discarded_total{reason="too_short"}', "finalize_seconds_count", "write_errors_total",
            "active", "buffer_bytes")], [1, 0, 0, 1, 0, 0, 0])
        self.assertGreaterEqual(seen["write_seconds_count"], 1)
        self.assertGreater(seen["free_bytes"], min_free)

        publisher = self.publish(server, "b")
        self.wait_metric(server, "active", 1)
        for pid in server.workers():
            server.kill_worker(pid)
        publisher.kill()
        self.wait_ended(server, 2)
        self.wait_metric(server, "active", 0)
        server.reload()
        self.assertEqual(self.send(server, "c", test_clip(seconds=1)).wait(), 0)
        videos = self.wait_ended(server, 3)
        self.assertEqual(videos[-1]["error"], "too_short")
        now = self.metrics(server)
        self.assertEqual(now['discarded_total{reason="too_short"}'],
                         sum(v["error"] == "too_short" for v in videos))
        self.assertEqual(now["finalize_seconds_count"], sum(not v["error"] for v in videos))
        self.assertGreater(now["bytes_total"], sum(v["origin_size"] for v in videos))
        self.assertGreaterEqual(now["write_seconds_count"], seen["write_seconds_count"])
        self.check_space(server, min_free)
        self.assertEqual(Api(server.http_port).request("POST", "/metrics").status, 405)

    def check_space(self, server, min_free):
        """More than min_free, but less than twice as much: a warning, and all goes on."""
        api = Api(server.http_port)
        space = api.get("space").json
        self.assertEqual((space["min_free_bytes"], space["low"]), (min_free // 1024 * 1024, True))
        self.assertEqual(set(space), {"free_bytes", "min_free_bytes", "bytes_per_second",
                                      "left_seconds", "low"})
        [event] = self.events(server, "space.low")
        self.assertEqual(event["min_free_bytes"], space["min_free_bytes"])
        self.assertGreater(event["free_bytes"], min_free)
        self.publish(server, "d")
        stream = self.wait_live(server, "d")
        started = api.put(f"streams/{stream['id']}/start_recording")
        self.assertEqual(started.status, 200, started.body)
        [warning] = started.json["warnings"]
        self.assertEqual(warning["code"], "space_low")


class Deleting(LiveTest):
    def start_download(self, server, video):
        """Goes on for some 10 s."""
        client = socket.create_connection(("127.0.0.1", server.http_port))
        self.addCleanup(client.close)
        client.sendall(f"GET /slow/{video['slug']}/source.mp4 HTTP/1.0\r\n\r\n".encode())
        return client, client.recv(1000)

    @staticmethod
    def finish(download):
        client, got = download
        client.settimeout(30)
        while piece := client.recv(65536):
            got += piece
        return got.partition(b"\r\n\r\n")[2]

    def assert_gone(self, server, video):
        api = Api(server.http_port)
        self.assertEqual(api.get(f"videos/{video['id']}").status, 404)
        for _ in range(6):
            self.assertEqual(api.get(f"/videos/{video['slug']}/source.mp4").status, 404)
        self.assertNotIn(video["slug"], "".join(str(path) for path in self.in_storage(server)))
        [event] = [e for e in self.events(server, "video.deleted")
                   if e["video_id"] == video["id"]]
        self.assertEqual((event["recording_id"], event["size"]),
                         (video["slug"], video["origin_size"]))
        return event["reason"]

    def test_once_also_while_it_is_downloaded_and_by_age(self):
        slow = "location /slow/ { limit_rate 40k; recording_files; }"
        common = "storage @prefix@/data/videos; min_free 0; runtime @runtime@; "
        conf = """worker_processes 2; recording { %s }
            rtmp { server { listen 127.0.0.1:@rtmp_port@; application live { %s } } }
            http { access_log off; sendfile on; aio threads;
                server { listen 127.0.0.1:@http_port@; %s } }"""
        server = self.start_nginx(conf=conf % (common, AUTOMATIC, METRICS + slow))
        for name in ("a", "b"):
            self.assertEqual(self.send(server, name, test_clip(seconds=4)).wait(), 0)
        first, second = self.wait_ended(server, 2)
        whole = [Api(server.http_port).get(f"/videos/{v['slug']}/source.mp4").body
                 for v in (first, second)]
        downloads = [self.start_download(server, video) for video in (first, second)]
        with concurrent.futures.ThreadPoolExecutor(8) as clients:
            answers = list(clients.map(
                lambda _: Api(server.http_port).delete(f"videos/{first['id']}").status, range(8)))
        self.assertEqual(sorted(answers), [204] + [404] * 7)
        self.assertEqual(self.assert_gone(server, first), "requested")
        self.assertEqual(Api(server.http_port).get(f"videos/{second['id']}").status, 200)

        server.write_conf(conf % (common + "keep 1s;", AUTOMATIC, METRICS + slow))
        server.reload()
        wait_for(lambda: not self.videos(server), 30, "the other one is old enough")
        wait_for(lambda: not self.in_storage(server), 30, "its file is gone")
        self.assertEqual(self.assert_gone(server, second), "keep")
        self.assertEqual([self.finish(download) for download in downloads], whole)


if __name__ == "__main__":
    unittest.main()
