// Whatever happens to a recording at whatever moment: what was synced is there, and it goes on.
#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "mp4/box_writer.hpp"
#include "mp4/crc32.hpp"
#include "mp4/recording_reader.hpp"
#include "mp4/scanner.hpp"
#include "mp4/torn_tail.hpp"
#include "support/fault_file.hpp"
#include "support/mp4_fixture.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using mp4::RecordingFile;

constexpr char kPath[] = "source.mp4";

struct Lived {
  std::size_t appended = 0, synced = 0;  // fragments
  bool finished = false, finish_began = false;
};

// create, append and sync each fragment, finish; ends at the first error.
Lived live(storage::FileSystem& files, std::vector<OwnedFragment>& life) {
  Lived lived;
  auto created = files.create(kPath);
  if (!created || !files.sync_directory("")) {
    return lived;
  }
  mp4::Identity identity;
  identity.slug = "slug";
  auto file = must(RecordingFile::create(std::move(created).value(), identity));
  for (OwnedFragment& fragment : life) {
    if (!fragment.append_to(*file)) {
      return lived;
    }
    ++lived.appended;
    if (!file->sync()) {
      return lived;
    }
    lived.synced = lived.appended;
  }
  lived.finish_began = true;
  lived.finished = static_cast<bool>(file->finish());
  return lived;
}

// How many whole fragments of `life` the file has; checks that they are intact. -1: something else.
int intact_fragments(ByteView bytes, const std::vector<OwnedFragment>& life) {
  std::map<std::uint32_t, Mp4Track> tracks = Mp4Parser(bytes).tracks();
  const std::size_t video = tracks.count(1) != 0 ? tracks.at(1).samples.size() : 0;
  std::size_t fragments = 0, sum = 0;
  while (fragments < life.size() && sum < video) {
    sum += life[fragments++].runs[0].samples.size();
  }
  auto expected = expected_samples(life, fragments);
  if (fragments < life.size() && tracks.count(2) != 0 &&
      tracks.at(2).samples.size() == expected[2].size() + 1) {
    // At a seam the first packet of sound is whole before the rest is.
    std::vector<OwnedFragment> torn(life.begin(),
                                    life.begin() + static_cast<std::ptrdiff_t>(fragments) + 1);
    auto& sound = torn.back().runs[1];
    sound.last_duration = static_cast<std::uint32_t>(sound.samples[1].dts - sound.samples[0].dts);
    sound.samples.resize(1);
    torn.back().runs[0] = {};
    expected = expected_samples(torn, torn.size());
  }
  return sum == video && has_samples(bytes, expected) ? static_cast<int>(fragments) : -1;
}

// Whether the file tells of the repairs of all these fragments, of each once.
bool tells_repairs(MemFileSystem& memory, std::span<const OwnedFragment> life,
                   const char* path = kPath, std::uint64_t length = 0) {
  std::vector<std::int64_t> told, wanted;
  auto file = must(memory.open_for_read(path));
  mp4::NoteVisitor visitor;
  visitor.on_repairs = [&](const mp4::RepairNote& note) {
    for (const auto& repair : note.repairs) {
      told.push_back(repair.at_ms);
    }
  };
  must(mp4::read_notes(*file, length, visitor));
  for (const OwnedFragment& fragment : life) {
    for (const auto& repair : fragment.repairs) {
      wanted.push_back(repair.at_ms);
    }
  }
  return told == wanted;
}

// Comes back, goes on with what is missing, finishes: the file must then have the whole life.
bool goes_on(storage::FileSystem& files, MemFileSystem& memory, std::vector<OwnedFragment>& life,
             const Lived& lived, bool strict) {
  auto opened = files.open(kPath);
  if (!opened) {
    return lived.synced == 0;
  }
  auto reopened = RecordingFile::reopen(std::move(opened).value());
  if (!reopened) {
    return lived.synced == 0;  // not even the first write is whole
  }
  auto file = std::move(reopened).value();
  if (file->finished()) {
    return lived.finish_began &&
           has_samples(memory.read(kPath), expected_samples(life, life.size()));
  }
  // Samples of the fragments so far: the file's own account of where it stands.
  std::size_t have = 0;
  while (have < life.size() &&
         life[have].runs[0].samples.front().dts < file->end_dts(media::TrackKind::kVideo)) {
    ++have;
  }
  if (have < lived.synced || have > lived.appended + 1) {
    std::fprintf(stderr, "%zu fragments, %zu synced\n", have, lived.synced);
    return false;
  }
  for (std::size_t i = have; i < life.size(); ++i) {
    OwnedFragment rest = life[i];
    auto& sound = rest.runs[1];  // its first packet may be there without the rest
    while (!sound.samples.empty() &&
           sound.samples.front().dts < file->end_dts(media::TrackKind::kAudio)) {
      sound.samples.erase(sound.samples.begin());
      sound.bytes.erase(sound.bytes.begin());
    }
    must(rest.append_to(*file));
  }
  must(file->finish());
  if (!tells_repairs(memory, life)) {
    return false;
  }
  const Bytes bytes = memory.read(kPath);
  if (strict) {
    return has_samples(bytes, expected_samples(life, life.size()));
  }
  auto tracks = Mp4Parser(bytes).tracks();  // must parse, and synced samples must be the same
  const auto expected = expected_samples(life, lived.synced);
  for (const auto& [id, samples] : expected) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (tracks.at(id).samples.at(i).bytes != samples[i].bytes) {
        return false;
      }
    }
  }
  return true;
}

