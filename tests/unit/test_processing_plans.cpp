// What is made of a recording, as numbers and words: sizes, commands, sheets of pictures, and what
// is missing.
#include <algorithm>
#include <string>
#include <vector>

#include "processing/encode_command.hpp"
#include "processing/missing_parts.hpp"
#include "processing/output_plan.hpp"
#include "processing/sprite_sheet.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::processing;
using transcode::PictureSize;

PicturePart pictures(std::uint32_t width, std::uint32_t height, int seconds = 2, int rate = 25) {
  PicturePart part;
  part.config.codec = media::Codec::kAvc;
  part.config.source.width = width;
  part.config.source.height = height;
  for (int i = 0; i < seconds; ++i) {
    part.stretches.push_back({i * kTicks, (i + 1) * kTicks, static_cast<std::uint64_t>(rate)});
  }
  part.end = seconds * kTicks;
  return part;
}

SourcePart sound(std::uint32_t rate, std::uint16_t channels) {
  SourcePart part;
  part.config.codec = media::Codec::kAac;
  part.config.source.sample_rate = rate;
  part.config.source.channels = channels;
  part.end = 3 * kTicks / 2;
  return part;
}

std::string text(const std::vector<std::string>& arguments) {
  std::string all;
  for (const std::string& one : arguments) {
    all += one + " ";
  }
  return all;
}

bool has(const std::vector<std::string>& arguments, const std::string& what) {
  return text(arguments).find(what) != std::string::npos;
}

const std::vector<transcode::RenditionSetting> kSettings = {
    {"360p", 360, 800000, 96000}, {"720p", 720, 2800000, 128000}, {"480p", 480, 1400000, 96000}};

SourcePlan mixed() {
  SourcePlan source;
  source.pictures = {pictures(640, 480), pictures(1280, 720, 2, 50), pictures(720, 1280)};
  source.pictures[0].config.source.color_space = 6;
  source.pictures[1].config.source.color_space = 1;
  source.pictures[1].config.source.color_primaries = 1;
  source.sounds = {sound(44100, 1), sound(32000, 6)};
  return source;
}

void one_size_for_all(void**) {
  const OutputPlan plan = plan_output(mixed(), kSettings);
  assert_int_equal(plan.pictures.size(), 3);
  const PictureSize sizes[] = {{1280, 720}, {852, 480}, {640, 360}};
  const std::size_t renditions[] = {1, 2, 0};
  for (std::size_t i = 0; i < 3; ++i) {
    assert_int_equal(plan.pictures[i].size.height, sizes[i].height);
    assert_in_range(plan.pictures[i].size.width, sizes[i].width, sizes[i].width + 2);
    assert_int_equal(plan.pictures[i].rendition, renditions[i]);
  }
  assert_int_equal(plan.colours.matrix, 1);
  assert_int_equal(plan.sample_rate, 44100);
  assert_int_equal(plan.channels, 2);
  assert_int_equal(plan.sound_bps.size(), 2);  // two of the three share one
  assert_int_equal(plan.sounds_of[0], plan.sounds_of[2]);
}

