"""Row 19: three renditions in one go, against one plain ffmpeg for each."""
import os
import pathlib
import shutil
import statistics
import subprocess
import time

from .publisher import Publisher
from .rows import Row, span, verdict
from .serving import Client
from .servers import OURS, Server

SECONDS = 30
SIZES = ((720, 2800000, 128000), (480, 1400000, 96000), (360, 800000, 96000))


def source(settings):
    """1080p30 of 6 Mbit/s that moves all over, as an encoder sends it."""
    path = settings.media / f"processing-{SECONDS}.flv"
    if not path.exists():
        part = path.with_name("part-" + path.name)
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-nostdin", "-f", "lavfi", "-t", str(SECONDS), "-i",
             "testsrc2=s=1920x1080:r=30", "-f", "lavfi", "-t", str(SECONDS), "-i", "sine=r=48000",
             "-vf", "noise=alls=6:allf=t", "-c:v", "libx264", "-preset", "veryfast", "-b:v", "6M",
             "-g", "60", "-bf", "2", "-pix_fmt", "yuv420p", "-c:a", "aac", str(part)], check=True)
        part.rename(path)
    return path


def record(settings, to):
    with Server(OURS, settings, http=True) as server:
        options = ("--speed", 8, "--duration", SECONDS, "--hold", 60)
        with Publisher(settings, server.port, source(settings), options=options) as publisher:
            publisher.wait_for("done", times=1)
            api = Client(server.http_port)
            [stream] = api.json("/streaming/streams")
            time.sleep(2)  # what was under way is written
            api.json(f"/streaming/streams/{stream['id']}/stop_recording", "PUT")
            publisher.finish()
        server.recorded_samples(1)  # it is finished, and moves no more
        shutil.copy(max(server.recordings(), key=os.path.getsize), to)


def spent(commands):
    """(wall, CPU) seconds of these, one after the other, and of all that they start and wait for."""
    began, before = time.monotonic(), os.times()
    for command in commands:
        done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr[-500:]}")
    after = os.times()
    return (time.monotonic() - began, after.children_user + after.children_system
            - before.children_user - before.children_system)


def plain(path, folder, height, video, audio):
    return ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", path, "-vf", f"scale=-2:{height}",
            "-c:v", "libx264", "-preset", "veryfast", "-b:v", video, "-maxrate", video * 11 // 10,
            "-bufsize", 2 * video, "-c:a", "aac", "-b:a", audio, "-movflags", "faststart",
            folder / f"plain-{height}.mp4"]


def rows(machine, rounds, say):
    settings = machine.settings
    folder = settings.work / "processing"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    path = folder / "source.mp4"
    record(settings, path)
    build = pathlib.Path(settings.module).parent
    subprocess.run(["cmake", "--build", str(build / "core"), "--target", "process-video"], check=True,
                   stdout=subprocess.DEVNULL)
    ours = [[build / "core/process-video", path, folder, build / "recording-launcher", "ffmpeg", 0,
             *(f"{height}p:{height}:{video}:{audio}" for height, video, audio in SIZES)]]
    each = [plain(path, folder, *size) for size in SIZES]
    results = []
    for number in range(rounds):
        mine, others = spent(ours), spent(each)
        results.append((mine, others))
        say(f"round {number + 1}/{rounds}: ours {mine[0]:.1f} s, one ffmpeg each {others[0]:.1f} s "
            f"(CPU {mine[1]:.1f}, {others[1]:.1f} s)")
    ratios = [others[0] / mine[0] for mine, others in results]
    cpu = [others[1] / mine[1] for mine, others in results]
    value = statistics.median(ratios)
    return [Row("19", "speed of three renditions, against one plain ffmpeg for each, one after another",
                f"{value:.2f} x", "-", ">= 1.5 x", verdict(-value, -1.5),
                [f"in each round: {span(ratios)}; by CPU time: {span(cpu)}",
                 f"{SECONDS} s of 1080p30 at 6 Mbit/s as 720p, 480p and 360p, all with x264's "
                 "veryfast; ours are read back, and compared with what the encoders gave"])]
