#include "processing/encoded_movie.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "media/aac_config.hpp"
#include "media/avc_config.hpp"
#include "mp4/box_reader.hpp"
#include "mp4/box_writer.hpp"
#include "mp4/track_table.hpp"

namespace recording::processing {
namespace {

using mp4::BoxIterator;
using mp4::fourcc;

// More than half a second of anything that is encoded here.
constexpr std::size_t kMostBox = std::size_t{1} << 29;
constexpr std::uint32_t kNonSync = 0x00010000;

Error bad(const char* what) {
  return Error{Errc::kCorrupt, std::string("the encoder's output: ") + what};
}

// The body of the first box of that type; empty: there is none.
ByteView find(ByteView bytes, std::uint32_t type) {
  BoxIterator boxes(bytes);
  while (boxes.next()) {
    if (boxes.type() == type) {
      return boxes.body();
    }
  }
  return {};
}

ByteView find(ByteView bytes, std::initializer_list<std::uint32_t> path) {
  for (const std::uint32_t type : path) {
    bytes = find(bytes, type);
  }
  return bytes;
}

// ISO/IEC 14496-1, 7.2.6: the payload of a descriptor of that tag in front of `in`.
ByteView descriptor(ByteReader& in, std::uint8_t tag) {
  if (in.u8() != tag) {
    return {};
  }
  std::uint32_t size = 0;
  for (int i = 0; i < 4; ++i) {
    const std::uint8_t byte = in.u8();
    size = size << 7 | (byte & 0x7FU);
    if ((byte & 0x80U) == 0) {
      break;
    }
  }
  return in.bytes(size);
}

ByteView decoder_specific_info(ByteView esds) {
  constexpr std::uint8_t kEs = 3, kDecoderConfig = 4, kSpecific = 5;
  ByteReader box(esds);
  box.skip(4);
  ByteReader es(descriptor(box, kEs));
  es.skip(3);  // ES_ID, flags: none of them has more to it
  ByteReader config(descriptor(es, kDecoderConfig));
  config.skip(13);
  return descriptor(config, kSpecific);
}

Result<media::TrackConfig> track_config(ByteView trak) {
  constexpr std::size_t kVisualEntry = 78, kAudioEntry = 28;
  ByteView stsd = find(trak, {fourcc("mdia"), fourcc("minf"), fourcc("stbl"), fourcc("stsd")});
  stsd = stsd.subspan(std::min<std::size_t>(8, stsd.size()));
  if (const ByteView entry = find(stsd, fourcc("avc1")); entry.size() > kVisualEntry) {
    auto config = media::parse_avc_config(find(entry.subspan(kVisualEntry), fourcc("avcC")));
    return config ? Result<media::TrackConfig>(config.value().track())
                  : Result<media::TrackConfig>(std::move(config).error());
  }
  if (const ByteView entry = find(stsd, fourcc("mp4a")); entry.size() > kAudioEntry) {
    return media::parse_aac_config(
        decoder_specific_info(find(entry.subspan(kAudioEntry), fourcc("esds"))));
  }
  return bad("neither H.264 nor AAC");
}

}  // namespace

Status EncodedMovie::take(ByteView bytes, const OnSample& then) {
  put_bytes(buffer_, bytes);
  ByteView rest(buffer_);
  for (;;) {
    if (rest.size() < 8) {
      break;
    }
    ByteReader in(rest);
    const std::size_t size = in.u32();
    const std::uint32_t type = in.u32();
    if (size < 8 || size > kMostBox) {
      return bad("a box of no sensible size");
    }
    if (rest.size() < size) {
      break;
    }
    RECORDING_TRY(take_box(type, rest.first(size), then));
    rest = rest.subspan(size);
  }
  buffer_.erase(buffer_.begin(), buffer_.end() - static_cast<std::ptrdiff_t>(rest.size()));
  return ok();
}

Status EncodedMovie::take_box(std::uint32_t type, ByteView box, const OnSample& then) {
  if (type == fourcc("moov")) {
    return take_moov(box.subspan(8));
  }
  if (type == fourcc("moof")) {
    return take_moof(box);
  }
  return type == fourcc("mdat") ? take_mdat(box, then) : ok();
}

Status EncodedMovie::take_moov(ByteView body) {
  if (!tracks_.empty()) {
    return bad("two moov");
  }
  BoxIterator boxes(body);
  while (boxes.next()) {
    if (boxes.type() != fourcc("trak")) {
      continue;
    }
    ByteReader tkhd(find(boxes.body(), fourcc("tkhd")));
    const bool long_times = tkhd.u32() >> 24 == 1;
    tkhd.skip(long_times ? 16 : 8);
    ids_.push_back(tkhd.u32());
    ByteReader mdhd(find(boxes.body(), {fourcc("mdia"), fourcc("mdhd")}));
    mdhd.skip(mdhd.u32() >> 24 == 1 ? 16 : 8);
    const std::uint32_t timescale = mdhd.u32();
    auto config = track_config(boxes.body());
    if (!config) {
      return std::move(config).error();
    }
    if (!tkhd.ok() || !mdhd.ok() || timescale != config.value().timescale) {
      return bad("a track of another clock");
    }
    tracks_.push_back(std::move(config).value());
  }
  return boxes.ok() && !tracks_.empty() ? ok() : bad("moov");
}

Status EncodedMovie::take_moof(ByteView box) {
  if (!runs_.empty()) {
    return bad("moof without mdat");
  }
  moof_size_ = box.size();
  BoxIterator boxes(box.subspan(8));
  while (boxes.next()) {
    if (boxes.type() == fourcc("traf")) {
      RECORDING_TRY(take_traf(boxes.body()));
    }
  }
  return boxes.ok() ? ok() : bad("moof");
}

Status EncodedMovie::take_traf(ByteView body) {
  enum : std::uint32_t { kBase = 1, kDescription = 2, kDuration = 8, kSize = 0x10, kFlags = 0x20 };
  enum : std::uint32_t {
    kRunOffset = 1,
    kRunFirstFlags = 4,
    kRunDuration = 0x100,
    kRunSize = 0x200,
    kRunFlags = 0x400,
    kRunCts = 0x800
  };
  ByteReader tfhd(find(body, fourcc("tfhd")));
  const std::uint32_t has = tfhd.u32() & 0xFFFFFF;
  const std::uint32_t id = tfhd.u32();
  const auto track = std::find(ids_.begin(), ids_.end(), id);
  if (track == ids_.end() || (has & (kBase | kDescription)) != 0) {
    return bad("tfhd");
  }
  const std::uint32_t duration = (has & kDuration) != 0 ? tfhd.u32() : 0;
  const std::uint32_t size = (has & kSize) != 0 ? tfhd.u32() : 0;
  const std::uint32_t flags = (has & kFlags) != 0 ? tfhd.u32() : 0;
  ByteReader tfdt(find(body, fourcc("tfdt")));
  std::uint64_t begin = tfdt.u32() >> 24 == 1 ? tfdt.u64() : tfdt.u32();
  if (!tfhd.ok() || !tfdt.ok() || begin > static_cast<std::uint64_t>(mp4::kMaxDts)) {
    return bad("tfdt");
  }
  auto dts = static_cast<std::int64_t>(begin);
  BoxIterator boxes(body);
  while (boxes.next()) {
    if (boxes.type() != fourcc("trun")) {
      continue;
    }
    ByteReader trun(boxes.body());
    const std::uint32_t of = trun.u32() & 0xFFFFFF;
    const std::uint32_t count = trun.u32();
    Run run{static_cast<std::size_t>(track - ids_.begin()), 0, {}};
    run.offset = (of & kRunOffset) != 0 ? trun.u32() : 0;
    const std::uint32_t first = (of & kRunFirstFlags) != 0 ? trun.u32() : flags;
    for (std::uint32_t i = 0; i < count && trun.ok() && i < mp4::kMaxRunSamples; ++i) {
      const std::uint32_t lasts = (of & kRunDuration) != 0 ? trun.u32() : duration;
      const std::uint32_t bytes = (of & kRunSize) != 0 ? trun.u32() : size;
      const std::uint32_t own = (of & kRunFlags) != 0 ? trun.u32() : (i == 0 ? first : flags);
      const std::uint32_t cts = (of & kRunCts) != 0 ? trun.u32() : 0;
      run.samples.push_back(
          {dts, dts + static_cast<std::int32_t>(cts), bytes, (own & kNonSync) == 0});
      dts += lasts;
    }
    if (!trun.ok() || trun.left() != 0 || dts > mp4::kMaxDts) {
      return bad("trun");
    }
    runs_.push_back(std::move(run));
  }
  return boxes.ok() ? ok() : bad("traf");
}

Status EncodedMovie::take_mdat(ByteView box, const OnSample& then) {
  for (const Run& run : std::exchange(runs_, {})) {
    std::size_t at = run.offset - moof_size_;
    if (run.offset < moof_size_ + 8) {
      return bad("a run outside its mdat");
    }
    for (const Run::Sample& sample : run.samples) {
      if (at > box.size() || sample.size > box.size() - at) {
        return bad("a run outside its mdat");
      }
      RECORDING_TRY(
          then({run.track, sample.dts, sample.pts, sample.key, box.subspan(at, sample.size)}));
      at += sample.size;
    }
  }
  return ok();
}

}  // namespace recording::processing
