"""The sides of a comparison: the same nginx binary, only the recording differs."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

from . import media, mp4_index, process

INGEST, OURS, RECORD = "ingest", "ours", "record all"
OURS_NO_SYNC = "ours, no sync"  # as little durable as the others
LIVE, EXEC_PUSH = "live", "exec_push"  # live playback: ours, and nginx-rtmp's way

COMMON = """{load}
daemon off;
{user}
worker_processes 1;
pid {prefix}/nginx.pid;
error_log {prefix}/error.log warn;
events {{ worker_connections 1024; }}
{main}
rtmp {{
    access_log off;
    max_message 10m;
    server {{
        listen 127.0.0.1:{port};
        chunk_size 4096;
        application live {{
            live on;
{application}
        }}
    }}
}}
"""

OURS_MAIN = """recording {{
    storage {prefix}/videos;
    spool {prefix}/spool;
    catalog sqlite:{prefix}/catalog.db;
    runtime {runtime};
    min_free 100m;
}}"""

HTTP = """http {{
    access_log off;
    sendfile on;
    aio threads;
    keepalive_requests 1000000;
    server {{
        listen 127.0.0.1:{http_port};
        location = /ping {{ return 204; }}
        location /static/ {{ alias {prefix}/static/; }}
{locations}
    }}
}}
"""
LOCATIONS = """        location /streaming/ { recording_api; }
        location /videos/ { recording_files; }"""

# Everything that costs anything is left at its default: 1 s fragments, each forced to disk.
# A recording ends with its publisher, however short, so that its file can be checked at once.
OURS_APPLICATION = """            recording on;
            auto_record on;
            recording_min_duration 0;
            recording_max_duration 0;
            recording_end_on_unpublish on;"""

# Nothing is recorded: what is compared is the live playback alone.
LIVE_APPLICATION = """            transcoder on;
            transcoder_path {prefix}/live;
            transcoder_rendition 480p video=1400k audio=96k;"""


class Server:
    """One nginx with one worker. A fresh one for every trial: no side inherits another's heap."""

    def __init__(self, side, settings, http=False):
        self.side = side
        self.settings = settings
        self.is_ours = side in (OURS, OURS_NO_SYNC, LIVE)
        self.prefix = pathlib.Path(settings.work) / side.replace(",", "").replace(" ", "-")
        self.runtime = pathlib.Path(settings.runtime)
        self.port = self.port_of(side, settings)
        self.http_port = settings.port + 10 if http else None
        self.master = None
        self.worker = None

    @staticmethod
    def port_of(side, settings):
        sides = (INGEST, OURS, RECORD, OURS_NO_SYNC, LIVE, EXEC_PUSH)
        return settings.port + sides.index(side)

    def __enter__(self):
        for folder in (self.prefix, self.runtime):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in ("videos", "spool", "flv"):
            (self.prefix / folder).mkdir(parents=True)
        conf = self.prefix / "nginx.conf"
        conf.write_text(self._conf())
        self.master = subprocess.Popen(
            [self.settings.nginx, "-p", str(self.prefix), "-e", str(self.prefix / "error.log"),
             "-c", str(conf)], stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.master.poll() is None:
            workers = [pid for pid in process.children(self.master.pid)
                       if "worker process" in process.name(pid)]
            if workers:
                self.worker = workers[0]
                time.sleep(0.3)  # init_process of the modules
                return self
            time.sleep(0.02)
        self.__exit__()
        raise RuntimeError(f"nginx ({self.side}) did not start:\n{self.log()}")

    def __exit__(self, *_):
        if self.master.poll() is None:
            self.master.send_signal(signal.SIGQUIT)
            try:
                self.master.wait(10)
            except subprocess.TimeoutExpired:
                self.master.terminate()
                try:
                    self.master.wait(5)
                except subprocess.TimeoutExpired:
                    self.master.kill()
                    self.master.wait()
        if self.is_ours:
            shutil.rmtree(self.runtime, ignore_errors=True)
        for folder in ("videos", "spool", "flv"):
            shutil.rmtree(self.prefix / folder, ignore_errors=True)

    def _conf(self):
        load = [self.settings.rtmp_module]
        main = ""
        application = ""
        if self.is_ours:
            load.append(self.settings.module)
            main = OURS_MAIN.format(prefix=self.prefix, runtime=self.runtime)
            application = OURS_APPLICATION
            if self.side == LIVE:
                application = LIVE_APPLICATION.format(prefix=self.prefix)
            if self.side == OURS_NO_SYNC:
                application += "\n            recording_sync off;"
        elif self.side == RECORD:
            application = f"            record all;\n            record_path {self.prefix}/flv;"
        elif self.side == EXEC_PUSH:
            application = f"            exec_push {self.settings.work}/exec-push.sh;"
        if self.http_port:
            main += "\n" + HTTP.format(http_port=self.http_port, prefix=self.prefix,
                                       locations=LOCATIONS if self.is_ours else "")
        return COMMON.format(load="\n".join(f"load_module {path};" for path in load),
                             user="user root;" if os.geteuid() == 0 else "",
                             prefix=self.prefix, main=main, port=self.port, application=application)

    def log(self):
        try:
            return (self.prefix / "error.log").read_text(errors="replace")[-4000:]
        except FileNotFoundError:
            return ""

    def cpu(self):
        return process.cpu_seconds(self.worker)

    def memory(self):
        """The worker's own memory, and that of all its tmpfs files whether mapped or not."""
        rss = process.memory(self.worker)
        shared = process.tmpfs_bytes(self.runtime) if self.is_ours else 0
        return {"anon": rss["RssAnon"], "shmem": rss["RssShmem"], "tmpfs": shared}

    def recordings(self):
        if self.side == RECORD:
            return sorted((self.prefix / "flv").glob("*.flv"))
        return sorted(path for folder in ("spool", "videos")
                      for path in (self.prefix / folder).rglob("source.mp4"))

    def recorded_samples(self, streams, timeout=10):
        """Audio and video samples in all files, once `streams` of them are finished."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                if self.side == RECORD:
                    return sum(media.messages(path)[0] for path in self.recordings())
                files = [mp4_index.read(path) for path in self.recordings()]
            except FileNotFoundError:  # moved from the spool to the storage meanwhile
                files = []
            finished = len(files) >= streams and all(file["finished"] for file in files)
            if finished or time.monotonic() > deadline:
                return sum(file["samples"] for file in files)
            time.sleep(0.1)