std::uint64_t changes_of_a_life() {
  MemFileSystem memory;
  FaultFileSystem files(memory);
  auto life = crash_life();
  (void)live(files, life);
  return files.calls(Call::kAnyChange);
}

void after_any_failing_call_the_file_goes_on(void**) {
  const int changes = static_cast<int>(changes_of_a_life());
  bool good = changes > 20;
  for (int n = 1; n <= changes; ++n) {
    for (std::uint64_t partial : {0U, 1U, 100U, 700U, 5000U}) {
      MemFileSystem memory;
      FaultFileSystem files(memory);
      auto life = crash_life();
      files.inject({Call::kAnyChange, n, 5, partial, true, false});
      const Lived lived = live(files, life);
      files.clear_faults();  // the process was killed: what it wrote is there
      if (!goes_on(files, memory, life, lived, true)) {
        print_message("call %d, %llu bytes\n", n, static_cast<unsigned long long>(partial));
        good = false;
      }
    }
  }
  assert_true(good);
}

void after_any_power_cut_what_was_synced_is_there(void**) {
  const int changes = static_cast<int>(changes_of_a_life());
  bool good = true;
  using How = PowerCut::Bytes;
  for (int n = 1; n <= changes; ++n) {
    for (How how : {How::kLost, How::kRandomPrefix, How::kHole, How::kRandomSectors}) {
      for (std::uint32_t seed = 1; seed <= (how == How::kRandomSectors ? 8U : 2U); ++seed) {
        MemFileSystem memory;
        FaultFileSystem files(memory);
        auto life = crash_life();
        files.inject({Call::kAnyChange, n, 5, 1000000, true, false});
        const Lived lived = live(files, life);
        files.clear_faults();
        PowerCut cut;
        cut.bytes = how;
        cut.seed = seed;
        files.cut_power(cut);
        if (!goes_on(files, memory, life, lived, how != How::kRandomSectors)) {
          print_message("call %d, kind %d, seed %u\n", n, static_cast<int>(how), seed);
          good = false;
        }
      }
    }
  }
  assert_true(good);
}

// Errors that pass: the same object tries again.
void a_failed_call_can_be_made_again(void**) {
  const int changes = static_cast<int>(changes_of_a_life());
  bool good = true;
  for (int n = 3; n <= changes; ++n) {
    MemFileSystem memory;
    FaultFileSystem files(memory);
    auto life = crash_life();
    auto file = create_recording(files, kPath);
    must(files.sync_directory(""));
    files.inject({Call::kAnyChange, n - 2, 28, 333, false, false});
    int errors = 0;
    const auto insist = [&](auto&& call) {
      while (true) {
        const std::uint64_t length = file->length();
        if (call()) {
          return;
        }
        good = good && file->length() == length && ++errors < 5;
      }
    };
    for (OwnedFragment& fragment : life) {
      insist([&] { return static_cast<bool>(fragment.append_to(*file)); });
      insist([&] { return static_cast<bool>(file->sync()); });
    }
    insist([&] { return static_cast<bool>(file->finish()); });
    good =
        good && errors == 1 && has_samples(memory.read(kPath), expected_samples(life, life.size()));
  }
  assert_true(good);
}

