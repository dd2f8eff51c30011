"""tests/tools/rtmp_publisher: an encoder that can misbehave, and that says what it sent."""
import fcntl
import json
import os
import pathlib
import subprocess
import tempfile

from .media import check_output

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("RECORDING_TOOLS", ROOT / "build" / "tools"))


def rtmp_publisher():
    """The program; built when it is not there yet or its source is newer."""
    program = BUILD / "rtmp_publisher" / "rtmp-publisher"
    BUILD.mkdir(parents=True, exist_ok=True)
    with open(BUILD / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test modules run side by side
        source = ROOT / "tests" / "tools"
        newest = max(path.stat().st_mtime for path in source.rglob("*") if path.is_file())
        if not program.exists() or program.stat().st_mtime < newest:
            check_output("cmake", "-S", source, "-B", BUILD)
            check_output("cmake", "--build", BUILD, "-j", str(os.cpu_count() or 1))
            program.touch()
    return program


def written_to(file):
    """What a child has written to a file of ours. The child shares the file's position, so that
    must not be moved."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(errors="replace")


class RtmpPublisher:
    """Starts at once. `name`: str or bytes; `options`: of rtmp-publisher, as on a command line."""

    def __init__(self, port, name, source, *options, app="live"):
        if isinstance(name, str):
            name = name.encode()
        sources = source if isinstance(source, (list, tuple)) else [source]
        command = [rtmp_publisher(), "--port", port, "--app", app, "--name-hex", name.hex()]
        for each in sources:
            command += ["--flv", each]
        self._out = tempfile.TemporaryFile()
        self.process = subprocess.Popen([str(part) for part in (*command, *options)],
                                        stdin=subprocess.DEVNULL, stdout=self._out,
                                        stderr=subprocess.STDOUT)

    @property
    def running(self):
        return self.process.poll() is None

    def wait(self, timeout=60):
        return self.process.wait(timeout)

    def stop(self):
        """Ends the stream as an encoder does; all that was sent has been read by nginx."""
        if self.running:
            self.process.terminate()
        self.process.wait(20)

    def kill(self):
        if self.running:
            self.process.kill()
        self.process.wait()

    def output(self):
        return written_to(self._out)

    def report(self):
        """The line of each connection, when it has ended."""
        rows = []
        for line in self.output().splitlines():
            if line.startswith("{"):
                row = json.loads(line)
                if "publish" in row:
                    rows.append(row)
        return rows
