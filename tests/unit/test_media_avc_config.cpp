#include <functional>
#include <string>
#include <vector>

#include "media/avc_config.hpp"
#include "support/bit_writer.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using media::AvcConfig;
using media::AvcSps;
using media::parse_avc_config;
using media::parse_avc_sps;
using test::BitWriter;

// 7.3.1: what an encoder does so that no start code appears in a NAL.
Bytes with_emulation_prevention(const Bytes& rbsp) {
  Bytes nal;
  int zeros = 0;
  for (const std::uint8_t byte : rbsp) {
    if (zeros >= 2 && byte <= 3) {
      nal.push_back(3);
      zeros = 0;
    }
    zeros = byte == 0 ? zeros + 1 : 0;
    nal.push_back(byte);
  }
  return nal;
}

struct SpsText {
  std::uint8_t profile = 77, constraints = 0x40, level = 31;
  std::uint32_t chroma_format_idc = 1, bit_depth_luma = 8, bit_depth_chroma = 8;
  bool separate_planes = false, scaling_lists = false, frame_mbs_only = true;
  std::uint32_t poc_type = 0, width_mbs = 80, height_map_units = 45;
  std::vector<std::uint32_t> crop = {};  // left, right, top, bottom
  std::function<void(BitWriter&)> vui = {};
};

bool is_high(std::uint8_t profile) { return profile >= 100 || profile == 44; }

Bytes sps(const SpsText& text) {
  BitWriter out;
  out.bits(8, 0x67).bits(8, text.profile).bits(8, text.constraints).bits(8, text.level).ue(0);
  if (is_high(text.profile)) {
    out.ue(text.chroma_format_idc);
    if (text.chroma_format_idc == 3) {
      out.bits(1, text.separate_planes);
    }
    out.ue(text.bit_depth_luma - 8).ue(text.bit_depth_chroma - 8).bits(1, 0);
    out.bits(1, text.scaling_lists);
    if (text.scaling_lists) {
      out.bits(1, 1).se(-8);  // next_scale 0 at once: the default list
      out.bits(1, 1);
      for (int i = 0; i < 16; ++i) {
        out.se(i % 2 == 0 ? 3 : -2);
      }
      out.bits(1, 1).se(4).se(-12);  // ends in its second entry
      const int lists = text.chroma_format_idc == 3 ? 12 : 8;
      for (int i = 3; i < lists - 1; ++i) {
        out.bits(1, 0);
      }
      out.bits(1, 1);
      for (int i = 0; i < 64; ++i) {
        out.se(i == 0 ? 100 : -1);
      }
    }
  }
  out.ue(4).ue(text.poc_type);
  if (text.poc_type == 0) {
    out.ue(2);
  } else if (text.poc_type == 1) {
    out.bits(1, 0).se(-3).se(70000).ue(3).se(1).se(-1).se(2);
  }
  out.ue(4).bits(1, 0).ue(text.width_mbs - 1).ue(text.height_map_units - 1);
  out.bits(1, text.frame_mbs_only);
  if (!text.frame_mbs_only) {
    out.bits(1, 0);
  }
  out.bits(1, 1).bits(1, !text.crop.empty());
  for (const std::uint32_t crop : text.crop) {
    out.ue(crop);
  }
  out.bits(1, text.vui != nullptr);
  if (text.vui) {
    text.vui(out);
  }
  out.bits(1, 1);  // rbsp_stop_one_bit
  return with_emulation_prevention(out.bytes());
}

AvcSps parsed(const SpsText& text) {
  auto result = parse_avc_sps(sps(text));
  if (!result) {
    print_error("%s\n", result.error().message.c_str());
  }
  assert_true(bool(result));
  return result.value();
}

std::string refused(ByteView nal) {
  auto result = parse_avc_sps(nal);
  if (result) {
    return "";
  }
  return result.error().code == Errc::kCorrupt ? result.error().message : "";
}

