#include <algorithm>
#include <vector>

#include "media/key_frame.hpp"

#include "cmocka.hpp"

namespace {

using recording::Bytes;
using recording::media::AccessUnitLayout;
using recording::media::Codec;
using recording::media::inspect_access_unit;
using recording::media::widen_nal_lengths;

struct Nal {
  std::uint8_t header;
  std::size_t size;
};

Bytes access_unit(const std::vector<Nal>& nals, int length_size = 4) {
  Bytes out;
  for (const Nal& nal : nals) {
    for (int shift = (length_size - 1) * 8; shift >= 0; shift -= 8) {
      out.push_back(static_cast<std::uint8_t>(nal.size >> shift));
    }
    for (std::size_t i = 0; i < nal.size; ++i) {
      out.push_back(i == 0 ? nal.header : static_cast<std::uint8_t>(i));
    }
  }
  return out;
}

// Cut into pieces of `size` bytes, an empty one in front of each.
std::vector<iovec> cut(Bytes& bytes, std::size_t size) {
  std::vector<iovec> pieces;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    pieces.push_back({nullptr, 0});
    pieces.push_back({bytes.data() + at, std::min(size, bytes.size() - at)});
  }
  return pieces;
}

AccessUnitLayout inspect(Bytes bytes, std::uint8_t length_size = 4) {
  return inspect_access_unit(Codec::kAvc, cut(bytes, 1000), length_size);
}

constexpr std::uint8_t kSlice = 0x41, kIdr = 0x65, kSei = 0x06, kSps = 0x67, kPps = 0x68,
                       kDelimiter = 0x09;

void sets_belong_in_front(void**) {
  const AccessUnitLayout layout = inspect(access_unit({{kSei, 20}, {kIdr, 300}}));
  assert_true(layout.random_access && layout.well_formed && layout.sets.empty());
  assert_int_equal(layout.sets_at, 0);
  const AccessUnitLayout inter = inspect(access_unit({{kSlice, 300}, {kSlice, 20}}));
  assert_true(!inter.random_access && inter.well_formed);
}

void a_leading_delimiter_stays_in_front(void**) {
  assert_int_equal(inspect(access_unit({{kDelimiter, 2}, {kIdr, 300}})).sets_at, 6);
  assert_int_equal(inspect(access_unit({{kDelimiter, 2}, {kIdr, 30}}, 2), 2).sets_at, 4);
  // one that is not leading says nothing, nor does a second one
  assert_int_equal(inspect(access_unit({{kSei, 9}, {kDelimiter, 2}, {kIdr, 30}})).sets_at, 0);
  assert_int_equal(inspect(access_unit({{kDelimiter, 2}, {kDelimiter, 2}, {kIdr, 30}})).sets_at, 6);
}

void its_own_sets_are_found(void**) {
  const AccessUnitLayout layout =
      inspect(access_unit({{kDelimiter, 2}, {kSps, 20}, {kPps, 5}, {kSei, 4}, {kIdr, 300}}));
  assert_true(layout.sets == access_unit({{kSps, 20}, {kPps, 5}}));
  assert_int_equal(layout.sets_at, 6 + 24);  // behind the SPS
  assert_int_equal(inspect(access_unit({{kPps, 5}, {kIdr, 300}})).sets_at, 0);
  // More of them than can be
  assert_false(inspect(access_unit({{kSps, 10000}, {kSps, 10000}, {kIdr, 9}})).well_formed);
}

void the_first_slice_is_told(void**) {
  const AccessUnitLayout layout = inspect(access_unit({{kSei, 9}, {kIdr, 300}, {kIdr, 20}}));
  Bytes head = access_unit({{kIdr, 16}});
  head.erase(head.begin(), head.begin() + 4);
  assert_memory_equal(layout.slice.data(), head.data(), 16);
  assert_int_equal(inspect(access_unit({{kIdr, 3}})).slice[2], 2);
  assert_int_equal(inspect(access_unit({{kIdr, 3}})).slice[3], 0);
  assert_int_equal(inspect(access_unit({{kSei, 9}})).slice[0], 0);
}

void lengths_that_do_not_add_up_are_seen(void**) {
  Bytes cut_short = access_unit({{kIdr, 300}});
  cut_short.pop_back();
  Bytes too_long = access_unit({{kIdr, 300}});
  too_long.insert(too_long.end(), {0, 0, 1});
  for (const Bytes& bytes : {cut_short, too_long, Bytes{0, 0, 0, 1}, Bytes{0xFF, 0xFF, 0xFF, 0xFF},
                             Bytes{0, 0, 0, 2, kIdr}}) {
    const AccessUnitLayout layout = inspect(bytes);
    assert_false(layout.well_formed);
  }
  assert_false(inspect({1, 2, 3}, 0).well_formed);
}

