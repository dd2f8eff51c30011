#include <string>

#include "media/codec_string.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using media::Codec;

std::string named(Codec codec, Bytes record) {
  media::TrackConfig config;
  config.codec = codec;
  config.record = std::move(record);
  return media::codec_string(config);
}

// Examples of the specifications and of what browsers are asked for.
void every_codec_has_its_name(void**) {
  assert_string_equal(named(Codec::kAvc, {1, 0x64, 0, 0x1f}).c_str(), "avc1.64001f");
  assert_string_equal(named(Codec::kAac, {0x12, 0x10}).c_str(), "mp4a.40.2");
  assert_string_equal(
      named(Codec::kHevc, {1, 0x01, 0x60, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 93}).c_str(),
      "hvc1.1.6.L93.B0");
  assert_string_equal(
      named(Codec::kHevc, {1, 0x62, 0x20, 0, 0, 0, 0x90, 0, 0, 0, 0, 0x01, 120}).c_str(),
      "hvc1.A2.4.H120.90.0.0.0.0.1");
  assert_string_equal(named(Codec::kHevc, {1, 0x01, 0x60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 63}).c_str(),
                      "hvc1.1.6.L63");
  assert_string_equal(named(Codec::kAv1, {0x81, 0x04, 0, 0}).c_str(), "av01.0.04M.08");
  assert_string_equal(named(Codec::kAv1, {0x81, 0x2d, 0xc0, 0}).c_str(), "av01.1.13H.10");
  assert_string_equal(named(Codec::kVp9, {2, 31, 0xa2}).c_str(), "vp09.02.31.10");
  assert_string_equal(named(Codec::kOpus, {}).c_str(), "opus");
  assert_string_equal(named(Codec::kAc3, {}).c_str(), "ac-3");
  assert_string_equal(named(Codec::kEac3, {}).c_str(), "ec-3");
  assert_string_equal(named(Codec::kFlac, {}).c_str(), "fLaC");
}

void a_record_that_is_too_short_has_none(void**) {
  for (const Codec codec : {Codec::kAvc, Codec::kHevc, Codec::kAv1, Codec::kVp9}) {
    assert_string_equal(named(codec, {1}).c_str(), "");
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(every_codec_has_its_name),
                              cmocka_unit_test(a_record_that_is_too_short_has_none)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
