#include "processing/rendition_writer.hpp"

#include <algorithm>
#include <utility>

#include "media/avc_source.hpp"
#include "mp4/crc32.hpp"
#include "mp4/rescale.hpp"
#include "processing/encode_command.hpp"

namespace recording::processing {
namespace {

std::uint32_t crc32_of(const std::vector<iovec>& pieces) {
  std::uint32_t crc = 0;
  for (const iovec& one : pieces) {
    crc = mp4::crc32({static_cast<const std::uint8_t*>(one.iov_base), one.iov_len}, crc);
  }
  return crc;
}

iovec piece(ByteView bytes) { return {const_cast<std::uint8_t*>(bytes.data()), bytes.size()}; }

}  // namespace

Result<std::unique_ptr<RenditionWriter>> RenditionWriter::create(storage::FileSystem& files,
                                                                 const std::string& path,
                                                                 mp4::Identity identity,
                                                                 const mp4::Mark& begin) {
  auto made = files.create(path);
  if (!made) {
    return std::move(made).error();
  }
  auto file = mp4::RecordingFile::create(std::move(made).value(), std::move(identity));
  if (!file) {
    return std::move(file).error();
  }
  std::unique_ptr<RenditionWriter> writer(new RenditionWriter(std::move(file).value()));
  writer->mark(begin);
  return writer;
}

void RenditionWriter::mark(const mp4::Mark& mark) {
  const bool says_nothing = mark.ended_wall_ms == 0 && mark.reason.empty();
  if (!mark_ || !says_nothing) {
    mark_ = mark;
  }
  if (file_->length() == 0) {
    mark_->kind = mp4::MarkKind::kBegin;  // with which a file begins
  }
}

Status RenditionWriter::begin(const media::TrackConfig& config) {
  const bool video = media::kind_of(config.codec) == media::TrackKind::kVideo;
  Track& track = video ? pictures_ : sounds_;
  if (video) {
    // What waits has the sets of the encoder before.
    source_ = media::make_avc_source();
    RECORDING_TRY(source_->announce(config.record));
  }
  if (track.config.codec == media::Codec::kNone || !track.config.same_source(config)) {
    track.config = config;
    track.config_is_new = true;
  }
  return ok();
}

void RenditionWriter::add(Track& track, std::int64_t dts, std::int64_t pts,
                          const OwnedSample& sample) {
  mp4::Sample added;
  added.dts = dts;
  added.cts = static_cast<std::uint32_t>(std::max<std::int64_t>(pts - dts, 0));
  added.size = static_cast<std::uint32_t>(sample.bytes->size());
  added.key = sample.key;
  track.last_dts = dts;
  track.last_pts = pts;
  track.samples.push_back(added);
  track.bytes.push_back(sample.bytes);
  track.pieces.push_back({piece(*sample.bytes)});
}

void RenditionWriter::add_picture(const OwnedSample& sample) {
  const std::int64_t dts = std::max(sample.dts, pictures_.last_dts + 1);
  last_gap_ = static_cast<std::uint32_t>(std::max<std::int64_t>(dts - pictures_.last_dts, 1));
  add(pictures_, dts, sample.pts, sample);
  last_pts_ = std::max(last_pts_, sample.pts);
  if (!sample.key) {
    return;
  }
  ++keys_;
  std::vector<iovec>& pieces = pictures_.pieces.back();
  const auto [at, insert] = source_->take_key_frame(pieces);
  if (!insert.empty()) {
    auto sets = std::make_shared<const Bytes>(insert.begin(), insert.end());
    const ByteView bytes(*sample.bytes);
    pieces = {piece(bytes.first(at)), piece(*sets), piece(bytes.subspan(at))};
    pictures_.samples.back().size += static_cast<std::uint32_t>(sets->size());
    pictures_.bytes.push_back(std::move(sets));
  }
}

Status RenditionWriter::add_sound(const OwnedSample& sample) {
  constexpr std::int64_t kMostSeconds = 3 * kGroupSeconds;  // while no pictures come
  if (sample.pts <= sounds_.last_dts) {
    return ok();
  }
  const std::uint32_t clock = sounds_.config.timescale;
  if (!sounds_.samples.empty() && sample.pts - sounds_.samples.front().dts > kMostSeconds * clock) {
    RECORDING_TRY(flush_group());
  }
  add(sounds_, sample.pts, sample.pts, sample);
  return ok();
}

Status RenditionWriter::flush_group() {
  const std::int64_t first =
      mp4::rescale(sounds_.samples.front().dts, sounds_.config.timescale, kTicks);
  return flush(first + kGroupSeconds * kTicks);
}

Status RenditionWriter::flush(std::int64_t until) {
  const auto end =
      std::find_if(sounds_.samples.begin(), sounds_.samples.end(), [&](const mp4::Sample& sample) {
        return mp4::rescale(sample.dts, sounds_.config.timescale, kTicks) >= until;
      });
  return write(static_cast<std::size_t>(end - sounds_.samples.begin()), last_gap_);
}

Status RenditionWriter::write(std::size_t sounds, std::uint32_t last_picture) {
  mp4::Fragment fragment;
  std::vector<mp4::Run> runs;
  std::vector<iovec> pieces[media::kTrackKinds];
  const std::size_t counts[] = {pictures_.samples.size(), sounds};
  for (const media::TrackKind kind : mp4::kTrackOrder) {
    const std::size_t i = mp4::slot(kind), count = counts[i];
    Track& track = i == 0 ? pictures_ : sounds_;
    if (count == 0) {
      continue;
    }
    for (std::size_t k = 0; k < count; ++k) {
      pieces[i].insert(pieces[i].end(), track.pieces[k].begin(), track.pieces[k].end());
      track.written.add(track.samples[k].dts + track.samples[k].cts, track.samples[k].size,
                        crc32_of(track.pieces[k]));
    }
    mp4::Run& run = runs.emplace_back();
    run.kind = kind;
    run.samples = std::span(track.samples).first(count);
    run.pieces = pieces[i];
    run.last_duration = i == 0 ? last_picture : track.config.default_duration;
    fragment.config[i] = track.config_is_new ? &track.config : nullptr;
  }
  if (runs.empty()) {
    return ok();
  }
  fragment.runs = runs;
  fragment.mark = mark_;
  RECORDING_TRY(file_->append(fragment));
  file_->begin_sync();  // or the disk does it all while finish() waits
  mark_.reset();
  if (counts[0] > 0) {
    pictures_.config_is_new = false;
    pictures_.samples.clear();
    pictures_.pieces.clear();
    pictures_.bytes.clear();
  }
  if (sounds > 0) {
    const auto n = static_cast<std::ptrdiff_t>(sounds);
    sounds_.config_is_new = false;
    sounds_.samples.erase(sounds_.samples.begin(), sounds_.samples.begin() + n);
    sounds_.pieces.erase(sounds_.pieces.begin(), sounds_.pieces.begin() + n);
    sounds_.bytes.erase(sounds_.bytes.begin(), sounds_.bytes.begin() + n);
  }
  return ok();
}

Status RenditionWriter::finish(std::int64_t pictures_end) {
  while (!has_pictures() && sounds_.samples.size() > 1 &&
         sounds_.last_dts - sounds_.samples.front().dts >
             kGroupSeconds * std::int64_t{sounds_.config.timescale}) {
    RECORDING_TRY(flush_group());
  }
  std::int64_t lasts = last_gap_;
  if (has_pictures() && pictures_.last_pts == last_pts_) {
    lasts = std::clamp<std::int64_t>(pictures_end - last_pts_, 1, mp4::kMaxStep);
  }
  RECORDING_TRY(write(sounds_.samples.size(), static_cast<std::uint32_t>(lasts)));
  return file_->finish();
}

}  // namespace recording::processing
