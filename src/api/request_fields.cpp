#include "api/request_fields.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/url.hpp"

namespace recording::api {

namespace {

constexpr std::int64_t kMaxPage = 1'000'000'000;
constexpr std::int64_t kMaxPerPage = 100;
constexpr std::size_t kMaxStreamName = 255;  // nginx-rtmp-module keeps no more of a name
constexpr std::size_t kMaxVideoName = 1024;
constexpr std::size_t kMaxIds = 1000;

Error bad_field(std::string_view field, std::string_view what) {
  return {Errc::kInvalidArgument, "bad_field: \"" + std::string(field) + "\" " + std::string(what)};
}

Error bad_parameter(std::string_view name, std::string_view what) {
  return {Errc::kInvalidArgument, "bad_parameter: " + std::string(name) + " " + std::string(what)};
}

// The fields stand alone or inside {"stream": {…}}.
Result<Json> parse_fields_of(std::string_view body, const char* wrapper) {
  Result<Json> json = parse_object(body);
  if (!json) {
    return json;
  }
  const auto inner = json.value().find(wrapper);
  if (inner == json.value().end()) {
    return json;
  }
  if (!inner->is_object()) {
    return bad_field(wrapper, "must be an object");
  }
  return Json(*inner);
}

// Reads the optional fields of one object; the first fault is kept and the rest is skipped.
class FieldReader {
 public:
  explicit FieldReader(const Json& json) : json_(json) {}

  // Each gives whether the field is there and right; the value is then set, and empty for null.
  bool boolean_or_null(const char* field, std::optional<bool>& value) {
    return read(field, value, &Json::is_boolean, "must be true, false or null");
  }
  bool integer_or_null(const char* field, std::optional<std::int64_t>& value) {
    const auto found = json_.find(field);
    if (found != json_.end() && found->is_number_unsigned() &&
        found->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
      fault(bad_field(field, "is larger than 9223372036854775807"));
      return false;
    }
    return read(field, value, &Json::is_number_integer, "must be an integer or null");
  }
  bool text_or_null(const char* field, std::optional<std::string>& value) {
    return read(field, value, &Json::is_string, "must be a string or null");
  }
  // Empty: not there.
  std::optional<std::string> text(const char* field) {
    std::optional<std::string> value;
    if (text_or_null(field, value) && !value) {
      fault(bad_field(field, "must be a string"));
    }
    return value;
  }
  std::optional<std::string> record_type() {
    std::optional<std::string> value = text("record_type");
    if (value && *value != "origin" && *value != "transcoded") {
      fault(bad_field("record_type", "must be \"origin\" or \"transcoded\""));
    }
    return value;
  }
  // The two that belong to the caller; for all that has them.
  template <class Patch>
  void client_fields(Patch& patch) {
    std::optional<std::int64_t> id;
    if (integer_or_null("client_user_id", id)) {
      patch.client_user_id = id;
    }
    std::optional<std::string> data;
    if (text_or_null("client_entity_data", data)) {
      patch.client_entity_data = data.value_or("");
    }
  }
  void fault(Error error) {
    if (!error_) {
      error_ = std::move(error);
    }
  }
  std::optional<Error>& error() { return error_; }

 private:
  template <class T>
  bool read(const char* field, std::optional<T>& result, bool (Json::*is_type)() const noexcept,
            std::string_view what) {
    const auto found = json_.find(field);
    if (found == json_.end()) {
      return false;
    }
    result.reset();
    if (found->is_null()) {
      return true;
    }
    if (!((*found).*is_type)()) {
      fault(bad_field(field, what));
      return false;
    }
    result = found->template get<T>();
    return true;
  }