void a_torn_tail_is_cut_at_every_length(void**) {
  MemFileSystem files;
  auto life = eventful_life(6);
  auto file = create_recording(files, kPath);
  const std::vector<std::size_t> ends = append_all(*file, life);
  must(file->sync());
  file.reset();
  const Bytes whole = files.read(kPath);
  bool good = true;
  for (std::size_t size = ends[2]; size < whole.size(); size += 13) {
    files.put("cut.mp4", Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    auto cut = reopen_recording(files, "cut.mp4");
    const auto expected = std::upper_bound(ends.begin(), ends.end(), size) - ends.begin();
    good = good && intact_fragments(files.read("cut.mp4"), life) == expected &&
           tells_repairs(files, std::span(life).first(static_cast<std::size_t>(expected)),
                         "cut.mp4", cut->length());
    if (!good) {
      print_message("size %zu: not %td fragments\n", size, expected);
      break;
    }
  }
  assert_true(good);
}

// The length survived a power cut, the bytes from a sector on did not.
void a_tail_of_zeros_is_cut(void**) {
  MemFileSystem files;
  auto life = crash_life();
  auto file = create_recording(files, kPath);
  const std::vector<std::size_t> ends = append_all(*file, life);
  file.reset();
  const Bytes whole = files.read(kPath);
  constexpr std::size_t kLongestAudioSample = 18;  // its last bytes alone tell nothing
  bool good = true;
  for (std::size_t at = (ends[2] + 511) / 512 * 512; good && at < whole.size(); at += 512) {
    Bytes zeros = whole;
    std::fill(zeros.begin() + static_cast<std::ptrdiff_t>(at), zeros.end(), std::uint8_t{0});
    files.put("zeros.mp4", std::move(zeros));
    file = reopen_recording(files, "zeros.mp4");
    const auto next = std::upper_bound(ends.begin(), ends.end(), at);
    good = intact_fragments(files.read("zeros.mp4"), life) == next - ends.begin() ||
           *next - at < kLongestAudioSample;
    if (!good) {
      print_message("zeros from %zu on\n", at);
    }
  }
  assert_true(good);
}

void a_torn_head_is_restored_from_its_copy(void**) {
  MemFileSystem files;
  auto life = eventful_life(4);
  auto file = create_recording(files, kPath);
  must(life[0].append_to(*file));
  must(life[1].append_to(*file));
  const Bytes before = files.read(kPath);
  must(life[2].append_to(*file));
  file.reset();
  const Bytes after = files.read(kPath);
  bool good = true;
  for (std::size_t sector = 0; sector <= 8;
       ++sector) {  // so many sectors of the new head were written
    Bytes torn = after;
    std::copy(before.begin() + static_cast<std::ptrdiff_t>(512 * sector), before.begin() + 4096,
              torn.begin() + static_cast<std::ptrdiff_t>(512 * sector));
    files.put("torn.mp4", std::move(torn));
    file = reopen_recording(files, "torn.mp4");
    file.reset();
    good = good && files.read("torn.mp4") == after;
  }
  assert_true(good);
}

void a_file_without_a_whole_beginning_is_left_alone(void**) {
  MemFileSystem files;
  auto life = eventful_life(2);
  auto file = create_recording(files, kPath);
  must(life[0].append_to(*file));
  file.reset();
  const Bytes whole = files.read(kPath);
  bool good = true;
  for (std::size_t size : {0U, 20U, 100U, 4095U, 4096U, 4200U, 4700U}) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    files.put("part.mp4", part);
    auto reopened = RecordingFile::reopen(must(files.open("part.mp4")));
    good = good && !reopened && reopened.error().code == Errc::kCorrupt &&
           files.read("part.mp4") == part;
  }
  assert_true(good);
}

// A head is restored only from something that is one; found by fuzzing.
void a_head_is_not_restored_from_a_copy_that_is_none(void**) {
  MemFileSystem files;
  auto life = eventful_life(1);
  auto file = create_recording(files, kPath);
  must(life[0].append_to(*file));
  file.reset();
  Bytes bytes = files.read(kPath);
  bytes[100] ^= 1;  // the head is torn
  const std::string kind = "epoc";
  const auto epoch = std::search(bytes.begin() + 4096, bytes.end(), kind.begin(), kind.end()) - 24;
  const std::string type = "ftyp";
  *std::search(epoch, bytes.end(), type.begin(), type.end()) = 'x';
  const auto at = static_cast<std::size_t>(epoch - bytes.begin());
  const auto size = static_cast<std::size_t>(bytes[at + 2]) << 8 | bytes[at + 3];
  mp4::BoxWriter(bytes).patch_u32(at + size - 4, mp4::crc32(ByteView(bytes).subspan(at, size - 4)));
  files.put("strange.mp4", bytes);
  auto reopened = RecordingFile::reopen(must(files.open("strange.mp4")));
  assert_true(!reopened && reopened.error().code == Errc::kCorrupt);
  assert_true(files.read("strange.mp4") == bytes);
}

