// What an encoder says of its pictures, in headers and in key frames, and what the key frames get.
#include <memory>
#include <vector>

#include "media/avc_source.hpp"
#include "support/bit_writer.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using media::VideoSource;
using test::BitWriter;

Bytes sps(std::uint32_t width_mbs, std::uint32_t id = 0, std::uint32_t log2_frame_num = 4) {
  BitWriter out;
  out.bits(8, 0x67).bits(8, 66).bits(8, 0xC0).bits(8, 30).ue(id);
  out.ue(log2_frame_num).ue(2).ue(1).bits(1, 0).ue(width_mbs - 1).ue(14);
  out.bits(1, 1).bits(1, 1).bits(1, 0).bits(1, 0).bits(1, 1).align_to_byte();
  return out.bytes();
}

Bytes pps(std::uint32_t id = 0, std::uint32_t sps_id = 0, std::uint32_t tail = 1) {
  BitWriter out;
  out.bits(8, 0x68).ue(id).ue(sps_id).bits(8, tail).bits(1, 1).align_to_byte();
  return out.bytes();
}

Bytes slice(std::uint8_t header, std::uint32_t pps_id = 0) {
  BitWriter out;
  out.bits(8, header).ue(0).ue(7).ue(pps_id).bits(8, 0x5A).align_to_byte();
  return out.bytes();
}
Bytes idr(std::uint32_t pps_id = 0) { return slice(0x65, pps_id); }
Bytes recovery_point() { return slice(0x41); }
const Bytes kDelimiter = {0x09, 0xF0};

Bytes unit(const std::vector<Bytes>& nals) {
  Bytes out;
  for (const Bytes& nal : nals) {
    put_u32(out, static_cast<std::uint32_t>(nal.size()));
    put_bytes(out, nal);
  }
  return out;
}

Bytes record(const std::vector<Bytes>& sets_of_sps, const std::vector<Bytes>& sets_of_pps) {
  Bytes out{1, 66, 0xC0, 30, 0xFF, static_cast<std::uint8_t>(0xE0 | sets_of_sps.size())};
  const auto put = [&out](const Bytes& nal) {
    put_u16(out, static_cast<std::uint16_t>(nal.size()));
    put_bytes(out, nal);
  };
  for (const Bytes& nal : sets_of_sps) {
    put(nal);
  }
  put_u8(out, static_cast<std::uint8_t>(sets_of_pps.size()));
  for (const Bytes& nal : sets_of_pps) {
    put(nal);
  }
  return out;
}

struct Encoder {
  std::unique_ptr<VideoSource> source = media::make_avc_source();

  Encoder() { announce({sps(20)}, {pps()}); }
  void announce(const std::vector<Bytes>& sets_of_sps, const std::vector<Bytes>& sets_of_pps) {
    assert_true(bool(source->announce(record(sets_of_sps, sets_of_pps))));
  }
  // The sample as it is stored.
  Bytes key_frame(const std::vector<Bytes>& nals) {
    Bytes sample = unit(nals);
    const iovec piece{sample.data(), sample.size()};
    const auto arranged = source->take_key_frame({&piece, 1});
    sample.insert(sample.begin() + static_cast<std::ptrdiff_t>(arranged.at),
                  arranged.insert.begin(), arranged.insert.end());
    return sample;
  }
  [[nodiscard]] std::uint32_t width() const { return source->track().source.width; }
};

void every_key_frame_gets_what_it_lacks(void**) {
  Encoder encoder;
  for (int i = 0; i < 2; ++i) {
    assert_true(encoder.key_frame({idr()}) == unit({sps(20), pps(), idr()}));
    assert_true(encoder.key_frame({kDelimiter, idr()}) ==
                unit({kDelimiter, sps(20), pps(), idr()}));
    assert_true(encoder.key_frame({sps(20), idr()}) == unit({sps(20), pps(), idr()}));
    assert_true(encoder.key_frame({pps(), idr()}) == unit({sps(20), pps(), idr()}));
    assert_true(encoder.key_frame({sps(20), pps(), idr()}) == unit({sps(20), pps(), idr()}));
    // Where there are no IDR pictures, others are sought.
    assert_true(encoder.key_frame({recovery_point()}) == unit({sps(20), pps(), recovery_point()}));
  }
}

void a_header_is_in_force_from_the_next_idr_picture_on(void**) {
  Encoder encoder;
  (void)encoder.key_frame({idr()});
  encoder.announce({sps(40)}, {pps()});
  assert_int_equal(encoder.width(), 320);
  assert_true(encoder.key_frame({recovery_point()}) == unit({sps(20), pps(), recovery_point()}));
  assert_int_equal(encoder.width(), 320);
  assert_true(encoder.key_frame({idr()}) == unit({sps(40), pps(), idr()}));
  assert_int_equal(encoder.width(), 640);
}

