#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "wire.hpp"

namespace rtmp_publisher {

// AMF0 values, as far as a publisher needs them (Action Message Format AMF 0, section 2).
void amf_string(Bytes& out, std::string_view text);
void amf_number(Bytes& out, double number);
void amf_null(Bytes& out);
void amf_object_begin(Bytes& out);
void amf_property(Bytes& out, std::string_view key, std::string_view text);
void amf_object_end(Bytes& out);

// What a server answered: `name` is "_result", "_error", "onStatus", …
struct ServerCommand {
  std::string name;
  double transaction = 0;
  std::optional<double> number;  // the first plain number after the transaction: a stream's id
  std::string level, code, description;
};

// nullopt: not a command message this publisher understands.
std::optional<ServerCommand> parse_command(ByteView body);

}  // namespace rtmp_publisher
