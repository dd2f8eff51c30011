"""The base of tests that look at live playback."""
import base64
import hashlib
import os
import pathlib
import re
import subprocess
import urllib.parse

from .api import Api
from .recording import RecordingTest
from .wait import wait_for

# Short segments, and one small rendition beside the source: tests have little time and CPU.
LIVE = ("transcoder on; transcoder_path @prefix@/live; transcoder_segment 1s; "
        "transcoder_rendition 144p video=150k audio=48k;")


def signed(path, expires, secret):
    """With the arguments of link_secret, as docs/directives.md tells to make them."""
    text = f"{expires}{urllib.parse.unquote(path)} {secret}".encode()
    md5 = base64.urlsafe_b64encode(hashlib.md5(text).digest()).decode().rstrip("=")
    return f"{path}?md5={md5}&expires={expires}"


class LiveTest(RecordingTest):
    def url(self, server, name, file="master.m3u8", session=None, app="live"):
        return f"/videos/live/{app}/{name}/{session + '/' if session else ''}{file}"

    def get(self, server, *where, headers=None, **more):
        return Api(server.http_port).request("GET", self.url(server, *where, **more),
                                             headers=headers)

    def session_of(self, server, name, app="live"):
        """The session that players are sent to; None: nothing can be played yet."""
        reply = self.get(server, name, app=app)
        self.assertIn(reply.status, (302, 404), reply.body)
        if reply.status == 404:
            return None
        session, _, file = reply.headers["location"].partition("/")
        self.assertRegex(session, "^[0-9a-f]{32}$")
        self.assertEqual((file, reply.headers["cache-control"]), ("master.m3u8", "no-cache"))
        return session

    def wait_playable(self, server, name, other_than=None, app="live", timeout=60):
        """The session, another one than `other_than`."""
        def there():
            session = self.session_of(server, name, app)
            return session if session != other_than else None
        return wait_for(there, timeout, f"{name} can be played", interval=0.1)

    def wait_restarted(self, server, name, session, run=0, app="live"):
        """The playlists of the session go on with a later run of ffmpeg, which is the result."""
        def there():
            text = self.text(server, name, "media_0.m3u8", session, app)
            last = max(map(int, re.findall(r"^(\d+)/.*m4s$", text, re.M)), default=run)
            return last if last > run else None
        return wait_for(there, 60, f"{name} goes on", interval=0.1)

    def text(self, server, name, file, session, app="live"):
        reply = self.get(server, name, file, session, app=app)
        self.assertEqual(reply.status, 200, reply.body)
        return reply.body.decode()

    def transcoder(self, server, name, app="live"):
        stream = self.stream(server, name, app)
        session = stream and stream["session"]
        return session["transcoder"] if session else None

    def wait_transcoder(self, server, name, state, app="live", timeout=60):
        def there():
            transcoder = self.transcoder(server, name, app)
            return transcoder if transcoder and transcoder["state"] == state else None
        return wait_for(there, timeout, f"the transcoder of {name} is {state}", interval=0.1)

    @staticmethod
    def programs(server, name="", launchers=True):
        """Pids of what runs for live playback of this nginx, or of one stream of it."""
        result = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            folder = f"/{name}/" if name else "/"
            inside = any(f"{server.prefix}/" in argument and folder in argument
                         and "/manifest.mpd" in argument for argument in command)
            launcher = command[0].endswith("recording-launcher")
            if inside and state != "Z" and (launchers or not launcher):
                result.append(int(entry.name))
        return sorted(result)

    def wait_no_programs(self, server, name=""):
        # One that was too slow has half a minute to finish.
        wait_for(lambda: not self.programs(server, name), 60, "no program of it is left")

    @staticmethod
    def decoded(url, stream="v"):
        """[md5 of each decoded picture] that a player gets of a playlist until its end."""
        out = subprocess.run(
            ["ffmpeg", "-v", "error", "-live_start_index", "0", "-i", url, "-map", f"0:{stream}:0",
             "-fps_mode", "passthrough", "-f", "framemd5", "-"], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=True, timeout=60).stdout
        return [line.split(",")[5].strip() for line in out.splitlines() if line[0] != "#"]

    @staticmethod
    def descriptors(pid):
        return len(os.listdir(f"/proc/{pid}/fd"))
