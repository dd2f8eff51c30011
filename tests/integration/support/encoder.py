"""An encoder whose every message is known, over a network that may go silent."""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import time

from .flv import flv_messages, fnv1a, message_sample, mp4_samples
from .rtmp import rtmp_publisher, written_to
from .wait import wait_for

_samples_of_source = {}
_lock = threading.Lock()


def samples_by_hash(source):
    """{hash of the message: its sample, None for a header}."""
    with _lock:
        if source not in _samples_of_source:
            _samples_of_source[source] = {
                f"{fnv1a(message.body):016x}": message_sample(message)
                for message in flv_messages(source)}
        return _samples_of_source[source]


class Encoder:
    """rtmp-publisher, connecting again until it is let in. `network`: where it runs."""

    def __init__(self, server, name, source, *options, app="live", network=None):
        self.source = source
        handle, path = tempfile.mkstemp(prefix="recording-sent-")
        os.close(handle)
        self.log = pathlib.Path(path)
        host = network.server_address if network else "127.0.0.1"
        self._command = [*(network.prefix if network else ()), str(rtmp_publisher()), "--host",
                         host, "--port", str(server.rtmp_port), "--app", app, "--name", name,
                         "--flv", str(source), "--log", path, "--events", *map(str, options)]
        self.process = None
        self.attempts = 0
        self.connect()

    def connect(self):
        self.attempts += 1
        self._out = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=self._out,
                                        stderr=subprocess.STDOUT)

    def output(self):
        return written_to(self._out)

    @property
    def running(self):
        return self.process.poll() is None

    def wait_accepted(self, timeout=20):
        """An encoder tries again until it is let in; the time (monotonic) when it was."""
        deadline = time.monotonic() + timeout
        while '"event":"accepted"' not in self.output():
            if time.monotonic() > deadline:
                raise AssertionError(f"not accepted in {timeout} s: {self.output()}")
            if not self.running:
                time.sleep(0.1)
                self.connect()
            time.sleep(0.01)
        return time.monotonic()

    def wait(self, timeout=60):
        return self.process.wait(timeout)

    def kill(self):
        if self.running:
            self.process.kill()
        self.process.wait()

    def stop(self):
        if self.running:
            self.process.terminate()
        self.process.wait(20)

    def remove(self):
        self.kill()
        self.log.unlink(missing_ok=True)

    def report(self):
        rows = [json.loads(line) for line in self.output().splitlines() if line.startswith("{")]
        return [row for row in rows if "publish" in row]

    def sent(self):
        """{"v": [sample], "a": [sample]}: all that the kernel has taken."""
        text = self.log.read_text(encoding="ascii")
        known = samples_by_hash(self.source)
        result = {"v": [], "a": []}
        for line in text[:text.rfind("\n") + 1].splitlines():
            _, kind, _, _, hash_ = line.split()
            sample = known.get(hash_)
            if sample is not None:
                result[kind[0]].append(sample)
        return result


class Network:
    """A namespace with a cable to this machine, that can be pulled: no FIN, no RST, no ICMP."""

    _next = 0

    def __init__(self):
        with _lock:
            number = Network._next
            Network._next += 1
        tag = f"{os.getpid() % 100000}{chr(97 + number)}"
        self.name, self._here, self._there = f"rec{tag}", f"rh{tag}", f"rt{tag}"
        net = f"198.18.{(os.getpid() + number) % 250}"  # RFC 2544: nobody's
        self.server_address, self._address = f"{net}.1", f"{net}.2"
        self.prefix = ["ip", "netns", "exec", self.name]

    def start(self):
        _run("ip", "netns", "add", self.name)
        _run("ip", "link", "add", self._here, "type", "veth", "peer", "name", self._there, "netns",
             self.name)
        _run("ip", "addr", "add", f"{self.server_address}/30", "dev", self._here)
        _run("ip", "link", "set", self._here, "up")
        _run(*self.prefix, "ip", "addr", "add", f"{self._address}/30", "dev", self._there)
        _run(*self.prefix, "ip", "link", "set", self._there, "up")
        return self

    def pull(self):
        _run(*self.prefix, "ip", "link", "set", self._there, "down")

    def remove(self):
        subprocess.run(["ip", "netns", "del", self.name], stdin=subprocess.DEVNULL,
                       capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", self._here], stdin=subprocess.DEVNULL,
                       capture_output=True, check=False)


def _run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.decode().strip()}")


def side_by_side(*functions):
    """Runs them in threads; the first error of any is raised when all have ended."""
    with concurrent.futures.ThreadPoolExecutor(len(functions)) as pool:
        running = [pool.submit(function) for function in functions]
    for each in running:
        each.result()


def joined(path, before, after):
    """What is wrong with a file that should be a stretch of `before` (its beginning and end are
    free, its order is not) and then all of `after`; and where the stretch ends: (said, ends)."""
    saved = mp4_samples(path)
    said, ends = [], {}
    for kind in "va":
        have, old, new = saved[kind], before[kind], after[kind]
        count = len(have) - len(new)
        # An encoder that is killed may have sent two messages more than it had the time to note.
        first = next((i for i in range(len(old))
                      if old[i:i + count] == have[:len(old[i:i + count])]
                      and count - len(old[i:i + count]) <= 2), None)
        if count < 0 or have[count:] != new:
            same = next((i for i in range(min(len(new), len(have)))
                         if have[-1 - i] != new[-1 - i]), min(len(new), len(have)))
            said.append(f"{kind}: {len(have)} samples do not end with the {len(new)} sent after "
                        f"the break; {same} from the end are the same")
        elif count and first is None:
            same = 0
            while same < min(len(old), count) and have[same] == old[same]:
                same += 1
            said.append(f"{kind}: the first {count} of {len(have)} are no stretch of the "
                        f"{len(old)} sent before the break; {same} are its beginning")
        else:
            ends[kind] = ((first or 0), (first or 0) + count)
    return said, ends


class Daemon:
    """Stands for the Popen of an nginx that has gone to the background (for USR2)."""

    def __init__(self, server):
        self._server = server
        self.pid = self.master()  # of the session, too

    def master(self):
        """The newest master; the file is away for a moment while a new binary starts."""
        def there():
            try:
                return int((self._server.prefix / "nginx.pid").read_text())
            except (OSError, ValueError):
                return None
        return wait_for(there, 10, "nginx.pid")

    def send_signal(self, number):
        os.kill(self.master(), number)

    def poll(self):
        return None if list(self._server._session()) else 0

    def wait(self, timeout=30):
        try:
            wait_for(lambda: self.poll() == 0, timeout, "nginx has ended")
        except AssertionError:
            raise subprocess.TimeoutExpired("nginx", timeout) from None
        return 0


def daemonize(server):
    """Makes a server, not started yet, start as a daemon; USR2 is ignored without."""
    text = server.conf.read_text(encoding="utf-8")
    keep = " ".join(f"env {name};" for name in ("LD_PRELOAD", "ASAN_OPTIONS", "UBSAN_OPTIONS")
                    if name in server.environment)
    server.conf.write_text(re.sub(r"daemon off;", f"daemon on; {keep}", text, count=1),
                           encoding="utf-8")

    def start():
        with open(server.prefix / "logs" / "stderr", "ab") as stderr:
            status = subprocess.run(server._command("-e", str(server.error_log)),
                                    stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr,
                                    env=server.environment, check=False).returncode
        if status != 0:
            raise AssertionError(f"nginx did not start:\n{server.log_text()}")
        server.process = Daemon(server)
        wait_for(lambda: server.workers() and server._listening(), 20, "nginx listens")
        return server
    server.start = start
    return server
