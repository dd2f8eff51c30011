#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <vector>

#include "recorder/session.hpp"
#include "support/bit_writer.hpp"
#include "support/mp4_parser.hpp"

// An encoder that knows what a recording must hold, and a reader that compares.
namespace recording::test {

inline Bytes small_sps(std::uint32_t width_mbs = 20) {
  BitWriter out;
  out.bits(8, 0x67).bits(8, 66).bits(8, 0xC0).bits(8, 30).ue(0);
  out.ue(4).ue(2).ue(1).bits(1, 0).ue(width_mbs - 1).ue(14);
  out.bits(1, 1).bits(1, 1).bits(1, 0).bits(1, 0).bits(1, 1).align_to_byte();
  return out.bytes();
}
inline Bytes small_pps() { return {0x68, 0xCE, 0x3C, 0x80}; }

inline Bytes avc_record(const Bytes& sps, const Bytes& pps, int nal_length_size = 4) {
  Bytes out{1,   sps[1], sps[2], sps[3], static_cast<std::uint8_t>(0xFC | (nal_length_size - 1)),
            0xE1};
  put_u16(out, static_cast<std::uint16_t>(sps.size()));
  put_bytes(out, sps);
  put_u8(out, 1);
  put_u16(out, static_cast<std::uint16_t>(pps.size()));
  put_bytes(out, pps);
  return out;
}

inline Bytes nal(const Bytes& payload, int nal_length_size = 4) {
  Bytes out;
  for (int i = nal_length_size - 1; i >= 0; --i) {
    out.push_back(static_cast<std::uint8_t>(payload.size() >> (8 * i)));
  }
  put_bytes(out, payload);
  return out;
}

inline Bytes flv_video(bool key, std::uint8_t type, const Bytes& payload, std::int32_t cts = 0) {
  Bytes out{static_cast<std::uint8_t>((key ? 0x10 : 0x20) | 7), type};
  put_u24(out, static_cast<std::uint32_t>(cts) & 0xFFFFFF);
  put_bytes(out, payload);
  return out;
}
inline Bytes flv_aac(std::uint8_t type, const Bytes& payload) {
  Bytes out{0xAF, type};
  put_bytes(out, payload);
  return out;
}
inline Bytes aac_record() { return {0x11, 0x90}; }  // AAC LC, 48 kHz, stereo

// `made`: by a transcoder of the session.
inline void send(recorder::Session& session, media::TrackKind kind, std::uint32_t ts,
                 const Bytes& message, bool made = false) {
  // In three pieces, as chunks of RTMP are.
  auto* at = const_cast<std::uint8_t*>(message.data());
  const std::size_t a = message.size() / 7, b = message.size() / 2;
  const iovec pieces[] = {{at, a}, {at + a, b - a}, {at + b, message.size() - b}};
  if (made) {
    session.on_rendition(kind, ts, pieces);
  } else {
    session.on_message(kind, ts, pieces);
  }
}

// One sample that was handed in, as the file must have it.
struct Handed {
  std::uint32_t ts = 0;
  std::int32_t cts = 0;
  bool key = false;
  Bytes bytes;
  int part = 0;  // which publish it came with
};
using HandedTracks = recorder::PerKind<std::vector<Handed>>;

// Publishes 25 pictures and some 47 AAC packets a second, and remembers what it sent.
class Encoder {
 public:
  explicit Encoder(std::uint32_t seed = 1) : random_(seed) {}

  void connect(recorder::Session* session, std::uint32_t from_ts = 0) {
    session_ = session;
    frame_ = 0;
    audio_ = 0;
    base_ = from_ts;
    ++part_;
    headers();
  }
  void headers() {
    if (video) {
      send(*session_, media::TrackKind::kVideo, base_,
           flv_video(true, 0, avc_record(small_sps(width), small_pps())), is_rendition);
    }
    if (audio) {
      send(*session_, media::TrackKind::kAudio, base_, flv_aac(0, aac_record()), is_rendition);
    }
  }
  // The next message in order of time: a picture, or an audio packet.
  void step() {
    const std::uint64_t video_ts = frame_ * 40;
    const std::uint64_t audio_ts = audio_ * 64 / 3;  // 1024 / 48000 s
    if (video && (!audio || video_ts <= audio_ts)) {
      picture(static_cast<std::uint32_t>(base_ + video_ts), frame_ % gop == 0);
      ++frame_;
    } else {
      packet(static_cast<std::uint32_t>(base_ + audio_ts));
      ++audio_;
    }
  }
  // Everything with a time before `ms` of this publish.
  void run_until(std::uint64_t ms) {
    while (next_ms() < ms) {
      step();
    }
  }
  [[nodiscard]] std::uint64_t next_ms() const {
    const std::uint64_t video_ts = frame_ * 40, audio_ts = audio_ * 64 / 3;
    return !video ? audio_ts : !audio ? video_ts : std::min(video_ts, audio_ts);
  }

