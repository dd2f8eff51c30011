#include "media/hevc_config.hpp"

#include "test_media_support.hpp"

namespace {

using namespace recording;
using test::from_hex;

// libx265's records, without its SEI. (That pictures are fields ffprobe does not say.)
const test::Encoded kEncoded[] = {
    {"8 tv 709",
     "01016000000090000000000078f000fcfdf8f800000f03a00001001840010c01ffff016000000300900000030"
     "000030078959409a10001002d420101016000000300900000030000030078a003c0801107cb965654a4c2f016"
     "a0202020800001f480003a9804a2000100064401c073c189",
     "hevc | Main | 120 | 1920 | 1080 | 1:1 | yuv420p | tv | bt709 | bt709 | bt709 | 8 | false "
     "| 2 | 29.97"},
    {"full",
     "0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff016000000300900000030"
     "00003003c959409a10001002b42010101600000030090000003000003003ca00a080c1f3e595952930bc05b02"
     "0000030002000003003210a2000100064401c073c189",
     "hevc | Main | 60 | 320 | 180 | 1:1 | yuvj420p | pc | - | - | - | 8 | false | 2 | 25"},
    {"10 pq",
     "0102200000009000000000005af000fcfdfafa00000f03a00001001840010c01ffff022000000300900000030"
     "00003005a959409a10001002f42010102200000030090000003000003005aa005020171f2b6595952930bc05a"
     "848804820000030002000003006410a2000100064401c073c189",
     "hevc | Main 10 | 90 | 640 | 360 | 1:1 | yuv420p10le | tv | bt2020 | smpte2084 | bt2020nc "
     "| 10 | false | 2 | 50"},
    {"422 10 hlg",
     "0104080000009d08000000003cf000fcfefafa00000f03a00001001740010c01ffff0408000003009d0800000"
     "300003c959409a10001002e4201010408000003009d0800000300003cb00a080c1f1ad965654a4c2f016a1224"
     "1208000003000800000301e040a2000100064401c073c189",
     "hevc | Rext | 60 | 320 | 180 | 1:1 | yuv422p10le | tv | bt2020 | arib-std-b67 | bt2020nc "
     "| 10 | false | 2 | 60"},
    {"444 8",
     "0104080000009e08000000003cf000fcfff8f800000f03a00001001740010c01ffff0408000003009e0800000"
     "300003c959409a10001002a4201010408000003009e0800000300003c90017101a38f8bcb2b2a5261780b4040"
     "000003004000000642a2000100084401c07318301890",
     "hevc | Rext | 60 | 354 | 198 | 1:1 | yuv444p | tv | - | - | - | 8 | false | 2 | 25"},
    {"444 12 full",
     "0104080000009808000000003cf000fcfffcfc00000f03a00001001740010c01ffff040800000300980800000"
     "300003c959409a10001002c420101040800000300980800000300003c9001410183e34a52caca94985e02d810"
     "0000030010000003019080a2000100084401c07318301890",
     "hevc | Rext | 60 | 320 | 180 | 1:1 | yuv444p12le | pc | - | - | - | 12 | false | 2 | 25"},
    {"422 8",
     "0104080000009d08000000003cf000fcfef8f800000f03a00001001740010c01ffff0408000003009d0800000"
     "300003c959409a1000100294201010408000003009d0800000300003cb00a080c1f1b965654a4c2f016808000"
     "0003008000000c84a2000100064401c073c189",
     "hevc | Rext | 60 | 320 | 180 | 1:1 | yuv422p | tv | - | - | - | 8 | false | 2 | 25"},
    {"gray",
     "0104080000009fc8000000003cf000fcfcf8f800000f03a00001001740010c01ffff0408000003009fc800000"
     "300003c959409a10001002a4201010408000003009fc800000300003cc02820307c6e595952930bc05b020000"
     "030002000003003210a2000100064401c073c189",
     "hevc | Rext | 60 | 320 | 180 | 1:1 | gray | pc | - | - | - | 8 | false | 2 | 25"},
    {"gray10",
     "0104080000009dc8000000003cf000fcfcfafa00000f03a00001001740010c01ffff0408000003009dc800000"
     "300003c959409a10001002a4201010408000003009dc800000300003cc02820307c6b6595952930bc05b02000"
     "000300200000030321a2000100064401c073c189",
     "hevc | Rext | 60 | 320 | 180 | 1:1 | gray10le | pc | - | - | - | 10 | false | 2 | 25"},
    {"rgb",
     "0104080000009e08000000003cf000fcfff8f800000f03a00001001740010c01ffff0408000003009e0800000"
     "300003c959409a10001002e4201010408000003009e0800000300003c9001410183e372caca94985e02dc0808"
     "00100000030010000003019080a2000100084401c07318301890",
     "hevc | Rext | 60 | 320 | 180 | 1:1 | gbrp | pc | - | - | gbr | 8 | false | 2 | 25"},
    {"sar",
     "0101600000009000000000005af000fcfdf8f800000f03a00001001840010c01ffff016000000300900000030"
     "00003005a959409a10001002f42010101600000030090000003000003005aa005a200905965654a4c2fff0040"
     "002d6808000003000800000300c840a2000100064401c073c189",
     "hevc | Main | 90 | 720 | 576 | 64:45 | yuv420p | tv | - | - | - | 8 | false | 2 | 25"},
    {"odd sar",
     "0101600000009000000000005af000fcfdf8f800000f03a00001001840010c01ffff016000000300900000030"
     "00003005a959409a10001002e42010101600000030090000003000003005aa005a201e16595952930bffc0134"
     "0105a02000000300200000030321a2000100064401c073c189",
     "hevc | Main | 90 | 720 | 480 | 77:65 | yuv420p | tv | - | - | - | 8 | false | 2 | 25"},
    {"bframes scaling",
     "0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff016000000300900000030"
     "00003003c959809a10001002b42010101600000030090000003000003003ca00a080c1f3e5959929385e02d01"
     "0000030001000003001908a2000100064401c073c189",
     "hevc | Main | 60 | 320 | 180 | 1:1 | yuv420p | tv | - | - | - | 8 | false | 2 | 25"},
    {"no bframes wpp",
     "0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff016000000300900000030"
     "00003003cba0240a10001002842010101600000030090000003000003003ca00d880f1c9e5ba4a4c2f0168080"
     "0001f480002ee004a2000100064401c0718312",
     "hevc | Main | 60 | 426 | 240 | 1:1 | yuv420p | tv | - | - | - | 8 | false | 0 | 23.976"},
    {"temporal layers",
     "0101600000009000000000003ff000fcfdf8f800000f03a00001001840010c01ffff016000000300900000030"
     "00003003f959409a10001002b42010101600000030090000003000003003fa005020171f2e595952930bc05a0"
     "20000003002000000303c1a2000100064401c073c189",
     "hevc | Main | 63 | 640 | 360 | 1:1 | yuv420p | tv | - | - | - | 8 | false | 2 | 30"},
    {"hrd hdr",
     "0102200000009000000000005df000fcfdfafa00000f03a00001001840010c01ffff022000000300900000030"
     "00003005d959409a10001003642010102200000030090000003000003005da00280802d136595952930bc05a0"
     "200000030020000003032c02914bc001e848003d0910a2000100064401c073c189",
     "hevc | Main 10 | 93 | 1280 | 720 | 1:1 | yuv420p10le | tv | - | - | - | 10 | false | 2 | "
     "25"},
    {"field",
     "0101600000004000000000005af000fcfdf8f800000f03a00001001840010c01ffff016000000300400000030"
     "00003005a959409a10001002b42010101600000030040000003000003005aa005a200905965654a4c2f016868"
     "000003000800000300c840a2000100064401c073c189",
     "hevc | Main | 90 | 720 | 576 | 1:1 | yuv420p | tv | - | - | - | 8 | true | 2 | 25"},
    {"slower",
     "0101600000009000000000003cf000fcfdf8f800000f03a00001001940010c01ffff016000000300900000030"
     "00003003c9d8a0240a10001002b42010101600000030090000003000003003ca00a080b9f796762a4932bc05a"
     "020000030002000003003210a2000100074401c172b46240",
     "hevc | Main | 60 | 320 | 180 | 1:1 | yuv420p | tv | - | - | - | 8 | false | 2 | 25"},
};

void says_what_ffprobe_says(void**) {
  for (const test::Encoded& encoded : kEncoded) {
    auto config = media::parse_hevc_config(from_hex(encoded.record));
    assert_true(bool(config));
    test::assert_said(encoded.what, config.value().track(), encoded.by_ffprobe);
  }
}

// The record says nothing that the SPS does not, so what libx265 wrote comes out again, but for the
// frame rate, which is not its to say.
void the_record_is_the_encoders(void**) {
  for (const test::Encoded& encoded : kEncoded) {
    const Bytes record = from_hex(encoded.record);
    const Bytes again = media::parse_hevc_config(record).value().track().record;
    assert_int_equal(again.size(), record.size());
    for (std::size_t i = 0; i < record.size(); ++i) {
      // array_completeness is always set
      const bool array = i > 22 && (again[i] ^ record[i]) == 0x80;
      assert_true(again[i] == record[i] || array);
    }
  }
}

void short_nal_lengths_become_four_bytes(void**) {
  Bytes record = from_hex(kEncoded[0].record);
  record[21] = static_cast<std::uint8_t>(record[21] & 0xFC);
  const auto config = media::parse_hevc_config(record).value();
  assert_int_equal(config.nal_length_size, 1);
  assert_int_equal(config.track().record[21] & 3, 3);
  record[21] = static_cast<std::uint8_t>(record[21] | 2);
  assert_false(bool(media::parse_hevc_config(record)));
}

void declarative_sei_stays_in_the_record_alone(void**) {
  Bytes record = from_hex(kEncoded[0].record);
  ++record[22];
  // user data, as libx265's options are, and a content light level
  for (const int byte :
       {0x27, 0, 2, 0, 5, 0x4E, 0x01, 5, 0, 0x80, 0, 8, 0x4E, 0x01, 0x90, 4, 1, 2, 3, 0x80}) {
    record.push_back(static_cast<std::uint8_t>(byte));
  }
  const auto config = media::parse_hevc_config(record).value();
  assert_int_equal(config.sets.all().size(), 3);
  const Bytes written = config.track().record;
  assert_int_equal(written[22], 4);
  assert_int_equal(written.size(), record.size() - 7);
  assert_int_equal(written.back(), 0x80);
  assert_true(media::parse_hevc_config(written).value().track().record == written);
}

void what_is_damaged_is_refused(void**) {
  const Bytes record = from_hex(kEncoded[0].record);
  for (std::size_t size = 0; size < record.size(); ++size) {
    auto config = media::parse_hevc_config(ByteView(record).first(size));
    assert_false(bool(config));
    assert_false(config.error().message.empty());
  }
  Bytes other = record;
  other[0] = 0;
  assert_false(bool(media::parse_hevc_config(other)));
  other = record;
  other[23] = 0xA2;  // the VPS said to be a PPS
  assert_false(bool(media::parse_hevc_config(other)));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(says_what_ffprobe_says),
      cmocka_unit_test(the_record_is_the_encoders),
      cmocka_unit_test(short_nal_lengths_become_four_bytes),
      cmocka_unit_test(declarative_sei_stays_in_the_record_alone),
      cmocka_unit_test(what_is_damaged_is_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
