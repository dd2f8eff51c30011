// What comes out of the encoder's pipe, in pieces of any size, and what must not be believed.
#include <algorithm>
#include <cstdio>
#include <string>

#include "processing/encoded_movie.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using processing::EncodedMovie;
using processing::EncodedSample;

// As ffmpeg is run for renditions: two encoders of pictures, half a second.
constexpr char kCommand[] =
    "ffmpeg -v error -f lavfi -t 1 -i testsrc2=s=64x36:r=25 -filter_complex "
    "'[0:v]format=yuv420p,split=2[a][b]' -map '[a]' -map '[b]' -c:v libx264 -preset veryfast "
    "-enc_time_base 1:120000 -fps_mode passthrough -output_ts_offset 10 -avoid_negative_ts "
    "disabled "
    "-use_editlist 0 -video_track_timescale 120000 -movflags "
    "+empty_moov+default_base_moof+frag_discont+skip_trailer -frag_duration 500000 -f mp4 -";

const Bytes& movie() {
  static const Bytes bytes = [] {
    Bytes all;
    FILE* pipe = ::popen(kCommand, "r");
    std::uint8_t piece[4096];
    for (std::size_t size; (size = std::fread(piece, 1, sizeof piece, pipe)) > 0;) {
      put_bytes(all, {piece, size});
    }
    assert_int_equal(::pclose(pipe), 0);
    return all;
  }();
  return bytes;
}

struct Taken {
  std::vector<EncodedSample> samples;  // without their bytes
  std::size_t bytes = 0;
  bool ok = true;
  bool at_boundary = false;
};

Taken take(ByteView all, std::size_t piece) {
  EncodedMovie parser;
  Taken taken;
  for (std::size_t at = 0; at < all.size() && taken.ok; at += piece) {
    taken.ok = static_cast<bool>(parser.take(
        all.subspan(at, std::min(piece, all.size() - at)), [&](const EncodedSample& sample) {
          assert_true(sample.track < parser.tracks().size());
          taken.bytes += sample.bytes.size();
          taken.samples.push_back({sample.track, sample.dts, sample.pts, sample.key, {}});
          return ok();
        }));
  }
  taken.at_boundary = parser.at_boundary();
  return taken;
}

void samples_and_their_times(void**) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}, movie().size()}) {
    const Taken taken = take(movie(), piece);
    assert_true(taken.ok && taken.at_boundary);
    assert_int_equal(taken.samples.size(), 2 * 25);
    for (const std::size_t track : {0U, 1U}) {
      std::vector<std::int64_t> shown;
      std::int64_t before = 0;
      for (const EncodedSample& sample : taken.samples) {
        if (sample.track == track) {
          assert_int_equal(sample.key, shown.empty());
          assert_true(sample.dts > before && sample.dts <= sample.pts);
          before = sample.dts;
          shown.push_back(sample.pts);
        }
      }
      std::sort(shown.begin(), shown.end());
      for (std::size_t i = 0; i < shown.size(); ++i) {
        assert_int_equal(shown[i], 1200000 + static_cast<std::int64_t>(i) * 4800);
      }
    }
  }
}

void what_is_cut_off_is_noticed(void**) {
  const ByteView all(movie());
  for (std::size_t size = 0; size < all.size(); size += 97) {
    const Taken taken = take(all.first(size), 500);
    assert_true(taken.ok);
    assert_true(taken.samples.size() < 50);
  }
  assert_false(take(all.first(all.size() - 1), 500).at_boundary);
}

void what_is_damaged_is_refused_or_harmless(void**) {
  for (std::size_t at = 0; at < std::min<std::size_t>(movie().size(), 3000); ++at) {
    Bytes damaged = movie();
    damaged[at] ^= 0xFF;
    const Taken taken = take(damaged, 100000);
    assert_true(taken.bytes <= 2 * damaged.size());
  }
  assert_false(take(Bytes(16, 0), 16).ok);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(samples_and_their_times),
                              cmocka_unit_test(what_is_cut_off_is_noticed),
                              cmocka_unit_test(what_is_damaged_is_refused_or_harmless)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
