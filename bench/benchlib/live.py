"""Row 18: what live playback of a stream costs, and how soon it can be played."""
import http.client
import os
import pathlib
import shlex
import shutil
import statistics
import time

from . import process
from .publisher import Publisher
from .rows import Row, span, verdict
from .servers import EXEC_PUSH, LIVE, Server

CLIP = "6M"
SEGMENT = 2.0
MANIFEST = "manifest.mpd"
WARM_UP = 3 * SEGMENT  # nothing is behind any more
MS = 1000


def descendants(pid):
    found = []
    for child in process.children(pid):
        found += [child, *descendants(child)]
    return found


def encoder_of(server):
    """(pid, arguments) of the ffmpeg below the server's worker or, of exec_push, the master."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for pid in descendants(server.master.pid):
            arguments = process.name(pid).split(" ")
            if os.path.basename(arguments[0]) == "ffmpeg":
                raw = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
                return pid, raw.decode().split("\0")[:-1]
        time.sleep(0.05)
    raise RuntimeError(f"no ffmpeg runs:\n{server.log()}")


def first_playable(server, began):
    """Seconds until the master playlist is there; it comes when the media playlists are complete."""
    while time.monotonic() - began < 30:
        connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=5)
        connection.request("GET", "/videos/live/live/stream0/master.m3u8")
        status = connection.getresponse().status
        now = time.monotonic()
        connection.close()
        if status == 302:
            return now - began
        time.sleep(0.01)
    raise RuntimeError("nothing can be played after 30 s")


def wait_for_output(path, server):
    deadline = time.monotonic() + 30
    while not path.exists():
        if time.monotonic() > deadline:
            raise RuntimeError(f"exec_push makes nothing:\n{server.log()}")
        time.sleep(0.05)


def trial(machine, side):
    """(CPU s a second of worker and of ffmpeg, s until it can be played, ffmpeg's arguments)"""
    with Server(side, machine.settings, http=True) as server:
        with Publisher(machine.settings, server.port, machine.clip(CLIP)) as publisher:
            publisher.wait_for("accepted")
            began = time.monotonic()
            playable = first_playable(server, began) if side == LIVE else None
            if side == EXEC_PUSH:
                wait_for_output(machine.settings.work / "exec-push" / MANIFEST, server)
            encoder, arguments = encoder_of(server)
            time.sleep(max(0.0, WARM_UP - (time.monotonic() - began)))
            others = [pid for pid in descendants(server.worker) if pid != encoder]

            def spent():
                return (process.cpu_seconds(server.worker)[1]
                        + sum(process.cpu_seconds(pid)[1] for pid in others),
                        process.cpu_seconds(encoder)[1])

            before, start = spent(), time.monotonic()
            time.sleep(4 * machine.settings.seconds)
            after, wall = spent(), time.monotonic() - start
            publisher.finish()
    return (after[0] - before[0]) / wall, (after[1] - before[1]) / wall, playable, arguments


def write_script(machine, arguments):
    """What exec_push runs: the very same ffmpeg, which takes the stream over RTMP instead."""
    folder = machine.settings.work / "exec-push"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    at = arguments.index("pipe:0")
    port = Server.port_of(EXEC_PUSH, machine.settings)
    # In place of "-f flv -i pipe:0". Nobody reads its progress, and over RTMP it has to find out
    # what the tracks are.
    arguments = [*arguments[:at - 3], "-i", f"rtmp://127.0.0.1:{port}/live/stream0",
                 *arguments[at + 1:-1], str(folder / MANIFEST)]
    for option in ("-progress", "-analyzeduration", "-fpsprobesize"):
        if option in arguments:
            at = arguments.index(option)
            arguments[at:at + 2] = []
    script = machine.settings.work / "exec-push.sh"
    script.write_text("#!/bin/sh\nexec " + shlex.join(arguments) + " > /dev/null 2>&1\n")
    script.chmod(0o755)


def rows(machine, rounds, say):
    results = {LIVE: [], EXEC_PUSH: []}
    for number in range(rounds):
        for side in (LIVE, EXEC_PUSH):
            worker, encoder, playable, arguments = trial(machine, side)
            if side == LIVE:
                write_script(machine, arguments)  # for the other side, which comes next
            results[side].append((worker, encoder, playable))
            say(f"round {number + 1}/{rounds}: {side:12} worker {100 * worker:.1f} %, ffmpeg "
                f"{100 * encoder:.1f} % of a core"
                + (f", playable after {playable:.2f} s" if playable else ""))
    total = {side: [worker + encoder for worker, encoder, _ in trials]
             for side, trials in results.items()}
    ratio = statistics.median(total[LIVE]) / statistics.median(total[EXEC_PUSH])
    share = statistics.median(worker / (worker + encoder) for worker, encoder, _ in results[LIVE])
    playable = statistics.median(seconds for _, _, seconds in results[LIVE])
    details = [f"{side}: CPU of a core, median {100 * statistics.median(costs):.1f} % "
               f"[{100 * min(costs):.1f}..{100 * max(costs):.1f}]" for side, costs in total.items()]
    details.append("ratio in each round: " + span([a / b for a, b in zip(total[LIVE],
                                                                         total[EXEC_PUSH])]))
    details.append(f"one stream of {CLIP}bit/s 720p30, copied and as 480p; segments of {SEGMENT:g} s; "
                   "both sides run ffmpeg with the same arguments behind the input")
    return [Row("18", "CPU of a live stream, worker and ffmpeg, against exec_push ffmpeg -i rtmp://",
                f"{ratio:.2f} x", "-", "<= 1.0 x", verdict(ratio, 1.0), details),
            Row("18", "the worker's (and launcher's) share of it", f"{100 * share:.1f} %", "-",
                "<= 5 %", verdict(share, 0.05)),
            Row("18", "first key frame until the first playable playlist", f"{playable * MS:.0f} ms",
                f"{SEGMENT * MS:.0f} ms", f"<= {SEGMENT * MS + 500:.0f} ms",
                verdict(playable, SEGMENT + 0.5),
                [f"in each round: {span([seconds for _, _, seconds in results[LIVE]])} s"])]