// The highest that a part has; what is measured a little beside it is the same.
void one_rate_for_all(void**) {
  SourcePlan source = mixed();
  OutputPlan plan = plan_output(source, kSettings);
  assert_true(plan.rate == (media::FrameRate{50, 1}) && plan.constant_rate);
  assert_int_equal(decoded_track(plan), 3);
  source.pictures[0].begin = 3'000'400;
  source.pictures[0].pictures_end = 3'122'000;
  const auto arguments = picture_arguments(source.pictures[0], plan);
  assert_true(has(arguments,
                  "setpts=PTS+3000400,fps=50,tpad=stop=-1:stop_mode=clone,trim="
                  "end_pts=1301,split=3"));

  source.pictures = {pictures(64, 36, 60, 30), pictures(64, 48, 1, 30)};
  source.pictures[0].stretches[3].pictures = 12;  // some are missing
  source.pictures[1].stretches[0].end += kTicks / 1000;
  source.pictures[0].stretches.push_back({60 * kTicks, 60 * kTicks + 5000, 1});  // a guess
  source.pictures.push_back(pictures(64, 36, 1, 120));
  source.pictures[2].stretches[0] = {0, kTicks / 500, 1};  // too short to tell
  plan = plan_output(source, kSettings);
  assert_true(plan.rate == (media::FrameRate{30, 1}));
  assert_false(plan.constant_rate);
  assert_int_equal(decoded_track(plan), 0);
  assert_false(has(picture_arguments(source.pictures[0], plan), "fps="));

  // Nor does a short part decide, nor one stretch that is longer.
  source.pictures[2] = pictures(64, 36, 1, 120);
  source.pictures[0].stretches[7].begin += 2500;
  plan = plan_output(source, kSettings);
  assert_true(plan.rate == (media::FrameRate{30, 1}));
  assert_false(plan.constant_rate);
  source.pictures[0].stretches[7].begin -= 2500;

  for (PictureStretch& stretch : source.pictures[0].stretches) {
    stretch.begin = stretch.begin / 1000 * 1001;
  }
  source.pictures.resize(1);
  source.pictures[0].stretches[3].pictures = 30;
  assert_true(plan_output(source, kSettings).rate == (media::FrameRate{30000, 1001}));
}

void only_what_is_not_larger(void**) {
  const SourcePlan source = mixed();
  assert_true(fits(source, {"720p", 720, 1, 1}));
  assert_false(fits(source, {"1080p", 1080, 1, 1}));
  assert_true(fits(SourcePlan{}, {"1080p", 1080, 1, 1}));  // of sound alone all
}

void odd_rates_of_sound(void**) {
  const std::pair<std::uint32_t, std::uint32_t> rates[] = {
      {96000, 48000}, {37800, 44100}, {7350, 8000}, {16000, 16000}};
  for (const auto& [source, wanted] : rates) {
    SourcePlan plan;
    plan.sounds = {sound(source, 2)};
    assert_int_equal(plan_output(plan, kSettings).sample_rate, wanted);
  }
}

void commands(void**) {
  SourcePlan source = mixed();
  const OutputPlan plan = plan_output(source, kSettings);
  source.pictures[2].config.source.interlaced = true;
  const auto first = picture_arguments(source.pictures[0], plan);
  assert_true(has(first, ":out_range=tv:out_color_matrix=bt709,"));
  assert_true(has(first, "split=3"));
  assert_false(has(first, "bwdif"));
  const auto third = picture_arguments(source.pictures[2], plan);
  assert_true(has(third, "bwdif"));
  assert_true(has(third, ":in_color_matrix=bt709"));  // it does not say its own
  for (const auto& arguments : {first, third, sound_arguments(source.sounds[0], plan)}) {
    assert_true(has(arguments, "-nostdin"));
    assert_true(has(arguments, "-i pipe:0 "));
    assert_string_equal(arguments.back().c_str(), "pipe:1");
  }
  const auto heard = sound_arguments(source.sounds[0], plan);
  assert_true(has(heard, "apad=whole_dur=1.500000,atrim=end=1.500000,asplit=2"));
  assert_true(has(heard, "sample_rates=44100:channel_layouts=stereo"));
}

// Renditions of PQ and HLG are of standard range, and say so; parts that are so already stay.
void high_dynamic_range(void**) {
  for (const auto& [transfer, name] :
       {std::pair{16, "color_trc=smpte2084"}, {18, "color_trc=arib-std-b67"}}) {
    SourcePlan source = mixed();
    media::SourceParameters& high = source.pictures[1].config.source;
    high.color_transfer = static_cast<std::uint8_t>(transfer);
    high.color_primaries = 9;
    high.color_space = 9;
    const OutputPlan plan = plan_output(source, kSettings);
    assert_true(plan.colours.matrix == 1 && plan.colours.primaries == 1 &&
                plan.colours.transfer == 1);
    const auto mapped = picture_arguments(source.pictures[1], plan);
    assert_true(has(mapped, "[0:v:0]scale=w='min(iw,1280)':h='min(ih,720)',setparams="));
    assert_true(has(mapped, name) && has(mapped, ":colorspace=bt2020nc,zscale=") &&
                has(mapped, "=bt2020:color_trc="));
    assert_true(has(mapped, "tonemap=") && has(mapped, "-color_trc bt709 "));
    assert_false(has(picture_arguments(source.pictures[0], plan), "tonemap="));
    assert_true(has(jpeg_arguments(high), "tonemap=") &&
                has(tile_arguments(high, {160, 90}), name));
    high.color_primaries = high.color_space = media::kColorNotSaid;
    const auto unsaid = picture_arguments(source.pictures[1], plan_output(source, kSettings));
    assert_true(has(unsaid, ":colorspace=bt2020nc,zscale=") && !has(unsaid, ":in_color_matrix="));
  }
}

