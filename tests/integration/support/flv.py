"""FLV messages as they are sent, and the samples of an MP4, brought to a form that can be compared.

The recorder may give a key frame a copy of its parameter sets, and nothing else: so the two forms
are equal when parameter sets are left out of both.
"""
import collections
import hashlib
import pathlib
import struct

from .media import probe

Message = collections.namedtuple("Message", "kind timestamp body")  # kind: "v" or "a"


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def flv_messages(path):
    """Audio and video messages of a file, sequence headers included."""
    data = pathlib.Path(path).read_bytes()
    at = struct.unpack(">I", data[5:9])[0] + 4
    while at + 11 <= len(data):
        size = int.from_bytes(data[at + 1:at + 4], "big")
        timestamp = int.from_bytes(data[at + 4:at + 7], "big") | data[at + 7] << 24
        body = data[at + 11:at + 11 + size]
        if data[at] & 31 in (8, 9):
            yield Message("a" if data[at] & 31 == 8 else "v", timestamp, body)
        at += 11 + size + 4


def is_sequence_header(message):
    body = message.body
    if len(body) < 2 or body[1] != 0:
        return False
    return body[0] & 15 == 7 if message.kind == "v" else body[0] >> 4 == 10


def message_sample(message):
    """What is compared of a message; None when it carries no sample."""
    body = message.body
    if is_sequence_header(message):
        return None
    if message.kind == "a":
        return _digest(body[2:] if body[0] >> 4 == 10 else body[1:])
    if len(body) < 5 or body[1] != 1:  # such as the end of the sequence
        return None
    return picture(body[5:])


def picture(sample):
    """The digest of an H.264 sample without parameter sets; of what is none, as it is."""
    kept = bytearray()
    at = 0
    while at + 4 < len(sample):
        size = int.from_bytes(sample[at:at + 4], "big")
        if sample[at + 4] & 31 not in (7, 8):
            kept += sample[at:at + 4 + size]
        at += 4 + size
    return _digest(kept if at == len(sample) else sample)


def mp4_samples(path):
    """{"v": [digest], "a": [digest]} of a recording, each in file order."""
    data = pathlib.Path(path).read_bytes()
    result = {"v": [], "a": []}
    packets = probe(path, "-show_packets", "-show_entries", "packet=codec_type,pos,size")
    for packet in packets["packets"]:
        at, size = int(packet["pos"]), int(packet["size"])
        sample = data[at:at + size]
        if packet["codec_type"] == "video":
            result["v"].append(picture(sample))
        else:
            result["a"].append(_digest(sample))
    return result


def _digest(data):
    return hashlib.md5(data).hexdigest()
