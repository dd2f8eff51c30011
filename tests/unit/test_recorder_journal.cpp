// What lies in the journal: records over any number of segments, and what a kill leaves of them.
#include "recorder/journal_record.hpp"
#include "recorder/segment_chain.hpp"
#include "test_recorder_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using media::TrackKind;
using recorder::LeftRecords;
using recorder::RecordHeader;
using recorder::RecordRange;
using recorder::RecordType;
using recorder::SegmentChain;
using recorder::SegmentPool;

constexpr std::size_t kData = runtime::kSegmentData;

struct Records {
  std::vector<Bytes> payloads;
  std::vector<RecordRange> ranges;

  [[nodiscard]] Bytes bytes() const {
    Bytes all;
    for (const RecordRange& range : ranges) {
      assert_true(recorder::for_each_record(
          range.bytes(), [&](const RecordHeader& header, const std::uint8_t* payload) {
            put_bytes(all, {payload, header.size});
          }));
    }
    return all;
  }

  bool append(SegmentChain& chain, std::size_t size) {
    Bytes payload(size);
    for (std::size_t i = 0; i < size; ++i) {
      payload[i] = static_cast<std::uint8_t>(payloads.size() * 31 + i * 7 + i / 251);
    }
    RecordHeader header;
    header.total = static_cast<std::uint32_t>(size);
    header.ordinal = payloads.size();
    header.dts = static_cast<std::int64_t>(payloads.size()) * 40;
    header.kind = TrackKind::kVideo;
    const std::size_t half = size / 2;
    const iovec source[] = {{payload.data(), half}, {payload.data() + half, size - half}};
    const bool done = chain.append(header, source);
    if (done) {
      const std::vector<RecordRange> more = chain.take();
      ranges.insert(ranges.end(), more.begin(), more.end());
      payloads.push_back(std::move(payload));
    }
    return done;
  }
};

Bytes joined(const std::vector<iovec>& pieces) {
  Bytes all;
  for (const iovec& piece : pieces) {
    put_bytes(all, {static_cast<const std::uint8_t*>(piece.iov_base), piece.iov_len});
  }
  return all;
}

bool has_records(const LeftRecords& left, const std::vector<Bytes>& payloads, std::size_t count) {
  if (left.entries.size() != count) {
    return false;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto& sample = left.entries[i].sample;
    if (sample.header.ordinal != i || joined(sample.payload) != payloads[i]) {
      return false;
    }
  }
  return true;
}

struct Fixture {
  RuntimeDirectory runtime;
  QueuedExecutor io;
  std::unique_ptr<runtime::Journal> journal =
      std::move(runtime::Journal::open(runtime.path(), 10, io)).value();
  SegmentPool pool{journal.get()};
};

// Sizes around every boundary: what was appended is in memory and in the journal, whole and in
// order.
void records_of_any_size_are_kept(void**) {
  for (const std::size_t multiple : {std::size_t{1}, std::size_t{2}, std::size_t{3}}) {
    for (int around = -96; around <= 96; around += 4) {
      Fixture fixture;
      SegmentChain chain(fixture.pool, 77);
      Records records;
      const auto size = static_cast<std::size_t>(static_cast<int>(multiple * kData) + around);
      for (const std::size_t one : {std::size_t{0}, std::size_t{1}, std::size_t{100}, size,
                                    std::size_t{7}, size, std::size_t{1000}}) {
        assert_true(records.append(chain, one));
      }
      Bytes all;
      for (const Bytes& payload : records.payloads) {
        put_bytes(all, payload);
      }
      assert_true(records.bytes() == all);
      const auto segments =
          std::move(runtime::read_left_segments(fixture.runtime.path(), 77)).value();
      assert_true(has_records(recorder::read_left_records(segments), records.payloads,
                              records.payloads.size()));
    }
  }
}

