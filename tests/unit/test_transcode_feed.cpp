// What the transcoding program reads, whatever is sent and however slowly it reads.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include "media/flv_metadata.hpp"
#include "transcode/feed.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using media::TrackKind;
using transcode::Container;
using transcode::Feed;

struct ReadTag {
  TrackKind kind;
  std::int64_t ms;
  Bytes body;
  bool operator==(const ReadTag&) const = default;
};

// A pipe of 64 KiB with the feed at one end.
class Reader {
 public:
  Reader() {
    assert_int_equal(::pipe2(ends_, O_NONBLOCK | O_CLOEXEC), 0);
    ::fcntl(ends_[1], F_SETPIPE_SZ, 65536);
  }
  ~Reader() {
    close_reading();
    ::close(ends_[1]);
  }
  [[nodiscard]] int to() const { return ends_[1]; }
  void close_reading() {
    if (ends_[0] >= 0) {
      ::close(ends_[0]);
      ends_[0] = -1;
    }
  }
  void read() {
    std::uint8_t piece[65536];
    for (ssize_t size; (size = ::read(ends_[0], piece, sizeof piece)) > 0;) {
      bytes_.insert(bytes_.end(), piece, piece + size);
    }
  }
  void read_all(Feed& feed) {
    while (feed.write(to()) == Feed::Wrote::kBlocked) {
      read();
    }
    read();
  }
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }
  // onMetaData, after tags().
  [[nodiscard]] const Bytes& metadata() const { return metadata_; }
  // What was read, which is whole tags behind one file header.
  [[nodiscard]] std::vector<ReadTag> tags(std::uint8_t flags) {
    const Bytes header = {'F', 'L', 'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0};
    assert_true(bytes_.size() >= header.size() &&
                std::equal(header.begin(), header.end(), bytes_.begin()));
    ByteReader in(ByteView(bytes_).subspan(header.size()));
    std::vector<ReadTag> found;
    while (in.left() > 0) {
      const std::uint8_t type = in.u8();
      assert_true(type == 8 || type == 9 || (type == 18 && found.empty()));
      const std::uint32_t size = in.u24();
      std::int64_t ms = in.u24();
      ms |= std::int64_t{in.u8()} << 24;
      assert_int_equal(in.u24(), 0);
      const ByteView body = in.bytes(size);
      assert_int_equal(in.u32(), size + 11);
      assert_true(in.ok());
      if (type == 18) {
        metadata_ = Bytes(body.begin(), body.end());
        continue;
      }
      found.push_back(
          {type == 9 ? TrackKind::kVideo : TrackKind::kAudio, ms, Bytes(body.begin(), body.end())});
    }
    return found;
  }

 private:
  int ends_[2];
  Bytes bytes_, metadata_;
};

void add(Feed& feed, TrackKind kind, std::int64_t ms, const Bytes& message,
         media::VideoSource::Arrangement sets = {}) {
  iovec piece{const_cast<std::uint8_t*>(message.data()), message.size()};
  transcode::SourceMessage taken;
  taken.kind = kind;
  taken.tag = kind == TrackKind::kVideo ? media::parse_video_tag({&piece, 1})
                                        : media::parse_audio_tag({&piece, 1});
  taken.decodable = taken.tag.kind == media::TagKind::kSample;
  taken.ms = ms;
  taken.sets = sets;
  feed.add(taken, {&piece, 1});
}

Bytes avc_header(std::uint8_t which = 1) { return {0x17, 0, 0, 0, 0, which, which}; }
Bytes aac_header() { return {0xAF, 0, 0x12, 0x10}; }
Bytes sound() { return {0xAF, 1, 0x21, 0x22}; }
Bytes picture(bool key, std::size_t size = 8, std::uint8_t fill = 0x33) {
  Bytes message = {static_cast<std::uint8_t>(key ? 0x17 : 0x27), 1, 0, 0, 40};
  message.resize(5 + size, fill);
  return message;
}

void add_headers(Feed& feed) {
  add(feed, TrackKind::kVideo, 0, avc_header());
  add(feed, TrackKind::kAudio, 0, aac_header());
}

// Groups of 10 pictures, 100 ms each, with a packet of sound behind each.
void add_groups(Feed& feed, int from, int to, std::size_t size = 8) {
  for (int i = from * 10; i < to * 10; ++i) {
    add(feed, TrackKind::kVideo, i * 100, picture(i % 10 == 0, size));
    add(feed, TrackKind::kAudio, i * 100 + 50, sound());
  }
}

