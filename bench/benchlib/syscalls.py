"""Counts the worker's writing system calls with strace, by what they write to."""
import collections
import pathlib
import re
import signal
import subprocess
import time

WRITES = ("write", "writev", "pwrite64", "pwritev", "pwritev2", "sendfile", "copy_file_range",
          "fallocate", "ftruncate")
SYNCS = ("fsync", "fdatasync", "sync_file_range", "msync")
LINE = re.compile(r"^(?:\[pid\s+\d+\]\s+|\d+\s+)?(\d+\.\d+)\s+(\w+)\((.*)$")
FD_PATH = re.compile(r"\d+<([^>]*)>")
OFFSET = re.compile(r",\s*(\d+)(?:,\s*0)?\)?\s*(?:=.*|<unfinished.*)?$")
HEAD_BYTES = 4096  # of a recording: everything before its first fragment


def trace(pid, seconds, folder, before=lambda: None):
    """Counter of (what, path kind) over `seconds`; None when the process cannot be traced."""
    out = pathlib.Path(folder) / "strace.out"
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-ttt", "-y", "-s", "0", "-e",
         "trace=" + ",".join(WRITES + SYNCS), "-o", str(out), "-p", str(pid)],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 5
    while not _traced(pid):
        if tracer.poll() is not None or time.monotonic() > deadline:
            tracer.kill()
            tracer.wait()
            return None
        time.sleep(0.05)
    before()
    begin = time.time()
    time.sleep(seconds)
    end = time.time()
    tracer.send_signal(signal.SIGINT)
    tracer.wait()
    return _count(out, begin, end)


def _traced(pid):
    for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        if "TracerPid:\t0\n" in status.read_text():
            return False
    return True


def _count(path, begin, end):
    counts = collections.Counter()
    with open(path, encoding="latin-1") as lines:
        for line in lines:
            match = LINE.match(line)
            if not match or not begin <= float(match[1]) < end:
                continue  # "resumed" lines have no parenthesis after the name: counted at their start
            call, arguments = match[2], match[3]
            target = FD_PATH.match(arguments)
            file = target[1] if target else "?"
            counts[_category(call, arguments, file)] += 1
    return counts


def _category(call, arguments, file):
    if call in SYNCS:
        return "sync"
    if not file.startswith("/") or file.startswith("/dev/null"):
        return "socket, pipe or eventfd"
    if file.endswith(".log"):
        return "log"
    if ".db" in pathlib.PurePath(file).name:
        return "catalogue"
    if file.endswith(".mp4") and call.startswith("pwrite"):
        offset = OFFSET.search(arguments)
        if offset and int(offset[1]) < HEAD_BYTES:
            return "head"
        return "media"
    return "media" if file.endswith((".mp4", ".flv")) else "other file"
