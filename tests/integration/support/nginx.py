"""A private nginx: its own prefix, ports, runtime folder and log."""
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile

from .wait import wait_for

ROOT = pathlib.Path(__file__).resolve().parents[3]
RTMP_MODULE = os.environ.get("RTMP_MODULE", "/usr/lib/nginx/modules/ngx_rtmp_module.so")
NGINX = os.environ.get("NGINX", "/usr/sbin/nginx")

# What no log may hold after any test.
FORBIDDEN = re.compile(r"\[alert\]|\[emerg\]|on signal|Sanitizer|runtime error: ")
# What a stopped nginx may leave in its runtime folder.
RUNTIME_KEPT = re.compile(r"^(state|.*\.lock)$")

DEFAULT_RECORDING = "storage @prefix@/data/videos; min_free 1m;"
DEFAULT_APPLICATION = "live on; recording on;"
DEFAULT_HTTP = """
    location /streaming/ { recording_api; }
    location /videos/ { recording_files; }
"""


def module_path():
    return pathlib.Path(os.environ.get("RECORDING_MODULE", ROOT / "build/ngx_recording_module.so"))


def testing_module_path():
    """The module with the hooks of the crash tests (RECORDING_TESTING)."""
    return pathlib.Path(os.environ.get("RECORDING_TESTING_MODULE",
                                       ROOT / "build-testing/ngx_recording_module.so"))


def is_sanitized(module):
    return b"libasan.so" in module.read_bytes()


def take_port():
    """
    (port, its claim): free for as long as the claim lives, also while no nginx listens. Below what
    the kernel gives to outgoing connections, and claimed by an abstract socket among test processes.
    """
    while True:
        port = random.randrange(10000, 32000)
        claim, probe = socket.socket(socket.AF_UNIX), socket.socket()
        try:
            claim.bind(f"\0recording-test-port-{port}")
            probe.bind(("127.0.0.1", port))
            return port, claim
        except OSError:
            claim.close()
        finally:
            probe.close()


