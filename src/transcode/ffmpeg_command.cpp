#include "transcode/ffmpeg_command.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>

#include "media/color_names.hpp"
#include "transcode/picture_size.hpp"
#include "transcode/session_playlist.hpp"

namespace recording::transcode {
namespace {

// A decimal number whatever the locale: ffmpeg reads points.
std::string decimal(std::int64_t thousandths) {
  std::string text = std::to_string(thousandths / 1000) + ".";
  const std::string rest = std::to_string(thousandths % 1000);
  return text + std::string(3 - rest.size(), '0') + rest;
}

class Command {
 public:
  Command(const FrozenSource& source, const TranscoderSettings& settings, Copying copying, Tap tap,
          Container container)
      : source_(source),
        settings_(settings),
        ladder_(ladder_of(source, settings, copying)),
        tap_(tap),
        container_(container) {}

  std::vector<std::string> build(const std::string& directory) {
    add_input();
    add_filters();
    for (std::size_t i = 0; i < ladder_.videos.size(); ++i) {
      add_video(i);
    }
    for (std::size_t i = 0; i < ladder_.audios.size(); ++i) {
      add_audio(i);
    }
    add_output(directory);
    return std::move(arguments_);
  }

 private:
  void add(std::initializer_list<std::string> arguments) {
    arguments_.insert(arguments_.end(), arguments);
  }

  void add_input() {
    add({"-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning", "-progress",
         "pipe:1", "-stats_period", "1"});
    // What the tracks are is known here: nothing needs to be found out of the first seconds. A
    // decoder whose threads work on a frame each holds back as many.
    add({"-analyzeduration", "500000", "-fpsprobesize", "0", "-thread_type", "slice"});
    add({"-f", container_ == Container::kFlv ? "flv" : "matroska", "-i", "pipe:0"});
  }

  // Decoded once; the rest is done to what comes out of the decoder, so that a source that changes
  // in mid-stream leaves the output what it was.
  void add_filters() {
    std::string graph;
    const std::size_t pictures = count_encoded(ladder_.videos);
    if (pictures > 0) {
      const FrozenVideo& video = *source_.video;
      graph += "[0:v:0]";
      graph += video.interlaced ? "bwdif=mode=send_frame:deint=interlaced," : "";
      graph += "fps=" + video.frame_rate.value.text() + ",split=" + std::to_string(pictures);
      graph += outputs("s", ladder_.videos);
      for (std::size_t i = 0; i < ladder_.videos.size(); ++i) {
        if (!ladder_.videos[i].copy) {
          graph += ";" + scaler(i);
        }
      }
    }
    const std::size_t sounds = count_encoded(ladder_.audios);
    if (sounds > 0) {
      // Gaps become silence, so that sound stays with the pictures.
      graph += (graph.empty() ? "" : ";") + std::string("[0:a:0]aresample=async=1000,") +
               "asplit=" + std::to_string(sounds) + outputs("a", ladder_.audios);
    }
    if (!graph.empty()) {
      add({"-filter_complex", graph});
    }
  }

  template <class Track>
  static std::size_t count_encoded(const std::vector<Track>& tracks) {
    return static_cast<std::size_t>(
        std::count_if(tracks.begin(), tracks.end(), [](const Track& one) { return !one.copy; }));
  }

  template <class Track>
  static std::string outputs(const char* name, const std::vector<Track>& tracks) {
    std::string labels;
    for (std::size_t i = 0; i < tracks.size(); ++i) {
      labels += tracks[i].copy ? "" : "[" + (name + std::to_string(i)) + "]";
    }
    return labels;
  }

  [[nodiscard]] const char* range() const {
    return source_.video->color_range.value == media::ColorRange::kFull ? "pc" : "tv";
  }

  // The frozen size and shape, whatever comes. DASH has one shape for all pictures among which a
  // player chooses.
  [[nodiscard]] std::string scaler(std::size_t i) const {
    const LiveVideo& video = ladder_.videos[i];
    const FrozenVideo& source = *source_.video;
    const PictureShape shape =
        shape_of({source.width.value, source.height.value}, source.sar_num, source.sar_den);
    const std::string n = std::to_string(i);
    return "[s" + n + "]" +
           letterbox({video.width, video.height}, shape, std::string(":out_range=") + range()) +
           "[v" + n + "]";
  }

  void add_video(std::size_t i) {
    const LiveVideo& video = ladder_.videos[i];
    const std::string n = ":v:" + std::to_string(i);
    if (video.copy) {
      add({"-map", "0:v:0", "-c" + n, "copy"});
      return;
    }
    const double rate = source_.video->frame_rate.value.per_second();
    const auto group = static_cast<std::int64_t>(
        std::ceil(rate * static_cast<double>(settings_.segment_ms) / 1000));
    add({"-map", "[v" + std::to_string(i) + "]", "-fps_mode" + n, "cfr"});
    add({"-c" + n, "libx264", "-preset" + n, "veryfast", "-profile" + n, "high"});
    add({"-level" + n, std::to_string(video.level), "-b" + n, std::to_string(video.bps)});
    add({"-maxrate" + n, std::to_string(video.most_bps)});
    add({"-bufsize" + n, std::to_string(video.bps)});
    add({"-force_key_frames" + n, "expr:gte(t,n_forced*" + decimal(settings_.segment_ms) + ")"});
    add({"-g" + n, std::to_string(group + 1), "-sc_threshold" + n, "0"});
    // Every frame that the encoder looks ahead, and every thread of it, makes viewers wait for one
    // more: together they are a quarter of a second of 30 frames a second, where "veryfast" on 16
    // processors is a whole one.
    add({"-bf" + n, "2", "-rc-lookahead" + n, "5", "-threads" + n, threads(video, rate)});
    add({"-x264-params" + n, "sync-lookahead=0"});
    add_colour(n);
  }

