#include <algorithm>
#include <string>
#include <vector>

#include "mp4/served_layout.hpp"
#include "support/mp4_fixture.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using mp4::ServedLayout;

constexpr char kPath[] = "source.mp4";

// All that is sent, the part in memory in pieces of `step` bytes.
Bytes served(const ServedLayout& layout, ByteView file, std::size_t step) {
  Bytes bytes(layout.memory_length());
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    must(layout.read(std::span(bytes).subspan(at, std::min(step, bytes.size() - at)), at));
  }
  put_bytes(bytes, file.subspan(layout.media_offset(), layout.length() - bytes.size()));
  return bytes;
}

std::unique_ptr<ServedLayout> open_layout(MemFileSystem& files, const std::string& path,
                                          std::uint64_t length) {
  return must(ServedLayout::open(must(files.open_for_read(path)), length));
}

void a_finished_file_is_sent_moov_first(void**) {
  MemFileSystem files;
  auto life = eventful_life();
  auto file = create_recording(files, kPath);
  for (auto& fragment : life) {
    must(fragment.append_to(*file));
  }
  must(file->finish());
  const Bytes bytes = files.read(kPath);
  auto layout = open_layout(files, kPath, 0);
  const Bytes sent = served(*layout, bytes, 65536);
  bool same = true;
  for (std::size_t step : {1U, 3U, 7U, 1000U}) {  // cuts every chunk offset somewhere
    same = same && served(*layout, bytes, step) == sent;
  }
  assert_true(layout->finished());
  assert_int_equal(layout->length(), bytes.size());
  assert_int_equal(sent.size(), bytes.size());
  assert_true(Mp4Parser(sent).types() == std::vector<std::string>({"ftyp", "moov", "mdat"}));
  assert_true(has_samples(sent, expected_samples(life, life.size())));
  assert_true(same);
}

void a_growing_file_is_sent_up_to_its_length_while_it_changes(void**) {
  MemFileSystem files;
  auto life = eventful_life(5);
  auto file = create_recording(files, kPath);
  must(life[0].append_to(*file));
  must(life[1].append_to(*file));
  const Bytes then = files.read(kPath);
  auto layout = open_layout(files, kPath, file->length());
  for (std::size_t i = 2; i < life.size(); ++i) {  // a later track rewrites the head
    must(life[i].append_to(*file));
  }
  must(file->finish());
  assert_false(layout->finished());
  assert_true(served(*layout, files.read(kPath), 1000) == then);
  assert_true(has_samples(then, expected_samples(life, 2)));
}

void a_length_that_is_not_there_is_refused(void**) {
  MemFileSystem files;
  auto life = eventful_life(1);
  auto file = create_recording(files, kPath);
  must(life[0].append_to(*file));
  auto before_head = ServedLayout::open(must(files.open_for_read(kPath)), 100);
  auto behind_end = ServedLayout::open(must(files.open_for_read(kPath)), file->length() + 1);
  files.put("other.mp4", Bytes(5000, 1));
  auto other = ServedLayout::open(must(files.open_for_read("other.mp4")), 5000);
  assert_false(static_cast<bool>(before_head));
  assert_false(static_cast<bool>(behind_end));
  assert_true(!other && other.error().code == Errc::kCorrupt);
}

// A disk on which a file of 5 GB costs nothing: reads of the gap are zeros, writes are kept.
class SparseFile final : public storage::File {
 public:
  Result<std::size_t> read_at(std::span<std::uint8_t> into, std::uint64_t offset) override {
    const std::size_t size = static_cast<std::size_t>(
        std::min<std::uint64_t>(into.size(), size_ - std::min(size_, offset)));
    std::fill_n(into.begin(), size, std::uint8_t{7});
    for (const auto& [at, bytes] : writes_) {
      const std::uint64_t from = std::max(at, offset);
      const std::uint64_t to = std::min(at + bytes.size(), offset + size);
      for (std::uint64_t i = from; i < to; ++i) {
        into[i - offset] = bytes[i - at];
      }
    }
    return size;
  }
  Status write_at(std::span<const iovec> pieces, std::uint64_t offset) override {
    Bytes bytes;
    for (const iovec& piece : pieces) {
      if (piece.iov_len < 1000000) {
        put_bytes(bytes, {static_cast<const std::uint8_t*>(piece.iov_base), piece.iov_len});
      } else {
        writes_.emplace_back(offset, bytes);
        offset += bytes.size() + piece.iov_len;
        bytes.clear();
      }
    }
    size_ = std::max(size_, offset + bytes.size());
    writes_.emplace_back(offset, std::move(bytes));
    return ok();
  }
  Status sync() override { return ok(); }
  Status truncate(std::uint64_t size) override {
    size_ = size;
    return ok();
  }
  Result<std::uint64_t> size() override { return size_; }

