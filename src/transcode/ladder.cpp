#include "transcode/ladder.hpp"

#include <algorithm>
#include <cmath>

#include "transcode/flv_tag_writer.hpp"
#include "transcode/picture_size.hpp"

namespace recording::transcode {
namespace {

using media::Codec;

constexpr double kUsualRate = 30;
constexpr std::int64_t kUsualAudioBps = 128000;

// Without transcoder_rendition.
const std::vector<RenditionSetting>& default_ladder() {
  static const std::vector<RenditionSetting> ladder = {{"1080p", 1080, 5000000, 128000},
                                                       {"720p", 720, 2800000, 128000},
                                                       {"480p", 480, 1400000, 96000},
                                                       {"360p", 360, 800000, 96000}};
  return ladder;
}

// What players show as it is: browsers have no more of H.264 than this.
bool can_copy(const FrozenVideo& video) {
  const std::string& pixels = video.pix_fmt.value;
  return video.codec == Codec::kAvc && (pixels == "yuv420p" || pixels == "yuvj420p") &&
         !video.interlaced && video.keeps_frame_rate;
}

bool can_copy(const FrozenAudio& audio) { return audio.codec == Codec::kAac; }

// In Matroska a track says neither its bit rate, which an MPD must, nor when a picture is decoded.
bool is_fed_as_flv(const FrozenSource& source) {
  return (!source.video || flv_has(source.video->codec)) &&
         (!source.audio || flv_has(source.audio->codec));
}

// What is no H.264 and no AAC is not copied.
void forbid_copies(FrozenSource& source) {
  if (source.video) {
    source.video->codec = Codec::kNone;
  }
  if (source.audio) {
    source.audio->codec = Codec::kNone;
  }
}

std::uint32_t shorter_side(const FrozenVideo& video) {
  return std::min(video.width.value, video.height.value);
}

// A usual bit rate for pictures of any size, through the default ladder's.
std::int64_t usual_bps(PictureSize picture, double rate) {
  constexpr double kFullHd = 1920.0 * 1080, kFullHdBps = 5000000;
  const double size = std::pow(1.0 * picture.width * picture.height / kFullHd, 0.75);
  // Twice the pictures are not twice the change.
  const double speed = rate > kUsualRate ? std::sqrt(rate / kUsualRate) : 1;
  return std::llround(kFullHdBps * size * speed / 10000) * 10000;
}

LiveVideo encoded(const FrozenVideo& source, PictureSize size, std::int64_t bps) {
  LiveVideo video;
  video.width = size.width;
  video.height = size.height;
  video.bps = bps;
  video.most_bps = most_bps(bps);
  video.level = avc_level(size, source.frame_rate.value.per_second(), video.most_bps);
  return video;
}

LiveVideo smaller(const FrozenVideo& source, const RenditionSetting& setting, bool usual) {
  const PictureSize size = scaled({source.width.value, source.height.value}, setting.height);
  const double rate = source.frame_rate.value.per_second();
  return encoded(source, size, usual ? usual_bps(size, rate) : setting.video_bps);
}

LiveVideo copied(const FrozenVideo& source) {
  LiveVideo video;
  video.copy = true;
  video.width = source.width.value;
  video.height = source.height.value;
  video.bps = source.bps.value;
  return video;
}

LiveVideo whole(const FrozenVideo& source) {
  const PictureSize size = even({source.width.value, source.height.value});
  return encoded(source, size, usual_bps(size, source.frame_rate.value.per_second()));
}

// The track of sound for a rendition: encoded only where that makes it smaller.
int add_audio(Ladder& ladder, const FrozenAudio& source, std::int64_t bps, bool best) {
  constexpr double kHardlySmaller = 1.1;
  LiveAudio audio;
  audio.copy = can_copy(source) &&
               (best || (source.bps.value > 0 && static_cast<double>(source.bps.value) <=
                                                     static_cast<double>(bps) * kHardlySmaller));
  audio.bps = audio.copy ? source.bps.value : bps;
  const auto same = std::find_if(
      ladder.audios.begin(), ladder.audios.end(),
      [&audio](const LiveAudio& one) { return one.copy == audio.copy && one.bps == audio.bps; });
  if (same != ladder.audios.end()) {
    return static_cast<int>(same - ladder.audios.begin());
  }
  ladder.audios.push_back(audio);
  return static_cast<int>(ladder.audios.size()) - 1;
}

void add(Ladder& ladder, const FrozenSource& source, std::string name, LiveVideo video,
         std::int64_t audio_bps, bool best) {
  LiveRendition rendition;
  rendition.name = std::move(name);
  rendition.video = static_cast<int>(ladder.videos.size());
  ladder.videos.push_back(video);
  if (source.audio) {
    rendition.audio = add_audio(ladder, *source.audio, audio_bps, best);
  }
  ladder.renditions.push_back(std::move(rendition));
}

// Of the rendition of the source, where it is encoded.
std::int64_t best_audio_bps(const FrozenSource& source, const TranscoderSettings& settings) {
  const auto& all = settings.renditions;
  if (source.video || all.empty()) {
    return kUsualAudioBps;
  }
  return std::max_element(all.begin(), all.end(),
                          [](const auto& a, const auto& b) { return a.audio_bps < b.audio_bps; })
      ->audio_bps;
}

Ladder of_sound(const FrozenSource& source, const TranscoderSettings& settings) {
  Ladder ladder;
  std::vector<std::int64_t> rates;
  for (const RenditionSetting& setting : settings.renditions) {
    rates.push_back(setting.audio_bps);
  }
  std::sort(rates.rbegin(), rates.rend());
  const int best = add_audio(ladder, *source.audio, best_audio_bps(source, settings), true);
  ladder.renditions.push_back({"source", -1, best});
  for (const std::int64_t bps : rates) {
    const int track = add_audio(ladder, *source.audio, bps, false);
    if (track == static_cast<int>(ladder.renditions.size())) {
      ladder.renditions.push_back({"audio" + std::to_string(bps / 1000) + "k", -1, track});
    }
  }
  return ladder;
}

Ladder of_pictures(const FrozenSource& frozen, const FrozenSource& source,
                   const TranscoderSettings& settings) {
  const FrozenVideo& video = *source.video;
  const int side = static_cast<int>(shorter_side(video));
  const bool usual = settings.renditions.empty();
  const auto& wanted = usual ? default_ladder() : settings.renditions;
  const int below = usual ? side - 1 : side;
  const bool any_fits =
      std::any_of(wanted.begin(), wanted.end(),
                  [below](const RenditionSetting& setting) { return setting.height <= below; });
  Ladder ladder;
  if (usual || can_copy(*frozen.video) || !any_fits) {
    add(ladder, source, "source", can_copy(video) ? copied(video) : whole(video),
        best_audio_bps(source, settings), true);
  }
  for (const RenditionSetting& setting : wanted) {
    if (setting.height <= below) {
      add(ladder, source, setting.name, smaller(video, setting, usual), setting.audio_bps, false);
    }
  }
  return ladder;
}

// As many tracks, each in its place: players have their playlists.
void encode_copies(Ladder& ladder, const FrozenSource& source, const TranscoderSettings& settings) {
  for (LiveVideo& video : ladder.videos) {
    video = video.copy ? whole(*source.video) : video;
  }
  for (LiveAudio& audio : ladder.audios) {
    audio = audio.copy ? LiveAudio{false, best_audio_bps(source, settings)} : audio;
  }
}

}  // namespace

Ladder ladder_of(const FrozenSource& frozen, const TranscoderSettings& settings, Copying copying) {
  FrozenSource source = frozen;
  if (!is_fed_as_flv(frozen)) {
    forbid_copies(source);
  }
  Ladder ladder = source.video ? of_pictures(frozen, source, settings) : of_sound(source, settings);
  if (copying == Copying::kForbidden) {
    encode_copies(ladder, source, settings);
  }
  return ladder;
}

bool is_as_frozen(const FrozenSource& source, const media::TrackConfig* video,
                  const media::TrackConfig* audio) {
  if (source.video && video != nullptr) {
    const media::SourceParameters& now = video->source;
    if (now.width != source.video->width.value || now.height != source.video->height.value ||
        now.sar_num != source.video->sar_num || now.sar_den != source.video->sar_den ||
        now.pix_fmt != source.video->pix_fmt.value || video->codec != source.video->codec) {
      return false;
    }
  }
  return !source.audio || audio == nullptr ||
         (audio->codec == source.audio->codec &&
          audio->source.sample_rate == source.audio->sample_rate.value &&
          audio->source.channels == source.audio->channels.value);
}

}  // namespace recording::transcode
