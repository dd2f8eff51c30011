#include <vector>

#include "media/codec.hpp"
#include "media/flv_tag.hpp"

#include "cmocka.hpp"

namespace {

using recording::Bytes;
using recording::media::Codec;
using recording::media::parse_audio_tag;
using recording::media::parse_video_tag;
using recording::media::TagHeader;
using recording::media::TagKind;

TagHeader video(const Bytes& bytes) { return parse_video_tag(bytes, bytes.size()); }
TagHeader audio(const Bytes& bytes) { return parse_audio_tag(bytes, bytes.size()); }

void reads_avc_samples(void**) {
  const TagHeader key = video({0x17, 1, 0, 0, 80, 0, 0, 0, 1});
  assert_true(key.kind == TagKind::kSample);
  assert_true(key.codec == Codec::kAvc);
  assert_true(key.key);
  assert_int_equal(key.cts_ms, 80);
  assert_int_equal(key.header_size, 5);
  const TagHeader inter = video({0x27, 1, 0xFF, 0xFF, 0xD8, 9});
  assert_true(inter.kind == TagKind::kSample);
  assert_false(inter.key);
  assert_int_equal(inter.cts_ms, -40);
  assert_int_equal(video({0x27, 1, 0x80, 0, 0, 9}).cts_ms, -8388608);
  assert_int_equal(video({0x27, 1, 0x7F, 0xFF, 0xFF, 9}).cts_ms, 8388607);
}

void reads_sequence_headers_and_their_end(void**) {
  const TagHeader header = video({0x17, 0, 0, 0, 7, 1});
  assert_true(header.kind == TagKind::kSequenceHeader);
  assert_int_equal(header.cts_ms, 0);
  assert_int_equal(header.header_size, 5);
  assert_true(video({0x17, 2, 0, 0, 0}).kind == TagKind::kEndOfSequence);
  assert_true(video({0x17, 2}).kind == TagKind::kEndOfSequence);
  assert_true(video({0x57, 1}).kind == TagKind::kEndOfSequence);  // command frame
  const TagHeader aac = audio({0xAF, 0, 0x12, 0x10});
  assert_true(aac.kind == TagKind::kSequenceHeader);
  assert_true(aac.codec == Codec::kAac);
  assert_int_equal(aac.header_size, 2);
}

void reads_audio_samples(void**) {
  const TagHeader aac = audio({0xAF, 1, 0x21});
  assert_true(aac.kind == TagKind::kSample);
  assert_true(aac.key);
  for (const std::uint8_t first : Bytes{0x2F, 0xEE}) {  // MP3, MP3 at 8 kHz
    const TagHeader mp3 = audio({first, 0xFF, 0xFB});
    assert_true(mp3.kind == TagKind::kSample);
    assert_true(mp3.codec == Codec::kMp3);
    assert_int_equal(mp3.header_size, 1);
  }
}

void names_unsupported_codecs(void**) {
  const TagHeader vp6 = video({0x14, 0, 0, 0, 0, 0});
  assert_true(vp6.kind == TagKind::kUnsupported);
  assert_int_equal(vp6.codec_id, 4);
  assert_int_equal(video({0x1C, 1, 0, 0, 0, 0}).codec_id, 12);  // HEVC as some encoders put it
  const TagHeader enhanced = video({0x90, 'h', 'v', 'c', '1', 0});
  assert_true(enhanced.kind == TagKind::kUnsupported);
  assert_int_equal(enhanced.codec_id, 0xFF);
  const TagHeader speex = audio({0xB6, 1, 2});
  assert_true(speex.kind == TagKind::kUnsupported);
  assert_int_equal(speex.codec_id, 11);
  assert_int_equal(audio({0x90, 'O', 'p', 'u', 's'}).codec_id, 0xFF);
}

void tells_empty_from_malformed(void**) {
  assert_true(parse_video_tag({}, 0).kind == TagKind::kEmpty);
  assert_true(parse_audio_tag({}, 0).kind == TagKind::kEmpty);
  assert_true(video({0x27, 1, 0, 0, 0}).kind == TagKind::kEmpty);
  assert_true(video({0x17, 0, 0, 0, 0}).kind == TagKind::kEmpty);
  assert_true(audio({0xAF, 1}).kind == TagKind::kEmpty);
  assert_true(audio({0x2F}).kind == TagKind::kEmpty);
  assert_true(video({0x17}).kind == TagKind::kMalformed);
  assert_true(video({0x17, 1, 0, 0}).kind == TagKind::kMalformed);
  assert_true(video({0x17, 3, 0, 0, 0, 9}).kind == TagKind::kMalformed);
  assert_true(audio({0xAF}).kind == TagKind::kMalformed);
  assert_true(audio({0xAF, 2, 9}).kind == TagKind::kMalformed);
}

// The first bytes are enough, however long the message is.
void reads_a_head_of_a_long_message(void**) {
  const Bytes head = {0x17, 1, 0, 0, 0};
  assert_true(parse_video_tag(head, 100'000).kind == TagKind::kSample);
}

void codecs_have_the_names_of_ffprobe(void**) {
  assert_true(recording::media::codec_name(Codec::kAvc) == "h264");
  assert_true(recording::media::codec_name(Codec::kAac) == "aac");
  assert_true(recording::media::codec_name(Codec::kMp3) == "mp3");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(reads_avc_samples),
      cmocka_unit_test(reads_sequence_headers_and_their_end),
      cmocka_unit_test(reads_audio_samples),
      cmocka_unit_test(names_unsupported_codecs),
      cmocka_unit_test(tells_empty_from_malformed),
      cmocka_unit_test(reads_a_head_of_a_long_message),
      cmocka_unit_test(codecs_have_the_names_of_ffprobe),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