void what_was_sent_is_read_from_its_first_key_frame_on(void**) {
  Feed feed;
  Reader reader;
  add_headers(feed);
  add(feed, TrackKind::kAudio, 10, sound());
  add(feed, TrackKind::kVideo, 20, picture(false));
  add(feed, TrackKind::kVideo, 40, picture(true));
  add(feed, TrackKind::kAudio, 41, sound());
  feed.open({true, true});
  reader.read_all(feed);
  add(feed, TrackKind::kVideo, 0x12345678, picture(false));
  reader.read_all(feed);
  const std::vector<ReadTag> expected = {{TrackKind::kVideo, 40, avc_header()},
                                         {TrackKind::kVideo, 40, picture(true)},
                                         {TrackKind::kAudio, 41, aac_header()},
                                         {TrackKind::kAudio, 41, sound()},
                                         {TrackKind::kVideo, 0x12345678, picture(false)}};
  assert_true(reader.tags(5) == expected);
  assert_true(feed.empty());
}

void it_says_of_itself_what_is_known(void**) {
  Feed feed;
  Reader reader;
  add_headers(feed);
  feed.open({true, true, 2048000, 131072, 29.97});
  reader.read_all(feed);
  (void)reader.tags(5);
  const auto metadata = media::parse_metadata(reader.metadata());
  assert_true(metadata && metadata->rejected.empty());
  assert_true(metadata->frame_rate == 29.97);
  // FLV counts in thousands, FFmpeg, which reads it, in 1024.
  assert_true(metadata->video_bps == 2000000 && metadata->audio_bps == 128000);
}

void enhanced_signalling_of_the_same_codecs_reads_alike(void**) {
  Feed feed;
  Reader reader;
  // Enhanced RTMP v2: ExVideoTagHeader with avc1, packet types 0 and 1 (with CompositionTime)
  // and 3.
  add(feed, TrackKind::kVideo, 0, {0x90, 'a', 'v', 'c', '1', 1, 1});
  add(feed, TrackKind::kVideo, 0, {0x91, 'a', 'v', 'c', '1', 0xFF, 0xFF, 0xD8, 0x44});
  add(feed, TrackKind::kVideo, 40, {0xA3, 'a', 'v', 'c', '1', 0x55});
  add(feed, TrackKind::kAudio, 0, {0x90, 'm', 'p', '4', 'a', 0x12, 0x10});
  add(feed, TrackKind::kAudio, 41, {0x91, 'm', 'p', '4', 'a', 0x66});
  feed.open({true, true});
  reader.read_all(feed);
  const std::vector<ReadTag> expected = {{TrackKind::kVideo, 0, avc_header()},
                                         {TrackKind::kVideo, 0, {0x17, 1, 0xFF, 0xFF, 0xD8, 0x44}},
                                         {TrackKind::kVideo, 40, {0x27, 1, 0, 0, 0, 0x55}},
                                         {TrackKind::kAudio, 41, aac_header()},
                                         {TrackKind::kAudio, 41, {0xAF, 1, 0x66}}};
  assert_true(reader.tags(5) == expected);
}

