// Opus, FLAC, AC-3 and E-AC-3.
#include "media/ac3_config.hpp"
#include "media/flac_config.hpp"
#include "media/opus_config.hpp"

#include "support/bit_writer.hpp"
#include "test_media_support.hpp"

namespace {

using namespace recording;
using test::from_hex;

void opus_headers_become_dops(void**) {
  const auto stereo =
      media::parse_opus_head(from_hex("4f707573486561640102380180bb0000000000")).value();
  test::assert_said("stereo", stereo, "opus | - | 48000 | 2");
  assert_int_equal(stereo.timescale, 48000);
  assert_int_equal(stereo.default_duration, 960);
  assert_true(stereo.record == from_hex("000201380000bb80000000"));
  // 5.1 of libopus, at a gain of -1, without "OpusHead"
  const auto surround = media::parse_opus_head(from_hex("0106380144ac0000ffff0104020004010205"
                                                        "03"))
                            .value();
  test::assert_said("5.1", surround, "opus | - | 48000 | 6");
  assert_true(surround.record == from_hex("000601380000ac44ffff01"
                                          "0402000401020503"));
}

void an_opus_header_that_is_left_empty_is_the_usual_one(void**) {
  assert_true(media::opus_config_of(1).value().record == from_hex("0001000000"
                                                                  "00bb80000000"));
  const auto six = media::opus_config_of(6).value();
  assert_int_equal(six.source.channels, 6);
  assert_true(six.record == from_hex("000600000000bb80000001"
                                     "0402000401020305"));
  assert_false(bool(media::opus_config_of(0)));
  assert_false(bool(media::opus_config_of(9)));
}

void damaged_opus_headers_are_refused(void**) {
  const Bytes whole = from_hex("4f707573486561640106380180bb00000000010402000401020305");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    assert_false(bool(media::parse_opus_head(ByteView(whole).first(size))));
  }
  for (const char* damaged :
       {"1001380180bb0000000000", "0100380180bb0000000000", "0103380180bb0000000000",
        "0101380180bb00000000010000"
        "00"}) {
    assert_false(bool(media::parse_opus_head(from_hex(damaged))));
  }
}

void flac_headers_become_dfla(void**) {
  const char* info =
      "1200120000033d0004ff0bb800f000000000"
      "00000000000000000000000000000000";
  const Bytes bare = from_hex(info);
  assert_int_equal(bare.size(), 34);
  Bytes block = from_hex("00000022");  // with another block behind it
  put_bytes(block, bare);
  put_bytes(block, from_hex("84000002aaaa"));
  Bytes file = from_hex("664c6143");
  put_bytes(file, block);
  for (const Bytes& header : {bare, block, file}) {
    const auto track = media::parse_flac_header(header).value();
    test::assert_said("flac", track, "flac | - | 48000 | 1");
    assert_int_equal(track.default_duration, 4608);
    Bytes record = from_hex("80000022");
    put_bytes(record, bare);
    assert_true(track.record == record);
    assert_int_equal(media::flac_bits_per_sample(track.record), 16);
  }
  assert_false(bool(media::parse_flac_header(ByteView(bare).first(33))));
  assert_false(bool(media::parse_flac_header(from_hex("664c6143"))));
  assert_false(bool(media::parse_flac_header(from_hex("84000002aaaa"))));
}

// What changes with every recording, such as its MD5, is not what a decoder must know.
void flac_headers_are_compared_by_what_matters(void**) {
  Bytes info = from_hex(
      "1200120000033d0004ff0bb800f000000000"
      "00000000000000000000000000000000");
  const auto first = media::parse_flac_header(info).value();
  info.back() = 7;
  info[6] = 9;
  assert_true(first.same_source(media::parse_flac_header(info).value()));
  info[13] = 0x70;  // 8 bits
  assert_false(first.same_source(media::parse_flac_header(info).value()));
}

void ac3_frames_become_dac3(void**) {
  const auto mono = media::parse_ac3_frame(from_hex("0b77480d0c402f842bc1c77a")).value();
  test::assert_said("mono", mono, "ac3 | - | 48000 | 1");
  assert_int_equal(mono.default_duration, 1536);
  assert_true(mono.record == from_hex("1008"
                                      "c0"));
  // 5.1 at 44.1 kHz: fscod 1, acmod 7, lfe behind cmixlev and surmixlev
  test::BitWriter bits;
  bits.bits(16, 0x0B77).bits(16, 0).bits(2, 1).bits(6, 28).bits(5, 8).bits(3, 0);
  bits.bits(3, 7).bits(2, 1).bits(2, 1).bits(1, 1).align_to_byte();
  const auto surround = media::parse_ac3_frame(bits.bytes()).value();
  test::assert_said("5.1", surround, "ac3 | - | 44100 | 6");
  assert_false(bool(media::parse_ac3_frame(from_hex("0b78480d0c402f84"))));
  assert_false(bool(media::parse_ac3_frame(from_hex("0b77480dcc402f84"))));  // fscod 3
  assert_false(bool(media::parse_ac3_frame(from_hex("0b77480d0c802f84"))));  // bsid 16
  assert_false(bool(media::parse_ac3_frame(from_hex("0b77480d0c"))));
}

