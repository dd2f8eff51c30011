"""A source that changes in mid-stream: made of clips, put end to end as one encoder sends them."""
import pathlib
import re
import subprocess

from .media import make_media

KEY_FRAME, NAL_UNITS = 0x17, 1


def flv_tags(path):
    """[(kind, ms, body)], metadata included."""
    data = pathlib.Path(path).read_bytes()
    at, tags = 9 + 4, []
    while at + 11 <= len(data):
        size = int.from_bytes(data[at + 1:at + 4], "big")
        ms = int.from_bytes(data[at + 4:at + 7], "big") | data[at + 7] << 24
        tags.append((data[at], ms, data[at + 11:at + 11 + size]))
        at += 11 + size + 4
    return tags


def write_flv(path, tags):
    out = bytearray(b"FLV\x01\x05\0\0\0\x09" + bytes(4))
    for kind, ms, body in tags:
        out += bytes([kind]) + len(body).to_bytes(3, "big")
        out += (ms & 0xFFFFFF).to_bytes(3, "big") + bytes([ms >> 24 & 255]) + bytes(3)
        out += body + (len(body) + 11).to_bytes(4, "big")
    pathlib.Path(path).write_bytes(out)
    return path


def parameter_sets(header):
    """The SPS and PPS of a sequence header (an FLV body), with 4-byte lengths."""
    record, at, found = header[5:], 5, b""
    for _ in range(2):
        count, at = record[at] & 31, at + 1
        for _ in range(count):
            size = int.from_bytes(record[at:at + 2], "big")
            found += size.to_bytes(4, "big") + record[at + 2:at + 2 + size]
            at += 2 + size
    return found


def is_video_header(kind, body):
    return kind == 9 and body[:2] == bytes([KEY_FRAME, 0])


def in_band(tags):
    """Without a video header: its parameter sets are in every key frame."""
    [header] = [body for kind, _, body in tags if is_video_header(kind, body)]
    sets = parameter_sets(header)
    return [(kind, ms, body[:5] + sets + body[5:] if kind == 9 and body[:2] == bytes(
        [KEY_FRAME, NAL_UNITS]) else body)
            for kind, ms, body in tags if not is_video_header(kind, body)]


def joined(*clips, ms_between=40):
    """Tags of several lists, one after the other; only the first one's metadata."""
    out, base = [], 0
    for index, tags in enumerate(clips):
        out += [(kind, ms + base, body) for kind, ms, body in tags if index == 0 or kind != 18]
        base = out[-1][1] + ms_between
    return out


def clip(picture="", video="", sound="", encoder="", size="320x180", rate=10, audio_rate=44100,
         channels=1, color_range="tv", seconds=2):
    """An FLV of few frames, all that is said of its colours being said."""
    scaled = f"{picture}," if picture else ""
    return make_media(
        f"-f lavfi -t {seconds} -i testsrc2=s={size}:r={rate} -f lavfi -t {seconds - 0.3} -i "
        f"sine=frequency=440:r={audio_rate} -vf {scaled}scale=out_range={color_range},"
        f"format={'yuv420p' if 'format=' not in picture else picture.split('format=')[1]} "
        f"-c:v libx264 -preset veryfast -level 3.0 -g 10 -bf 0 -sc_threshold 0 -crf 30 {video} "
        f"-x264-params b-pyramid=none:weightp=0{encoder} -color_range {color_range} "
        "-color_primaries bt709 -color_trc bt709 -colorspace bt709 "
        f"-c:a aac -b:a 48k -ac {channels} {sound}")


_FRAME = re.compile(r" fmt:(\S+) .* s:(\S+) .*checksum:(\w+) plane_checksum:\[([^]]*)\]")
_RANGE = re.compile(r"color_range:(\w+)")


def decoded(path):
    """(what was wrong, [(size, checksums of the planes, range)]) of every picture, as the decoder
    gives it: before anything converts it."""
    done = subprocess.run(
        ["ffmpeg", "-v", "info", "-nostats", "-i", str(path), "-map", "0:v:0", "-vf", "showinfo",
         "-fps_mode", "passthrough", "-f", "null", "-"],
        stdin=subprocess.DEVNULL, capture_output=True, check=False)
    text = done.stderr.decode(errors="replace")
    frames = []
    for line in text.splitlines():
        if found := _FRAME.search(line):
            frames.append([found[2], found[1].replace("yuvj", "yuv"), found[4]])
        elif (found := _RANGE.search(line)) and "showinfo" in line and frames:
            frames[-1].append(found[1])
    wrong = [line for line in text.splitlines() if re.search(
        r"error|corrupt|invalid|missing|conceal", line, re.I) and "showinfo" not in line
             and "non monotonically increasing dts to muxer" not in line]  # of the null muxer
    return wrong + ([] if done.returncode == 0 else [f"status {done.returncode}"]), frames


_BLOCK = re.compile(r"channels:(\d+) .* rate:(\d+) .* checksum:(\w+)")


def decoded_sound(path):
    """(what was wrong, [(channels, rate, checksum)]) of every block as the decoder gives it."""
    done = subprocess.run(
        ["ffmpeg", "-v", "info", "-nostats", "-i", str(path), "-map", "0:a:0", "-af", "ashowinfo",
         "-f", "null", "-"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    text = done.stderr.decode(errors="replace")
    wrong = [line for line in text.splitlines() if re.search(
        r"error|corrupt|invalid|missing|conceal", line, re.I) and "ashowinfo" not in line
             and "non monotonically increasing dts to muxer" not in line]
    return wrong, _BLOCK.findall(text)
