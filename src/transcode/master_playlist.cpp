#include "transcode/master_playlist.hpp"

#include <algorithm>

#include "media/codec_string.hpp"
#include "media/stream_inf.hpp"
#include "transcode/ladder.hpp"

namespace recording::transcode {
namespace {

constexpr std::uint8_t kHighProfile = 100;
constexpr const char* kAacLc = "mp4a.40.2";
// What MP4 adds to the media, and the unevenness of sound.
constexpr double kOverhead = 1.05;
// A copied source whose bit rate nobody knows.
constexpr double kBitsPerPixel = 0.1;
constexpr std::int64_t kUsualAudioBps = 160000;

class Master {
 public:
  Master(const FrozenSource& source, const TranscoderSettings& settings, std::int64_t source_bps,
         Copying copying)
      : source_(source),
        settings_(settings),
        source_bps_(source_bps),
        ladder_(ladder_of(source, settings, copying)) {}

  std::string text() const {
    std::string text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n";
    for (std::size_t i = 0; source_.video && i < ladder_.audios.size(); ++i) {
      text += audio_group(i);
    }
    for (const LiveRendition& rendition : ladder_.renditions) {
      text += variant(rendition);
    }
    return text;
  }

 private:
  [[nodiscard]] std::string audio_group(std::size_t i) const {
    const std::uint16_t channels =
        ladder_.audios[i].copy ? source_.audio->channels.value
                               : std::min(source_.audio->channels.value, kMostEncodedChannels);
    return "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio" + std::to_string(i) +
           "\",NAME=\"audio\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"" + std::to_string(channels) +
           "\",URI=\"" + media_playlist_name(ladder_.videos.size() + i) + "\"\n";
  }

  [[nodiscard]] std::string variant(const LiveRendition& rendition) const {
    media::StreamInf out;
    if (rendition.video >= 0) {
      const LiveVideo& video = ladder_.videos[static_cast<std::size_t>(rendition.video)];
      add_video(video, out.most_bps, out.average_bps);
      out.codecs = video.copy ? source_.video->rfc6381
                              : media::avc_codec_string(kHighProfile, 0, video.level);
      out.width = video.width;
      out.height = video.height;
      out.frame_rate = source_.video->frame_rate.value.per_second();
    }
    if (rendition.audio >= 0) {
      const auto index = static_cast<std::size_t>(rendition.audio);
      const LiveAudio& audio = ladder_.audios[index];
      const double bps = static_cast<double>(audio.bps > 0 ? audio.bps : kUsualAudioBps);
      out.most_bps += bps * kOverhead;
      out.average_bps += bps;
      out.codecs += (out.codecs.empty() ? "" : ",") +
                    (audio.copy ? source_.audio->rfc6381 : std::string(kAacLc));
      if (rendition.video >= 0) {
        out.audio_group = "audio" + std::to_string(index);
      }
    }
    const std::size_t track =
        rendition.video >= 0 ? static_cast<std::size_t>(rendition.video)
                             : ladder_.videos.size() + static_cast<std::size_t>(rendition.audio);
    out.uri = media_playlist_name(track);
    return media::to_text(out);
  }

  void add_video(const LiveVideo& video, double& most, double& average) const {
    if (!video.copy) {
      // A segment may empty the decoder's buffer, which holds a second, beside what the greatest
      // rate fills it with: ITU-T H.264, C.1.
      const double segment = static_cast<double>(settings_.segment_ms) / 1000;
      most += (static_cast<double>(video.most_bps) + static_cast<double>(video.bps) / segment) *
              kOverhead;
      average += static_cast<double>(video.bps);
      return;
    }
    constexpr double kUneven = 1.5;
    double bps = static_cast<double>(source_bps_ > 0 ? source_bps_ : video.bps);
    if (bps <= 0) {
      bps =
          video.width * kBitsPerPixel * video.height * source_.video->frame_rate.value.per_second();
    }
    most += bps * kUneven;
    average += bps;
  }

  const FrozenSource& source_;
  const TranscoderSettings& settings_;
  const std::int64_t source_bps_;
  const Ladder ladder_;
};

}  // namespace

std::string master_playlist(const FrozenSource& source, const TranscoderSettings& settings,
                            std::int64_t source_bps, Copying copying) {
  return Master(source, settings, source_bps, copying).text();
}

}  // namespace recording::transcode
