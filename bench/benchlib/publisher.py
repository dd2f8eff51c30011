"""Runs rtmp-publisher and hears what it says."""
import json
import signal
import subprocess


class Publisher:
    def __init__(self, settings, port, clip, connections=1, chunk=4096, options=()):
        # Starts spread over one GOP, as unrelated encoders' key frames are.
        self.connections = connections
        self.process = subprocess.Popen(
            [str(settings.publisher), "--port", str(port), "--flv", str(clip), "--loops", "0",
             "-n", str(connections), "--chunk-size", str(chunk), "--stagger", str(2 / connections),
             "--events", *map(str, options)], stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.stdout.close()
        self.process.wait()

    def wait_for(self, event, times=None):
        """Blocks until the event was heard (from every connection)."""
        left = times or self.connections
        for line in self.process.stdout:
            message = json.loads(line)
            left -= message.get("event") == event
            if left == 0:
                return
            if "summary" in message or (message.get("publish") and message["publish"] != "accepted"):
                raise RuntimeError(f"the publisher ended early: {line}")
        raise RuntimeError("the publisher ended early")

    def finish(self, stop=True):
        """Says goodbye; the reports of the connections, and the summary."""
        if stop:
            self.process.send_signal(signal.SIGTERM)
        reports = [json.loads(line) for line in self.process.stdout]
        code = self.process.wait()
        reports = [report for report in reports if "event" not in report]
        if code != 0:
            failed = [report for report in reports if report.get("error") or
                      report.get("closed_by_peer") or report.get("publish") == "refused"]
            raise RuntimeError(f"publishing failed: {failed[:3]}")
        return reports[:-1], reports[-1]["summary"]
