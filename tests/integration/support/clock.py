"""An encoder whose clock goes wrong: other timestamps for the messages of an FLV file.

A fault is a function of (track, timestamp) -> timestamp; track is "v" or "a". The media are sent
when they would be sent without it: see --timestamps of rtmp-publisher.
"""
import pathlib
import struct

from .flv import flv_messages


def jump(at, by, tracks="va"):
    """The clock says `by` ms more from `at` ms on."""
    return lambda track, time: time + by if time >= at and track in tracks else time


def reset(at, to=0):
    return jump(at, to - at)


def one_wrong(at, by, tracks="va"):
    """What is sent within 40 ms has the time of another clock."""
    return lambda track, time: time + by if at <= time < at + 40 and track in tracks else time


def flapping(every, by, begin=1000, end=3000):
    """Two clocks in turn."""
    return lambda track, time: (
        time + by if begin <= time < end and (time - begin) // every % 2 == 0 else time)


def standing(at, until, tracks="v"):
    return lambda track, time: at if at <= time < until and track in tracks else time


def drift(thousandths, tracks="a"):
    return lambda track, time: time + time * thousandths // 1000 if track in tracks else time


def after(*faults):
    """All of them, each told the time without the others."""
    return lambda track, time: time + sum(fault(track, time) - time for fault in faults)


def write_timestamps(source, fault, path, base=0):
    """For --timestamps: 32 bits of each."""
    times = [(base + fault(message.kind, message.timestamp)) % 2**32
             for message in flv_messages(source)]
    pathlib.Path(path).write_text("\n".join(map(str, times)), encoding="ascii")
    return times


def with_later_timestamps(source, path, by):
    """A copy whose pictures have timestamps `by` ms later and composition times as much less: the
    same pictures at the same times, told with negative composition times."""
    data = bytearray(pathlib.Path(source).read_bytes())
    at = struct.unpack(">I", data[5:9])[0] + 4
    while at + 11 <= len(data):
        size = int.from_bytes(data[at + 1:at + 4], "big")
        if data[at] & 31 == 9 and data[at + 12] == 1:
            time = (int.from_bytes(data[at + 4:at + 7], "big") | data[at + 7] << 24) + by
            data[at + 4:at + 8] = (time & 0xFFFFFF).to_bytes(3, "big") + bytes([time >> 24])
            cts = int.from_bytes(data[at + 13:at + 16], "big", signed=True) - by
            data[at + 13:at + 16] = cts.to_bytes(3, "big", signed=True)
        at += 11 + size + 4
    pathlib.Path(path).write_bytes(data)
    return path