void reads_a_main_profile_sps(void**) {
  const AvcSps got = parsed({});
  assert_int_equal(got.profile, 77);
  assert_int_equal(got.constraints, 0x40);
  assert_int_equal(got.level, 31);
  assert_int_equal(got.width, 1280);
  assert_int_equal(got.height, 720);
  assert_int_equal(got.chroma_format_idc, 1);
  assert_int_equal(got.bit_depth_luma, 8);
  assert_int_equal(got.sar_num, 1);
  assert_false(got.full_range);
  assert_int_equal(got.matrix_coefficients, 2);
  assert_int_equal(got.time_scale, 0);
}

void crops_in_units_of_the_chroma_format(void**) {
  AvcSps got = parsed({.width_mbs = 120, .height_map_units = 68, .crop = {0, 0, 0, 4}});
  assert_int_equal(got.width, 1920);
  assert_int_equal(got.height, 1080);
  // interlaced: map units are two rows of macroblocks, and the unit is four lines
  got = parsed(
      {.frame_mbs_only = false, .width_mbs = 120, .height_map_units = 34, .crop = {1, 2, 0, 2}});
  assert_int_equal(got.width, 1914);
  assert_int_equal(got.height, 1080);
  struct Format {
    std::uint32_t idc;
    bool separate;
    std::uint32_t width, height;
  };
  for (const Format& format :
       {Format{0, false, 157, 137}, Format{1, false, 154, 130}, Format{2, false, 154, 137},
        Format{3, false, 157, 137}, Format{3, true, 157, 137}}) {
    got = parsed({.profile = 244,
                  .chroma_format_idc = format.idc,
                  .separate_planes = format.separate,
                  .width_mbs = 10,
                  .height_map_units = 9,
                  .crop = {1, 2, 3, 4}});
    assert_int_equal(got.chroma_format_idc, format.idc);
    assert_int_equal(got.width, format.width);
    assert_int_equal(got.height, format.height);
  }
}

void reads_high_profiles_with_scaling_lists(void**) {
  for (const std::uint8_t profile : Bytes{100, 110, 122, 244, 44, 118, 128, 134}) {
    for (const std::uint32_t chroma : {1U, 3U}) {
      const AvcSps got = parsed({.profile = profile,
                                 .chroma_format_idc = chroma,
                                 .bit_depth_luma = 10,
                                 .bit_depth_chroma = 9,
                                 .scaling_lists = true});
      assert_int_equal(got.width, 1280);
      assert_int_equal(got.height, 720);
      assert_int_equal(got.bit_depth_luma, 10);
      assert_int_equal(got.bit_depth_chroma, 9);
    }
  }
}

void gets_past_every_picture_order_count_type(void**) {
  for (const std::uint32_t type : {0U, 1U, 2U}) {
    assert_int_equal(parsed({.poc_type = type}).height, 720);
  }
  assert_true(refused(sps({.poc_type = 3})).find("pic_order_cnt_type") != std::string::npos);
}

void aspect(BitWriter& out, std::uint8_t idc, std::uint32_t num = 0, std::uint32_t den = 0) {
  out.bits(1, 1).bits(8, idc);
  if (idc == 255) {
    out.bits(16, num).bits(16, den);
  }
  out.bits(1, 0).bits(1, 0).bits(1, 0).bits(1, 0);
}

AvcSps with_aspect(std::uint8_t idc, std::uint32_t num = 0, std::uint32_t den = 0) {
  return parsed({.vui = [=](BitWriter& out) { aspect(out, idc, num, den); }});
}

void reads_sample_aspect_ratios(void**) {
  assert_int_equal(with_aspect(2).sar_num, 12);
  assert_int_equal(with_aspect(2).sar_den, 11);
  assert_int_equal(with_aspect(13).sar_num, 160);
  assert_int_equal(with_aspect(13).sar_den, 99);
  assert_int_equal(with_aspect(16).sar_num, 2);
  assert_int_equal(with_aspect(255, 64, 45).sar_num, 64);
  assert_int_equal(with_aspect(255, 64, 45).sar_den, 45);
  for (const AvcSps& square : {with_aspect(0), with_aspect(1), with_aspect(17), with_aspect(254),
                               with_aspect(255, 0, 5), with_aspect(255, 5, 0)}) {
    assert_int_equal(square.sar_num, 1);
    assert_int_equal(square.sar_den, 1);
  }
}