// The kernel takes what it could not write for written, but has it still: it is written once more.
void what_a_failed_sync_lost_is_written_again(void**) {
  for (int n = 1; n <= 3; ++n) {
    MemFileSystem memory;
    FaultFileSystem files(memory);
    auto life = crash_life();
    auto file = create_recording(files, kPath);
    must(files.sync_directory(""));
    files.inject({Call::kSync, n, 5, 0, false, true});
    int errors = 0;
    for (OwnedFragment& fragment : life) {  // brings a later track: the head is synced
      while (!fragment.append_to(*file)) {
        assert_in_range(++errors, 1, 1);
      }
    }
    while (!file->sync() || !file->finish()) {
      assert_in_range(++errors, 1, 1);
    }
    assert_int_equal(errors, 1);
    files.cut_power();
    assert_true(has_samples(memory.read(kPath), expected_samples(life, life.size())));
  }
}

// And if it has not, that is told.
void what_nobody_has_any_more_is_told(void**) {
  MemFileSystem memory;
  FaultFileSystem files(memory);
  auto life = crash_life();
  auto file = create_recording(files, kPath);
  for (OwnedFragment& fragment : life) {
    must(fragment.append_to(*file));
  }
  files.inject({Call::kSync, 1, 5, 0, false, true});
  Status failed = file->sync();
  assert_true(!failed && failed.error().code == Errc::kIo);
  assert_true(file->suspect());
  Bytes& bytes = memory.find(kPath)->bytes;
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2), bytes.end(), 0);
  Status again = file->finish();
  assert_true(!again && again.error().code == Errc::kCorrupt);
}

// Nothing was forced to the disk, and the power cut took the moov but not the 16 bytes that tell of
// it.
void a_finished_file_that_lost_its_moov_grows_again(void**) {
  MemFileSystem files;
  auto life = eventful_life(4);
  auto file = create_recording(files, kPath);
  for (OwnedFragment& fragment : life) {
    must(fragment.append_to(*file));
  }
  const auto media_end = static_cast<std::size_t>(file->length());
  must(file->finish());
  file.reset();
  const Bytes whole = files.read(kPath);
  bool good = true;
  for (std::size_t size : {media_end, media_end + 200, whole.size() - 1}) {
    for (const bool zeros : {false, true}) {
      if (zeros && size > media_end + 200) {
        continue;  // no reader can see that
      }
      Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      cut.resize(zeros ? whole.size() : size);
      files.put("cut.mp4", std::move(cut));
      file = reopen_recording(files, "cut.mp4");
      good = good && !file->finished() && file->length() == media_end;
      must(file->finish());
      good = good && files.read("cut.mp4") == whole;
    }
  }
  assert_true(good);
}

}  // namespace

// A page of one write that a power cut did not take, at a seam, where two fragments are written.
void a_seam_without_its_front_is_one_fragment(void**) {
  MemFileSystem files;
  FragmentMaker maker;
  auto file = create_recording(files, kPath);
  std::size_t end = 0;
  for (int i = 0; i < 4; ++i) {
    OwnedFragment fragment = maker.next();
    if (i == 0) {
      fragment.config[0] = video_config();
      fragment.config[1] = audio_config();
    }
    if (i % 3 == 0) {
      fragment.mark = begin_mark(static_cast<std::uint64_t>(i) + 1);
    }
    end = i == 3 ? static_cast<std::size_t>(file->length()) : 0;
    must(fragment.append_to(*file));
  }
  file.reset();
  Bytes bytes = files.read(kPath);
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(end) + 40, 64, std::uint8_t{0});
  files.put("front.mp4", std::move(bytes));
  auto torn = must(files.open_for_read("front.mp4"));
  const mp4::TornTail tail =
      must(mp4::look_at_tail(*torn, must(mp4::scan(*torn, ~std::uint64_t{0}))));
  assert_int_equal(tail.from, end);
  assert_true(tail.what == mp4::TornTail::What::kFragment);
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(after_any_failing_call_the_file_goes_on),
      cmocka_unit_test(after_any_power_cut_what_was_synced_is_there),
      cmocka_unit_test(a_failed_call_can_be_made_again),
      cmocka_unit_test(a_torn_tail_is_cut_at_every_length),
      cmocka_unit_test(a_tail_of_zeros_is_cut),
      cmocka_unit_test(a_seam_without_its_front_is_one_fragment),
      cmocka_unit_test(a_torn_head_is_restored_from_its_copy),
      cmocka_unit_test(a_file_without_a_whole_beginning_is_left_alone),
      cmocka_unit_test(a_head_is_not_restored_from_a_copy_that_is_none),
      cmocka_unit_test(what_a_failed_sync_lost_is_written_again),
      cmocka_unit_test(what_nobody_has_any_more_is_told),
      cmocka_unit_test(a_finished_file_that_lost_its_moov_grows_again),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
