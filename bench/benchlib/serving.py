"""Rows 9, 10, 11 and 17: what viewers and callers notice while something is recorded."""
import contextlib
import json
import os
import shutil
import socket
import statistics
import threading
import time

from . import process
from .publisher import Publisher
from .rows import FAST, MB, Row, span, verdict
from .servers import INGEST, OURS, Server
from .trial import LOW

HOURS = 4
MS = 1000


class Client:
    """One connection that is kept: what is timed is the server's work, not a handshake."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray(1 << 20)

    def ask(self, path, method="GET", **headers):
        """(status, s until the first byte, s until the last one, body bytes, the last piece)"""
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        began = time.perf_counter()
        self.socket.sendall(f"{method} {path} HTTP/1.1\r\nHost: bench\r\n{lines}\r\n".encode())
        got = self.socket.recv(1 << 16)
        first = time.perf_counter() - began
        while b"\r\n\r\n" not in got:
            got += self.socket.recv(1 << 16)
        head, _, body = got.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        expected, received = int(fields.get(b"content-length", 0)), len(body)
        while received < expected:
            count = self.socket.recv_into(self.buffer)
            if count == 0:
                raise RuntimeError(f"{path}: cut off after {received} bytes")
            if expected < len(self.buffer):
                body += self.buffer[:count]
            received += count
        return int(head.split()[1]), first, time.perf_counter() - began, received, bytes(body)

    def json(self, path, method="GET"):
        status, _, _, _, body = self.ask(path, method)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {body[:200]}")
        return json.loads(body) if body else None


@contextlib.contextmanager
def pinging(port):
    """Asks the worker for nothing, over and over: how late it answers is how long its loop was away."""
    delays, done = [], threading.Event()

    def ask():
        client = Client(port)
        while not done.is_set():
            delays.append(client.ask("/ping")[1])
            time.sleep(0.001)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield delays
    finally:
        done.set()
        thread.join()


def forget_cache(path):
    """The file's pages leave memory: what reads it next reads the disk."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def first_bytes(port, path, times, **headers):
    """ms until the first byte came; each on a connection of its own, so that nothing is left over."""
    found = []
    for _ in range(times):
        client = Client(port)
        status, first, *_ = client.ask(path, **headers)
        client.socket.close()
        if status not in (200, 206):
            raise RuntimeError(f"{path}: {status}")
        found.append(first * MS)
    return found


def long_recording(machine, wanted, rounds, say):
    """Rows 9, 10 and 11, on one recording of four hours."""
    rows = []
    with Server(OURS, machine.settings, http=True) as server:
        options = ("--speed", FAST, "--duration", HOURS * 3600, "--hold", 60)
        with Publisher(machine.settings, server.port, machine.clip("0.3M"), options=options) as publisher:
            publisher.wait_for("done", times=1)
            api = Client(server.http_port)
            [stream] = api.json("/streaming/streams")
            time.sleep(2)  # what was under way is written
            [video] = api.json("/streaming/videos")
            recording = video["status"]
            source = f"/videos/{video['slug']}/source.mp4"
            clip = f"{source}?from={HOURS * 1800}&to={HOURS * 1800 + 10}"
            growing = first_bytes(server.http_port, clip, 1)
            [path] = server.recordings()
            forget_cache(path)
            with pinging(server.http_port) as delays:
                api.json(f"/streaming/streams/{stream['id']}/stop_recording", "PUT")
                stopped = time.perf_counter()
                while api.json(f"/streaming/videos/{video['id']}")["status"] == recording:
                    time.sleep(0.001)
                status, *_ = api.ask(source, Range="bytes=0-0")
                waited = (time.perf_counter() - stopped) * MS
                if status != 206:
                    raise RuntimeError(f"{source}: {status}")
            publisher.finish()
        stall = max(delays) * MS
        if 9 in wanted:
            rows.append(Row("9", "stop of a 4 h recording -> first byte of its download, cold",
                            f"{waited:.1f} ms", "-", "<= 50 ms", verdict(waited, 50),
                            [f"{len(delays)} answers to /ping of the same worker meanwhile"]))
            rows.append(Row("9", "longest stall of the event loop meanwhile", f"{stall:.1f} ms", "-",
                            "<= 5 ms", verdict(stall, 5),
                            [f"as a client sees it; its median was {statistics.median(delays) * MS:.2f} ms"]))
        finished = first_bytes(server.http_port, clip, rounds)
        for title, values in (("growing", growing), ("finished", finished)):
            rows.append(Row("clip", f"first byte of a 10 s clip out of 4 h, {title}",
                            f"{statistics.median(values):.1f} ms", "-", "<= 100 ms",
                            verdict(statistics.median(values), 100), [f"{span(values)} ms"]))
        if 11 in wanted:
            rows += downloads(server, source, rounds)
    for row in rows:
        say(f"{row.what}: {row.value}")
    return rows