// Every optional part of the VUI before the timing is there; zeros make emulation bytes.
void full_vui(BitWriter& out) {
  out.bits(1, 1).bits(8, 1);                                 // aspect_ratio_idc
  out.bits(1, 1).bits(1, 1);                                 // overscan
  out.bits(1, 1).bits(3, 5).bits(1, 1);                      // full range
  out.bits(1, 1).bits(8, 9).bits(8, 16).bits(8, 8);          // colour description
  out.bits(1, 1).ue(1).ue(1);                                // chroma location
  out.bits(1, 1).bits(32, 1001).bits(32, 60000).bits(1, 1);  // timing
}

void reads_range_colour_and_timing(void**) {
  const AvcSps got = parsed({.vui = full_vui});
  assert_true(got.full_range);
  assert_int_equal(got.colour_primaries, 9);
  assert_int_equal(got.transfer_characteristics, 16);
  assert_int_equal(got.matrix_coefficients, 8);
  assert_int_equal(got.num_units_in_tick, 1001);
  assert_int_equal(got.time_scale, 60000);
}

// What x264 makes of 640x360, 25 fps, High, with emulation prevention bytes.
void reads_an_sps_of_a_real_encoder(void**) {
  const Bytes nal = {0x67, 0x64, 0x00, 0x1e, 0xac, 0xd9, 0x40, 0xa0, 0x2f, 0xf9, 0x70, 0x11, 0x00,
                     0x00, 0x03, 0x00, 0x01, 0x00, 0x00, 0x03, 0x00, 0x32, 0x0f, 0x16, 0x2d, 0x96};
  const AvcSps got = parse_avc_sps(nal).value();
  assert_int_equal(got.width, 640);
  assert_int_equal(got.height, 360);
  assert_int_equal(got.level, 30);
  assert_int_equal(got.time_scale, 50 * got.num_units_in_tick);
}

void refuses_what_cannot_be_a_picture(void**) {
  assert_true(refused(sps({.width_mbs = 1025})).find("16384") != std::string::npos);
  assert_true(refused(sps({.height_map_units = 0xFFFFFFFF})).find("16384") != std::string::npos);
  assert_int_equal(parsed({.width_mbs = 1024}).width, 16384);
  assert_true(refused(sps({.width_mbs = 10, .crop = {40, 40, 0, 0}})).find("cropping") !=
              std::string::npos);
  assert_true(refused(sps({.width_mbs = 10, .crop = {0xFFFFFFFE, 0xFFFFFFFE, 0, 0}})).size() > 0);
  assert_true(refused(sps({.profile = 100, .chroma_format_idc = 4})).size() > 0);
  assert_true(refused(sps({.profile = 100, .bit_depth_luma = 15})).size() > 0);
  assert_true(refused(Bytes{}).size() > 0);
  assert_true(refused(Bytes{0x68, 1, 2, 3}).find("not a sequence") != std::string::npos);
}

// Up to the last byte that holds a field we read.
void refuses_every_truncation(void**) {
  for (const SpsText& text : {SpsText{.vui = full_vui},
                              SpsText{.profile = 100, .scaling_lists = true, .vui = full_vui}}) {
    Bytes nal = sps(text);
    nal.pop_back();
    nal.pop_back();
    while (!nal.empty()) {
      nal.pop_back();
      assert_true(refused(nal).size() > 0);
    }
  }
}

Bytes record(const std::vector<Bytes>& sps_nals, const std::vector<Bytes>& pps_nals,
             std::uint8_t length_size_minus_one = 3) {
  Bytes out = {1,
               0x42,
               0,
               30,
               static_cast<std::uint8_t>(0xFC | length_size_minus_one),
               static_cast<std::uint8_t>(0xE0 | sps_nals.size())};
  for (const Bytes& nal : sps_nals) {
    put_u16(out, static_cast<std::uint16_t>(nal.size()));
    put_bytes(out, nal);
  }
  put_u8(out, static_cast<std::uint8_t>(pps_nals.size()));
  for (const Bytes& nal : pps_nals) {
    put_u16(out, static_cast<std::uint16_t>(nal.size()));
    put_bytes(out, nal);
  }
  return out;
}

