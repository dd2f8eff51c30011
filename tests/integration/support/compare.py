"""A recording must be its source: every picture, every audio packet, every time."""
import functools
import statistics

from .media import check_output, probe, probe_warnings


def pictures(path):
    """[(pts in ms, md5 of the decoded picture)]; times as they are in the file."""
    out = check_output("ffmpeg", "-v", "error", "-copyts", "-i", path, "-map", "0:v:0?",
                       "-fps_mode", "passthrough", "-enc_time_base", "1:120000", "-f", "framemd5",
                       "-")
    rows = [line.split(",") for line in out.decode().splitlines() if not line.startswith("#")]
    return [(int(row[2]) / 120, row[5].strip()) for row in rows]


def packets(path, track):
    """[(pts in ms, hash)] of "a" or "v" in file order."""
    found = probe(path, "-select_streams", f"{track}:0", "-show_packets", "-show_data_hash", "md5",
                  "-show_entries", "packet=pts_time,data_hash").get("packets", [])
    return [(1000 * float(packet["pts_time"]), packet["data_hash"]) for packet in found]


def tracks(path):
    return {stream["codec_type"] for stream in probe(path, "-show_streams")["streams"]}


def all_packets(path):
    """[(track, pts, dts, duration, key or not, hash)]: what a player gets, undecoded."""
    found = probe(path, "-show_packets", "-show_data_hash", "md5", "-show_entries",
                  "packet=codec_type,pts_time,dts_time,duration_time,flags,data_hash")["packets"]
    rows = [tuple(packet.get(key) for key in ("codec_type", "pts_time", "dts_time",
                                              "duration_time", "flags", "data_hash"))
            for packet in found]
    return sorted(rows, key=lambda row: row[0])  # how tracks are interleaved is no difference


# Sources are compared with again and again.
_pictures_of_source = functools.cache(pictures)
_packets_of_source = functools.cache(packets)


def differences(source, copy, video=True, audio=True):
    """Why `copy` is not `source`: a list of sentences, empty when it is."""
    said = []
    offsets = []
    if warnings := probe_warnings(copy):
        said.append(f"ffprobe: {warnings[:500]}")
    wanted = {name for name, on in (("video", video), ("audio", audio)) if on}
    if (have := tracks(copy)) != wanted:
        return said + [f"tracks: {sorted(have)}, not {sorted(wanted)}"]
    for name, on, track in (("pictures", video, "v"), ("audio packets", audio, "a")):
        if not on:
            continue
        if track == "v":
            sent, saved = _pictures_of_source(source), pictures(copy)
        else:
            sent, saved = _packets_of_source(source, "a"), packets(copy, "a")
        same = sum(a[1] == b[1] for a, b in zip(sent, saved))
        if not sent or not (len(sent) == len(saved) == same):
            said.append(f"{name}: {same} of {len(sent)} are the same, {len(saved)} were saved")
        else:
            offsets += [(b[0] - a[0], name, i) for i, (a, b) in enumerate(zip(sent, saved))]
    if offsets and not said:
        middle = statistics.median(offset for offset, _, _ in offsets)
        late = [(round(o - middle, 2), n, i) for o, n, i in offsets if abs(o - middle) > 1.01]
        if late:
            said.append(f"{len(late)} times of {len(offsets)} are off by more than 1 ms, such as "
                        f"{late[:3]} and {late[-1]}")
    return said