Bytes eac3_frame(unsigned type, unsigned substream, unsigned acmod, unsigned lfe,
                 unsigned channel_map = 0, unsigned blocks = 3) {
  test::BitWriter bits;
  bits.bits(16, 0x0B77).bits(2, type).bits(3, substream).bits(11, 9);  // 20 bytes
  bits.bits(2, 0).bits(2, blocks).bits(3, acmod).bits(1, lfe).bits(5, 16).bits(5, 31).bits(1, 0);
  if (type == 1) {
    bits.bits(1, channel_map != 0 ? 1 : 0);
    if (channel_map != 0) {
      bits.bits(16, channel_map);
    }
  }
  Bytes frame = bits.align_to_byte().bytes();
  frame.resize(20);
  return frame;
}

Bytes joined(std::initializer_list<Bytes> frames) {
  Bytes all;
  for (const Bytes& frame : frames) {
    put_bytes(all, frame);
  }
  return all;
}

void eac3_access_units_become_dec3(void**) {
  const auto mono = media::parse_eac3_access_unit(from_hex("0b7700bf3287c00021064060")).value();
  test::assert_said("mono", mono, "eac3 | - | 48000 | 1");
  assert_int_equal(mono.default_duration, 1536);
  assert_true(mono.record == from_hex("0300"
                                      "200200"));  // 96 kb/s, one substream
  // 5.1, and 7.1 by a dependent substream with Lrs and Rrs (bit 6 of chanmap)
  const auto five = media::parse_eac3_access_unit(joined({eac3_frame(0, 0, 7, 1)})).value();
  test::assert_said("5.1", five, "eac3 | - | 48000 | 6");
  const auto seven = media::parse_eac3_access_unit(
                         joined({eac3_frame(0, 0, 7, 1), eac3_frame(1, 0, 6, 0, 1U << 9)}))
                         .value();
  test::assert_said("7.1", seven, "eac3 | - | 48000 | 8");
  // num_dep_sub 1, chan_loc bit 1
  assert_true(ByteView(seven.record).size() == 6 && seven.record[4] == 0x02 &&
              seven.record[5] == 0x02);
}

void eac3_of_fewer_blocks_and_more_programs(void**) {
  const Bytes third = eac3_frame(0, 0, 2, 0, 0, 1);  // 2 blocks of 6
  const auto split = media::parse_eac3_access_unit(joined({third, third, third})).value();
  assert_int_equal(split.default_duration, 1536);
  assert_int_equal(split.record[1] & 7, 0);
  const auto two =
      media::parse_eac3_access_unit(joined({eac3_frame(0, 0, 2, 0), eac3_frame(0, 1, 1, 0)}))
          .value();
  assert_int_equal(two.record[1] & 7, 1);
  assert_int_equal(two.record.size(), 8);
  assert_int_equal(two.source.channels, 2);
}

void what_is_no_eac3_is_refused(void**) {
  for (const Bytes& damaged :
       {Bytes{}, from_hex("0b77"), from_hex("0b7700bf32"), joined({eac3_frame(1, 0, 2, 0)}),
        joined({eac3_frame(0, 1, 2, 0)}), from_hex("0b77480d0c402f842bc1c77a")}) {
    assert_false(bool(media::parse_eac3_access_unit(damaged)));
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(opus_headers_become_dops),
      cmocka_unit_test(an_opus_header_that_is_left_empty_is_the_usual_one),
      cmocka_unit_test(damaged_opus_headers_are_refused),
      cmocka_unit_test(flac_headers_become_dfla),
      cmocka_unit_test(flac_headers_are_compared_by_what_matters),
      cmocka_unit_test(ac3_frames_become_dac3),
      cmocka_unit_test(eac3_access_units_become_dec3),
      cmocka_unit_test(eac3_of_fewer_blocks_and_more_programs),
      cmocka_unit_test(what_is_no_eac3_is_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
