#include "amf.hpp"

#include <bit>

namespace rtmp_publisher {
namespace {

enum Marker : std::uint8_t {
  kNumber = 0,
  kBoolean = 1,
  kString = 2,
  kObject = 3,
  kNull = 5,
  kUndefined = 6,
  kEcmaArray = 8,
  kObjectEnd = 9,
};

void put_text(Bytes& out, std::string_view text) {
  put_be(out, text.size(), 2);
  put_bytes(out, as_bytes(text));
}

// Reads one command; every read says false at the end of the bytes.
class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}

  [[nodiscard]] bool done() const { return bytes_.empty(); }

  bool marker(std::uint8_t& value) {
    if (bytes_.empty()) {
      return false;
    }
    value = bytes_[0];
    bytes_ = bytes_.subspan(1);
    return true;
  }

  bool number(double& value) {
    if (bytes_.size() < 8) {
      return false;
    }
    value = std::bit_cast<double>(get_be(bytes_.data(), 8));
    bytes_ = bytes_.subspan(8);
    return true;
  }

  bool text(std::string& value) {
    if (bytes_.size() < 2) {
      return false;
    }
    const auto length = static_cast<std::size_t>(get_be(bytes_.data(), 2));
    if (bytes_.size() < 2 + length) {
      return false;
    }
    value.assign(reinterpret_cast<const char*>(bytes_.data()) + 2, length);
    bytes_ = bytes_.subspan(2 + length);
    return true;
  }

  bool skip(std::size_t count) {
    if (bytes_.size() < count) {
      return false;
    }
    bytes_ = bytes_.subspan(count);
    return true;
  }

 private:
  ByteView bytes_;
};

bool read_object(Reader& reader, ServerCommand& command);

// Keeps nothing of a value but what `command` has a place for.
bool read_value(Reader& reader, ServerCommand& command, std::string_view key) {
  std::uint8_t marker = 0;
  if (!reader.marker(marker)) {
    return false;
  }
  switch (marker) {
    case kNumber: {
      double value = 0;
      if (!reader.number(value)) {
        return false;
      }
      if (key.empty() && !command.number) {
        command.number = value;
      }
      return true;
    }
    case kBoolean:
      return reader.skip(1);
    case kString: {
      std::string value;
      if (!reader.text(value)) {
        return false;
      }
      if (key == "level") {
        command.level = value;
      } else if (key == "code") {
        command.code = value;
      } else if (key == "description") {
        command.description = value;
      }
      return true;
    }
    case kNull:
    case kUndefined:
      return true;
    case kEcmaArray:
      return reader.skip(4) && read_object(reader, command);
    case kObject:
      return read_object(reader, command);
    default:
      return false;
  }
}

bool read_object(Reader& reader, ServerCommand& command) {
  for (std::string key;;) {
    if (!reader.text(key)) {
      return false;
    }
    if (key.empty()) {
      return reader.skip(1);  // the object-end marker
    }
    // Servers nest no objects; one that does is not followed.
    if (!read_value(reader, command, key)) {
      return false;
    }
  }
}

}  // namespace

void amf_string(Bytes& out, std::string_view text) {
  out.push_back(kString);
  put_text(out, text);
}

void amf_number(Bytes& out, double number) {
  out.push_back(kNumber);
  put_be(out, std::bit_cast<std::uint64_t>(number), 8);
}

void amf_null(Bytes& out) { out.push_back(kNull); }

void amf_object_begin(Bytes& out) { out.push_back(kObject); }

void amf_property(Bytes& out, std::string_view key, std::string_view text) {
  put_text(out, key);
  amf_string(out, text);
}

void amf_object_end(Bytes& out) {
  put_text(out, "");
  out.push_back(kObjectEnd);
}

std::optional<ServerCommand> parse_command(ByteView body) {
  Reader reader(body);
  ServerCommand command;
  std::uint8_t marker = 0;
  if (!reader.marker(marker) || marker != kString || !reader.text(command.name) ||
      !reader.marker(marker) || marker != kNumber || !reader.number(command.transaction)) {
    return std::nullopt;
  }
  while (!reader.done() && read_value(reader, command, "")) {
  }
  return command;
}

}  // namespace rtmp_publisher
