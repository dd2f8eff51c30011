"""The media of the bench, made by ffmpeg. Lengths are multiples of 8 s, in which both 30 fps and
AAC's 1024 samples at 48 kHz come out whole, so that a looped clip has no seam."""
import hashlib
import pathlib
import subprocess

SECONDS = 16

# name -> (picture size, video bit rate, audio bit rate, B-frames)
CLIPS = {
    "6M": ("1280x720", "5872k", "128k", 0),
    "0.3M": ("320x180", "236k", "64k", 0),
    "0.3M-bf3": ("320x180", "236k", "64k", 3),
}


def command(clip, path):
    size, video, audio, b_frames = CLIPS[clip]
    return [
        "ffmpeg", "-v", "error", "-y",
        "-f", "lavfi", "-t", str(SECONDS), "-i", f"testsrc2=s={size}:r=30,noise=alls=25:allf=t",
        "-f", "lavfi", "-t", str(SECONDS + 1), "-i", "sine=f=440:r=48000",
        "-c:v", "libx264", "-preset", "superfast", "-pix_fmt", "yuv420p", "-threads", "2",
        "-b:v", video, "-minrate", video, "-maxrate", video, "-bufsize", video,
        "-bf", str(b_frames), "-g", "60", "-keyint_min", "60", "-sc_threshold", "0",
        "-c:a", "aac", "-b:a", audio, "-f", "flv", str(path)]


def make(clip, folder):
    """The clip's path; made again only when its command changed."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    mark = hashlib.sha256(" ".join(command(clip, "")).encode()).hexdigest()[:12]
    path = folder / f"{clip}-{mark}.flv"
    if not path.exists():
        part = path.with_suffix(".part")
        subprocess.run(command(clip, part), check=True)
        part.rename(path)
    return path


def messages(path):
    """(audio and video messages, their bytes) of an FLV, without reading the payloads."""
    count = total = 0
    with open(path, "rb") as file:
        offset = 13
        while True:
            file.seek(offset)
            head = file.read(13)
            if len(head) < 11:
                return count, total
            size = int.from_bytes(head[1:4], "big")
            # Sequence headers are configuration, not media; so is the end-of-sequence mark.
            audio_header = head[0] == 8 and head[11] >> 4 == 10 and head[12] == 0
            video_header = head[0] == 9 and head[11] & 0x0F == 7 and head[12] in (0, 2)
            if head[0] in (8, 9) and not audio_header and not video_header:
                count += 1
                total += size
            offset += 11 + size + 4
