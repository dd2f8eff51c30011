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

// In pieces of one byte, so that no part of a header is read as if it were in one place.
std::vector<iovec> cut(Bytes& bytes) {
  std::vector<iovec> pieces;
  for (std::uint8_t& byte : bytes) {
    pieces.push_back({&byte, 1});
  }
  return pieces;
}
TagHeader video(Bytes bytes) { return parse_video_tag(cut(bytes)); }
TagHeader audio(Bytes bytes) { return parse_audio_tag(cut(bytes)); }

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}
Bytes code(const char* fourcc) { return {fourcc, fourcc + 4}; }

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
  const TagHeader speex = audio({0xB6, 1, 2});
  assert_true(speex.kind == TagKind::kUnsupported);
  assert_int_equal(speex.codec_id, 11);
  const TagHeader vvc = video(Bytes{0x90} + code("vvc1") + Bytes{1});
  assert_true(vvc.kind == TagKind::kUnsupported);
  assert_int_equal(vvc.codec_id, 0x76766331);
  // a video codec is none of a sound
  assert_true(audio(Bytes{0x90} + code("hvc1") + Bytes{1}).kind == TagKind::kUnsupported);
}

void tells_empty_from_malformed(void**) {
  assert_true(video({}).kind == TagKind::kEmpty);
  assert_true(audio({}).kind == TagKind::kEmpty);
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

void the_payload_is_all_behind_the_header(void**) {
  const TagHeader tag = video(Bytes{0x17, 1, 0, 0, 0} + Bytes(1000, 7));
  assert_int_equal(tag.payload_size, 1000);
}

void reads_codecs_by_fourcc(void**) {
  struct Named {
    const char* fourcc;
    Codec codec;
  };
  for (const Named& named : {Named{"avc1", Codec::kAvc}, Named{"hvc1", Codec::kHevc},
                             Named{"av01", Codec::kAv1}, Named{"vp09", Codec::kVp9}}) {
    const TagHeader start = video(Bytes{0x90} + code(named.fourcc) + Bytes{1, 2});
    assert_true(start.kind == TagKind::kSequenceHeader);
    assert_true(start.codec == named.codec);
    assert_int_equal(start.header_size, 5);
    assert_int_equal(start.payload_size, 2);
    assert_true(video(Bytes{0x92} + code(named.fourcc)).kind == TagKind::kEndOfSequence);
    const TagHeader frame = video(Bytes{0xA3} + code(named.fourcc) + Bytes{0, 0, 9, 4});
    assert_true(frame.kind == TagKind::kSample);
    assert_false(frame.key);
    assert_int_equal(frame.cts_ms, 0);
    assert_int_equal(frame.payload_size, 4);
  }
  for (const Named& named :
       {Named{"mp4a", Codec::kAac}, Named{".mp3", Codec::kMp3}, Named{"Opus", Codec::kOpus},
        Named{"ac-3", Codec::kAc3}, Named{"ec-3", Codec::kEac3}, Named{"fLaC", Codec::kFlac}}) {
    const TagHeader frame = audio(Bytes{0x91} + code(named.fourcc) + Bytes{1, 2, 3});
    assert_true(frame.kind == TagKind::kSample);
    assert_true(frame.codec == named.codec && frame.key);
    assert_int_equal(frame.payload_size, 3);
    assert_true(audio(Bytes{0x90} + code(named.fourcc) + Bytes{1}).kind ==
                TagKind::kSequenceHeader);
    assert_true(audio(Bytes{0x92} + code(named.fourcc)).kind == TagKind::kEndOfSequence);
  }
}

void composition_time_is_there_for_those_that_have_one(void**) {
  const TagHeader hevc = video(Bytes{0x91} + code("hvc1") + Bytes{0xFF, 0xFF, 0xD8, 9});
  assert_true(hevc.kind == TagKind::kSample && hevc.key);
  assert_int_equal(hevc.cts_ms, -40);
  assert_int_equal(hevc.payload_size, 1);
  assert_int_equal(video(Bytes{0x91} + code("avc1") + Bytes{0, 0, 80, 9}).cts_ms, 80);
  const TagHeader av1 = video(Bytes{0x91} + code("av01") + Bytes{0xFF, 0xFF, 0xD8, 9});
  assert_int_equal(av1.cts_ms, 0);
  assert_int_equal(av1.payload_size, 4);
  assert_true(video(Bytes{0x91} + code("hvc1") + Bytes{0, 0}).kind == TagKind::kMalformed);
  assert_true(video(Bytes{0x91} + code("hvc1") + Bytes{0, 0, 0}).kind == TagKind::kEmpty);
}

void an_opus_header_may_be_empty(void**) {
  assert_true(audio(Bytes{0x90} + code("Opus")).kind == TagKind::kSequenceHeader);
  assert_true(audio(Bytes{0x90} + code("fLaC")).kind == TagKind::kEmpty);
}

void what_is_no_media_is_told_apart(void**) {
  assert_true(video(Bytes{0x94} + code("hvc1") + Bytes{2, 0, 1}).kind == TagKind::kMetadata);
  // a command frame has neither FourCC nor payload, but metadata may look like one
  assert_true(video({0xD1, 0}).kind == TagKind::kEndOfSequence);
  assert_true(video(Bytes{0xD4} + code("hvc1") + Bytes{2}).kind == TagKind::kMetadata);
  const TagHeader ts = video(Bytes{0x95} + code("av01") + Bytes{2, 0, 1});
  assert_true(ts.kind == TagKind::kUnknownPacket);
  assert_int_equal(ts.packet_type, 5);
  assert_true(video(Bytes{0x98} + code("hvc1") + Bytes{1}).kind == TagKind::kUnknownPacket);
  assert_true(audio(Bytes{0x93} + code("Opus") + Bytes{1}).kind == TagKind::kUnknownPacket);
  assert_true(audio(Bytes{0x9F} + code("Opus") + Bytes{1}).kind == TagKind::kUnknownPacket);
  const TagHeader channels = audio(Bytes{0x94} + code("Opus") + Bytes{1, 6, 0, 0, 0, 0x3F});
  assert_true(channels.kind == TagKind::kMultichannelConfig);
  Bytes payload{1, 6, 0, 0, 0, 0x3F};
  assert_int_equal(recording::media::multichannel_count(cut(payload)), 6);
  Bytes cut_off{1};
  assert_int_equal(recording::media::multichannel_count(cut(cut_off)), 0);
  assert_true(video(Bytes{0x91, 'h', 'v', 'c'}).kind == TagKind::kMalformed);
}

void modifiers_stand_in_front_of_any_packet(void**) {
  // 3 bytes: 250000 ns, then type 0 and CodedFramesX
  const TagHeader one =
      video(Bytes{0x97, 2, 0x03, 0xD0, 0x90, 0x03} + code("hvc1") + Bytes{1, 2, 3, 4});
  assert_true(one.kind == TagKind::kSample);
  assert_int_equal(one.nanoseconds, 250000);
  assert_int_equal(one.header_size, 10);
  assert_int_equal(one.payload_size, 4);
  // an unknown modifier of 1 byte, one of 300, then the known one
  const TagHeader three = audio(Bytes{0x97, 0, 9, 0x17, 0xFF, 0x01, 0x2B} + Bytes(300, 5) +
                                Bytes{0x27, 2, 0, 0, 7, 0x01} + code("Opus") + Bytes{1});
  assert_true(three.kind == TagKind::kSample && three.codec == Codec::kOpus);
  assert_int_equal(three.nanoseconds, 7);
  assert_int_equal(three.payload_size, 1);
  // more than a millisecond is no offset
  assert_int_equal(video(Bytes{0x97, 2, 0x0F, 0x42, 0x40, 3} + code("hvc1") + Bytes{1}).nanoseconds,
                   0);
  assert_true(video({0x97}).kind == TagKind::kMalformed);
  assert_true(video({0x97, 200, 1, 2}).kind == TagKind::kMalformed);
  assert_true(video({0x97, 2, 0, 0, 0}).kind == TagKind::kMalformed);
}

void track_0_is_taken_of_several(void**) {
  const Bytes shared = Bytes{0x96, 0x13} + code("hvc1");  // ManyTracks, CodedFramesX
  const Bytes first{0, 0, 0, 2, 7, 7};                    // track, size, payload
  const Bytes second{1, 0, 0, 3, 8, 8, 8};
  for (const bool turned : {false, true}) {
    const TagHeader tag = video(shared + (turned ? second + first : first + second));
    assert_true(tag.kind == TagKind::kSample && tag.codec == Codec::kHevc && tag.key);
    assert_int_equal(tag.payload_size, 2);
    assert_int_equal(tag.header_size, turned ? 6 + 7 + 4 : 6 + 4);
    assert_int_equal(tag.other_tracks, 1);
  }
  // each with a codec of its own
  const TagHeader codecs = audio(Bytes{0x95, 0x21} + code("mp4a") + second + code("Opus") + first);
  assert_true(codecs.kind == TagKind::kSample && codecs.codec == Codec::kOpus);
  assert_int_equal(codecs.payload_size, 2);
  assert_int_equal(codecs.other_tracks, 1);
  // composition time belongs to the track
  const TagHeader timed =
      video(Bytes{0x96, 0x11} + code("hvc1") + Bytes{0, 0, 0, 5, 0, 0, 80, 7, 7} + second);
  assert_int_equal(timed.cts_ms, 80);
  assert_int_equal(timed.payload_size, 2);
  // one track alone has no size
  const TagHeader alone = video(Bytes{0x96, 0x00} + code("hvc1") + Bytes{0, 1, 2, 3});
  assert_true(alone.kind == TagKind::kSequenceHeader);
  assert_int_equal(alone.payload_size, 3);
  assert_int_equal(alone.other_tracks, 0);
}

void messages_of_other_tracks_are_counted(void**) {
  const TagHeader alone = video(Bytes{0x96, 0x03} + code("hvc1") + Bytes{1, 7, 7});
  assert_true(alone.kind == TagKind::kOtherTracks);
  assert_int_equal(alone.other_tracks, 1);
  const TagHeader many =
      audio(Bytes{0x95, 0x11} + code("Opus") + Bytes{1, 0, 0, 1, 7} + Bytes{2, 0, 0, 1, 7});
  assert_true(many.kind == TagKind::kOtherTracks);
  assert_int_equal(many.other_tracks, 2);
  // what was whole before the message ends too early counts
  const TagHeader torn =
      video(Bytes{0x96, 0x13} + code("hvc1") + Bytes{0, 0, 0, 1, 7} + Bytes{1, 0, 0, 9, 7});
  assert_true(torn.kind == TagKind::kSample);
  assert_int_equal(torn.payload_size, 1);
  assert_true(video(Bytes{0x96, 0x13} + code("hvc1") + Bytes{0, 0, 0, 9, 7}).kind ==
              TagKind::kMalformed);
  assert_true(video(Bytes{0x96, 0x33} + code("hvc1") + Bytes{0, 7}).kind ==
              TagKind::kUnknownPacket);
  assert_true(video({0x96}).kind == TagKind::kMalformed);
}

void codecs_have_the_names_of_ffprobe(void**) {
  assert_true(recording::media::codec_name(Codec::kAvc) == "h264");
  assert_true(recording::media::codec_name(Codec::kAac) == "aac");
  assert_true(recording::media::codec_name(Codec::kMp3) == "mp3");
  assert_true(recording::media::codec_name(Codec::kHevc) == "hevc");
  assert_true(recording::media::codec_name(Codec::kEac3) == "eac3");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(reads_avc_samples),
      cmocka_unit_test(reads_sequence_headers_and_their_end),
      cmocka_unit_test(reads_audio_samples),
      cmocka_unit_test(names_unsupported_codecs),
      cmocka_unit_test(tells_empty_from_malformed),
      cmocka_unit_test(the_payload_is_all_behind_the_header),
      cmocka_unit_test(reads_codecs_by_fourcc),
      cmocka_unit_test(composition_time_is_there_for_those_that_have_one),
      cmocka_unit_test(an_opus_header_may_be_empty),
      cmocka_unit_test(what_is_no_media_is_told_apart),
      cmocka_unit_test(modifiers_stand_in_front_of_any_packet),
      cmocka_unit_test(track_0_is_taken_of_several),
      cmocka_unit_test(messages_of_other_tracks_are_counted),
      cmocka_unit_test(codecs_have_the_names_of_ffprobe),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