const Bytes kPps = {0x68, 0xEE, 0x3C, 0x80};
const Bytes kPps2 = {0x68, 0x4E, 0x3C};
const Bytes kSpsExtension = {0x6D, 0x80};

std::string refused_record(const Bytes& bytes) {
  auto result = parse_avc_config(bytes);
  if (result || result.error().code != Errc::kCorrupt) {
    return "";
  }
  return result.error().message;
}

// The NALs of a kind.
std::vector<Bytes> nals(const AvcConfig& config, media::AvcSetOrder kind) {
  std::vector<Bytes> found;
  for (const media::ParameterSet& set : config.sets.all()) {
    if (set.order == kind) {
      found.push_back(set.nal);
    }
  }
  return found;
}

void takes_a_record_apart(void**) {
  const Bytes first = sps({});
  const AvcConfig config = parse_avc_config(record({first, first}, {kPps, kPps2}, 1)).value();
  assert_int_equal(config.nal_length_size, 2);
  assert_true(nals(config, media::kAvcSps) == std::vector<Bytes>({first}));
  assert_true(nals(config, media::kAvcPps) == std::vector<Bytes>({kPps, kPps2}));
  assert_int_equal(config.sets.all().back().id, 1);
  assert_int_equal(media::sps_of_pps(kPps).value(), 0);
  assert_int_equal(media::sps_of_pps(kPps2).value(), 2);
  // a NAL that is none, and ids that cannot be
  assert_false(media::avc_parameter_set(Bytes{0x65, 0x80}).has_value());
  assert_false(media::avc_parameter_set(Bytes{0x68, 0, 0x40, 0, 0}).has_value());
  assert_false(media::avc_parameter_set(Bytes{0x68}).has_value());
  assert_false(media::avc_parameter_set(Bytes(0x10000, 0x68)).has_value());
}

void describes_the_track(void**) {
  const Bytes first = sps({.width_mbs = 45, .height_map_units = 36, .vui = [](BitWriter& out) {
                             out.bits(1, 1).bits(8, 4);
                             out.bits(1, 0).bits(1, 0).bits(1, 0);
                             out.bits(1, 1).bits(32, 1).bits(32, 50).bits(1, 1);
                           }});
  const media::TrackConfig track = parse_avc_config(record({first}, {kPps}, 0)).value().track();
  assert_true(track.codec == media::Codec::kAvc);
  assert_int_equal(track.timescale, 120000);
  assert_int_equal(track.default_duration, 4800);
  assert_int_equal(track.source.width, 720);
  assert_int_equal(track.source.height, 576);
  assert_int_equal(track.source.sar_num, 16);
  assert_int_equal(track.source.sar_den, 11);
  // lengthSizeMinusOne 3, the profile, constraints and level of the SPS, no trailer
  Bytes expected = record({first}, {kPps});
  expected[1] = 77;
  expected[2] = 0x40;
  expected[3] = 31;
  assert_true(track.record == expected);
}

std::uint32_t duration_of(std::uint32_t units, std::uint32_t scale) {
  const Bytes nal = sps({.vui = [=](BitWriter& out) {
    out.bits(4, 0).bits(1, 1).bits(32, units).bits(32, scale).bits(1, 1);
  }});
  return parse_avc_config(record({nal}, {kPps})).value().track().default_duration;
}

void predicts_the_duration_from_timing_that_can_be(void**) {
  assert_int_equal(duration_of(1001, 60000), 4004);
  assert_int_equal(duration_of(1001, 48000), 5005);
  assert_int_equal(duration_of(1, 120), 2000);
  assert_int_equal(duration_of(0, 60), 0);
  assert_int_equal(duration_of(1, 0), 0);
  assert_int_equal(duration_of(1, 2000), 0);  // a time base of 1 ms, not a frame rate
  assert_int_equal(duration_of(0xFFFFFFFF, 1), 0);
}

