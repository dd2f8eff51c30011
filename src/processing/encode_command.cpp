#include "processing/encode_command.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "media/color_names.hpp"
#include "mp4/rescale.hpp"

namespace recording::processing {
namespace {

using Arguments = std::vector<std::string>;

void add(Arguments& arguments, std::initializer_list<std::string> more) {
  arguments.insert(arguments.end(), more);
}

// "-copyts": times as they are in the clip, whatever track begins first.
Arguments clip_input(const char* loglevel) {
  return {"-hide_banner", "-nostdin", "-nostats", "-loglevel", loglevel,
          "-copyts",      "-f",       "mov",      "-i",        "pipe:0"};
}

void add_movie_output(Arguments& arguments) {
  add(arguments,
      {"-output_ts_offset", std::to_string(kShiftSeconds), "-avoid_negative_ts", "disabled",
       "-use_editlist", "0", "-video_track_timescale", std::to_string(kTicks), "-movflags",
       "+empty_moov+default_base_moof+frag_discont+skip_trailer", "-frag_duration", "500000", "-f",
       "mp4", "pipe:1"});
}

std::string text(transcode::PictureSize size, char between) {
  return std::to_string(size.width) + between + std::to_string(size.height);
}

// A name that ffmpeg takes; empty: it has none.
std::string said(std::string_view name) {
  return name == "reserved" || name == "unknown" ? std::string() : std::string(name);
}

// What comes in says its range itself, and mostly its matrix.
std::string scale_options(const media::SourceParameters& source, const Colours& colours) {
  std::string options = ":out_range=tv";
  const std::string matrix = matrix_option(colours.matrix);
  if (!matrix.empty()) {
    options += ":out_color_matrix=" + matrix;
    const bool mapped = is_high_range(source.color_transfer);
    options +=
        source.color_space == media::kColorNotSaid && !mapped ? ":in_color_matrix=" + matrix : "";
  }
  return options;
}

// Pictures of high dynamic range as others are, in BT.709: in linear light, 1.0 being the white of
// paper (203 cd/m2, ITU-R BT.2408), highlights are compressed and the rest is left alone. Not
// larger than `most`, for that takes long. Empty: there is nothing to do.
std::string tone_map(const media::SourceParameters& source, transcode::PictureSize most) {
  if (!is_high_range(source.color_transfer)) {
    return {};
  }
  const auto or_2020 = [](const std::string& name) { return name.empty() ? "bt2020" : name; };
  const std::string matrix = said(media::color_space_name(source.color_space));
  return "scale=w='min(iw," + std::to_string(most.width) + ")':h='min(ih," +
         std::to_string(most.height) + ")',setparams=color_primaries=" +
         or_2020(said(media::color_primaries_name(source.color_primaries))) +
         ":color_trc=" + said(media::color_transfer_name(source.color_transfer)) +
         ":colorspace=" + (matrix.empty() ? "bt2020nc" : matrix) +
         ",zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=mobius:desat=0,"
         "zscale=t=bt709:m=bt709:r=tv,format=yuv420p,";
}

constexpr const char* kTiny = "16:16";  // a macroblock

// On the grid of the whole recording, so that parts go on as if there were none; a picture that is
// missing is the one before it once more, also at the part's end.
std::string constant_rate(const PicturePart& part, const OutputPlan& plan) {
  const std::uint32_t clock = kTicks * plan.rate.den;
  const std::int64_t end = mp4::rescale(part.pictures_end, clock, plan.rate.num, clock / 2);
  return ",split[d][c];[d]scale=" + std::string(kTiny) + "[decoded];[c]settb=1/" +
         std::to_string(kTicks) + ",setpts=PTS+" + std::to_string(part.begin) +
         ",fps=" + plan.rate.text() +
         ",tpad=stop=-1:stop_mode=clone,trim=end_pts=" + std::to_string(end);
}

std::string picture_graph(const PicturePart& part, const OutputPlan& plan) {
  const media::SourceParameters& source = part.config.source;
  const auto& pictures = plan.pictures;
  std::string graph = "[0:v:0]";
  graph += source.interlaced ? "bwdif=mode=send_frame:deint=interlaced," : "";
  graph += tone_map(source, pictures.front().size);
  graph +=
      transcode::letterbox(pictures.front().size, plan.shape, scale_options(source, plan.colours)) +
      (plan.constant_rate ? constant_rate(part, plan) : std::string()) +
      ",split=" + std::to_string(pictures.size());
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    graph += "[s" + std::to_string(i) + "]";
  }
  // The smaller ones of the largest, which has its bars already.
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const std::string n = std::to_string(i);
    graph += ";[s" + n + "]";
    graph += pictures[i].size == pictures.front().size
                 ? std::string("null")
                 : "scale=" + text(pictures[i].size, ':') + "," + transcode::set_shape(plan.shape);
    graph += "[v" + n + "]";
  }
  return graph;
}

void add_colours(Arguments& arguments, const Colours& colours) {
  add(arguments, {"-color_range", "tv"});
  const std::pair<const char*, std::string> tags[] = {
      {"-color_primaries", said(media::color_primaries_name(colours.primaries))},
      {"-color_trc", said(media::color_transfer_name(colours.transfer))},
      {"-colorspace", said(media::color_space_name(colours.matrix))}};
  for (const auto& [option, name] : tags) {
    if (!name.empty()) {
      add(arguments, {option, name});
    }
  }
}

std::string seconds(std::int64_t ticks) {
  const std::int64_t us = ticks * 25 / 3;
  const std::string rest = std::to_string(us % 1'000'000);
  return std::to_string(us / 1'000'000) + "." + std::string(6 - rest.size(), '0') + rest;
}

}  // namespace

