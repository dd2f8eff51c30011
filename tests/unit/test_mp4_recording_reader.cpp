#include <algorithm>
#include <tuple>
#include <vector>

#include "mp4/recording_reader.hpp"
#include "support/mp4_fixture.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;

struct Notes {
  std::vector<mp4::MarkNote> marks;
  std::vector<mp4::EpochNote> epochs;
  std::vector<mp4::RepairNote> repairs;
};

Notes notes_of(MemFileSystem& files, const std::string& path, const mp4::Committed& committed) {
  Notes notes;
  auto file = must(files.open_for_read(path));
  mp4::NoteVisitor visitor{[&](const mp4::MarkNote& mark) { notes.marks.push_back(mark); },
                           [&](const mp4::EpochNote& epoch) { notes.epochs.push_back(epoch); }};
  visitor.on_repairs = [&](const mp4::RepairNote& repairs) { notes.repairs.push_back(repairs); };
  must(mp4::read_notes(*file, committed, visitor));
  return notes;
}

bool same(const Notes& a, const Notes& b) {
  return std::equal(a.marks.begin(), a.marks.end(), b.marks.begin(), b.marks.end(),
                    [](const auto& x, const auto& y) {
                      return x.offset == y.offset && x.position_ms == y.position_ms &&
                             x.mark.session == y.mark.session && x.mark.reason == y.mark.reason;
                    }) &&
         std::equal(a.epochs.begin(), a.epochs.end(), b.epochs.begin(), b.epochs.end(),
                    [](const auto& x, const auto& y) {
                      return x.offset == y.offset && x.position_ms == y.position_ms &&
                             x.init_offset == y.init_offset && x.init_size == y.init_size;
                    }) &&
         std::equal(a.repairs.begin(), a.repairs.end(), b.repairs.begin(), b.repairs.end(),
                    [](const auto& x, const auto& y) {
                      return x.offset == y.offset && x.repairs.size() == y.repairs.size();
                    });
}

void tells_the_same_of_a_growing_and_a_finished_file(void**) {
  MemFileSystem files;
  auto life = eventful_life(8);
  FragmentMaker maker;
  for (int i = 0; i < 130; ++i) {
    auto more = maker.next();
    if (i == 100) {
      more.mark = begin_mark(3);
      more.mark->kind = mp4::MarkKind::kOverload;
      more.mark->lost_ms = 1500;
    }
    if (i >= 8) {
      life.push_back(std::move(more));
    }
  }
  auto file = create_recording(files, "source.mp4");
  for (auto& fragment : life) {
    must(fragment.append_to(*file));
  }
  const Notes growing = notes_of(files, "source.mp4", file->length());
  const Notes early = notes_of(files, "source.mp4", growing.marks.at(1).offset);
  must(file->finish());
  const Notes finished = notes_of(files, "source.mp4", 0);
  assert_true(same(growing, finished));
  assert_int_equal(early.marks.size(), 1);
  assert_int_equal(growing.marks.size(), 3);
  assert_int_equal(growing.marks[1].position_ms, 5013);  // audio is ahead of the second
  assert_int_equal(growing.marks[2].mark.lost_ms, 1500);
  assert_true(growing.marks[2].mark.kind == mp4::MarkKind::kOverload);
  assert_int_equal(growing.marks[0].mark.fence, 101);
  assert_int_equal(growing.epochs.size(), 3);
  assert_int_equal(growing.epochs[1].position_ms, 2000);
  assert_int_equal(growing.epochs[2].position_ms, 4000);
  assert_int_equal(growing.epochs[1].epoch.changed, 2);
  assert_int_equal(growing.epochs[2].epoch.changed, 1);
  assert_int_equal(growing.repairs.size(), 3);
  const auto& [first, second] =
      std::tie(growing.repairs[0].repairs[0], growing.repairs[0].repairs[1]);
  assert_true(first.kind == media::RepairKind::kBackward && first.at_ms == 3100);
  assert_true(first.from_ms == 1000 && first.to_ms == 3100 && first.count == 1);
  assert_true(second.kind == media::RepairKind::kRepeated && second.count == 7);
}

// It need not be walked from its head on when its writer tells where its last index is.
void a_growing_file_is_read_from_its_last_index(void**) {
  MemFileSystem files;
  auto file = create_recording(files, "source.mp4");
  FragmentMaker maker;
  std::uint64_t early = 0;
  for (int i = 0; i < 130; ++i) {
    auto fragment = maker.next();
    if (i == 0) {
      fragment.mark = begin_mark(1);
      fragment.config[0] = video_config();
      fragment.config[1] = audio_config();
    }
    must(fragment.append_to(*file));
    early = i == 20 ? file->length() : early;
  }
  const Notes walked = notes_of(files, "source.mp4", file->length());
  assert_true(file->last_index() > early);
  const mp4::Committed committed(file->length(), file->last_index());
  assert_true(same(walked, notes_of(files, "source.mp4", committed)));
  for (const std::uint64_t wrong : {early, file->last_index() + 4, file->length()}) {
    assert_true(same(walked, notes_of(files, "source.mp4", {file->length(), wrong})));
  }

  Bytes bytes = files.read("source.mp4");
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(early), 8, std::uint8_t{0});
  files.put("hole.mp4", std::move(bytes));
  assert_true(same(walked, notes_of(files, "hole.mp4", committed)));
  auto hole = must(files.open_for_read("hole.mp4"));
  Status unaided = mp4::read_notes(*hole, file->length(), {});
  assert_true(!unaided);
  assert_int_equal(unaided.error().code, Errc::kCorrupt);
}

// The part that an EXT-X-MAP names decodes the fragments of its epoch.
void the_init_of_an_epoch_decodes_its_fragments(void**) {
  MemFileSystem files;
  auto life = eventful_life(6);
  auto file = create_recording(files, "source.mp4");
  const std::vector<std::size_t> ends = append_all(*file, life);
  const Notes notes = notes_of(files, "source.mp4", file->length());
  const Bytes bytes = files.read("source.mp4");
  const mp4::EpochNote& last = notes.epochs.at(2);
  Bytes stream;
  put_bytes(stream, ByteView(bytes).subspan(last.init_offset, last.init_size));
  put_bytes(stream, ByteView(bytes).subspan(last.offset, ends[4] - last.offset));
  auto tracks = Mp4Parser(stream).tracks();
  assert_int_equal(tracks.size(), 2);
  assert_int_equal(tracks.at(1).samples.size(), 30);
  assert_true(tracks.at(1).samples[7].bytes == life[4].runs[0].bytes[7]);
  assert_true(tracks.at(1).entries.at(0).find(std::string(40, '\2')) != std::string::npos);
  assert_true(tracks.at(2).samples[3].bytes == life[4].runs[1].bytes[3]);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(tells_the_same_of_a_growing_and_a_finished_file),
      cmocka_unit_test(a_growing_file_is_read_from_its_last_index),
      cmocka_unit_test(the_init_of_an_epoch_decodes_its_fragments),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
