"""Media made by ffmpeg, and exact comparisons of it."""
import fcntl
import hashlib
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
CACHE = pathlib.Path(os.environ.get("RECORDING_TEST_MEDIA", ROOT / "build" / "test-media"))


def check_output(*command):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL,
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stderr.decode()[-2000:]}")
    return done.stdout


def make_media(arguments, suffix=".flv"):
    """The file that `ffmpeg {arguments} FILE` makes; made once, kept in build/test-media."""
    arguments = arguments.split() if isinstance(arguments, str) else list(arguments)
    key = hashlib.sha256("\0".join(arguments).encode()).hexdigest()[:16]
    path = CACHE / (key + suffix)
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / (key + ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test modules run side by side
        if not path.exists():
            part = path.with_name("part-" + path.name)
            check_output("ffmpeg", "-v", "error", "-y", *arguments, part)
            part.rename(path)
    return path


def probe(path, *arguments):
    return json.loads(check_output("ffprobe", "-v", "error", "-of", "json", *arguments, path))


def probe_warnings(path):
    """What ffprobe has to say against the file: an empty string when nothing."""
    done = subprocess.run(["ffprobe", "-v", "warning", "-count_packets", "-show_streams",
                           str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, check=False)
    return done.stderr.decode().strip()


def duration_ms(path):
    return round(1000 * float(probe(path, "-show_format")["format"]["duration"]))


def decoded_frames(path):
    """[(pts_ms, md5 of the decoded picture)] in presentation order."""
    out = check_output("ffmpeg", "-v", "error", "-i", path, "-map", "0:v:0", "-fps_mode",
                       "passthrough", "-enc_time_base", "1:1000", "-f", "framemd5", "-")
    rows = [line.split(",") for line in out.decode().splitlines() if not line.startswith("#")]
    return [(int(row[2]), row[5].strip()) for row in rows]


def audio_packets(path):
    """[(pts_ms, hash of the packet)] in file order."""
    packets = probe(path, "-select_streams", "a:0", "-show_packets", "-show_data_hash", "md5",
                    "-show_entries", "packet=pts_time,data_hash").get("packets", [])
    return [(round(1000 * float(packet["pts_time"])), packet["data_hash"]) for packet in packets]
