"""An Enhanced RTMP encoder's messages, out of an MP4: Debian 12's ffmpeg cannot send them.

Enhanced RTMP v1 and v2 as published by Veovera; the names here are those of its tables.
"""
import pathlib
import struct

from .flv import Message
from .mp4 import read_mp4

SEQUENCE_START, CODED_FRAMES, SEQUENCE_END, CODED_FRAMES_X = 0, 1, 2, 3
METADATA, MPEG2TS_SEQUENCE_START, VIDEO_MULTITRACK = 4, 5, 6
MULTICHANNEL_CONFIG, AUDIO_MULTITRACK, MOD_EX = 4, 5, 7
ONE_TRACK, MANY_TRACKS, MANY_TRACKS_MANY_CODECS = 0, 1, 2

FOURCC = {b"avc1": b"avc1", b"hvc1": b"hvc1", b"hev1": b"hvc1", b"av01": b"av01",
          b"vp09": b"vp09", b"mp4a": b"mp4a", b"Opus": b"Opus", b"ac-3": b"ac-3",
          b"ec-3": b"ec-3", b"fLaC": b"fLaC", b".mp3": b".mp3"}
WITH_COMPOSITION_TIME = (b"avc1", b"hvc1")


def audio_specific_config(esds):
    """What is behind the descriptor tag 5 of an esds box."""
    at = 4
    while at < len(esds):
        tag, at = esds[at], at + 1
        size = 0
        while True:
            byte, at = esds[at], at + 1
            size = size << 7 | byte & 0x7F
            if byte < 0x80:
                break
        if tag == 5:
            return esds[at:at + size]
        at += {3: 3, 4: 13}.get(tag, size)  # into the descriptor, or past it
    return b""  # MP3


def opus_head(dops):
    version, channels, skip, rate, gain, family = struct.unpack(">BBHIhB", dops[:11])
    assert version == 0
    return b"OpusHead" + struct.pack("<BBHIhB", 1, channels, skip, rate, gain, family) + dops[11:]


def sequence_header(track):
    """The payload of SequenceStart; None where the codec has none."""
    config = track.config
    if track.entry in (b"ac-3", b"ec-3"):
        return None
    if track.entry == b"mp4a":
        return audio_specific_config(config[b"esds"]) or None
    if track.entry == b"Opus":
        return opus_head(config[b"dOps"])
    if track.entry == b"fLaC":
        return b"fLaC" + config[b"dfLa"][4:]
    if track.entry == b"vp09":
        return config[b"vpcC"][4:]
    return config[{b"avc1": b"avcC", b"av01": b"av1C"}.get(track.entry, b"hvcC")]


def first_byte(kind, packet_type, key):
    return bytes([(0x90 if key else 0xA0) | packet_type] if kind == "v" else [0x90 | packet_type])


def ex_message(kind, timestamp, packet_type, fourcc, payload=b"", key=True):
    return Message(kind, timestamp, first_byte(kind, packet_type, key) + fourcc + payload)


def milliseconds(ticks, timescale):
    return (ticks * 1000 + timescale // 2) // timescale


def fourcc_of(track):
    if track.entry == b"mp4a" and not audio_specific_config(track.config[b"esds"]):
        return b".mp3"
    return FOURCC[track.entry]


def track_messages(track, zero_ms, header=True):
    """SequenceStart and all frames. `zero_ms`: what every time is moved by."""
    fourcc = fourcc_of(track)
    start = sequence_header(track)
    messages = []
    for sample in track.samples:
        dts = milliseconds(sample.dts + track.start, track.timescale) + zero_ms
        pts = milliseconds(sample.dts + sample.cts + track.start, track.timescale) + zero_ms
        if header and start is not None and not messages:
            messages.append(ex_message(track.kind, dts, SEQUENCE_START, fourcc, start))
        packet_type, payload = CODED_FRAMES, sample.data
        if fourcc in WITH_COMPOSITION_TIME:
            if pts == dts:
                packet_type = CODED_FRAMES_X
            else:
                payload = (pts - dts).to_bytes(3, "big", signed=True) + payload
        messages.append(ex_message(track.kind, dts, packet_type, fourcc, payload, sample.key))
    return messages


def enhanced_messages(path, shift_ms=0, header=True):
    """All of an MP4, as an encoder would send it; `shift_ms`: of the pictures' composition times
    against their decoding times, for encoders that send negative ones."""
    tracks = read_mp4(path)
    first = min(milliseconds(track.samples[0].dts + track.start, track.timescale)
                for track in tracks)
    messages = [message for track in tracks
                for message in track_messages(track, -first, header)]
    messages.sort(key=lambda message: message.timestamp)
    return [move_decoding(message, shift_ms) for message in messages] if shift_ms else messages


def move_decoding(message, by_ms):
    """The same picture at the same time of presentation, sent as if decoded later."""
    body = message.body
    if message.kind != "v" or body[0] & 15 not in (CODED_FRAMES, CODED_FRAMES_X):
        return message._replace(timestamp=message.timestamp + by_ms)
    cts, payload = 0, body[5:]
    if body[0] & 15 == CODED_FRAMES:
        cts, payload = int.from_bytes(body[5:8], "big", signed=True), body[8:]
    return Message("v", message.timestamp + by_ms,
                   bytes([body[0] & 0xF0 | CODED_FRAMES]) + body[1:5]
                   + (cts - by_ms).to_bytes(3, "big", signed=True) + payload)


def with_mod_ex(message, *datas, mod_type=0):
    """ModEx packets in front of an Enhanced message; `datas`: the ModExData of each."""
    body = message.body
    out, packet_type = bytes([body[0] & 0xF0 | MOD_EX]), body[0] & 15
    for i, data in enumerate(datas):
        size = len(data) - 1
        out += bytes([size]) if size < 255 else b"\xff" + struct.pack(">H", size)
        following = MOD_EX if i + 1 < len(datas) else packet_type
        out += data + bytes([mod_type << 4 | following])
    return message._replace(body=out + body[1:])


def as_multitrack(message, order=ONE_TRACK, others=(), first=False, track=0):
    """An Enhanced message as Multitrack. `others`: (track id, FourCC, payload) beside it; `first`:
    before it."""
    body = message.body
    multitrack = VIDEO_MULTITRACK if message.kind == "v" else AUDIO_MULTITRACK
    out = bytes([body[0] & 0xF0 | multitrack, order << 4 | body[0] & 15])
    fourcc, payload = body[1:5], body[5:]
    if order != MANY_TRACKS_MANY_CODECS:
        out += fourcc
    rows = [(track, fourcc, payload)]
    rows = [*others, *rows] if first else [*rows, *others]
    for number, code, data in rows:
        out += code if order == MANY_TRACKS_MANY_CODECS else b""
        out += bytes([number])
        out += len(data).to_bytes(3, "big") if order != ONE_TRACK else b""
        out += data
    return message._replace(body=out)


def write_flv(path, messages):
    """An FLV of messages, for rtmp-publisher."""
    out = bytearray(b"FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00")
    for message in messages:
        tag = bytes([9 if message.kind == "v" else 8])
        tag += len(message.body).to_bytes(3, "big")
        tag += (message.timestamp & 0xFFFFFF).to_bytes(3, "big")
        tag += bytes([message.timestamp >> 24 & 0xFF, 0, 0, 0])
        out += tag + message.body + struct.pack(">I", len(tag) + len(message.body))
    pathlib.Path(path).write_bytes(out)
    return path


def enhanced_flv(path, source, **options):
    """The FLV at `path` made of the MP4 `source`."""
    return write_flv(path, enhanced_messages(source, **options))
