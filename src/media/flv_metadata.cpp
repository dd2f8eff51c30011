#include "media/flv_metadata.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>
#include <string_view>

#include "base/strings.hpp"

namespace recording::media {
namespace {

// AMF0 (Adobe, 2007), 2.1
enum Marker : std::uint8_t {
  kNumber = 0x00,
  kBoolean = 0x01,
  kString = 0x02,
  kObject = 0x03,
  kNull = 0x05,
  kUndefined = 0x06,
  kReference = 0x07,
  kEcmaArray = 0x08,
  kObjectEnd = 0x09,
  kStrictArray = 0x0A,
  kDate = 0x0B,
  kLongString = 0x0C,
  kUnsupported = 0x0D,
  kXmlDocument = 0x0F,
  kTypedObject = 0x10
};

constexpr std::size_t kMostBytes = 64 * 1024;
constexpr int kDeepest = 8;

std::string_view text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view short_string(ByteReader& in) { return text_of(in.bytes(in.u16())); }

// False: the bytes end in it, it is nested too deeply, or it goes on in AMF3.
bool skip_value(ByteReader& in, int depth);

// Up to and with its end: an empty name and the end marker (2.5, 2.10).
bool skip_members(ByteReader& in, int depth) {
  while (in.ok() && in.left() > 0) {
    const std::string_view name = short_string(in);
    if (name.empty() && in.left() > 0) {
      ByteReader ahead = in;
      if (ahead.u8() == kObjectEnd) {
        in.skip(1);
        return true;
      }
    }
    if (!skip_value(in, depth)) {
      return false;
    }
  }
  return false;
}

bool skip_value(ByteReader& in, int depth) {
  if (depth > kDeepest) {
    return false;
  }
  switch (in.u8()) {
    case kNumber:
      in.skip(8);
      break;
    case kBoolean:
      in.skip(1);
      break;
    case kString:
      (void)short_string(in);
      break;
    case kTypedObject:
      (void)short_string(in);
      return skip_members(in, depth + 1);
    case kObject:
      return skip_members(in, depth + 1);
    case kEcmaArray:
      in.skip(4);  // a count, which need not be true
      return skip_members(in, depth + 1);
    case kStrictArray:
      for (std::uint32_t left = in.u32(); left > 0; --left) {
        if (!skip_value(in, depth + 1)) {
          return false;
        }
      }
      break;
    case kNull:
    case kUndefined:
    case kUnsupported:
      break;
    case kReference:
      in.skip(2);
      break;
    case kDate:
      in.skip(10);
      break;
    case kLongString:
    case kXmlDocument:
      in.skip(in.u32());
      break;
    default:
      return false;
  }
  return in.ok();
}

struct Value {
  enum class Kind { kOther, kNumber, kBoolean, kString };
  Kind kind = Kind::kOther;
  double number = 0;
  std::string_view text;
};

// A value of those kinds, any other one passed over. False as above.
bool read_value(ByteReader& in, Value& value) {
  ByteReader here = in;
  const std::uint8_t marker = here.u8();
  if (marker == kNumber) {
    value.kind = Value::Kind::kNumber;
    value.number = std::bit_cast<double>(here.u64());
  } else if (marker == kBoolean) {
    value.kind = Value::Kind::kBoolean;
    value.number = here.u8() != 0 ? 1 : 0;
  } else if (marker == kString) {
    value.kind = Value::Kind::kString;
    value.text = short_string(here);
  }
  return skip_value(in, 0);
}

std::string shown(double number) {
  if (std::isnan(number)) {
    return "not a number";
  }
  if (std::abs(number) >= 1e15) {
    return number < 0 ? "far below zero" : "far too large";
  }
  std::string text = std::to_string(number);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') {
    text.pop_back();
  }
  return text;
}

// A number that an encoder may declare, with the bounds inside which it can be true.
struct NumberField {
  std::string_view name;
  double least, most;
  bool zero_is_silence;  // what encoders say of what they do not know
  void (*take)(FlvMetadata&, double);
};

std::int64_t bits(double kilobits) { return std::llround(kilobits * 1000); }

constexpr double kLargestSide = 16384;
constexpr double kMostKilobits = 1000000;

constexpr NumberField kNumberFields[] = {
    {"width", 1, kLargestSide, true,
     [](FlvMetadata& to, double value) { to.width = static_cast<std::uint32_t>(value); }},
    {"height", 1, kLargestSide, true,
     [](FlvMetadata& to, double value) { to.height = static_cast<std::uint32_t>(value); }},
    {"framerate", kLowestFrameRate, kHighestFrameRate, false,
     [](FlvMetadata& to, double value) { to.frame_rate = value; }},
    // By another name of older encoders: counts where the first is not there.
    {"fps", kLowestFrameRate, kHighestFrameRate, false,
     [](FlvMetadata& to, double value) { to.frame_rate = to.frame_rate.value_or(value); }},
    {"videodatarate", 0.001, kMostKilobits, true,
     [](FlvMetadata& to, double value) { to.video_bps = bits(value); }},
    {"audiodatarate", 0.001, kMostKilobits, true,
     [](FlvMetadata& to, double value) { to.audio_bps = bits(value); }},
    {"audiosamplerate", 1000, 768000, true,
     [](FlvMetadata& to, double value) {
       to.sample_rate = static_cast<std::uint32_t>(std::lround(value));
     }},
    {"audiochannels", 1, 255, true,
     [](FlvMetadata& to, double value) { to.channels = static_cast<std::uint16_t>(value); }},
};

void reject(FlvMetadata& metadata, std::string_view name, const std::string& why) {
  const std::string said = std::string(name) + " is " + why;
  const bool known =
      std::any_of(metadata.rejected.begin(), metadata.rejected.end(), [&](const std::string& one) {
        return one.compare(0, name.size() + 1, said, 0, name.size() + 1) == 0;
      });
  if (!known) {
    metadata.rejected.push_back(said);
  }
}

// True: it is one of them.
bool take_number(FlvMetadata& metadata, std::string_view name, const Value& value) {
  const auto* field = std::find_if(std::begin(kNumberFields), std::end(kNumberFields),
                                   [name](const NumberField& known) { return known.name == name; });
  if (field == std::end(kNumberFields)) {
    return false;
  }
  if (value.kind != Value::Kind::kNumber) {
    reject(metadata, name, "no number");
  } else if (value.number >= field->least && value.number <= field->most) {
    field->take(metadata, value.number);
  } else if (value.number != 0 || !field->zero_is_silence) {
    reject(metadata, name, shown(value.number));
  }
  return true;
}

// A number of FLV, or four letters, as a number or as text.
std::optional<std::uint32_t> codec_id(const Value& value) {
  if (value.kind == Value::Kind::kNumber && value.number >= 0 && value.number <= 4294967295.0) {
    return static_cast<std::uint32_t>(value.number);
  }
  if (value.kind == Value::Kind::kString && value.text.size() == 4) {
    std::uint32_t code = 0;
    for (const char c : value.text) {
      code = code << 8 | static_cast<std::uint8_t>(c);
    }
    return code;
  }
  return std::nullopt;
}

void take_field(FlvMetadata& metadata, std::string_view name, const Value& value) {
  constexpr std::size_t kLongestEncoder = 128;
  if (take_number(metadata, name, value)) {
    return;
  }
  if (name == "videocodecid") {
    metadata.video_codec_id = codec_id(value);
  } else if (name == "audiocodecid") {
    metadata.audio_codec_id = codec_id(value);
  } else if (name == "stereo" && value.kind == Value::Kind::kBoolean && !metadata.channels) {
    metadata.channels = static_cast<std::uint16_t>(value.number != 0 ? 2 : 1);
  } else if (name == "encoder" && value.kind == Value::Kind::kString) {
    metadata.encoder = to_valid_utf8(value.text.substr(0, kLongestEncoder));
    while (metadata.encoder->size() > kLongestEncoder || !is_valid_utf8(*metadata.encoder)) {
      metadata.encoder->pop_back();
    }
  }
}

}  // namespace

std::optional<FlvMetadata> parse_metadata(ByteView message) {
  ByteReader in(message.first(std::min(message.size(), kMostBytes)));
  Value name;
  // An AMF3 data message begins with a byte that says that AMF0 follows.
  if (ByteReader first = in; first.u16() == kString) {
    in.skip(1);
  }
  if (!read_value(in, name)) {
    return std::nullopt;
  }
  if (name.text == "@setDataFrame" && !read_value(in, name)) {
    return std::nullopt;
  }
  const std::uint8_t container = in.u8();
  if (name.text != "onMetaData" || (container != kObject && container != kEcmaArray)) {
    return std::nullopt;
  }
  if (container == kEcmaArray) {
    in.skip(4);
  }
  FlvMetadata metadata;
  while (in.ok() && in.left() > 0) {
    const std::string_view field = short_string(in);
    Value value;
    if (!in.ok() || !read_value(in, value)) {
      break;  // the end, whose marker is no value; or what was whole before it counts
    }
    take_field(metadata, field, value);
  }
  return metadata;
}

}  // namespace recording::media
