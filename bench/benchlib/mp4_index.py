"""The boxes of a recording: how much is index, how many samples it holds (ISO/IEC 14496-12)."""
import struct


def boxes(file, offset, end):
    """(type, offset, header size, size) of the boxes in [offset, end)."""
    while offset + 8 <= end:
        file.seek(offset)
        head = file.read(16)
        size, kind = struct.unpack(">I4s", head[:8])
        header = 8
        if size == 1:
            size, header = struct.unpack(">Q", head[8:16])[0], 16
        elif size == 0:
            size = end - offset
        if size < header or offset + size > end:
            return  # a torn tail
        yield kind.decode("latin-1"), offset, header, size
        offset += size


def _moov_samples(file, offset, header, size):
    samples = 0
    for kind, at, head, length in boxes(file, offset + header, offset + size):
        if kind in ("trak", "mdia", "minf", "stbl"):
            samples += _moov_samples(file, at, head, length)
        elif kind == "stsz":
            file.seek(at + head + 8)
            samples += struct.unpack(">I", file.read(4))[0]
    return samples


def _moof_samples(file, offset, header, size):
    samples = 0
    for kind, at, head, length in boxes(file, offset + header, offset + size):
        if kind == "traf":
            samples += _moof_samples(file, at, head, length)
        elif kind == "trun":
            file.seek(at + head + 4)
            samples += struct.unpack(">I", file.read(4))[0]
    return samples


def read(path):
    """What the file holds. A finished recording's first mdat swallows all that was written while it
    was recorded; its boxes are still there behind the 16-byte header, and are walked too."""
    result = {"finished": False, "moov": 0, "moof": 0, "mdat_headers": 0, "other": {},
              "fragments": 0, "samples": 0, "fragment_samples": 0, "media": 0}
    with open(path, "rb") as file:
        end = file.seek(0, 2)
        top = list(boxes(file, 0, end))
        if len(top) > 1 and top[1][0] == "mdat" and top[1][2] == 16:
            result["finished"] = True
            _, offset, header, size = top[1]
            inside = list(boxes(file, offset + header, offset + size))
            for kind, offset, header, size in top[2:]:
                if kind == "moov":
                    result["moov"] = size
                    result["samples"] = _moov_samples(file, offset, header, size)
        else:
            inside = top
        for kind, offset, header, size in inside:
            if kind == "moof":
                result["moof"] += size
                result["fragments"] += 1
                result["fragment_samples"] += _moof_samples(file, offset, header, size)
            elif kind == "mdat":
                result["mdat_headers"] += header
                result["media"] += size - header
            else:
                result["other"][kind] = result["other"].get(kind, 0) + size
    if not result["finished"]:
        result["samples"] = result["fragment_samples"]
    return result
