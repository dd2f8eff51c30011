"""Killing nginx at an instant nobody chose, and seeing what is left."""
import collections
import os
import pathlib
import signal
import tempfile

from .flv import flv_messages, fnv1a, message_sample, mp4_samples

Logged = collections.namedtuple("Logged", "session kind timestamp size hash")


class MessageLog:
    """What nginx-rtmp handed to the module, written by the module built with RECORDING_TESTING."""

    main = "env RECORDING_MESSAGE_LOG;"

    def __init__(self):
        handle, path = tempfile.mkstemp(prefix="recording-messages-", dir="/dev/shm")
        os.close(handle)
        self.path = pathlib.Path(path)
        self.path.chmod(0o666)  # written by the workers
        self.environment = {"RECORDING_MESSAGE_LOG": path}

    def remove(self):
        self.path.unlink(missing_ok=True)

    def clear(self):
        os.truncate(self.path, 0)

    def read(self):
        """Whole lines only."""
        text = self.path.read_text(encoding="ascii")
        lines = text[:text.rfind("\n") + 1].splitlines()
        return [Logged(*line.split()) for line in lines]


class Samples:
    """Finds the sample of a logged message among the messages of a source."""

    def __init__(self, *sources):
        self._by_hash = {}
        for source in sources:
            for message in flv_messages(source):
                self._by_hash[f"{fnv1a(message.body):016x}"] = message_sample(message)

    def of(self, logged):
        """{"v": [sample], "a": [sample]}; every message must be one that was sent."""
        result = {"v": [], "a": []}
        for row in logged:
            sample = self._by_hash[row.hash]
            if sample is not None:
                result[row.kind].append(sample)
        return result


def lost_samples(expected, path, last):
    """What is wrong with the file: every sample in order, but that of `last`, which may be there
    or not. Empty when nothing is."""
    saved = mp4_samples(path)
    said = []
    for kind in "va":
        want, have = expected[kind], saved[kind]
        if have == want or (kind == last and have == want[:-1]):
            continue
        same = 0
        while same < min(len(want), len(have)) and want[same] == have[same]:
            same += 1
        said.append(f"{kind}: {len(want)} were handed over, {len(have)} are in the file, the "
                    f"first difference is at {same}")
    return said


def kill_all(server):
    """kill -9 of master and workers, as when the machine's memory ran out."""
    server.allow(r"exited on signal 9")
    for pid, _ in list(server._session()):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    server.process.wait()