void high_profiles_get_their_trailer(void**) {
  const Bytes high =
      sps({.profile = 110, .chroma_format_idc = 2, .bit_depth_luma = 10, .bit_depth_chroma = 9});
  const Bytes bare = record({high}, {kPps});
  Bytes with_extension = bare;
  put_bytes(with_extension, Bytes{0xFE, 0xFA, 0xF9, 1, 0, 2, 0x6D, 0x80});
  const AvcConfig config = parse_avc_config(with_extension).value();
  assert_true(nals(config, media::kAvcSpsExtension) == std::vector<Bytes>({kSpsExtension}));
  Bytes out = config.track().record;
  assert_true(Bytes(out.end() - 8, out.end()) == Bytes({0xFE, 0xFA, 0xF9, 1, 0, 2, 0x6D, 0x80}));
  assert_true(parse_avc_config(out).value().sets == config.sets);
  // in-band: SPS, its extension, PPS
  assert_true(config.sets.all()[1].nal == kSpsExtension);
  // without a trailer one is made from the SPS
  out = parse_avc_config(bare).value().track().record;
  assert_true(Bytes(out.end() - 4, out.end()) == Bytes({0xFE, 0xFA, 0xF9, 0}));
}

void trailing_garbage_is_ignored(void**) {
  for (const std::uint8_t profile : Bytes{77, 100}) {
    const Bytes clean = record({sps({.profile = profile})}, {kPps});
    const Bytes expected = parse_avc_config(clean).value().track().record;
    for (const Bytes& garbage : {Bytes{0}, Bytes{1, 2, 3, 4, 5, 6, 7}, Bytes(40, 0xFF),
                                 Bytes{0xFD, 0xF8, 0xF8, 1, 0, 2, 0x67, 0x80}}) {
      Bytes dirty = clean;
      put_bytes(dirty, garbage);
      assert_true(parse_avc_config(dirty).value().track().record == expected);
    }
  }
}

void says_why_a_record_is_refused(void**) {
  const Bytes first = sps({});
  assert_true(refused_record({}).find("shorter") != std::string::npos);
  assert_true(refused_record(record({}, {kPps})).find("no sequence") != std::string::npos);
  assert_true(refused_record(record({Bytes{}}, {kPps})).find("no sequence") != std::string::npos);
  assert_true(refused_record(record({first}, {})).find("no picture") != std::string::npos);
  assert_true(refused_record(record({first}, {kPps}, 2)).find("3 bytes") != std::string::npos);
  assert_true(refused_record(record({kPps}, {kPps})).find("another type") != std::string::npos);
  assert_true(refused_record(record({first}, {first})).find("another type") != std::string::npos);
  Bytes version = record({first}, {kPps});
  version[0] = 0;
  assert_true(refused_record(version).find("version 0") != std::string::npos);
  Bytes cut = record({first}, {kPps});
  while (!cut.empty()) {
    cut.pop_back();
    assert_true(refused_record(cut).size() > 0);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(reads_a_main_profile_sps),
      cmocka_unit_test(crops_in_units_of_the_chroma_format),
      cmocka_unit_test(reads_high_profiles_with_scaling_lists),
      cmocka_unit_test(gets_past_every_picture_order_count_type),
      cmocka_unit_test(reads_sample_aspect_ratios),
      cmocka_unit_test(reads_range_colour_and_timing),
      cmocka_unit_test(reads_an_sps_of_a_real_encoder),
      cmocka_unit_test(refuses_what_cannot_be_a_picture),
      cmocka_unit_test(refuses_every_truncation),
      cmocka_unit_test(takes_a_record_apart),
      cmocka_unit_test(describes_the_track),
      cmocka_unit_test(predicts_the_duration_from_timing_that_can_be),
      cmocka_unit_test(high_profiles_get_their_trailer),
      cmocka_unit_test(trailing_garbage_is_ignored),
      cmocka_unit_test(says_why_a_record_is_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