def downloads(server, source, rounds):
    static = server.prefix / "static" / "source.mp4"
    static.parent.mkdir(exist_ok=True)
    [path] = server.recordings()
    shutil.copyfile(path, static)
    cost, speed = {"ours": [], "static": []}, {"ours": [], "static": []}
    for _ in range(rounds):
        for side, url in (("static", "/static/source.mp4"), ("ours", source)):
            client = Client(server.http_port)
            before = server.cpu()[1]
            _, _, seconds, size, _ = client.ask(url)
            cost[side].append((server.cpu()[1] - before) / (size / 1e9))
            speed[side].append(size / seconds / 1e9)
    middle = {side: statistics.median(values) for side, values in cost.items()}
    faster = {side: statistics.median(values) for side, values in speed.items()}
    ranges = [first_bytes(server.http_port, url, 20, Range=f"bytes={size // 2}-{size // 2 + 99}")
              for url in (source, "/static/source.mp4")]
    details = [f"{side}: {middle[side]:.3f} CPU s/GB ({span(cost[side])}), {faster[side]:.2f} GB/s "
               f"({span(speed[side])}), Range {statistics.median(times):.2f} ms (slowest {max(times):.2f})"
               for side, times in zip(("ours", "static"), ranges)]
    ratio, rate, late = (middle["ours"] / middle["static"], faster["ours"] / faster["static"],
                         statistics.median(ranges[0]))
    return [Row("11", "CPU of a download, against nginx's static file", f"{ratio:.2f} x", "1 x",
                "<= 1.05 x", verdict(ratio, 1.05), details),
            Row("11", "its throughput", f"{rate:.2f} x", "1 x", ">= 0.97 x", verdict(-rate, -0.97)),
            Row("11", "first byte of a Range in the middle of 4 h", f"{late:.2f} ms", "-", "<= 5 ms",
                verdict(late, 5))]


def loop_lag(machine, sides, say):
    """Row 17: how late the event loop is while a hundred streams are recorded."""
    p99, details, lost = {}, [], 0
    for side in sides:
        with Server(side, machine.settings, http=True) as server:
            with Publisher(machine.settings, server.port, machine.clip(LOW.clip),
                           LOW.connections) as publisher:
                publisher.wait_for("accepted")
                time.sleep(4)
                with pinging(server.http_port) as delays:
                    time.sleep(3 * machine.settings.seconds)
                sent = publisher.finish()[1]["messages"]
            if side == OURS:
                lost = sent - server.recorded_samples(LOW.connections, timeout=30)
        delays.sort()
        p99[side] = delays[len(delays) * 99 // 100] * MS
        details.append(f"{side}: median {statistics.median(delays) * MS:.2f}, p99 {p99[side]:.2f}, "
                       f"longest {delays[-1] * MS:.1f} ms of {len(delays)} answers")
    say(f"event loop: {'; '.join(details)}")
    what = "p99 of the event loop's answer while 100 streams are recorded"
    if OURS not in p99:
        return [Row("17", what, "-", f"{p99[INGEST]:.2f} ms", "<= 10 ms", "not measured", details)]
    return [Row("17", what, f"{p99[OURS]:.2f} ms", f"{p99[INGEST]:.2f} ms", "<= 10 ms",
                verdict(p99[OURS], 10, abs(lost)), details)]
