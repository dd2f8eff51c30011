// A publisher's messages, whatever they are, up to the command line that is made of them.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/require.hpp"
#include "transcode/drift.hpp"
#include "transcode/ffmpeg_command.hpp"
#include "transcode/master_playlist.hpp"
#include "transcode/playback_record.hpp"
#include "transcode/source_probe.hpp"

namespace {

using recording::Bytes;
using recording::ByteView;
using namespace recording::transcode;

// Nothing of what an encoder says gets among the arguments but numbers and names that are known.
bool is_plain(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

void check(const FrozenSource& source, Copying copying) {
  const Ladder ladder = ladder_of(source, {}, copying);
  require(!ladder.renditions.empty());
  for (const LiveVideo& video : ladder.videos) {
    require(video.width > 0 && video.width <= source.video->width.value);
    require(video.height > 0 && video.height <= source.video->height.value);
    require(video.copy || (video.width % 2 == 0 && video.height % 2 == 0 && video.bps > 0));
  }
  for (const std::string& argument : ffmpeg_arguments(source, {}, "/d", copying)) {
    require(!argument.empty() && is_plain(argument));
  }
  const std::string master = master_playlist(source, {}, 0, copying);
  require(std::all_of(master.begin(), master.end(),
                      [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7F); }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  SourceIntake intake;
  SourceProbe probe;
  Measurement measurement;
  DriftWatch watch;
  recording::ByteReader in({data, size});
  std::uint32_t timestamp = 0;
  std::int64_t now = 0;
  while (in.ok() && in.left() > 0) {
    const std::uint8_t head = in.u8();
    timestamp += in.u8() * 4U;
    now += 40;
    const ByteView body = in.bytes(std::min<std::size_t>(in.u16(), in.left()));
    if (head % 8 == 0) {
      if (const auto metadata = recording::media::parse_metadata(body)) {
        probe.take_metadata(*metadata);
      }
      continue;
    }
    // In two pieces of their own, so that the sanitizer sees each end.
    const std::size_t cut = std::min<std::size_t>(head >> 3, body.size());
    Bytes first(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(cut));
    Bytes second(body.begin() + static_cast<std::ptrdiff_t>(cut), body.end());
    const iovec pieces[] = {{first.data(), first.size()}, {second.data(), second.size()}};
    const auto kind =
        head % 2 == 0 ? recording::media::TrackKind::kVideo : recording::media::TrackKind::kAudio;
    const SourceMessage message = intake.take(kind, timestamp, now, pieces);
    require(std::uint64_t{message.tag.header_size} + message.tag.payload_size <= body.size());
    require(message.sets.insert.empty() || message.sets.at <= message.tag.payload_size);
    measurement.take(message);
    (void)probe.take(message, intake, now);
    const Measured measured = measurement.read(intake);
    require(measured.rate_5s >= 0 && measured.video_bps >= 0);
    if (probe.state() == SourceProbe::State::kReady) {
      (void)watch.look(probe.frozen(), measured, now);
      (void)drifts_of(probe.frozen(), measured, watch.fields());
    }
  }
  if (probe.state() == SourceProbe::State::kReady) {
    check(probe.frozen(), Copying::kAllowed);
    check(probe.frozen(), Copying::kForbidden);
    const FrozenSource again = frozen_from(to_record(probe.frozen()));
    require(again.video.has_value() == probe.frozen().video.has_value());
  }
  return 0;
}
