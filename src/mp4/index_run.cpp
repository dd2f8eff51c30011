#include "mp4/index_run.hpp"

#include <algorithm>
#include <numeric>

namespace recording::mp4 {
namespace {

// Which samples are sync samples.
enum Keys : std::uint64_t { kAll = 0, kFirst = 1, kNone = 2, kListed = 3 };
constexpr std::uint64_t kHasCts = 4;  // or'ed to Keys

bool is_key(const RunView& run, std::size_t i) {
  return run.kind == media::TrackKind::kAudio || run.samples[i].key;
}

Keys keys_of(const RunView& run) {
  std::size_t keys = 0;
  for (std::size_t i = 0; i < run.samples.size(); ++i) {
    keys += is_key(run, i) ? 1 : 0;
  }
  if (keys == run.samples.size()) {
    return kAll;
  }
  if (keys == 0) {
    return kNone;
  }
  return keys == 1 && is_key(run, 0) ? kFirst : kListed;
}

// Pairs of (how many samples last so long, how long).
void encode_durations(Bytes& out, const RunView& run) {
  for (std::size_t i = 0; i < run.samples.size();) {
    std::size_t end = i + 1;
    while (end < run.samples.size() && run.duration(end) == run.duration(i)) {
      ++end;
    }
    put_varint(out, end - i);
    put_varint(out, run.duration(i));
    i = end;
  }
}

// Composition offsets are multiples of something big (a frame, a millisecond): their greatest
// common divisor, then the differences of the quotients.
void encode_cts(Bytes& out, const RunView& run) {
  std::uint32_t unit = 0;
  for (const Sample& sample : run.samples) {
    unit = std::gcd(unit, sample.cts);
  }
  put_varint(out, unit);
  std::int64_t before = 0;
  for (const Sample& sample : run.samples) {
    const std::int64_t value = sample.cts / unit;
    put_zigzag(out, value - before);
    before = value;
  }
}

// Distances from key to key, ended by 0.
void encode_key_list(Bytes& out, const RunView& run) {
  std::size_t before = 0;
  for (std::size_t i = 0; i < run.samples.size(); ++i) {
    if (is_key(run, i)) {
      put_varint(out, i + 1 - before);
      before = i + 1;
    }
  }
  put_varint(out, 0);
}

bool decode_durations(VarintReader& in, IndexedRun& run, std::int64_t dts) {
  for (std::size_t i = 0; i < run.samples.size();) {
    const std::uint64_t count = in.varint();
    const std::uint64_t duration = in.varint();
    if (!in.ok() || count == 0 || count > run.samples.size() - i || duration > kMaxStep) {
      return false;
    }
    for (const std::size_t end = i + static_cast<std::size_t>(count); i < end; ++i) {
      run.samples[i].dts = dts;
      dts += static_cast<std::int64_t>(duration);
    }
    run.last_duration = static_cast<std::uint32_t>(duration);
  }
  return dts <= kMaxDts;
}

bool decode_cts(VarintReader& in, IndexedRun& run) {
  const std::uint64_t unit = in.varint();
  std::int64_t value = 0;
  for (Sample& sample : run.samples) {
    const std::int64_t step = in.zigzag();
    if (!in.ok() || step < -kMaxStep || step > kMaxStep) {
      return false;
    }
    value += step;
    if (value < 0 || value > kMaxStep || unit > kMaxStep ||
        value * static_cast<std::int64_t>(unit) > kMaxStep) {
      return false;
    }
    sample.cts = static_cast<std::uint32_t>(value * static_cast<std::int64_t>(unit));
  }
  return true;
}

bool decode_key_list(VarintReader& in, IndexedRun& run) {
  std::uint64_t at = 0;
  while (const std::uint64_t step = in.varint()) {
    if (step > run.samples.size() - at) {
      return false;
    }
    at += step;
    run.samples[static_cast<std::size_t>(at) - 1].key = true;
  }
  return in.ok();
}

}  // namespace

void encode_run(Bytes& out, const RunView& run, std::int64_t next_dts) {
  const auto& samples = run.samples;
  const bool has_cts =
      std::any_of(samples.begin(), samples.end(), [](const Sample& s) { return s.cts != 0; });
  const Keys keys = keys_of(run);
  put_varint(out, keys | (has_cts ? kHasCts : 0));
  put_varint(out, samples.size());
  put_zigzag(out, samples.front().dts - next_dts);
  encode_durations(out, run);
  if (has_cts) {
    encode_cts(out, run);
  }
  if (keys == kListed) {
    encode_key_list(out, run);
  }
  for (const Sample& sample : samples) {
    put_varint(out, sample.size);
  }
}

bool decode_run(VarintReader& in, IndexedRun& run, std::int64_t next_dts) {
  const std::uint64_t flags = in.varint();
  const std::uint64_t count = in.varint();
  const std::int64_t step = in.zigzag();
  // Each sample has at least the byte of its size, so a forged count allocates little.
  if (!in.ok() || count == 0 || count > kMaxRunSamples || count > in.left() ||
      (flags & ~std::uint64_t{kListed | kHasCts}) != 0 || step < -kMaxDts || step > kMaxDts ||
      next_dts + step < 0 || next_dts + step > kMaxDts) {
    return false;
  }
  const std::uint64_t keys = flags & kListed;
  run.samples.assign(static_cast<std::size_t>(count), Sample{0, 0, 0, keys == kAll});
  run.samples.front().key = keys == kAll || keys == kFirst;
  if (!decode_durations(in, run, next_dts + step) ||
      ((flags & kHasCts) != 0 && !decode_cts(in, run)) ||
      (keys == kListed && !decode_key_list(in, run))) {
    return false;
  }
  for (Sample& sample : run.samples) {
    const std::uint64_t size = in.varint();
    if (size > kMaxMediaBytes) {
      return false;
    }
    sample.size = static_cast<std::uint32_t>(size);
  }
  return in.ok();
}

}  // namespace recording::mp4
