#include <cstdio>
#include <string>
#include <string_view>

#include "media/aac_config.hpp"
#include "media/avc_config.hpp"
#include "media/parameter_list.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;

std::string text_of(const media::ParameterValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) {
    return *flag ? "true" : "false";
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return std::to_string(*number);
  }
  if (const auto* number = std::get_if<double>(&value)) {
    char text[32];
    std::snprintf(text, sizeof text, "%.10g", *number);
    return text;
  }
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr ? *text : "-";
}

std::string text_of(const media::Parameters& parameters) {
  std::string all;
  for (const media::Parameter& parameter : parameters) {
    all += (all.empty() ? "" : " | ") + text_of(parameter.value);
  }
  return all;
}

Bytes from_hex(std::string_view hex) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

struct Encoded {
  const char* what;
  const char* record;      // AVCDecoderConfigurationRecord of an encoder
  const char* by_ffprobe;  // of the same stream
};

// libx264's; the frame rate of the first is its SPS's, the others' also what ffprobe says.
const Encoded kEncoded[] = {
    {"limited range, tagged bt709",
     "01640028ffe1001d67640028acd940780227e5c05a808080a000007d20001d4c01e30632c001000668ebe3cb22c0f"
     "d"
     "f8f800",
     "h264 | High | 40 | 1920 | 1080 | 1:1 | yuv420p | tv | bt709 | bt709 | bt709 | 8 | false | 2 "
     "| "
     "29.97"},
    {"full range",
     "0142c00cffe100196742c00cda05067e7c05b2000003000200000300641e28554001000468ce0fc8",
     "h264 | Constrained Baseline | 12 | 320 | 180 | 1:1 | yuvj420p | pc | - | - | - | 8 | false | "
     "0 | "
     "25"},
    {"4:2:2, 10 bits, interlaced, PQ",
     "017a001effe10021677a001eb6cd940b424dff80200016b509100940000003004000000c87c50a658001000668fba"
     "3"
     "cb22c0fefafa00",
     "h264 | High 4:2:2 | 30 | 720 | 576 | 64:45 | yuv422p10le | tv | bt2020 | smpte2084 | "
     "bt2020nc "
     "| 10 | true | 2 | 25"},
    {"4:4:4, full range, 10 bits",
     "01f40015ffe1001b67f4001590d9b282833f1b80b640000003004000001903c58b658001000668ebe3c44844fffaf"
     "a"
     "00",
     "h264 | High 4:4:4 Predictive | 21 | 320 | 180 | 1:1 | yuv444p10le | pc | - | - | - | 10 | "
     "false | 2 | 50"},
    {"RGB",
     "01f4000cffe1001e67f4000c919b282833f1b80b70202004000003000400000300c83c50a65801000668ebe3cb22c"
     "0"
     "fff8f800",
     "h264 | High 4:4:4 Predictive | 12 | 320 | 180 | 1:1 | gbrp | pc | - | - | gbr | 8 | false | "
     "2 | "
     "25"},
    {"monochrome",
     "0164000cffe1001a6764000cf2d02833f1b80b64000003000400000300c83c50aa8001000468ce0fc8fcf8f800",
     "h264 | High | 12 | 320 | 180 | 1:1 | yuvj420p | pc | - | - | - | 8 | false | 0 | 25"},
    {"baseline, SMPTE 170M",
     "0142c01effe1001c6742c01ed900b43db016a0c0c0c80000030008000003018078b1724001000568cb83cb20",
     "h264 | Constrained Baseline | 30 | 720 | 480 | 1:1 | yuv420p | tv | smpte170m | smpte170m | "
     "smpte170m | 8 | false | 0 | 24"},
};

void says_what_ffprobe_says(void**) {
  for (const Encoded& encoded : kEncoded) {
    auto config = media::parse_avc_config(from_hex(encoded.record));
    assert_true(bool(config));
    const std::string said = text_of(media::describe_video(config.value().track()));
    if (said != encoded.by_ffprobe) {
      print_error("%s\n", encoded.what);
    }
    assert_string_equal(said.c_str(), encoded.by_ffprobe);
  }
}

void names_are_those_of_the_document(void**) {
  std::string video;
  for (const media::Parameter& parameter : media::describe_video({})) {
    video += std::string(parameter.name) + " ";
  }
  assert_string_equal(video.c_str(),
                      "codec profile level width height sample_aspect_ratio pix_fmt color_range "
                      "color_primaries color_transfer color_space bit_depth interlaced "
                      "has_b_frames frame_rate_declared ");
}

void what_is_not_known_is_nothing(void**) {
  media::TrackConfig config;
  config.codec = media::Codec::kAvc;
  config.source.width = 640;
  config.source.height = 360;
  assert_string_equal(text_of(media::describe_video(config)).c_str(),
                      "h264 | - | - | 640 | 360 | 1:1 | - | - | - | - | - | - | false | - | -");
}

void sound_is_what_comes_out_of_the_decoder(void**) {
  auto plain = media::parse_aac_config(from_hex("1190"));
  auto sbr = media::parse_aac_config(from_hex("2b8a0800"));  // HE-AAC: a core of 22.05 kHz
  auto mp3 = media::parse_mp3_frame(from_hex("fffb90c4"));
  assert_true(plain && sbr && mp3);
  assert_string_equal(text_of(media::describe_audio(plain.value())).c_str(),
                      "aac | LC | 48000 | 2");
  assert_string_equal(text_of(media::describe_audio(sbr.value())).c_str(),
                      "aac | HE-AAC | 44100 | 1");
  assert_string_equal(text_of(media::describe_audio(mp3.value())).c_str(), "mp3 | - | 44100 | 1");
}

void a_change_is_told_in_words(void**) {
  media::TrackConfig before;
  before.source.pix_fmt = "yuv420p";
  before.source.width = 640;
  before.source.frame_rate_milli = 29970;
  media::TrackConfig after = before;
  after.source.pix_fmt = "yuvj420p";
  after.source.width = 1280;
  after.source.color_range = media::ColorRange::kFull;
  after.source.interlaced = true;
  after.source.frame_rate_milli = 30000;
  const auto changes = media::changes_between(media::TrackKind::kVideo, describe_video(before),
                                              describe_video(after));
  assert_int_equal(changes.size(), 5);
  assert_string_equal(changes[0].field.c_str(), "video.width");
  assert_string_equal(media::in_words(changes).c_str(),
                      "width 640 → 1280, pixel format yuv420p → yuvj420p, colour range not said → "
                      "pc, interlaced no → yes, declared frame rate 29.97 → 30");
}

void every_field_is_in_the_list(void**) {
  std::size_t i = 0;
  for (const auto& [kind, all] : {std::pair("video.", media::describe_video({})),
                                  std::pair("audio.", media::describe_audio({}))}) {
    for (const media::Parameter& parameter : all) {
      assert_true(i < media::kParameterFields.size());
      assert_true(media::kParameterFields[i++] == kind + std::string(parameter.name));
    }
  }
  assert_int_equal(i, media::kParameterFields.size());
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(every_field_is_in_the_list),
    cmocka_unit_test(says_what_ffprobe_says),
    cmocka_unit_test(names_are_those_of_the_document),
    cmocka_unit_test(what_is_not_known_is_nothing),
    cmocka_unit_test(a_change_is_told_in_words),
    cmocka_unit_test(sound_is_what_comes_out_of_the_decoder),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
