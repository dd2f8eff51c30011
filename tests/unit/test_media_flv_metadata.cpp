#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "media/flv_metadata.hpp"
#include "media/frame_rate.hpp"

#include "cmocka.hpp"

namespace {

using recording::Bytes;
using recording::put_u16;
using recording::put_u32;
using recording::put_u64;
using recording::put_u8;
using recording::media::FlvMetadata;
using recording::media::frame_rate_from;
using recording::media::FrameRate;
using recording::media::parse_metadata;

// A data message in AMF0, as encoders send it.
class Message {
 public:
  explicit Message(bool set_data_frame = true, bool array = true) {
    if (set_data_frame) {
      string("@setDataFrame");
    }
    string("onMetaData");
    put_u8(bytes_, array ? 8 : 3);
    if (array) {
      put_u32(bytes_, 7);  // any number: it is not to be trusted
    }
  }
  Message& number(std::string_view name, double value) {
    key(name);
    put_u8(bytes_, 0);
    put_u64(bytes_, std::bit_cast<std::uint64_t>(value));
    return *this;
  }
  Message& boolean(std::string_view name, bool value) {
    key(name);
    put_u8(bytes_, 1);
    put_u8(bytes_, value ? 1 : 0);
    return *this;
  }
  Message& text(std::string_view name, std::string_view value) {
    key(name);
    string(value);
    return *this;
  }
  Message& raw(std::string_view name, const Bytes& value) {
    key(name);
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    return *this;
  }
  Bytes end() {
    put_u16(bytes_, 0);
    put_u8(bytes_, 9);
    return bytes_;
  }
  [[nodiscard]] const Bytes& unfinished() const { return bytes_; }

 private:
  void key(std::string_view name) {
    put_u16(bytes_, static_cast<std::uint16_t>(name.size()));
    bytes_.insert(bytes_.end(), name.begin(), name.end());
  }
  void string(std::string_view value) {
    put_u8(bytes_, 2);
    key(value);
  }
  Bytes bytes_;
};

void reads_what_obs_sends(void**) {
  const Bytes bytes = Message()
                          .number("duration", 0)
                          .number("fileSize", 0)
                          .number("width", 1920)
                          .number("height", 1080)
                          .number("videocodecid", 7)
                          .number("videodatarate", 6000)
                          .number("framerate", 29.97002997)
                          .number("audiocodecid", 10)
                          .number("audiodatarate", 160)
                          .number("audiosamplerate", 48000)
                          .number("audiosamplesize", 16)
                          .number("audiochannels", 2)
                          .boolean("stereo", true)
                          .text("encoder", "obs-output module (libobs version 29.0.2)")
                          .end();
  const FlvMetadata found = parse_metadata(bytes).value();
  assert_true(found.width == 1920U && found.height == 1080U);
  assert_true(found.video_codec_id == 7U && found.audio_codec_id == 10U);
  assert_true(found.frame_rate == 29.97002997);
  assert_true(found.video_bps == 6000000 && found.audio_bps == 160000);
  assert_true(found.sample_rate == 48000U && found.channels == 2);
  assert_true(found.encoder == "obs-output module (libobs version 29.0.2)");
  assert_true(found.rejected.empty());
}

void reads_every_form_of_message(void**) {
  for (const bool set_data_frame : {false, true}) {
    for (const bool array : {false, true}) {
      Bytes bytes = Message(set_data_frame, array).number("framerate", 12.5).end();
      assert_true(parse_metadata(bytes).value().frame_rate == 12.5);
      bytes.insert(bytes.begin(), 0);  // as a data message of AMF3
      assert_true(parse_metadata(bytes).value().frame_rate == 12.5);
    }
  }
  // By letters, as a number and as text; by the older name of the frame rate.
  const Bytes letters = Message()
                            .number("videocodecid", 0x68766331)
                            .text("audiocodecid", "mp4a")
                            .number("fps", 25)
                            .boolean("stereo", false)
                            .end();
  const FlvMetadata found = parse_metadata(letters).value();
  assert_true(found.video_codec_id == 0x68766331U && found.audio_codec_id == 0x6D703461U);
  assert_true(found.frame_rate == 25.0 && found.channels == 1);
  // The usual name goes before it, wherever it stands.
  for (const char* first : {"fps", "framerate"}) {
    const char* second = std::string_view(first) == "fps" ? "framerate" : "fps";
    const Bytes both = Message()
                           .number(first, std::string_view(first) == "fps" ? 10 : 30)
                           .number(second, std::string_view(second) == "fps" ? 10 : 30)
                           .end();
    assert_true(parse_metadata(both).value().frame_rate == 30.0);
  }
}

void keeps_out_what_cannot_be_true(void**) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinite = std::numeric_limits<double>::infinity();
  for (const double rate : {0.0, -25.0, nan, infinite, -infinite, 1000.0, 1e300}) {
    const FlvMetadata found =
        parse_metadata(Message().number("framerate", rate).number("width", 640).end()).value();
    assert_false(found.frame_rate.has_value());
    assert_true(found.width == 640U);
    assert_int_equal(found.rejected.size(), 1);
    assert_int_equal(found.rejected[0].rfind("framerate is ", 0), 0);
  }
  const Bytes bytes = Message()
                          .number("width", -1)
                          .number("width", 1e9)  // one sentence a field, however often it comes
                          .number("height", nan)
                          .text("audiochannels", "two")
                          .number("audiosamplerate", -44100)
                          .number("videodatarate", 1e12)
                          .end();
  const FlvMetadata found = parse_metadata(bytes).value();
  assert_false(found.width || found.height || found.channels || found.sample_rate ||
               found.video_bps);
  assert_int_equal(found.rejected.size(), 5);
  assert_string_equal(found.rejected[0].c_str(), "width is -1");
  assert_string_equal(found.rejected[1].c_str(), "height is not a number");
  assert_string_equal(found.rejected[2].c_str(), "audiochannels is no number");
  // What encoders say of what they do not know is no mistake.
  const FlvMetadata silent =
      parse_metadata(Message().number("videodatarate", 0).number("width", 0).end()).value();
  assert_false(silent.video_bps || silent.width);
  assert_true(silent.rejected.empty());
}

