// Zeros: those of a power cut are holes, those of an encoder are media.
#include <algorithm>
#include <string>
#include <vector>

#include "mp4/recording_reader.hpp"
#include "support/fault_file.hpp"
#include "support/mp4_fixture.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using mp4::RecordingFile;

constexpr char kPath[] = "source.mp4";

// An encoder may send samples whose NAL lengths are nonsense, or small zeros: they are no tear.
void a_strange_sample_is_not_taken_for_a_tear(void**) {
  MemFileSystem files;
  auto file = create_recording(files, kPath);
  OwnedFragment fragment;
  fragment.mark = begin_mark(1);
  fragment.config[0] = video_config();
  fragment.add(media::TrackKind::kVideo, 0, 0, true, Bytes{0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 9});
  fragment.add(media::TrackKind::kVideo, 4000, 0, false, Bytes{});
  fragment.add(media::TrackKind::kVideo, 8000, 0, false, Bytes(3, 0));
  fragment.runs[0].last_duration = 4000;
  must(fragment.append_to(*file));
  const auto length = file->length();
  file = reopen_recording(files, kPath);
  assert_int_equal(file->length(), length);
  assert_int_equal(file->samples_since_mark(media::TrackKind::kVideo), 3);
}

OwnedFragment padded_fragment(std::int64_t dts) {
  OwnedFragment fragment;
  Bytes unit{0x32, 0x90, 0x4E};  // a frame OBU of 10000 bytes
  unit.insert(unit.end(), 10000, 7);
  unit.insert(unit.end(), {0x7A, 0xB8, 0x17});  // a padding OBU of 3000
  unit.insert(unit.end(), 3000, 0);
  Bytes silence{0xF8, 0xFF, 0xFE};  // of libopus at a constant bit rate
  silence.insert(silence.end(), 157, 0);
  fragment.add(media::TrackKind::kVideo, dts, 0, true, std::move(unit));
  fragment.add(media::TrackKind::kAudio, dts * 2 / 5, 0, true, std::move(silence));
  fragment.runs[0].last_duration = 4000;
  fragment.runs[1].last_duration = 960;
  return fragment;
}

// AV1 and Opus fill up a constant bit rate with zeros; a sector of them elsewhere is a hole.
void padding_is_not_taken_for_a_tear(void**) {
  MemFileSystem files;
  auto file = create_recording(files, kPath);
  OwnedFragment first = padded_fragment(0);
  first.mark = begin_mark(1);
  first.config[0] = video_config();
  first.config[0]->codec = media::Codec::kAv1;
  first.config[1] = audio_config();
  first.config[1]->codec = media::Codec::kOpus;
  must(first.append_to(*file));
  const auto behind_first = file->length();
  must(padded_fragment(4000).append_to(*file));
  const auto length = file->length();
  file.reset();
  const Bytes whole = files.read(kPath);
  file = reopen_recording(files, kPath);
  assert_int_equal(file->length(), length);
  file.reset();
  Bytes holed = whole;
  const auto at = static_cast<std::ptrdiff_t>((behind_first + 1024) / 512 * 512);
  std::fill(holed.begin() + at, holed.begin() + at + 512, std::uint8_t{0});
  files.put("holed.mp4", std::move(holed));
  file = reopen_recording(files, "holed.mp4");
  assert_int_equal(file->length(), behind_first);
}

// Puts a sector of zeros where the power cut of a disk may have left one.
Bytes with_hole(Bytes bytes, std::size_t behind) {
  const auto at = static_cast<std::ptrdiff_t>((behind + 2047) / 512 * 512);
  std::fill(bytes.begin() + at, bytes.begin() + at + 512, std::uint8_t{0});
  return bytes;
}

// Holes are looked for only where there may be some.
void no_hole_is_looked_for_where_all_is_known_to_be_written(void**) {
  MemFileSystem files;
  auto life = crash_life();
  auto file = create_recording(files, kPath);
  const std::vector<std::size_t> ends = append_all(*file, life);
  file.reset();
  const std::size_t last = ends.size() - 1;
  files.put(kPath, with_hole(files.read(kPath), ends[last - 1]));
  mp4::Reopening how;
  how.intact = ends[last];
  file = must(RecordingFile::reopen(must(files.open(kPath)), how));
  assert_int_equal(file->length(), ends[last]);
  how.intact = ends[last - 1];  // nobody knows of the last one
  file = must(RecordingFile::reopen(must(files.open(kPath)), how));
  assert_int_equal(file->length(), ends[last - 1]);
}

// Nor are the zeros of an encoder taken for holes after a power cut: they keep to no sectors.
void padding_behind_nal_units_is_not_taken_for_a_tear(void**) {
  MemFileSystem files;
  auto life = crash_life();
  auto file = create_recording(files, kPath);
  std::uint64_t before = 0;
  for (OwnedFragment& fragment : life) {
    auto& run = fragment.runs[0];
    for (std::size_t i = 0; i < run.samples.size(); i += 7) {
      run.bytes[i].resize(run.bytes[i].size() + 1201);
      run.samples[i].size = static_cast<std::uint32_t>(run.bytes[i].size());
    }
    before = file->length();
    must(fragment.append_to(*file));
  }
  const std::uint64_t length = file->length();
  file = reopen_recording(files, kPath);
  assert_int_equal(file->length(), length);
  file.reset();
  files.put(kPath, with_hole(files.read(kPath), static_cast<std::size_t>(before)));
  file = reopen_recording(files, kPath);
  assert_int_equal(file->length(), before);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_strange_sample_is_not_taken_for_a_tear),
      cmocka_unit_test(padding_is_not_taken_for_a_tear),
      cmocka_unit_test(no_hole_is_looked_for_where_all_is_known_to_be_written),
      cmocka_unit_test(padding_behind_nal_units_is_not_taken_for_a_tear),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
