"""Tracks and samples of an MP4 that ffmpeg made (not fragmented), for what FFmpeg cannot send."""
import collections
import pathlib
import struct

Sample = collections.namedtuple("Sample", "dts cts key data")  # ticks
# entry: type of the sample entry; config: {box type: payload} inside it; start: presentation time
# of the first sample's media, ticks (the edit list); samples in order
Track = collections.namedtuple("Track", "kind timescale entry config start samples")

CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts"}


def boxes(data, begin=0, end=None):
    """(type, begin of its payload, end) of each box."""
    at, end = begin, len(data) if end is None else end
    while at + 8 <= end:
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        header = 8
        if size == 1:
            size, header = struct.unpack(">Q", data[at + 8:at + 16])[0], 16
        yield kind, at + header, at + size
        at += size


def _flatten(data, begin, end, found):
    for kind, first, last in boxes(data, begin, end):
        if kind in CONTAINERS:
            _flatten(data, first, last, found)
        else:
            found[kind] = data[first:last]
    return found


def _table(payload, row, header=8):
    count = struct.unpack(">I", payload[header - 4:header])[0]
    return [struct.unpack_from(">" + row, payload, header + i * struct.calcsize(">" + row))
            for i in range(count)]


def _expand(runs):
    return [value for count, value in runs for _ in range(count)]


def _samples(data, found):
    fixed, count = struct.unpack(">II", found[b"stsz"][4:12])
    sizes = [fixed] * count if fixed else [row[0] for row in _table(found[b"stsz"], "I", 12)]
    offsets = [row[0] for row in (_table(found[b"co64"], "Q") if b"co64" in found
                                  else _table(found[b"stco"], "I"))]
    chunks = _table(found[b"stsc"], "III")
    positions = []
    for i, (first, per_chunk, _) in enumerate(chunks):
        last = chunks[i + 1][0] if i + 1 < len(chunks) else len(offsets) + 1
        for chunk in range(first, last):
            at = offsets[chunk - 1]
            for _ in range(per_chunk):
                positions.append(at)
                at += sizes[len(positions) - 1]
    offsets_of_pictures = (_expand(_table(found[b"ctts"], "Ii")) if b"ctts" in found
                           else [0] * len(sizes))
    keys = {row[0] for row in _table(found[b"stss"], "I")} if b"stss" in found else None
    dts, samples = 0, []
    for i, (duration, size, at) in enumerate(zip(_expand(_table(found[b"stts"], "II")), sizes,
                                                 positions)):
        samples.append(Sample(dts, offsets_of_pictures[i], keys is None or i + 1 in keys,
                              data[at:at + size]))
        dts += duration
    return samples


def _start(found, timescale, movie_timescale):
    if b"elst" not in found:
        return 0
    wide = found[b"elst"][0] == 1
    start = 0
    for length, media, _ in _table(found[b"elst"], "QqI" if wide else "IiI"):
        if media < 0:  # an empty edit
            start += length * timescale // movie_timescale
        else:
            return start - media
    return start


def read_mp4(path):
    """[Track]"""
    data = pathlib.Path(path).read_bytes()
    [moov] = [(first, last) for kind, first, last in boxes(data) if kind == b"moov"]
    tracks, movie_timescale = [], 0
    for kind, first, last in boxes(data, *moov):
        if kind == b"mvhd":
            wide = data[first] == 1
            movie_timescale = struct.unpack_from(">I", data, first + (20 if wide else 12))[0]
        if kind != b"trak":
            continue
        found = _flatten(data, first, last, {})
        wide = found[b"mdhd"][0] == 1
        timescale = struct.unpack_from(">I", found[b"mdhd"], 20 if wide else 12)[0]
        video = found[b"hdlr"][8:12] == b"vide"
        [(entry, begin, end)] = boxes(found[b"stsd"], 8)
        fixed = begin + (78 if video else 28)
        config = {box: found[b"stsd"][a:b] for box, a, b in boxes(found[b"stsd"], fixed, end)}
        tracks.append(Track("v" if video else "a", timescale, entry, config,
                            _start(found, timescale, movie_timescale), _samples(data, found)))
    return tracks