  void picture(std::uint32_t ts, bool key, std::int32_t cts = 0) {
    const Bytes unit = nal(random_nal(key ? 0x65 : 0x41, key ? key_size : picture_size));
    Handed sample{ts, cts, key, unit, part_};
    if (key) {
      sample.bytes = nal(small_sps(width));
      put_bytes(sample.bytes, nal(small_pps()));
      put_bytes(sample.bytes, unit);
    }
    // Remembered first: what is handed over counts although the process dies in the call.
    handed[0].push_back(std::move(sample));
    send(*session_, media::TrackKind::kVideo, ts + clock_ahead, flv_video(key, 1, unit, cts),
         is_rendition);
  }
  void packet(std::uint32_t ts) {
    const Bytes payload = random_nal(0x21, packet_size);
    handed[1].push_back({ts, 0, true, payload, part_});
    send(*session_, media::TrackKind::kAudio, ts + clock_ahead, flv_aac(1, payload), is_rendition);
  }
  Bytes random_nal(std::uint8_t first, std::size_t about) {
    Bytes bytes(about / 2 + 2 + random_() % about);
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(random_() | 1);
    }
    bytes[0] = first;
    return bytes;
  }

  bool video = true, audio = true;
  bool is_rendition = false;
  std::uint32_t width = 20;
  std::uint64_t gop = 25;
  std::uint32_t clock_ahead = 0;  // what is sent is wrong by that much
  std::size_t key_size = 3000, picture_size = 600, packet_size = 60;
  HandedTracks handed;

 private:
  recorder::Session* session_ = nullptr;
  std::mt19937 random_;
  std::uint64_t frame_ = 0, audio_ = 0;
  std::uint32_t base_ = 0;
  int part_ = 0;
};

// The samples of a file, by kind; prints and gives nothing when it is no MP4.
struct Movie {
  recorder::PerKind<std::vector<Mp4Sample>> samples;
  recorder::PerKind<std::uint32_t> timescale{};
  bool readable = false;
};
inline Movie read_movie(ByteView file) {
  Movie movie;
  try {
    Mp4Parser parser(file);
    for (auto& [id, track] : parser.tracks()) {
      if (id < 1 || id > 2) {
        throw std::runtime_error("a third track");
      }
      movie.timescale[id - 1] = track.timescale;
      movie.samples[id - 1] = std::move(track.samples);
    }
    movie.readable = true;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "not an MP4: %s\n", error.what());
  }
  return movie;
}

// Whether `got` are exactly `wanted`, in order, with times that are those sent (to 2 ms, within a
// publish) and rise. Prints the first difference.
inline bool same_samples(const std::vector<Mp4Sample>& got, std::uint32_t timescale,
                         const std::vector<Handed>& wanted, const char* name) {
  if (got.size() != wanted.size()) {
    std::fprintf(stderr, "%s: %zu samples, not %zu\n", name, got.size(), wanted.size());
  }
  std::size_t begin = 0;  // of the publish
  for (std::size_t i = 0; i < std::min(got.size(), wanted.size()); ++i) {
    if (got[i].bytes != wanted[i].bytes || got[i].key != wanted[i].key) {
      std::fprintf(stderr, "%s: sample %zu of %zu (of %zu handed in) is another\n", name, i,
                   got.size(), wanted.size());
      for (std::size_t k = 0; k < wanted.size(); ++k) {
        if (wanted[k].bytes == got[i].bytes) {
          std::fprintf(stderr, "  it is the one handed in as %zu\n", k);
        }
      }
      return false;
    }
    if (i > 0 && got[i].dts <= got[i - 1].dts) {
      std::fprintf(stderr, "%s: time does not rise at %zu\n", name, i);
      return false;
    }
    if (wanted[i].part != wanted[begin].part) {
      begin = i;
    }
    const std::int64_t ms = (got[i].dts - got[begin].dts) * 1000 / timescale;
    const std::int64_t sent = static_cast<std::int32_t>(wanted[i].ts - wanted[begin].ts);
    if (std::abs(ms - sent) > 2) {
      std::fprintf(stderr, "%s: sample %zu comes after %lld ms, not %lld\n", name, i,
                   static_cast<long long>(ms), static_cast<long long>(sent));
      return false;
    }
  }
  return got.size() == wanted.size();
}
inline bool movie_is(ByteView file, const HandedTracks& wanted) {
  const Movie movie = read_movie(file);
  return movie.readable && same_samples(movie.samples[0], movie.timescale[0], wanted[0], "video") &&
         same_samples(movie.samples[1], movie.timescale[1], wanted[1], "audio");
}

}  // namespace recording::test
