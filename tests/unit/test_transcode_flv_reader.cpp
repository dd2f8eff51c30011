// What a transcoder writes for the recording, as it comes out of a pipe.
#include <string>
#include <vector>

#include "transcode/flv_tag_reader.hpp"
#include "transcode/flv_tag_writer.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using media::TrackKind;
using transcode::FlvTagReader;

void put_tag(Bytes& file, TrackKind kind, std::int64_t ms, std::size_t size) {
  transcode::put_tag_header(file, kind, ms, size);
  file.insert(file.end(), size, static_cast<std::uint8_t>(ms));
  transcode::put_tag_size(file, size);
}

Bytes some_file() {
  Bytes file;
  transcode::FlvTracks tracks;
  tracks.video = tracks.audio = true;
  transcode::put_file_header(file, tracks);
  put_tag(file, TrackKind::kVideo, 0, 5);
  put_tag(file, TrackKind::kAudio, 21, 0);
  put_tag(file, TrackKind::kVideo, 0x1234567, 70000);
  return file;
}

std::string read(ByteView file, std::size_t cut, bool good = true) {
  FlvTagReader reader;
  std::string tags;
  bool all = true;
  for (std::size_t at = 0; at < file.size(); at += cut) {
    const ByteView piece = file.subspan(at, std::min(cut, file.size() - at));
    all = reader.add(piece, [&](const FlvTagReader::Tag& tag) {
      tags += std::to_string(tag.type) + "@" + std::to_string(tag.timestamp_ms) + ":" +
              std::to_string(tag.body.size()) + " ";
    }) && all;
  }
  assert_true(all == good);
  return tags;
}

void tags_are_whole_however_they_come(void**) {
  const Bytes file = some_file();
  const std::string whole = read(file, file.size());
  assert_string_equal(whole.substr(whole.find(' ') + 1).c_str(), "9@0:5 8@21:0 9@19088743:70000 ");
  for (const std::size_t cut : {std::size_t{1}, std::size_t{3}, std::size_t{4096}}) {
    assert_string_equal(read(file, cut).c_str(), whole.c_str());
  }
}

// A program that died has written a part of the last one.
void tag_that_is_not_whole_is_not_told_of(void**) {
  const Bytes file = some_file();
  const std::string most = read(ByteView(file).first(file.size() - 1), 1000);
  assert_true(most.find("70000") == std::string::npos && most.find("8@21:0") != std::string::npos);
}

void what_is_no_flv_is_refused_for_good(void**) {
  const Bytes file = some_file();
  for (const std::size_t at : {std::size_t{0}, std::size_t{3}, std::size_t{8}, std::size_t{12}}) {
    Bytes other = file;
    other[at] ^= 0x40;
    assert_string_equal(read(other, 7, false).c_str(), "");
  }
  Bytes size = file;
  size.back() ^= 1;
  assert_true(read(size, 1000, false).find("70000") == std::string::npos);
  FlvTagReader reader;
  assert_false(reader.add(Bytes(20, 'x'), [](const auto&) { fail(); }));
  assert_false(reader.add(file, [](const auto&) { fail(); }));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(tags_are_whole_however_they_come),
      cmocka_unit_test(tag_that_is_not_whole_is_not_told_of),
      cmocka_unit_test(what_is_no_flv_is_refused_for_good),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
