"""Power loss, at the disk: an ext4 that stops in mid-write without flushing its log."""
import fcntl
import os
import pathlib
import random
import shutil
import struct
import subprocess
import time

from tests.integration.support import (
    RecordingTest, mp4_samples, probe_warnings, test_clip, wait_for)
from tests.integration.support.crash import kill_all
from tests.integration.support.encoder import Encoder, joined, side_by_side

EXT4_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
NOLOGFLUSH = 2
INSTANTS = 20 if os.environ.get("RECORDING_LONG") else 4
RULES = ("live on; recording on; auto_record on; recording_min_duration 0; "
         "recording_reconnect_window 1s;")


class Disk:
    """An ext4 on a loop device."""

    def __init__(self, folder, at):
        self.image = pathlib.Path(folder) / f"disk-{at.parent.name}.img"
        self.at = at
        self.mounted = False

    def make(self):
        with open(self.image, "wb") as image:
            image.truncate(96 << 20)
        run("mkfs.ext4", "-q", "-F", self.image)
        self.at.mkdir(parents=True, exist_ok=True)
        self.mount()

    def mount(self):
        run("mount", "-o", "loop,commit=1", self.image, self.at)
        self.mounted = True

    def lose_power(self):
        handle = os.open(self.at, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, EXT4_IOC_SHUTDOWN, struct.pack("I", NOLOGFLUSH))
        finally:
            os.close(handle)

    def unmount(self):
        if self.mounted:
            wait_for(lambda: subprocess.run(["umount", str(self.at)], stdin=subprocess.DEVNULL,
                                            capture_output=True, check=False).returncode == 0,
                     10, "it is unmounted", interval=0.1)
            self.mounted = False


def run(*command):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL,
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{command[0]}: {done.stderr.decode().strip()}")


class PowerLoss(RecordingTest):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("a loop device needs root")
        probe = Disk(self.folder, self.folder / "probe" / "data")
        self.addCleanup(probe.unmount)
        try:
            probe.make()
            probe.lose_power()
        except OSError as error:
            self.skipTest(f"no ext4 on a loop device that can be shut down: {error}")
        self.clip = test_clip(seconds=8)

    def server_on_disk(self, rules):
        server = self.make_nginx(application=RULES + rules)
        disk = Disk(self.folder, server.prefix / "data")
        self.addCleanup(disk.unmount)
        self.addCleanup(lambda: server.process and self.end(server))
        disk.make()
        shutil.chown(disk.at, server.user)
        server.start()
        return server, disk

    def end(self, server):
        try:
            server.check()
        finally:
            server.process = None

    def lose_power(self, server, disk):
        """The disk first; then all that lives in memory is gone, the tmpfs too."""
        disk.lose_power()
        server.allow(".")  # what nginx says of a disk that is gone is no matter
        kill_all(server)
        disk.unmount()
        shutil.rmtree(server.runtime)
        disk.mount()
        server.start()

    def in_mid_write(self, server, disk, instant):
        """One instant; what is wrong afterwards."""
        name = f"cam{instant * 1000:.0f}"
        known = len(self.videos(server))
        encoder = Encoder(server, name, self.clip, "--loops", "0")
        self.addCleanup(encoder.remove)
        encoder.wait_accepted()
        wait_for(lambda: encoder.sent()["v"], 10, "it sends")
        time.sleep(instant)
        sent = encoder.sent()
        self.lose_power(server, disk)
        encoder.kill()
        where = f"{instant:.3f} s, {len(sent['v'])} pictures"
        # A fragment of 1 s, a group of pictures of 1 s, and the time of a write that was under way.
        most = 25 * 2 + 20
        def ended():
            new = self.videos(server)[known:]
            return (new or len(sent["v"]) <= most) and all(
                v["status"] in ("viewable", "error") for v in new) and not self.in_spool(server)
        try:
            wait_for(ended, 20, "recovery")
        except AssertionError as late:
            return [f"{where}: {late}: {self.videos(server)[known:]}, {self.in_spool(server)}"]
        new = self.videos(server)[known:]
        if not new or (len(new) == 1 and new[0]["error"] == "nothing_received"):
            return [] if len(sent["v"]) <= most else [f"{where}: nothing was saved: {new}"]
        if len(new) != 1 or new[0]["status"] != "viewable":
            return [f"{where}: {new}"]
        path = self.download(server, new[0])
        said, ends = joined(path, encoder.sent(), {"v": [], "a": []})
        if warnings := probe_warnings(path):
            said.append(warnings)
        if not said and ends["v"][1] < len(sent["v"]) - most:
            said.append(f"only {ends['v'][1]} were saved")
        if not said and ends["v"][0] != 0:
            said.append(f"it begins at {ends['v'][0]}")
        return [f"{where}: {line}" for line in said]

    def test_in_mid_write(self):
        chance = random.Random(4)
        said = []

        def one(count):
            server, disk = self.server_on_disk("recording_sync fragment;")
            for _ in range(count):
                said.extend(self.in_mid_write(server, disk, chance.uniform(0.05, 4.5)))
            self.assert_consistent(server)
        side_by_side(*[lambda: one(INSTANTS // 4)] * 4)
        self.assertEqual(said, [])

    def test_a_finished_video_survives(self):
        """With recording_sync close (and fragment), from the moment at which it is called ready."""
        def one(sync):
            server, disk = self.server_on_disk(f"recording_sync {sync}; "
                                               "recording_end_on_unpublish on;")
            encoder = Encoder(server, "cam", self.clip, "--duration", "3", "--speed", "2")
            self.addCleanup(encoder.remove)
            self.assertEqual(encoder.wait(), 0, encoder.output())
            wait_for(lambda: [v for v in self.videos(server) if v["status"] == "viewable"], 15,
                     "it is ready", interval=0.005)
            self.lose_power(server, disk)
            [video] = self.wait_ended(server, 1)
            self.assertEqual(video["status"], "viewable", video)
            self.assertEqual(mp4_samples(self.download(server, video)), encoder.sent())
            self.assertEqual(probe_warnings(self.stored(server, video)), "")
            self.assert_consistent(server)
        side_by_side(lambda: one("close"), lambda: one("fragment"))