std::size_t decoded_track(const OutputPlan& plan) {
  return plan.constant_rate ? plan.pictures.size() : 0;
}

Arguments picture_arguments(const PicturePart& part, const OutputPlan& plan) {
  Arguments arguments = clip_input("error");
  add(arguments, {"-filter_complex", picture_graph(part, plan)});
  for (std::size_t i = 0; i < plan.pictures.size(); ++i) {
    const OutputPictures& pictures = plan.pictures[i];
    const std::string n = ":v:" + std::to_string(i);
    add(arguments,
        {"-map", "[v" + std::to_string(i) + "]", "-b" + n, std::to_string(pictures.bps),
         "-maxrate" + n, std::to_string(pictures.most_bps), "-bufsize" + n,
         std::to_string(2 * pictures.bps), "-level" + n, std::to_string(pictures.level)});
  }
  if (plan.constant_rate) {
    add(arguments, {"-map", "[decoded]", "-b:v:" + std::to_string(plan.pictures.size()), "10k"});
  }
  // "t" counts from the first picture, also with "-copyts".
  add(arguments,
      {"-fps_mode", "passthrough", "-enc_time_base", "1:" + std::to_string(kTicks), "-c:v",
       "libx264", "-preset", "veryfast", "-profile:v", "high", "-sc_threshold", "0", "-g", "100000",
       "-force_key_frames", "expr:gte(t,n_forced*" + std::to_string(kGroupSeconds) + ")"});
  add_colours(arguments, plan.colours);
  if (plan.rate.known()) {  // instead of the clock that pictures' times are told in
    const media::FrameRate ticks{2 * plan.rate.num, plan.rate.den};
    add(arguments, {"-bsf:v", "h264_metadata=tick_rate=" + ticks.text()});
  }
  add_movie_output(arguments);
  return arguments;
}

// What is missing becomes silence, what is too much is cut off, as soon as it is 15 ms; nothing is
// stretched: with "async=1000" and "first_pts" the resampler of 5.1 begins anew from time 0
// whenever it corrects its speed.
Arguments sound_arguments(const SourcePart& part, const OutputPlan& plan) {
  const std::string end = seconds(part.end - part.begin);
  const std::string count = std::to_string(plan.sound_bps.size());
  std::string graph =
      "[0:a:0]aresample=async=1:min_hard_comp=0.015:first_pts=0,aformat="
      "sample_fmts=fltp:sample_rates=" +
      std::to_string(plan.sample_rate) +
      ":channel_layouts=" + (plan.channels == 1 ? "mono" : "stereo") + ",apad=whole_dur=" + end +
      ",atrim=end=" + end + ",asplit=" + count;
  Arguments arguments = clip_input("error");
  Arguments encoders;
  for (std::size_t i = 0; i < plan.sound_bps.size(); ++i) {
    const std::string n = std::to_string(i);
    graph += "[a" + n + "]";
    add(encoders, {"-map", "[a" + n + "]", "-b:a:" + n, std::to_string(plan.sound_bps[i])});
  }
  add(arguments, {"-filter_complex", graph});
  arguments.insert(arguments.end(), encoders.begin(), encoders.end());
  add(arguments, {"-c:a", "aac"});
  add_movie_output(arguments);
  return arguments;
}

Arguments check_arguments(const std::string& path) {
  Arguments arguments = {"-hide_banner", "-nostdin", "-nostats", "-loglevel", "error"};
  add(arguments, {"-threads", "1", "-skip_frame", "nokey"});
  add(arguments, {"-copyts", "-f", "mov", "-i", "file:" + path});
  add(arguments, {"-map", "0", "-map", "0:v?", "-map", "0:a?", "-c", "copy"});
  add(arguments, {"-c:v:1", "rawvideo", "-c:a:1", "pcm_s16le", "-fps_mode", "passthrough"});
  add(arguments, {"-enc_time_base:v", "1:" + std::to_string(kTicks)});
  add(arguments, {"-f", "framehash", "-hash", "crc32", "pipe:1"});
  return arguments;
}

namespace {

constexpr const char* kJpegColours = ":out_range=pc:out_color_matrix=bt601";

Arguments one_picture(const std::string& filter) {
  Arguments arguments = clip_input("error");
  add(arguments, {"-map", "0:v:0", "-frames:v", "1", "-vf", filter});
  return arguments;
}

void add_jpeg_output(Arguments& arguments) {
  add(arguments, {"-c:v", "mjpeg", "-q:v", "3", "-f", "image2pipe", "pipe:1"});
}

}  // namespace

Arguments tile_arguments(const media::SourceParameters& source, transcode::PictureSize size) {
  // Bars are black in limited range.
  Arguments arguments = one_picture(tone_map(source, size) +
                                    transcode::letterbox(size, transcode::shape_of(size, 1, 1),
                                                         ":out_range=tv:out_color_matrix=bt601") +
                                    ",scale=in_range=tv:out_range=pc");
  add(arguments, {"-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"});
  return arguments;
}

Arguments jpeg_arguments(const media::SourceParameters& source) {
  Arguments arguments = one_picture(tone_map(source, {source.width, source.height}) +
                                    "scale=w='2*round(iw*sar/2)':h='2*round(ih/2)'" + kJpegColours +
                                    ",format=yuvj420p,setsar=1");
  add_jpeg_output(arguments);
  return arguments;
}

Arguments sheet_arguments(transcode::PictureSize size) {
  Arguments arguments = {
      "-hide_banner", "-nostdin", "-nostats",    "-loglevel",     "error", "-f",    "rawvideo",
      "-pix_fmt",     "yuvj420p", "-video_size", text(size, 'x'), "-i",    "pipe:0"};
  add_jpeg_output(arguments);
  return arguments;
}

}  // namespace recording::processing