class Nginx:
    """
    Nginx(workers=4, application="live on; recording on; auto_record on;")
    Nginx(conf="whole configuration below the load_module lines")

    In every text @prefix@, @runtime@, @rtmp_port@, @http_port@ stand for this nginx's own.
    Arguments: recording: inside recording { }; rtmp: inside the rtmp server, beside application
    "live"; application: inside it; http: inside the http server; main: in the main context;
    worker: how many videos recording-worker processes at once, unless the text says it; 0: none.
    """

    def __init__(self, *, workers=1, recording=None, rtmp="", application=DEFAULT_APPLICATION,
                 http=DEFAULT_HTTP, main="", conf=None, module=None, environment=None, worker=0):
        self.module = pathlib.Path(module or module_path()).resolve()
        self.prefix = pathlib.Path(tempfile.mkdtemp(prefix="recording-test-"))
        self.prefix.chmod(0o755)  # the workers have another user
        self.runtime = pathlib.Path("/dev/shm") / self.prefix.name
        self.rtmp_port, self._rtmp_claim = take_port()
        self.http_port, self._http_claim = take_port()
        self.user = "www-data" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.worker = worker
        self.process = None
        self.environment = self._environment(environment or {})
        self._allowed = []
        # A worker that did not end in order leaves its journal; the next one sweeps it, in a while.
        self.keeps_journals = False
        self.last_words = ""
        (self.prefix / "logs").mkdir()
        if conf is None:
            conf = self._whole(workers, recording, rtmp, application, http, main)
        self.write_conf(conf)

    # configuration

    def _whole(self, workers, recording, rtmp, application, http, main):
        recording = DEFAULT_RECORDING if recording is None else recording
        if "runtime" not in recording:
            recording += " runtime @runtime@;"
        return f"""
worker_processes {workers};
{main}
recording {{ {recording} }}
rtmp {{ server {{ listen 127.0.0.1:@rtmp_port@; {rtmp}
    application live {{ {application} }} }} }}
http {{ access_log off; sendfile on; aio threads; server {{ listen 127.0.0.1:@http_port@;
    {http} }} }}
"""

    def fill(self, text):
        for name in ("prefix", "runtime", "rtmp_port", "http_port"):
            text = text.replace(f"@{name}@", str(getattr(self, name)))
        return text

    def write_conf(self, conf):
        """Also for a reload. Lines of `conf` keep their numbers after the one-line head."""
        head = (f"load_module {RTMP_MODULE}; load_module {self.module}; daemon off; "
                f"pid {self.prefix}/nginx.pid; error_log {self.error_log} info; ")
        if os.geteuid() == 0:
            head += f"user {self.user}; "
        if "events" not in conf:
            head += "events { } "
        if not re.search(r"\bworker\s", conf):
            conf = re.sub(r"\brecording\s*\{", f"recording {{ worker {self.worker or 'off'}; ",
                          conf, count=1)
        if re.search(r"\bhttp\s*\{", conf):
            conf = re.sub(r"\bhttp\s*\{", "http { " + "".join(
                f"{kind}_temp_path {self.prefix}/{kind}; "
                for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")), conf, count=1)
        self.conf = self.prefix / "nginx.conf"
        self.conf.write_text(head + self.fill(conf), encoding="utf-8")

    def _environment(self, extra):
        result = dict(os.environ)
        if is_sanitized(self.module):
            preload = subprocess.run(["gcc", "-print-file-name=libasan.so"], check=True,
                                     capture_output=True, text=True).stdout.strip()
            # The leak checker would report nginx's own pools.
            result.update(LD_PRELOAD=os.path.realpath(preload), UBSAN_OPTIONS="print_stacktrace=1",
                          ASAN_OPTIONS="detect_leaks=0:detect_stack_use_after_return=0")
        result.update(extra)
        return result

    def _command(self, *arguments):
        return [NGINX, "-p", str(self.prefix), "-c", str(self.conf), *arguments]

    def test(self):
        """nginx -t: (accepted, all it said)."""
        done = subprocess.run(self._command("-t", "-e", "stderr"), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=self.environment, check=False)
        return done.returncode == 0, done.stdout

    # life

    @property
    def error_log(self):
        return self.prefix / "logs" / "error.log"

    def log_text(self):
        parts = [path.read_text(errors="replace") for path in
                 (self.error_log, self.prefix / "logs" / "stderr") if path.exists()]
        return "".join(parts)

    def allow(self, pattern):
        """Log lines that this test causes on purpose and that are forbidden otherwise."""
        self._allowed.append(re.compile(pattern))
        self.keeps_journals |= "on signal 9" in pattern

    def start(self):
        # What was killed a moment ago may still be letting go of its sockets.
        wait_for(self._ports_free, 20, "the ports are free")
        with open(self.prefix / "logs" / "stderr", "ab") as stderr:
            self.process = subprocess.Popen(
                self._command("-e", str(self.error_log)), stdin=subprocess.DEVNULL, stdout=stderr,
                stderr=stderr, env=self.environment, start_new_session=True)
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"nginx did not start:\n{self.log_text()}")
            return self.workers() and self._listening()
        wait_for(ready, 20, "nginx listens")
        return self

    def _ports_free(self):
        for port in (self.rtmp_port, self.http_port):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    return False
        return True

    def _listening(self):
        text = self.conf.read_text(encoding="utf-8")
        for port in (self.rtmp_port, self.http_port):
            if re.search(rf"listen [^;]*\b{port}\b", text):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) != 0:
                        return False
        return True

    def workers(self, shutting_down=False):
        """Pids of the worker processes; of those that drain, too, when asked."""
        result = []
        for pid, command in self._session():
            if "worker process" in command and (shutting_down or "shutting down" not in command):
                result.append(pid)
        return sorted(result)

    def recording_workers(self):
        """Pids of the recording-worker programs that were started, in the order of their start."""
        return sorted(pid for pid, command in self._session()
                      if command.split(" ")[0].endswith("/recording-worker"))

    def _session(self):
        """(pid, command line) of every live process of this nginx's session."""
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (OSError, UnicodeDecodeError):
                continue
            if int(stat[3]) == self.process.pid and stat[0] != "Z":
                yield int(entry.name), command

    def send(self, number):
        self.process.send_signal(number)

    def reload(self):
        """With the configuration as it is now; returns when new workers run and the old ones end."""
        before = set(self.workers())
        self.send(signal.SIGHUP)

        def reloaded():
            now = set(self.workers())
            return now and not now & before
        wait_for(reloaded, 20, "the workers are new ones")

    def kill_worker(self, pid=None, number=signal.SIGKILL):
        pid = pid or self.workers()[0]
        self.allow(rf"worker process {pid} exited on signal {int(number)}")
        os.kill(pid, number)
        wait_for(lambda: pid not in self.workers(shutting_down=True) and self.workers(), 20,
                 "another worker runs")
        return pid

    def stop(self, number=signal.SIGQUIT, timeout=30):
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.send(number)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            left = list(self._session())
            self._end_session()
            raise AssertionError(f"nginx did not stop in {timeout} s; left: {left}") from None

    def _end_session(self):
        for pid, _ in list(self._session()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()

    def check(self):
        """After every test: a clean end, a clean log, nothing left behind."""
        if self.process is None:
            return
        status = self.stop()
        faults = [line for line in self.log_text().splitlines() if FORBIDDEN.search(line)
                  and not any(allowed.search(line) for allowed in self._allowed)]
        if status != 0:
            faults.append(f"nginx exited with {status}")
        # A worker's programs end after it, but they do.
        try:
            wait_for(lambda: not list(self._session()), 10, "no process is left")
        except AssertionError:
            children = list(self._session())
            faults.append(f"processes left: {children}")
            self._end_session()
        if self.runtime.exists():
            left = [p.name for p in self.runtime.iterdir() if not RUNTIME_KEPT.match(p.name)
                    and not (self.keeps_journals and p.name.startswith("journal."))]
            if left:
                faults.append(f"left in the runtime folder: {left}")
        self.process = None
        if faults:
            raise AssertionError("\n".join(faults))

    def remove(self):
        self.last_words = "\n".join(self.log_text().splitlines()[-60:])
        shutil.rmtree(self.prefix, ignore_errors=True)
        shutil.rmtree(self.runtime, ignore_errors=True)