void sheets(void**) {
  const transcode::PictureShape wide{16, 9};
  const SpritePlan shortest = plan_sprite(500, wide);
  assert_int_equal(shortest.tiles, 1);
  assert_int_equal(shortest.sheet.width, 160);
  assert_int_equal(plan_sprite(0, wide).tiles, 0);
  const SpritePlan hour = plan_sprite(3600000, wide), longest = plan_sprite(4 * 3600000, wide);
  assert_int_equal(hour.interval_ms, 36000);
  assert_int_equal(hour.tiles, 100);
  assert_int_equal(longest.interval_ms, 144000);
  assert_int_equal(longest.sheet.width, 1600);
  assert_int_equal(longest.sheet.height, 900);
  assert_int_equal(tile_offset(longest, 99).width, 9 * 160);
  assert_int_equal(tile_offset(longest, 99).height, 9 * 90);
  const SpritePlan tall = plan_sprite(10000, {9, 16});
  assert_int_equal(tall.tile.width, 90);
  assert_int_equal(tall.tile.height, 160);
  assert_string_equal(sprite_vtt(plan_sprite(1500, wide), 1500).c_str(),
                      "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nsprite.jpg#xywh=0,0,160,90\n\n"
                      "00:00:01.000 --> 00:00:01.500\nsprite.jpg#xywh=160,0,160,90\n");
}

void tiles_in_their_places(void**) {
  Planes sheet({8, 4}), tile({4, 2});
  std::fill(tile.bytes.begin(), tile.bytes.end(), std::uint8_t{200});
  assert_true(sheet.contrast() == 0);
  sheet.put(tile, 4, 2);
  const std::vector<std::uint8_t> lines(sheet.bytes.begin(), sheet.bytes.begin() + 32);
  for (std::size_t i = 0; i < 32; ++i) {
    assert_int_equal(lines[i], i / 8 >= 2 && i % 8 >= 4 ? 200 : 0);
  }
  for (std::size_t i = 32; i < 48; ++i) {  // two planes of 4x2
    assert_int_equal(sheet.bytes[i], (i - 32) / 4 % 2 == 1 && i % 4 >= 2 ? 200 : 128);
  }
  assert_true(sheet.contrast() > 1000);
}

void what_is_missing(void**) {
  MissingParts missing;
  PicturePart part = pictures(64, 36, 10, 10);
  for (int i = 0; i < 100; ++i) {
    if (i < 30 || i >= 65) {
      missing.add_picture(part, i * (kTicks / 10));
    }
  }
  missing.end_part(part, "Invalid data");
  assert_string_equal(missing.text().c_str(),
                      "00:00:03\u201300:00:06 could not be decoded: Invalid data");
  MissingParts nothing;
  for (int i = 0; i < 99; ++i) {
    nothing.add_picture(part, i * (kTicks / 10));
  }
  nothing.end_part(part, "concealing errors");
  assert_string_equal(nothing.text().c_str(), "");
  missing.add_silence(3723 * std::int64_t{kTicks}, 3724 * std::int64_t{kTicks}, "");
  assert_true(missing.text().ends_with("; 01:02:03\u201301:02:04 could not be decoded (sound)"));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(one_size_for_all),
                              cmocka_unit_test(only_what_is_not_larger),
                              cmocka_unit_test(odd_rates_of_sound),
                              cmocka_unit_test(commands),
                              cmocka_unit_test(one_rate_for_all),
                              cmocka_unit_test(high_dynamic_range),
                              cmocka_unit_test(sheets),
                              cmocka_unit_test(tiles_in_their_places),
                              cmocka_unit_test(what_is_missing)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