void of_several_headers_the_last_one_counts(void**) {
  Encoder encoder;
  encoder.announce({sps(40)}, {pps()});
  encoder.announce({sps(60)}, {pps()});
  encoder.announce({sps(20)}, {pps()});
  (void)encoder.key_frame({idr()});
  assert_int_equal(encoder.width(), 320);
}

void other_bytes_of_the_same_meaning_go_into_the_key_frames(void**) {
  Encoder encoder;
  const Bytes other = sps(20, 0, 6);
  const media::TrackConfig before = encoder.source->track();
  encoder.announce({other}, {pps(0, 0, 9)});
  assert_true(encoder.key_frame({idr()}) == unit({other, pps(0, 0, 9), idr()}));
  assert_true(encoder.source->track().same_source(before));
  assert_false(encoder.source->track().record == before.record);
}

void sets_in_a_key_frame_change_the_source(void**) {
  Encoder encoder;
  assert_true(encoder.key_frame({sps(40), pps(), idr()}) == unit({sps(40), pps(), idr()}));
  assert_int_equal(encoder.width(), 640);
  // Sent once, they stay, and its record has them.
  assert_true(encoder.key_frame({idr()}) == unit({sps(40), pps(), idr()}));
  assert_true(encoder.source->track().record == record({sps(40)}, {pps()}));
  // The header again is a header again.
  encoder.announce({sps(20)}, {pps()});
  assert_true(encoder.key_frame({idr()}) == unit({sps(20), pps(), idr()}));
  assert_int_equal(encoder.width(), 320);
}

void sets_in_the_picture_win_over_the_header_before_it(void**) {
  Encoder encoder;
  encoder.announce({sps(40)}, {pps()});
  assert_true(encoder.key_frame({sps(60), pps(), idr()}) == unit({sps(60), pps(), idr()}));
  assert_int_equal(encoder.width(), 960);
}

void the_picture_says_which_set_it_means(void**) {
  Encoder encoder;
  assert_true(encoder.key_frame({sps(40, 1), pps(1, 1), idr(1)}) ==
              unit({sps(40, 1), sps(20), pps(), pps(1, 1), idr(1)}));
  assert_int_equal(encoder.width(), 640);
  assert_true(encoder.source->track().record == record({sps(40, 1), sps(20)}, {pps(), pps(1, 1)}));
  (void)encoder.key_frame({idr()});
  assert_int_equal(encoder.width(), 320);
  (void)encoder.key_frame({idr(1)});
  assert_int_equal(encoder.width(), 640);
}

void a_pps_of_an_sps_that_is_gone_goes_too(void**) {
  Encoder encoder;
  encoder.announce({sps(20)}, {pps(), pps(1)});
  assert_true(encoder.key_frame({idr()}) == unit({sps(20), pps(), pps(1), idr()}));
  assert_true(encoder.key_frame({sps(40), pps(), idr()}) == unit({sps(40), pps(), idr()}));
  // Who brings an SPS alone means the PPS that there are.
  assert_true(encoder.key_frame({sps(60), idr()}) == unit({sps(60), pps(), idr()}));
}

void what_cannot_be_read_stays_as_it_is(void**) {
  Encoder encoder;
  const Bytes broken = {0x67, 66, 0xC0, 30, 0x80};
  assert_true(encoder.key_frame({broken, pps(), idr()}) == unit({broken, pps(), idr()}));
  assert_int_equal(encoder.width(), 320);
  assert_true(encoder.key_frame({idr()}) == unit({sps(20), pps(), idr()}));
  assert_false(bool(encoder.source->announce(Bytes{1, 2, 3})));
  assert_true(encoder.key_frame({idr()}) == unit({sps(20), pps(), idr()}));
  const std::vector<Bytes> torn = {Bytes{}, idr()};
  assert_true(encoder.key_frame(torn) == unit({sps(20), pps(), {}, idr()}));
}

void it_does_not_grow_without_end(void**) {
  Encoder encoder;
  std::size_t largest = 0;
  for (std::uint32_t id = 0; id < 256; ++id) {
    Bytes large = pps(id, 0);
    large.resize(3000, 0x55);
    largest = std::max(largest, encoder.key_frame({large, idr()}).size());
  }
  assert_true(largest < 24000);
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(every_key_frame_gets_what_it_lacks),
    cmocka_unit_test(a_header_is_in_force_from_the_next_idr_picture_on),
    cmocka_unit_test(of_several_headers_the_last_one_counts),
    cmocka_unit_test(other_bytes_of_the_same_meaning_go_into_the_key_frames),
    cmocka_unit_test(sets_in_a_key_frame_change_the_source),
    cmocka_unit_test(sets_in_the_picture_win_over_the_header_before_it),
    cmocka_unit_test(the_picture_says_which_set_it_means),
    cmocka_unit_test(a_pps_of_an_sps_that_is_gone_goes_too),
    cmocka_unit_test(what_cannot_be_read_stays_as_it_is),
    cmocka_unit_test(it_does_not_grow_without_end),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
