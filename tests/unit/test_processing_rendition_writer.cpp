// Where the marks of a recording go in what is made of it.
#include <string>

#include "mp4/recording_reader.hpp"
#include "processing/rendition_writer.hpp"

#include "support/mp4_fixture.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using processing::OwnedSample;
using processing::RenditionWriter;

mp4::Mark told(mp4::MarkKind kind, const char* reason) {
  mp4::Mark mark;
  mark.kind = kind;
  mark.reason = reason;
  return mark;
}

// The reasons of its marks, those of overload with a "!".
std::string marks_of(MemFileSystem& files, const std::string& path) {
  std::string reasons;
  auto file = must(files.open_for_read(path));
  mp4::NoteVisitor visitor;
  visitor.on_mark = [&](const mp4::MarkNote& note) {
    reasons += (note.mark.kind == mp4::MarkKind::kOverload ? "!" : "") + note.mark.reason + ";";
  };
  must(mp4::read_notes(*file, {}, visitor));
  return reasons;
}

struct Sounds {
  explicit Sounds(MemFileSystem& files)
      : writer(must(RenditionWriter::create(files, "a.mp4", mp4::Identity{}, mp4::Mark{}))) {
    must(writer->begin(audio_config()));
  }
  void add() {
    must(writer->add_sound({0, at, at, true, std::make_shared<const Bytes>(Bytes(9, 1))}));
    at += 1024;
    must(writer->flush(at * 120000 / 48000));
  }
  std::unique_ptr<RenditionWriter> writer;
  std::int64_t at = 0;
};

void a_mark_of_overload_may_come_before_anything_is_written(void**) {
  MemFileSystem files;
  Sounds sounds(files);
  sounds.writer->mark(told(mp4::MarkKind::kOverload, "overload"));
  sounds.add();
  must(sounds.writer->finish(0));
  assert_string_equal(marks_of(files, "a.mp4").c_str(), "overload;");
}

void one_that_says_nothing_takes_no_others_place(void**) {
  MemFileSystem files;
  Sounds sounds(files);
  sounds.add();
  sounds.writer->mark(told(mp4::MarkKind::kOverload, "overload"));
  sounds.writer->mark(mp4::Mark{});
  sounds.add();
  sounds.writer->mark(mp4::Mark{});
  sounds.writer->mark(told(mp4::MarkKind::kBegin, "connection"));
  sounds.add();
  sounds.add();
  must(sounds.writer->finish(0));
  assert_string_equal(marks_of(files, "a.mp4").c_str(), ";!overload;connection;");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_mark_of_overload_may_come_before_anything_is_written),
      cmocka_unit_test(one_that_says_nothing_takes_no_others_place)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
