"""Events are told to webhooks: all of them, in order, whatever dies in between."""
import hashlib
import hmac

from tests.integration.support import AUTOMATIC, test_clip, wait_for
from tests.integration.support.live import LiveTest
from tests.integration.support.nginx import take_port
from tests.integration.support.webhooks import Receiver

STORAGE = "storage @prefix@/data/videos; min_free 1m; "
LIFE = ["stream.started", "recording.started", "stream.ended", "recording.completed",
        "video.viewable"]


class Webhooks(LiveTest):
    def receiver(self, port=0):
        receiver = Receiver(port)
        self.addCleanup(receiver.stop)
        return receiver

    def record(self, server, name, seconds=1):
        """A broadcast that ends; its video's id."""
        before = {video["id"] for video in self.videos(server)}
        self.assertEqual(self.send(server, name, test_clip(seconds=seconds)).wait(), 0)
        return wait_for(lambda: [v["id"] for v in self.videos(server)
                                 if v["id"] not in before and v["status"] in ("viewable", "ready")],
                        30, "the video")[0]

    def wait_types(self, receiver, stream, types):
        wait_for(lambda: len(receiver.types(stream)) >= len(types), 30, f"events of {stream}")
        told = [one for one in receiver.types(stream) if one in types]
        self.assertEqual(told, types)

    def test_each_is_told_in_order_with_a_signature_and_a_dead_one_delays_no_other(self):
        good, picky = self.receiver(), self.receiver()
        port, claim = take_port()
        self.addCleanup(claim.close)
        server = self.start_nginx(
            workers=2, worker=1,
            application=AUTOMATIC,
            recording=STORAGE + f"webhook {good.url} secret=s3cret; webhook {picky.url} secret=x; "
                                f"webhook http://127.0.0.1:{port}/ secret=x;")
        picky.status = 500
        for name in ("a", "b"):
            self.record(server, name)
        for name in ("a", "b"):
            self.wait_types(good, name, LIFE)
        for headers, body in zip(good.headers, good.bodies):
            self.assertEqual(headers["X-Recording-Signature"],
                             "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest())
            self.assertEqual(headers["Content-Type"], "application/json")
        completed = next(e for e in good.events if e["type"] == "recording.completed")
        self.assertEqual(completed["data"]["reason"], "unpublished")
        self.assertGreater(completed["data"]["size"], 1000)
        self.assertGreater(picky.tries, 0)
        self.assertEqual(picky.events, [])
        picky.status = 200
        for name in ("a", "b"):
            self.wait_types(picky, name, LIFE)
        # The one that is down for good is said once, and no secret is in any log.
        self.assertIn(f"webhook http://127.0.0.1:{port}/", server.log_text())
        self.assertNotIn("s3cret", server.log_text())

    def test_down_for_the_whole_time_and_everything_killed(self):
        port, claim = take_port()
        server = self.start_nginx(
            workers=2, worker=1,
            application=AUTOMATIC,
            recording=STORAGE + f"webhook http://127.0.0.1:{port}/hook secret=x;")
        first = self.record(server, "a")
        for pid in server.workers():
            server.kill_worker(pid)
        self.record(server, "a")
        server.reload()
        self.record(server, "b")
        self.assertEqual(self.api(server).request("DELETE", f"videos/{first}").status, 204)
        server.stop()
        server.start()
        self.record(server, "a")
        claim.close()
        receiver = self.receiver(port)
        self.wait_types(receiver, "b", LIFE)
        wait_for(lambda: receiver.types("a").count("video.viewable") == 3 and
                 "video.deleted" in receiver.types(), 90, "all events")
        told = [one for one in receiver.types("a") if one in LIFE]
        self.assertEqual(told, LIFE * 3)
        ids = [event["id"] for event in receiver.events]
        self.assertEqual(len(ids), len(set(ids)))
        times = [event["created_at"] for event in receiver.events
                 if event["data"].get("stream") == "a"]
        self.assertEqual(times, sorted(times))