  const Json& json_;
  std::optional<Error> error_;
};

// What an encoder can publish to: nginx-rtmp-module takes what follows '?' for arguments.
std::optional<Error> check_published_name(const char* field, const std::string& value) {
  if (value.empty() || value.size() > kMaxStreamName) {
    return bad_field(field, "must have 1 to 255 bytes");
  }
  if (value.find('\0') != std::string::npos || value.find('?') != std::string::npos) {
    return bad_field(field, "must not contain '?' or a zero byte: no encoder could publish to it");
  }
  return std::nullopt;
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> items;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    if (comma > at) {
      items.push_back(text.substr(at, comma - at));
    }
    at = comma + 1;
  }
  return items;
}

Result<std::int64_t> integer_parameter(const std::string& name, const std::string& value,
                                       std::int64_t least, std::int64_t most) {
  const std::optional<std::int64_t> number = parse_integer(value);
  if (!number || *number < least || *number > most) {
    return bad_parameter(
        name, "must be an integer from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return *number;
}

Result<Query> checked_query(std::string_view query) {
  std::optional<Query> parameters = parse_query(query);
  if (!parameters) {
    return Error{Errc::kInvalidArgument,
                 "bad_parameter: the query has a '%' without two hex digits"};
  }
  return std::move(*parameters);
}

Status apply_page(PageRequest& page, const std::string& name, const std::string& value) {
  if (name != "page" && name != "per_page") {
    return ok();
  }
  Result<std::int64_t> number =
      integer_parameter(name, value, 1, name == "page" ? kMaxPage : kMaxPerPage);
  if (!number) {
    return std::move(number).error();
  }
  (name == "page" ? page.page : page.per_page) = number.value();
  return ok();
}

// Those that no video has are left alone: the original's videos have more.
void apply_fields(std::vector<std::string>& fields, const std::string& value) {
  for (std::string& field : split_list(value)) {
    fields.push_back(std::move(field));
  }
}

Status apply_ids(std::vector<std::int64_t>& ids, const std::string& value) {
  for (const std::string& item : split_list(value)) {
    const std::optional<std::int64_t> id = parse_integer(item);
    if (!id || ids.size() == kMaxIds) {
      return bad_parameter("id", "must be up to 1000 integers, separated by commas");
    }
    ids.push_back(*id);
  }
  return ok();
}

Status apply_status(std::string& status, const std::string& value) {
  constexpr std::array<std::string_view, 5> kStatuses = {"empty", "pending", "viewable", "ready",
                                                         "error"};
  if (!value.empty() && std::find(kStatuses.begin(), kStatuses.end(), value) == kStatuses.end()) {
    return bad_parameter("status", "must be empty, pending, viewable, ready or error");
  }
  status = value;
  return ok();
}

Status apply_video_parameter(VideoListRequest& request, const std::string& name,
                             const std::string& value) {
  if (name == "fields") {
    apply_fields(request.fields, value);
  }
  if (name == "id") {
    return apply_ids(request.filter.ids, value);
  }
  if (name == "status") {
    return apply_status(request.filter.status, value);
  }
  if (name == "search") {
    request.filter.search = value;
  }
  if (name == "stream_id" || name == "client_user_id") {
    const bool of_stream = name == "stream_id";
    Result<std::int64_t> id = integer_parameter(name, value, of_stream ? 0 : INT64_MIN, INT64_MAX);
    if (!id) {
      return std::move(id).error();
    }
    (of_stream ? request.filter.stream_id : request.filter.client_user_id) = id.value();
  }
  return apply_page(request.page, name, value);
}

}  // namespace

Result<PageRequest> parse_page(std::string_view query) {
  Result<Query> parameters = checked_query(query);
  if (!parameters) {
    return std::move(parameters).error();
  }
  PageRequest page;
  for (const auto& [name, value] : parameters.value()) {
    RECORDING_TRY(apply_page(page, name, value));
  }
  return page;
}

Result<VideoListRequest> parse_video_list(std::string_view query) {
  Result<Query> parameters = checked_query(query);
  if (!parameters) {
    return std::move(parameters).error();
  }
  VideoListRequest request;
  for (const auto& [name, value] : parameters.value()) {
    RECORDING_TRY(apply_video_parameter(request, name, value));
  }
  return request;
}

Result<std::vector<std::string>> parse_fields(std::string_view query) {
  Result<Query> parameters = checked_query(query);
  if (!parameters) {
    return std::move(parameters).error();
  }
  std::vector<std::string> fields;
  for (const auto& [name, value] : parameters.value()) {
    if (name == "fields") {
      apply_fields(fields, value);
    }
  }
  return fields;
}

Result<catalog::StreamRow> parse_new_stream(std::string_view body, const std::string& default_app) {
  Result<Json> json = parse_fields_of(body, "stream");
  if (!json) {
    return std::move(json).error();
  }
  FieldReader fields(json.value());
  catalog::StreamRow row;
  const std::optional<std::string> name = fields.text("name");
  row.name = name.value_or("");
  row.app = fields.text("app").value_or(default_app);
  (void)fields.boolean_or_null("auto_record", row.auto_record);
  row.record_type = fields.record_type().value_or("origin");
  fields.client_fields(row);
  if (!fields.error() && !name) {
    fields.fault(bad_field("name", "is missing: the name that encoders publish to"));
  }
  if (!fields.error() && row.app.empty()) {
    fields.fault(bad_field("app", "is needed: which rtmp application the stream belongs to"));
  }
  if (!fields.error()) {
    for (const auto& [field, value] : {std::pair("name", &row.name), std::pair("app", &row.app)}) {
      if (std::optional<Error> fault = check_published_name(field, *value)) {
        fields.fault(std::move(*fault));
      }
    }
  }
  if (fields.error()) {
    return std::move(*fields.error());
  }
  return row;
}

Result<StreamChange> parse_stream_change(std::string_view body) {
  Result<Json> json = parse_fields_of(body, "stream");
  if (!json) {
    return std::move(json).error();
  }
  FieldReader fields(json.value());
  StreamChange change;
  change.app = fields.text("app");
  change.name = fields.text("name");
  if (std::optional<bool> setting = false; fields.boolean_or_null("auto_record", setting)) {
    change.patch.auto_record = setting;
  }
  change.patch.record_type = fields.record_type();
  fields.client_fields(change.patch);
  if (fields.error()) {
    return std::move(*fields.error());
  }
  return change;
}

Result<std::string> parse_new_rendition(std::string_view body) {
  Result<Json> json = parse_fields_of(body, "rendition");
  if (!json) {
    return std::move(json).error();
  }
  FieldReader fields(json.value());
  std::optional<std::string> name = fields.text("name");
  if (!name && !fields.error()) {
    fields.fault(bad_field("name", "must be given: the name of a quality, such as 480p"));
  }
  if (fields.error()) {
    return std::move(*fields.error());
  }
  return std::move(*name);
}

Result<catalog::VideoPatch> parse_video_change(std::string_view body) {
  Result<Json> json = parse_fields_of(body, "video");
  if (!json) {
    return std::move(json).error();
  }
  FieldReader fields(json.value());
  catalog::VideoPatch patch;
  patch.name = fields.text("name");
  if (patch.name && (patch.name->empty() || patch.name->size() > kMaxVideoName)) {
    fields.fault(bad_field("name", "must have 1 to 1024 bytes"));
  }
  fields.client_fields(patch);
  if (fields.error()) {
    return std::move(*fields.error());
  }
  return patch;
}

}  // namespace recording::api
