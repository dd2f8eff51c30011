"""Processing without jobs: the program process-video, of the same build as the module."""
import fcntl
import functools
import json
import re
import subprocess

from .media import check_output
from .nginx import module_path


@functools.cache
def process_video():
    """The program; built when it is not there yet or the library is newer."""
    core = module_path().parent / "core"
    with open(core / "process-video.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test modules run side by side
        check_output("cmake", "--build", core, "--target", "process-video")
    return core / "process-video"


class Processing:
    """Starts at once. `renditions`: (name, height, video bit rate, audio bit rate) each."""

    def __init__(self, source, folder, *renditions, pictures=False, ffmpeg="ffmpeg"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [process_video(), source, folder, module_path().parent / "recording-launcher", ffmpeg,
             str(int(pictures)), *(":".join(map(str, one)) for one in renditions)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, timeout=120):
        """What it says of the outcome, with the progress that it told."""
        out, err = self.process.communicate(timeout=timeout)
        outcome = json.loads(out)
        outcome["progress"] = [float(part) for part in re.findall(r"progress ([\d.]+)", err)]
        return outcome

    def kill(self):
        self.process.kill()
        self.process.communicate()


def processed(source, folder, *renditions, **options):
    return Processing(source, folder, *renditions, **options).finish()
