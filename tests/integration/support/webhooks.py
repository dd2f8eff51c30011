"""A receiver of webhooks, which may be down."""
import http.server
import json
import threading


class Receiver:
    """Events in the order in which they were taken; `status` is what it answers."""

    def __init__(self, port=0):
        self.events = []
        self.headers = []
        self.bodies = []
        self.status = 200
        self.tries = 0
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.tries += 1
                if receiver.status == 200:
                    receiver.events.append(json.loads(body))
                    receiver.headers.append(dict(self.headers))
                    receiver.bodies.append(body)
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def types(self, stream=None):
        return [event["type"] for event in self.events
                if stream is None or event["data"].get("stream") == stream]

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
