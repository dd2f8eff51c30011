"""Server-sent events of the API: from any worker, of any generation."""
import http.client
import json
import socket
import threading

from tests.integration.support import Api, wait_for
from tests.integration.support.recording import RecordingTest

BY_HAND = "live on; recording on; recording_min_duration 0; recording_reconnect_window 30s;"


class Listener:
    """Reads events in a thread: `events` has (name, data) of all that came."""

    def __init__(self, test, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.connection.request("GET", "/streaming/events")
        self.reply = self.connection.getresponse()
        self.events, self.ended = [], False
        threading.Thread(target=self._read, daemon=True).start()
        test.addCleanup(self.close)

    def close(self):
        try:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        except (OSError, AttributeError):
            pass

    def _read(self):
        name = None
        try:
            for line in self.reply:
                text = line.decode().rstrip("\n")
                if text.startswith("event: "):
                    name = text[7:]
                elif text.startswith("data: "):
                    self.events.append((name, json.loads(text[6:])))
            self.ended = True  # in order: with the last chunk
        except (OSError, http.client.HTTPException, ValueError):
            pass

    def wait(self, name, fits=lambda data: True):
        def found():
            return next(([data] for kind, data in self.events if kind == name and fits(data)), None)
        return wait_for(found, 20, f"an event {name}; there were {self.events[-3:]}")[0]


class Events(RecordingTest):
    def listen(self, server):
        return Listener(self, server.http_port)

    def test_every_worker_tells_of_a_recording(self):
        server = self.start_nginx(application=BY_HAND, workers=3)
        listeners = [self.listen(server) for _ in range(8)]  # more than one worker gets one of
        for listener in listeners:
            headers = listener.reply.headers
            self.assertEqual((listener.reply.status, headers["content-type"],
                              headers["cache-control"], headers["x-accel-buffering"]),
                             (200, "text/event-stream", "no-store", "no"))
            state = listener.wait("state")
            self.assertEqual(state["streams"], [])
            self.assertIn("free_bytes", state["space"])
        publisher = self.publish(server, "cam")
        for listener in listeners:
            live = listener.wait("stream", lambda stream: stream["live"] and stream["bit_rate"])
            self.assertEqual((live["app"], live["name"], live["width"], live["recording"]),
                             ("live", "cam", 320, None))
        api = Api(server.http_port)
        api.put("streams/live/cam/start_recording")
        for listener in listeners:
            first = listener.wait("stream", lambda stream: (stream["recording"] or {}).get(
                "state") == "active")["recording"]
            listener.wait("stream", lambda stream: stream["recording"] and (
                stream["recording"]["duration_seconds"] > first["duration_seconds"]))
        publisher.kill()
        for listener in listeners:
            gone = listener.wait("stream", lambda stream: stream["recording"] and (
                stream["recording"]["state"] == "interrupted"))
            self.assertFalse(gone["live"])
            self.assertLessEqual(gone["recording"]["window_left_seconds"], 30)
            listener.wait("stream", lambda stream: stream["recording"] and (
                (stream["recording"]["window_left_seconds"] or 99)
                < gone["recording"]["window_left_seconds"]))
        api.put("streams/live/cam/stop_recording")
        for listener in listeners:
            self.assertEqual(listener.wait("stream_gone"), {"app": "live", "name": "cam"})

    def test_a_change_in_the_catalogue_is_told_whoever_made_it(self):
        server = self.start_nginx(application=BY_HAND, workers=3)
        listeners = [self.listen(server) for _ in range(8)]
        api = Api(server.http_port)
        seen = [listener.wait("catalog")["version"] for listener in listeners]
        stream = api.post("streams", {"name": "new"}).json["id"]
        for listener, before in zip(listeners, seen):
            listener.wait("catalog", lambda data, before=before: data["version"] != before)
        # One who comes later is told what is.
        last = {listener.events[-1][1].get("version") for listener in listeners}
        api.delete(f"streams/{stream}")
        for listener in listeners:
            listener.wait("catalog", lambda data: data["version"] not in last)

    def test_ends_when_the_worker_drains(self):
        server = self.start_nginx(application=BY_HAND, workers=2)
        listeners = [self.listen(server) for _ in range(4)]
        for listener in listeners:
            listener.wait("state")
        before = server.workers()
        server.reload()
        wait_for(lambda: all(listener.ended for listener in listeners), 20, "all are ended in order")
        wait_for(lambda: not set(before) & set(server.workers(shutting_down=True)), 20,
                 "the old workers have left")
        self.listen(server).wait("state")

    def test_many_and_slow_ones_are_bounded(self):
        server = self.start_nginx(application=BY_HAND, workers=1)
        silent = []
        for _ in range(128):
            each = socket.create_connection(("127.0.0.1", server.http_port))
            self.addCleanup(each.close)
            each.sendall(b"GET /streaming/events HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn(b"200 OK", each.recv(64))
            silent.append(each)
        api = Api(server.http_port)
        refused = api.get("events")
        self.assertEqual((refused.status, refused.code, refused.headers["retry-after"]),
                         (503, "too_many_watchers", "5"))
        for each in silent:
            each.close()
        wait_for(lambda: Api(server.http_port).request("HEAD", "events").status == 200, 20,
                 "there is room again")
        listener = wait_for(lambda: (one := self.listen(server)).reply.status == 200 and one, 20,
                            "there is room again")
        listener.wait("state")

    def test_other_methods(self):
        server = self.start_nginx()
        api = Api(server.http_port)
        self.assertEqual(api.request("HEAD", "events").headers["content-type"], "text/event-stream")
        refused = api.post("events", {})
        self.assertEqual((refused.status, refused.headers["allow"]), (405, "GET, HEAD"))
        self.assertEqual(api.get("events/x").status, 404)