  // As many as such pictures need: two do 1080p60.
  static std::string threads(const LiveVideo& video, double rate) {
    constexpr double kFullHd60 = 1920.0 * 1080 * 60;
    constexpr int kLeast = 2, kMost = 8;
    const double load = std::ceil(video.width * rate * video.height / kFullHd60);
    return std::to_string(std::min(kLeast * static_cast<int>(load), kMost));
  }

  // As frozen, and nothing where the source says nothing.
  void add_colour(const std::string& n) {
    const FrozenVideo& video = *source_.video;
    if (video.color_range.value != media::ColorRange::kNotSaid) {
      add({"-color_range" + n, range()});
    }
    const std::pair<const char*, std::string_view> tags[] = {
        {"-color_primaries", media::color_primaries_name(video.color_primaries)},
        {"-color_trc", media::color_transfer_name(video.color_transfer)},
        {"-colorspace", media::color_space_name(video.color_space)}};
    for (const auto& [option, name] : tags) {
      if (!name.empty() && name != "reserved") {
        add({option + n, std::string(name)});
      }
    }
  }

  void add_audio(std::size_t i) {
    const LiveAudio& audio = ladder_.audios[i];
    const std::string n = ":a:" + std::to_string(i);
    if (audio.copy) {
      add({"-map", "0:a:0", "-c" + n, "copy"});
      return;
    }
    const FrozenAudio& source = *source_.audio;
    constexpr std::uint32_t kMostRate = 48000;
    add({"-map", "[a" + std::to_string(i) + "]", "-c" + n, "aac", "-b" + n,
         std::to_string(audio.bps), "-ar" + n,
         std::to_string(std::min(source.sample_rate.value, kMostRate)), "-ac" + n,
         std::to_string(std::min(source.channels.value, kMostEncodedChannels))});
  }

  // ffmpeg ends a segment at the first key frame that is not earlier than this after its beginning:
  // of pictures a little less than a segment, for the key frames of a constant rate are not exactly
  // that far from each other.
  [[nodiscard]] std::string adaptation_sets() const {
    const std::string pictures = decimal(settings_.segment_ms * 9 / 10);
    const std::string sound = decimal(settings_.segment_ms);
    std::string sets;
    if (!ladder_.videos.empty()) {
      sets = "id=0,seg_duration=" + pictures + ",streams=v";
    }
    if (!ladder_.audios.empty()) {
      sets += (sets.empty() ? "id=0" : " id=1") + (",seg_duration=" + sound + ",streams=a");
    }
    return sets;
  }

  using Options = std::vector<std::pair<std::string, std::string>>;

  void add_output(const std::string& directory) {
    const Options segments = {{"dash_segment_type", "mp4"},
                              {"adaptation_sets", adaptation_sets()},
                              {"use_template", "1"},
                              {"use_timeline", "1"},
                              {"window_size", std::to_string(kListedSegments)},
                              {"extra_window_size", "6"},
                              {"hls_playlist", "1"},
                              {"hls_master_name", "ffmpeg.m3u8"},
                              {"init_seg_name", "init-$RepresentationID$.mp4"},
                              {"media_seg_name", "$RepresentationID$-$Number%06d$.m4s"}};
    const std::string manifest = directory + "/manifest.mpd";
    if (tap_ == Tap::kBest) {
      // Encoders ask the muxer where it wants their parameter sets, and "tee" does not say what its
      // own want.
      add({"-flags", "+global_header", "-f", "tee",
           tee_part("dash", segments, manifest) + "|" + tap_part()});
      return;
    }
    add({"-f", "dash"});
    for (const auto& [name, value] : segments) {
      add({"-" + name, value});
    }
    add({manifest});
  }

  // The reader of the pipe may go; players need not know.
  [[nodiscard]] std::string tap_part() const {
    const LiveRendition& best = ladder_.renditions.front();
    std::string tracks = best.video >= 0 ? "v:" + std::to_string(best.video) : "";
    if (best.audio >= 0) {
      tracks += (tracks.empty() ? "a:" : ",a:") + std::to_string(best.audio);
    }
    return tee_part("flv",
                    {{"flvflags", "no_duration_filesize"},
                     {"flush_packets", "1"},
                     {"onfail", "ignore"},
                     {"select", tracks}},
                    "pipe:4");
  }

  // The parts of "tee" are told apart first, then the options of each.
  static std::string tee_part(const std::string& format, const Options& options,
                              const std::string& path) {
    std::string part = "[f=" + format;
    for (const auto& [name, value] : options) {
      part += ":" + name + "=" + escaped(escaped(value, ":\\'"), "|\\'");
    }
    return part + "]" + escaped(path, "|\\' ");
  }

  static std::string escaped(const std::string& text, std::string_view special) {
    std::string result;
    for (const char c : text) {
      result += special.find(c) != special.npos ? "\\" : "";
      result += c;
    }
    return result;
  }

  const FrozenSource& source_;
  const TranscoderSettings& settings_;
  const Ladder ladder_;
  const Tap tap_;
  const Container container_;
  std::vector<std::string> arguments_;
};

}  // namespace

std::vector<std::string> ffmpeg_arguments(const FrozenSource& source,
                                          const TranscoderSettings& settings,
                                          const std::string& directory, Copying copying, Tap tap,
                                          Container container) {
  return Command(source, settings, copying, tap, container).build(directory);
}

}  // namespace recording::transcode
