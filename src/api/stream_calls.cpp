#include <algorithm>
#include <utility>
#include <vector>

#include "api/calls.hpp"
#include "api/json.hpp"
#include "api/live_view.hpp"
#include "api/replies.hpp"
#include "api/request_fields.hpp"
#include "api/stream_json.hpp"
#include "recorder/stream_settings.hpp"

namespace recording::api {

namespace {

using catalog::Catalog;
using catalog::StreamRow;
using runtime::Setting;

Target named(const StreamRow& row) {
  Target target;
  target.app = row.app;
  target.name = row.name;
  return target;
}

Result<StreamRow> read_row(Catalog& rows, const Target& target) {
  return target.id ? rows.stream(*target.id) : rows.stream(target.app, target.name);
}

Json show(const Call& call, StreamView view) {
  const std::string app = view.row ? view.row->app : std::string(view.live->stream.app.view());
  view.application_auto_record = call.backend->application_auto_record(app);
  return stream_json(view, {call.request.rtmp_url, call.request.links});
}

// Answers with the row and what is live of it now.
void answer_with(const Call& call, int status, StreamRow row) {
  Result<std::optional<LiveStream>> live = find_live_stream(call.backend->state(), named(row));
  if (!live) {
    return call.done(failure(live.error()));
  }
  StreamView view;
  view.row = std::move(row);
  view.live = std::move(live).value();
  call.done(reply(status, show(call, std::move(view))));
}

// Tells the live record what the catalogue has kept, and its owner that there is news.
Status apply_to_live(Backend& backend, const StreamRow& row) {
  std::int32_t pid = 0;
  {
    Result<runtime::LiveState::Transaction> live = backend.state().begin();
    if (!live) {
      return std::move(live).error();
    }
    const std::int32_t index = live.value().find_stream(row.app, row.name);
    if (live.value().stream(index) == nullptr) {
      return ok();
    }
    runtime::StreamRecord& stream = live.value().edit_stream(index);
    recorder::keep_settings(stream, row);
    pid = stream.session.pid;
  }
  if (pid != 0) {
    backend.wake(pid);
  }
  return ok();
}

// The stream's record no longer stands for a row; it is the first to make room. Its fence stays.
Status forget_live(Backend& backend, const StreamRow& row) {
  Result<runtime::LiveState::Transaction> live = backend.state().begin();
  if (!live) {
    return std::move(live).error();
  }
  const std::int32_t index = live.value().find_stream(row.app, row.name);
  if (live.value().stream(index) == nullptr || live.value().stream(index)->stream_id != row.id) {
    return ok();
  }
  runtime::StreamRecord& stream = live.value().edit_stream(index);
  stream.stream_id = 0;
  stream.settings_known = 0;
  stream.auto_record = Setting::kInherit;
  stream.record_type = runtime::Recorded::kNotKnown;
  if (stream.session.id == 0 && stream.recording == runtime::kNone) {
    stream.wanted = 0;
    stream.last_used_ms = 1;
  }
  return ok();
}

void finish_change(const Call& call, int status, Result<StreamRow> row) {
  if (!row) {
    return call.done(catalog_failure(row.error()));
  }
  if (Status applied = apply_to_live(*call.backend, row.value()); !applied) {
    return call.done(failure(applied.error()));
  }
  answer_with(call, status, std::move(row).value());
}

// A page of the rows, after those live streams that have none.
struct StreamPage {
  std::vector<LiveStream> without_row;
  std::vector<StreamRow> rows;
};

Result<StreamPage> read_page(Catalog& rows, std::vector<LiveStream> candidates,
                             const PageRequest& request) {
  std::vector<LiveStream> without_row;
  for (LiveStream& live : candidates) {
    Result<StreamRow> row =
        rows.stream(std::string(live.stream.app.view()), std::string(live.stream.name.view()));
    if (!row && row.error().code != Errc::kNotFound) {
      return std::move(row).error();
    }
    if (!row) {
      without_row.push_back(std::move(live));
    }
  }
  const auto extra = static_cast<std::int64_t>(without_row.size());
  const std::int64_t first = std::min(request.offset(), extra);
  const std::int64_t last = std::min(request.offset() + request.per_page, extra);
  StreamPage page;
  page.without_row.assign(without_row.begin() + first, without_row.begin() + last);
  Result<std::vector<StreamRow>> listed =
      rows.streams(request.offset() - first, request.per_page - (last - first));
  if (!listed) {
    return std::move(listed).error();
  }
  page.rows = std::move(listed).value();
  return page;
}

void answer_page(const Call& call, StreamPage page) {
  Result<std::vector<std::optional<LiveStream>>> live =
      live_streams_of(call.backend->state(), page.rows);
  if (!live) {
    return call.done(failure(live.error()));
  }
  Json list = Json::array();
  for (LiveStream& stream : page.without_row) {
    list.push_back(show(call, {std::nullopt, std::move(stream), std::nullopt}));
  }
  for (std::size_t i = 0; i < page.rows.size(); ++i) {
    list.push_back(show(call, {page.rows[i], live.value()[i], std::nullopt}));
  }
  call.done(reply(200, list));
}

Error cannot_rename(const char* field) {
  return {Errc::kInvalidArgument,
          "bad_field: \"" + std::string(field) +
              "\" cannot be changed: it is what encoders publish to; add a stream of the new name"};
}

// `live`: the stream publishes, so it is given a row if it has none yet.
Result<StreamRow> write_change(Catalog& rows, const Target& target, const StreamChange& change,
                               bool live) {
  Result<StreamRow> row = read_row(rows, target);
  if (!row && row.error().code == Errc::kNotFound && live && !target.id) {
    row = rows.ensure_stream(target.app, target.name);
  }
  if (!row) {
    return row;
  }
  if (change.app && *change.app != row.value().app) {
    return cannot_rename("app");
  }
  if (change.name && *change.name != row.value().name) {
    return cannot_rename("name");
  }
  return rows.change_stream(row.value().id, change.patch);
}

// Why the stream cannot be deleted now; empty: it can.
std::optional<Response> refuse_deletion(const Call& call, const Target& target) {
  Result<std::optional<LiveStream>> live = find_live_stream(call.backend->state(), target);
  if (!live) {
    return failure(live.error());
  }
  if (live.value() && live.value()->live()) {
    return failure(
        409, "stream_live",
        "the stream is live or being recorded; stop the recording and the encoder first");
  }
  Result<bool> open = has_open_recording(call.backend->state(), target);
  if (!open) {
    return failure(open.error());
  }
  if (open.value()) {
    return failure(409, "stream_live",
                   "a recording of the stream is not finished yet; stop it, and try again once its "
                   "video is no longer pending");
  }
  return std::nullopt;
}

// Asked once more, as the live state may know the stream by its name but not by its id.
void delete_row(Call call, StreamRow row) {
  if (std::optional<Response> refusal = refuse_deletion(call, named(row))) {
    return call.done(std::move(*refusal));
  }
  Backend& backend = *call.backend;
  backend.catalog().write([id = row.id](Catalog& rows) { return rows.delete_stream(id); },
                          [call = std::move(call), row](Status deleted) {
                            if (!deleted) {
                              return call.done(catalog_failure(deleted.error()));
                            }
                            if (Status forgotten = forget_live(*call.backend, row); !forgotten) {
                              return call.done(failure(forgotten.error()));
                            }
                            call.done(no_content());
                          });
}

}  // namespace

void list_streams(Call call) {
  Result<PageRequest> page = parse_page(call.request.query);
  if (!page) {
    return call.done(failure(page.error()));
  }
  Backend& backend = *call.backend;
  Result<std::vector<LiveStream>> live = live_streams_without_id(backend.state());
  if (!live) {
    return call.done(failure(live.error()));
  }
  backend.catalog().read(
      [page = page.value(), live = std::move(live).value()](Catalog& rows) mutable {
        return read_page(rows, std::move(live), page);
      },
      [call = std::move(call)](Result<StreamPage> result) {
        if (!result) {
          return call.done(catalog_failure(result.error()));
        }
        answer_page(call, std::move(result).value());
      });
}

void add_stream(Call call) {
  Result<StreamRow> row = parse_new_stream(call.request.body, call.request.default_app);
  if (!row) {
    return call.done(failure(row.error()));
  }
  row.value().created_at = call.backend->clock().wall_ms();
  Backend& backend = *call.backend;
  backend.catalog().write(
      [row = std::move(row).value()](Catalog& rows) { return rows.add_stream(row); },
      [call = std::move(call)](Result<StreamRow> added) {
        finish_change(call, 201, std::move(added));
      });
}

void get_stream(Call call) {
  Backend& backend = *call.backend;
  const Target target = call.target;
  backend.catalog().read(
      [target](Catalog& rows) { return read_row(rows, target); },
      [call = std::move(call)](Result<StreamRow> row) {
        if (row) {
          return answer_with(call, 200, std::move(row).value());
        }
        if (row.error().code != Errc::kNotFound) {
          return call.done(catalog_failure(row.error()));
        }
        Result<std::optional<LiveStream>> live =
            find_live_stream(call.backend->state(), call.target);
        if (!live) {
          return call.done(failure(live.error()));
        }
        if (!live.value() || !live.value()->live()) {
          return call.done(catalog_failure(row.error()));
        }
        call.done(reply(200, show(call, {std::nullopt, std::move(live).value(), std::nullopt})));
      });
}

void change_stream(Call call) {
  Result<StreamChange> change = parse_stream_change(call.request.body);
  if (!change) {
    return call.done(failure(change.error()));
  }
  Backend& backend = *call.backend;
  Result<std::optional<LiveStream>> live = find_live_stream(backend.state(), call.target);
  if (!live) {
    return call.done(failure(live.error()));
  }
  const bool is_live = live.value() && live.value()->live();
  const Target target = call.target;
  backend.catalog().write(
      [target, change = std::move(change).value(), is_live](Catalog& rows) {
        return write_change(rows, target, change, is_live);
      },
      [call = std::move(call)](Result<StreamRow> row) {
        finish_change(call, 200, std::move(row));
      });
}

void delete_stream(Call call) {
  if (std::optional<Response> refusal = refuse_deletion(call, call.target)) {
    return call.done(std::move(*refusal));
  }
  Backend& backend = *call.backend;
  const Target target = call.target;
  backend.catalog().read([target](Catalog& rows) { return read_row(rows, target); },
                         [call = std::move(call)](Result<StreamRow> row) mutable {
                           if (!row) {
                             return call.done(catalog_failure(row.error()));
                           }
                           delete_row(std::move(call), std::move(row).value());
                         });
}

}  // namespace recording::api