 private:
  std::vector<std::pair<std::uint64_t, Bytes>> writes_;
  std::uint64_t size_ = 0;
};

// co64 when an offset needs it, and also when it does only in what is sent.
std::pair<bool, std::uint64_t> offsets_of_a_file_of(std::uint64_t media) {
  auto owned = std::make_unique<SparseFile>();
  auto disk = std::make_shared<SparseFile*>(owned.get());
  auto file = must(mp4::RecordingFile::create(std::move(owned), {}));
  const media::TrackConfig config = video_config();
  Bytes one(1000000, 1);
  std::uint64_t last = 0;
  for (std::int64_t second = 0; media > 0; ++second) {
    const std::uint64_t size = std::min<std::uint64_t>(media, 1U << 30);
    const mp4::Sample sample{second * 120000, 0, static_cast<std::uint32_t>(size), true};
    // The disk never looks at so big a piece.
    const iovec piece{one.data(), size};
    const mp4::Run run{media::TrackKind::kVideo, {&sample, 1}, {&piece, 1}, 4000};
    mp4::Fragment fragment;
    fragment.runs = {&run, 1};
    fragment.config[0] = &config;
    if (second == 0) {
      fragment.mark = begin_mark(1);
    }
    must(file->append(fragment));
    last = file->length() - size;
    media -= size;
  }
  must(file->finish());
  Bytes front(64);
  (void)must((*disk)->read_at(front, 0));
  const std::uint64_t moov = 36 + [&] {
    std::uint64_t value = 0;
    for (std::size_t i = 44; i < 52; ++i) {
      value = value << 8 | front[i];
    }
    return value;
  }();
  Bytes bytes(static_cast<std::size_t>(must((*disk)->size()) - moov));
  (void)must((*disk)->read_at(bytes, moov));
  Mp4Parser parser(bytes);
  const Mp4Box& stbl = parser.boxes.at(0).at("trak").at("mdia").at("minf").at("stbl");
  const bool wide = stbl.find("co64") != nullptr;
  const Mp4Box& table = stbl.at(wide ? "co64" : "stco");
  const int width = wide ? 8 : 4;
  const std::uint64_t found =
      parser.number(table.offset + table.size - static_cast<unsigned>(width), width);
  return {wide, found == last ? moov : 0};
}

void offsets_are_64_bits_wide_when_they_must_be(void**) {
  const auto small = offsets_of_a_file_of(3'000'000'000);
  const auto big = offsets_of_a_file_of(5'000'000'000);
  // The last offset fits, but not when moov comes first.
  constexpr std::uint64_t kProbe = 0xFFFFFFFF - 20000;
  const auto probe = offsets_of_a_file_of(kProbe);
  const auto edge = offsets_of_a_file_of(0xFFFFFFFF - (probe.second - kProbe) - 100);
  assert_true(!small.first && small.second > 3'000'000'000);
  assert_true(big.first && big.second > 5'000'000'000);
  assert_true(!probe.first && edge.first);
  assert_true(edge.second < 0xFFFFFFFF);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_finished_file_is_sent_moov_first),
      cmocka_unit_test(a_growing_file_is_sent_up_to_its_length_while_it_changes),
      cmocka_unit_test(a_length_that_is_not_there_is_refused),
      cmocka_unit_test(offsets_are_64_bits_wide_when_they_must_be),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