// FLV has no number for them: Matroska, of which a reader here knows as much as the test needs.
void other_codecs_are_read_as_matroska(void**) {
  Feed feed;
  Reader reader;
  add(feed, TrackKind::kAudio, 0, aac_header());
  add(feed, TrackKind::kAudio, 0, sound());
  assert_true(feed.container() == Container::kFlv);
  const Bytes record = {1, 2, 3, 4};
  add(feed, TrackKind::kVideo, 10, {0x90, 'h', 'v', 'c', '1', 1, 2, 3, 4});
  add(feed, TrackKind::kVideo, 10, {0x91, 'h', 'v', 'c', '1', 0, 0, 90, 0x77, 0x78});
  add(feed, TrackKind::kAudio, 21, sound());
  add(feed, TrackKind::kVideo, 50, {0xA3, 'h', 'v', 'c', '1', 0x79});
  assert_true(feed.container() == Container::kMatroska);
  media::TrackConfig hevc, aac;
  hevc.codec = media::Codec::kHevc;
  hevc.source.width = 640;
  aac.codec = media::Codec::kAac;
  aac.record = {0x12, 0x10};
  feed.open({true, true, 0, 0, 25}, {&hevc, &aac});
  reader.read_all(feed);
  const Bytes& file = reader.bytes();
  const auto has = [&file](const Bytes& part) {
    return std::search(file.begin(), file.end(), part.begin(), part.end()) != file.end();
  };
  assert_true(file[0] == 0x1A && file[1] == 0x45 && file[2] == 0xDF && file[3] == 0xA3);
  assert_true(has({0x63, 0xA2, 0x10, 0, 0, 4, 1, 2, 3, 4}));  // CodecPrivate
  assert_true(has({0x63, 0xA2, 0x10, 0, 0, 2, 0x12, 0x10}));
  // The first picture is shown at 100 ms; what was sent before it is left out.
  assert_true(has({0, 0, 0, 100, 0xA3, 0x10, 0, 0, 6, 0x81, 0, 0, 0x80, 0x77, 0x78}));
  assert_true(has({0, 0, 0, 21, 0xA3, 0x10, 0, 0, 6, 0x82, 0, 0, 0x80, 0x21, 0x22}));
  assert_true(has({0, 0, 0, 50, 0xA3, 0x10, 0, 0, 5, 0x81, 0, 0, 0, 0x79}));
  assert_false(has({0, 0, 0, 0, 0xA3}));
  // Of pictures it finds out by itself what has changed, of sound not.
  assert_true(feed.fits(TrackKind::kVideo, hevc));
  hevc.source.width = 320;
  assert_true(feed.fits(TrackKind::kVideo, hevc) && feed.fits(TrackKind::kAudio, aac));
  aac.source.sample_rate = 44100;
  assert_false(feed.fits(TrackKind::kAudio, aac));
  hevc.codec = media::Codec::kAvc;
  assert_false(feed.fits(TrackKind::kVideo, hevc));
}

void a_key_frame_gets_the_parameter_sets_it_lacks(void**) {
  Feed feed;
  Reader reader;
  add(feed, TrackKind::kVideo, 0, avc_header());
  const Bytes sets = {0xAA, 0xBB};
  add(feed, TrackKind::kVideo, 0, {0x17, 1, 0, 0, 0, 1, 2, 3}, {2, sets});
  feed.open({true, false});
  reader.read_all(feed);
  const Bytes expected = {0x17, 1, 0, 0, 0, 1, 2, 0xAA, 0xBB, 3};
  assert_true(reader.tags(1).back().body == expected);
}

void a_new_configuration_comes_in_front_of_its_pictures_and_once(void**) {
  Feed feed;
  Reader reader;
  add_headers(feed);
  feed.open({true, true});
  for (const std::uint8_t which : Bytes{1, 1, 2, 2}) {
    add(feed, TrackKind::kVideo, 100 * which, avc_header(which));
    add(feed, TrackKind::kVideo, 100 * which, picture(true));
  }
  reader.read_all(feed);
  const std::vector<ReadTag> expected = {
      {TrackKind::kVideo, 100, avc_header(1)}, {TrackKind::kVideo, 100, picture(true)},
      {TrackKind::kVideo, 100, picture(true)}, {TrackKind::kVideo, 200, avc_header(2)},
      {TrackKind::kVideo, 200, picture(true)}, {TrackKind::kVideo, 200, picture(true)}};
  assert_true(reader.tags(5) == expected);
}

// A reader that stops: what is kept stays bounded, and what it reads later are whole groups.
void of_a_slow_reader_whole_groups_are_left_out(void**) {
  Feed feed;
  Reader reader;
  add_headers(feed);
  feed.open({true, true});
  add_groups(feed, 0, 2, 20000);  // more than fits into the pipe
  assert_true(feed.write(reader.to()) == Feed::Wrote::kBlocked);
  add(feed, TrackKind::kVideo, 2000, avc_header(2));  // it belongs to what is left out …
  add_groups(feed, 2, 30, 20000);                     // … and to all that follows
  assert_true(feed.dropped().groups >= 15);
  assert_true(feed.dropped().messages >= 15 * 20);
  reader.read_all(feed);
  const std::vector<ReadTag> tags = reader.tags(5);
  std::int64_t last = -1;
  std::vector<std::int64_t> jumps_to;
  std::size_t new_header = 0;
  for (std::size_t i = 0; i < tags.size(); ++i) {
    if (tags[i].kind != TrackKind::kVideo || tags[i].body == avc_header(1)) {
      continue;
    }
    if (tags[i].body == avc_header(2)) {
      new_header = i;
      continue;
    }
    if (last >= 0 && tags[i].ms != last + 100) {
      jumps_to.push_back(tags[i].ms);
      assert_int_equal(tags[i].body[0], 0x17);
      assert_int_equal(new_header, i - 1);
    }
    last = tags[i].ms;
  }
  assert_int_equal(jumps_to.size(), 1);
  assert_int_equal(last, 29900);  // the newest is there
  assert_true(last - jumps_to[0] <= Feed::kMostMs);
}