void passes_over_values_of_other_kinds(void**) {
  Bytes nested = {3, 0, 1, 'a', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
  const Bytes bytes = Message()
                          .raw("object", nested)
                          .raw("list", {10, 0, 0, 0, 2, 5, 6})
                          .raw("date", {11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
                          .raw("long", {12, 0, 0, 0, 2, 'h', 'i'})
                          .raw("typed", {16, 0, 1, 'T', 0, 0, 9})
                          .raw("reference", {7, 0, 1})
                          .text("unknown", "value")
                          .number("framerate", 50)
                          .end();
  assert_true(parse_metadata(bytes).value().frame_rate == 50.0);
}

void what_was_whole_counts(void**) {
  const Bytes bytes = Message().number("framerate", 24).number("width", 640).unfinished();
  const FlvMetadata cut = parse_metadata({bytes.data(), bytes.size() - 3}).value();
  assert_true(cut.frame_rate == 24.0);
  assert_false(cut.width.has_value());
  // Nested without end, in a list that claims to be endless.
  Message deep;
  Bytes lists;
  for (int i = 0; i < 1000; ++i) {
    lists.insert(lists.end(), {10, 0xFF, 0xFF, 0xFF, 0xFF});
  }
  const Bytes message = deep.number("height", 360).raw("deep", lists).end();
  assert_true(parse_metadata(message).value().height == 360U);
}

void other_messages_are_none(void**) {
  assert_false(parse_metadata({}).has_value());
  const Bytes cue = {2, 0, 10, 'o', 'n', 'C', 'u', 'e', 'P', 'o', 'i', 'n', 't', 3, 0, 0, 9};
  assert_false(parse_metadata(cue).has_value());
  const Bytes bare = {2, 0, 10, 'o', 'n', 'M', 'e', 't', 'a', 'D', 'a', 't', 'a', 5};
  assert_false(parse_metadata(bare).has_value());
}

void rates_are_the_fractions_that_are_meant(void**) {
  const auto is = [](double said, std::uint32_t num, std::uint32_t den) {
    return frame_rate_from(said) == FrameRate{num, den};
  };
  assert_true(is(29.97, 30000, 1001) && is(29.97002997, 30000, 1001));
  assert_true(is(23.976, 24000, 1001) && is(23.98, 24000, 1001) && is(59.94, 60000, 1001));
  assert_true(is(30, 30, 1) && is(25, 25, 1) && is(12.5, 25, 2) && is(14.985, 2997, 200));
  assert_false(frame_rate_from(0).known() || frame_rate_from(-1).known() ||
               frame_rate_from(std::nan("")).known() || frame_rate_from(1000).known());
  assert_string_equal(frame_rate_from(29.97).text().c_str(), "30000/1001");
  assert_string_equal(frame_rate_from(60).text().c_str(), "60");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_obs_sends),
      cmocka_unit_test(reads_every_form_of_message),
      cmocka_unit_test(keeps_out_what_cannot_be_true),
      cmocka_unit_test(passes_over_values_of_other_kinds),
      cmocka_unit_test(what_was_whole_counts),
      cmocka_unit_test(other_messages_are_none),
      cmocka_unit_test(rates_are_the_fractions_that_are_meant),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