void empty_nals_are_stepped_over(void**) {
  const AccessUnitLayout layout = inspect(access_unit({{0, 0}, {kIdr, 5}, {0, 0}}));
  assert_true(layout.well_formed);
  assert_true(layout.random_access);
  assert_int_equal(layout.sets_at, 0);
}

void pieces_may_be_cut_anywhere(void**) {
  for (const std::uint8_t length_size : Bytes{1, 2, 4}) {
    Bytes bytes = access_unit({{kDelimiter, 2}, {kSps, 17}, {kSei, 3}, {kIdr, 200}}, length_size);
    const Bytes wide = access_unit({{kDelimiter, 2}, {kSps, 17}, {kSei, 3}, {kIdr, 200}}, 4);
    for (std::size_t size = 1; size <= bytes.size(); ++size) {
      const std::vector<iovec> pieces = cut(bytes, size);
      const AccessUnitLayout layout = inspect_access_unit(Codec::kAvc, pieces, length_size);
      assert_true(layout.well_formed && layout.random_access);
      assert_int_equal(layout.sets_at, 2 * length_size + 2 + 17);
      assert_true(layout.sets == access_unit({{kSps, 17}}) && layout.slice[1] == 1);
      assert_true(widen_nal_lengths(pieces, length_size) == wide);
    }
  }
}

void widening_refuses_lengths_that_do_not_add_up(void**) {
  Bytes bytes = access_unit({{kIdr, 30}, {kSei, 3}}, 2);
  bytes.pop_back();
  assert_true(widen_nal_lengths(cut(bytes, 7), 2).empty());
}

// H.265: the type is in bits 1 to 6, and a second header byte follows.
void h265_sets_begin_with_a_vps(void**) {
  constexpr int kTrail = 1, kBla = 16, kIdrW = 19, kCra = 21, kVps = 32, kAud = 35, kInfo = 39;
  const auto inspect_hevc = [](const std::vector<int>& types) {
    std::vector<Nal> nals;
    for (const int type : types) {
      nals.push_back({static_cast<std::uint8_t>(type << 1), 20});
    }
    Bytes bytes = access_unit(nals);
    return inspect_access_unit(Codec::kHevc, cut(bytes, 7), 4);
  };
  for (const int irap : {kBla, kIdrW, kCra}) {
    const AccessUnitLayout bare = inspect_hevc({kInfo, irap});
    assert_true(bare.random_access && bare.well_formed && bare.sets.empty());
    assert_int_equal(bare.sets_at, 0);
    const AccessUnitLayout whole = inspect_hevc({kAud, kVps, kVps + 1, kVps + 2, irap});
    assert_int_equal(whole.sets_at, 24);  // behind the delimiter, not behind the SPS
    assert_int_equal(whole.sets.size(), 3 * 24);
  }
  assert_false(inspect_hevc({kTrail}).random_access);
}

// AV1: an OBU of this type with `size` bytes and its size said.
void put_obu(Bytes& out, int type, std::uint8_t size) {
  out.insert(out.end(), {static_cast<std::uint8_t>(type << 3 | 2), size});
  out.insert(out.end(), size, 9);
}

void a_temporal_unit_may_have_a_sequence_header(void**) {
  constexpr int kSequence = 1, kTemporalDelimiter = 2, kFrame = 6;
  const auto inspect_av1 = [](Bytes bytes) {
    return recording::media::inspect_temporal_unit(cut(bytes, 3));
  };
  Bytes bare;
  put_obu(bare, kFrame, 30);
  assert_true(inspect_av1(bare).well_formed && inspect_av1(bare).sequence_header.empty());
  assert_int_equal(inspect_av1(bare).sets_at, 0);
  Bytes whole;
  put_obu(whole, kTemporalDelimiter, 0);
  put_obu(whole, kSequence, 11);
  whole.insert(whole.end(), {kFrame << 3, 1, 2, 3});  // the last one need not say its size
  assert_true(inspect_av1(whole).well_formed);
  assert_int_equal(inspect_av1(whole).sets_at, 2);
  assert_true(inspect_av1(whole).sequence_header == Bytes(whole.begin() + 2, whole.begin() + 15));
  for (const Bytes& broken : {Bytes{0x12, 5}, Bytes{0x92, 0}, Bytes{0, 0, 0}}) {
    assert_false(inspect_av1(broken).well_formed);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(sets_belong_in_front),
      cmocka_unit_test(a_leading_delimiter_stays_in_front),
      cmocka_unit_test(its_own_sets_are_found),
      cmocka_unit_test(h265_sets_begin_with_a_vps),
      cmocka_unit_test(a_temporal_unit_may_have_a_sequence_header),
      cmocka_unit_test(the_first_slice_is_told),
      cmocka_unit_test(lengths_that_do_not_add_up_are_seen),
      cmocka_unit_test(empty_nals_are_stepped_over),
      cmocka_unit_test(pieces_may_be_cut_anywhere),
      cmocka_unit_test(widening_refuses_lengths_that_do_not_add_up),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