void one_group_that_never_ends_is_bounded_too(void**) {
  Feed feed;
  Reader reader;
  add_headers(feed);
  feed.open({true, true});
  add(feed, TrackKind::kVideo, 0, picture(true, 100000));
  (void)feed.write(reader.to());
  for (int i = 1; i < 400; ++i) {
    add(feed, TrackKind::kVideo, i * 10, picture(false, 100000));
  }
  add(feed, TrackKind::kVideo, 4000, picture(true, 10));
  assert_true(feed.dropped().messages >= 300);
  reader.read_all(feed);
  const std::vector<ReadTag> tags = reader.tags(5);
  std::size_t bytes = 0;
  for (const ReadTag& tag : tags) {
    bytes += tag.body.size();
  }
  assert_true(bytes <= Feed::kMostBytes + 300000);
  assert_true(tags.back().ms == 4000 && tags.back().body == picture(true, 10));
}

void sound_alone_is_bounded_and_begins_anywhere(void**) {
  Feed feed;
  Reader reader;
  add(feed, TrackKind::kAudio, 0, aac_header());
  add(feed, TrackKind::kAudio, 0, sound());
  feed.open({false, true});
  for (int i = 1; i < 1000; ++i) {
    add(feed, TrackKind::kAudio, i * 23, sound());
  }
  reader.read_all(feed);
  const std::vector<ReadTag> tags = reader.tags(4);
  assert_true(tags.front().body == aac_header());
  assert_int_equal(tags.back().ms, 999 * 23);
  assert_true(tags.back().ms - tags[1].ms <= Feed::kMostMs);
  assert_true(feed.dropped().groups > 0);
}

void a_new_reader_begins_at_a_key_frame_with_the_latest_configuration(void**) {
  Feed feed;
  add_headers(feed);
  feed.open({true, true});
  {
    Reader first;
    add_groups(feed, 0, 1);
    first.read_all(feed);
    first.close_reading();
    add_groups(feed, 1, 2);
    assert_true(feed.write(first.to()) == Feed::Wrote::kBroken);
  }
  feed.close();
  add(feed, TrackKind::kVideo, 2000, avc_header(2));
  add_groups(feed, 2, 5);
  add(feed, TrackKind::kVideo, 5000, picture(true));
  add(feed, TrackKind::kVideo, 5100, picture(false));
  Reader second;
  feed.open({true, true});
  second.read_all(feed);
  const std::vector<ReadTag> expected = {{TrackKind::kVideo, 5000, avc_header(2)},
                                         {TrackKind::kVideo, 5000, picture(true)},
                                         {TrackKind::kVideo, 5100, picture(false)}};
  assert_true(second.tags(5) == expected);
}

void a_track_that_is_not_of_the_session_is_left_out(void**) {
  Feed feed;
  Reader reader;
  add_headers(feed);
  add_groups(feed, 0, 1);
  feed.open({true, false});
  add_groups(feed, 1, 2);
  reader.read_all(feed);
  for (const ReadTag& tag : reader.tags(1)) {
    assert_true(tag.kind == TrackKind::kVideo);
  }
  assert_int_equal(reader.tags(1).size(), 21);
}

}  // namespace

int main() {
  ::signal(SIGPIPE, SIG_IGN);
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_was_sent_is_read_from_its_first_key_frame_on),
      cmocka_unit_test(it_says_of_itself_what_is_known),
      cmocka_unit_test(enhanced_signalling_of_the_same_codecs_reads_alike),
      cmocka_unit_test(other_codecs_are_read_as_matroska),
      cmocka_unit_test(a_key_frame_gets_the_parameter_sets_it_lacks),
      cmocka_unit_test(a_new_configuration_comes_in_front_of_its_pictures_and_once),
      cmocka_unit_test(of_a_slow_reader_whole_groups_are_left_out),
      cmocka_unit_test(one_group_that_never_ends_is_bounded_too),
      cmocka_unit_test(sound_alone_is_bounded_and_begins_anywhere),
      cmocka_unit_test(a_new_reader_begins_at_a_key_frame_with_the_latest_configuration),
      cmocka_unit_test(a_track_that_is_not_of_the_session_is_left_out),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
