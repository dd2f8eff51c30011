#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace recording::media {

enum class TrackKind : std::uint8_t { kVideo = 0, kAudio = 1 };
inline constexpr int kTrackKinds = 2;
constexpr std::size_t index_of(TrackKind kind) { return static_cast<std::size_t>(kind); }

// Values are stored in files and in the live state: never renumber.
enum class Codec : std::uint8_t {
  kNone = 0,
  kAvc = 1,
  kAac = 2,
  kMp3 = 3,
  kHevc = 4,
  kAv1 = 5,
  kVp9 = 6,
  kOpus = 7,
  kAc3 = 8,
  kEac3 = 9,
  kFlac = 10
};

// One of those above but kNone: what a file or a neighbour says may be anything.
constexpr bool is_codec(Codec codec) { return codec >= Codec::kAvc && codec <= Codec::kFlac; }
std::string_view codec_name(Codec codec);  // as ffprobe prints it: h264, aac, mp3

// Of a codec that is one: kNone counts as audio.
constexpr TrackKind kind_of(Codec codec) {
  const bool video =
      codec == Codec::kAvc || codec == Codec::kHevc || codec == Codec::kAv1 || codec == Codec::kVp9;
  return video ? TrackKind::kVideo : TrackKind::kAudio;
}

}  // namespace recording::media