// Whatever part of the records had been committed when the process died, the whole ones in front
// are found, and no half one.
void kill_in_a_record_leaves_those_before(void**) {
  Fixture fixture;
  SegmentChain chain(fixture.pool, 77);
  Records records;
  for (const std::size_t size : {std::size_t{50}, std::size_t{3000}, 2 * kData + 100,
                                 std::size_t{10}, kData - 5000, std::size_t{9000}}) {
    assert_true(records.append(chain, size));
  }
  const auto whole = std::move(runtime::read_left_segments(fixture.runtime.path(), 77)).value();
  assert_true(whole.size() >= 4);
  std::size_t found_before = 0;
  for (std::size_t segments = 0; segments <= whole.size(); ++segments) {
    const std::size_t last = segments == whole.size() ? 0 : whole[segments].data.size();
    for (std::size_t committed = 0; committed <= last; committed += 8) {
      if (committed > 200 && committed + 200 < last && committed % 4096 != 0) {
        continue;
      }
      std::vector<runtime::LeftSegment> cut(whole.begin(),
                                            whole.begin() + static_cast<std::ptrdiff_t>(segments));
      if (segments < whole.size()) {
        cut.push_back(whole[segments]);
        cut.back().data.resize(committed);
      }
      const LeftRecords left = recorder::read_left_records(cut);
      assert_true(left.entries.size() >= found_before);
      assert_true(has_records(left, records.payloads, left.entries.size()));
      found_before = left.entries.size();
    }
  }
  assert_int_equal(found_before, records.payloads.size());
}

// The first segments of a session are written and given back: what follows is found all the same.
void records_behind_freed_segments_are_found(void**) {
  Fixture fixture;
  SegmentChain chain(fixture.pool, 77);
  Records first, second;
  assert_true(first.append(chain, kData + 500));
  assert_true(second.append(chain, 100));
  assert_true(second.append(chain, kData));
  first.ranges.clear();
  const auto segments = std::move(runtime::read_left_segments(fixture.runtime.path(), 77)).value();
  const LeftRecords left = recorder::read_left_records(segments);
  assert_int_equal(left.entries.size(), 2);
  assert_true(joined(left.entries[0].sample.payload) == second.payloads[0]);
  assert_true(joined(left.entries[1].sample.payload) == second.payloads[1]);
}

void segments_go_back_when_nobody_holds_them(void**) {
  Fixture fixture;
  const std::size_t free_segments = fixture.journal->free_segments();
  {
    SegmentChain chain(fixture.pool, 77);
    Records a, b, c;
    assert_true(a.append(chain, kData / 2));
    assert_true(b.append(chain, kData));
    assert_true(c.append(chain, kData));
    assert_int_equal(chain.held_segments(), 3);
    assert_int_equal(fixture.journal->free_segments(), free_segments - 3);
    b.ranges.clear();  // in any order
    assert_int_equal(chain.held_segments(), 3);
    a.ranges.clear();
    assert_int_equal(chain.held_segments(), 2);
    c.ranges.clear();
    assert_int_equal(chain.held_segments(), 1);  // the one being filled
  }
  assert_int_equal(fixture.journal->free_segments(), free_segments);
}

// More than is reserved: private memory takes its place, and is told.
void private_memory_takes_over_when_the_journal_is_full(void**) {
  Fixture fixture;
  const std::size_t reserved = fixture.journal->reserved_segments();
  SegmentChain chain(fixture.pool, 77);
  Records records;
  for (std::size_t i = 0; i < reserved + 3; ++i) {
    assert_true(records.append(chain, kData - sizeof(RecordHeader)));
  }
  assert_int_equal(chain.held_segments(), reserved + 3);
  assert_int_equal(chain.private_segments(), 3);
  Bytes all;
  for (const Bytes& payload : records.payloads) {
    put_bytes(all, payload);
  }
  assert_true(records.bytes() == all);
  records.ranges.clear();
  assert_int_equal(chain.private_segments(), 1);  // the one being filled
  assert_int_equal(fixture.journal->free_segments(), reserved);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(records_of_any_size_are_kept),
      cmocka_unit_test(kill_in_a_record_leaves_those_before),
      cmocka_unit_test(records_behind_freed_segments_are_found),
      cmocka_unit_test(segments_go_back_when_nobody_holds_them),
      cmocka_unit_test(private_memory_takes_over_when_the_journal_is_full),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
