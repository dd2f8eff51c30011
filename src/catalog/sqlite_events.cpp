#include "catalog/sqlite_events.hpp"

#include "base/strings.hpp"

namespace recording::catalog {

namespace {

// `next_at` of a delivery with an older one in front of it, in its stream and of its webhook. What
// waits like this is in no index, so that a long queue costs nothing.
constexpr std::int64_t kBehind = 9223372036854775807;

// The oldest of those that are in front and due. No claim and no pause is as long as an hour: what
// is due later is due by a clock that was wrong.
const char* const kFindDue =
    "SELECT event, stream, next_at FROM deliveries WHERE webhook = ?1 AND"
    " next_at <> 9223372036854775807 AND (next_at <= ?2 OR next_at > ?2 + 3600000)"
    " ORDER BY event LIMIT 1";

}  // namespace

// What the events of one stream have in common, whether it is known by its names or by its id.
Result<std::string> SqliteEvents::stream_of(const EventRow& event) {
  if (!event.stream.empty() || event.stream_id == 0) {
    return event.app + "/" + event.stream;
  }
  SqliteStatement names = database_.prepare("SELECT app, name FROM streams WHERE id = ?");
  names.integer(event.stream_id);
  Result<bool> found = names.step();
  if (!found) {
    return std::move(found).error();
  }
  return found.value() ? to_valid_utf8(names.get_bytes(0)) + "/" + to_valid_utf8(names.get_bytes(1))
                       : "#" + std::to_string(event.stream_id);
}

Status SqliteEvents::insert(const std::vector<EventRow>& events,
                            const std::vector<std::string>& webhooks) {
  if (webhooks.empty()) {
    return ok();  // nobody is to be told
  }
  for (const EventRow& event : events) {
    Result<std::string> stream = stream_of(event);
    if (!stream) {
      return std::move(stream).error();
    }
    SqliteStatement add = database_.prepare(
        "INSERT INTO events (id, created_at, body) VALUES (?, ?, ?)"
        " ON CONFLICT (id) DO NOTHING RETURNING number");
    add.text(event.id).integer(event.created_at).text(event.body);
    Result<bool> added = add.step();
    if (!added) {
      return std::move(added).error();
    }
    if (!added.value()) {
      continue;  // it was told before
    }
    const std::int64_t number = add.get_integer(0);
    RECORDING_TRY(add.finish());
    for (const std::string& webhook : webhooks) {
      SqliteStatement deliver = database_.prepare(
          "INSERT INTO deliveries (webhook, stream, event, attempts, next_at)"
          " SELECT ?1, ?2, ?3, 0, CASE WHEN EXISTS"
          "  (SELECT 1 FROM deliveries WHERE webhook = ?1 AND stream = ?2) THEN ?4 ELSE 0 END");
      deliver.text(webhook).text(stream.value()).integer(number).integer(kBehind);
      RECORDING_TRY(deliver.finish());
    }
  }
  return ok();
}

Status SqliteEvents::tell(const Tell& tell, const VideoRow& video) {
  const Outbox told = tell ? tell(video) : Outbox();
  return insert(told.events, told.webhooks);
}

Status SqliteEvents::add(const std::vector<EventRow>& events,
                         const std::vector<std::string>& webhooks) {
  SqliteTransaction transaction(database_);
  RECORDING_TRY(transaction.begin());
  RECORDING_TRY(insert(events, webhooks));
  return transaction.commit();
}

Result<std::optional<Delivery>> SqliteEvents::claim(const std::string& webhook, std::int64_t now_ms,
                                                    std::int64_t until_ms) {
  // Mostly nothing is due: that is found out without the lock.
  SqliteStatement due = database_.prepare(kFindDue);
  due.text(webhook).integer(now_ms);
  Result<bool> found = due.step();
  if (!found) {
    return std::move(found).error();
  }
  if (!found.value()) {
    return std::optional<Delivery>();
  }
  Delivery delivery;
  delivery.event = due.get_integer(0);
  delivery.stream = due.get_bytes(1);
  SqliteStatement claim = database_.prepare(
      "UPDATE deliveries SET attempts = attempts + 1, next_at = ? WHERE webhook = ? AND stream = ?"
      " AND event = ? AND next_at = ? RETURNING attempts - 1");
  claim.integer(until_ms)
      .text(webhook)
      .text(delivery.stream)
      .integer(delivery.event)
      .integer(due.get_integer(2));
  RECORDING_TRY(due.finish());
  Result<bool> claimed = claim.step();
  if (!claimed) {
    return std::move(claimed).error();
  }
  if (!claimed.value()) {
    return std::optional<Delivery>();  // somebody else was faster
  }
  delivery.attempts = static_cast<int>(claim.get_integer(0));
  RECORDING_TRY(claim.finish());
  SqliteStatement event = database_.prepare("SELECT created_at, body FROM events WHERE number = ?");
  event.integer(delivery.event);
  Result<bool> there = event.step();
  if (!there) {
    return std::move(there).error();
  }
  if (!there.value()) {
    return Error{Errc::kCorrupt, "the catalogue has a delivery without its event"};
  }
  delivery.created_at = event.get_integer(0);
  delivery.body = event.get_bytes(1);
  return std::optional<Delivery>(std::move(delivery));
}

// Within a transaction: what is counted is what happened.
Status SqliteEvents::count(const char* what, std::int64_t more) {
  SqliteStatement add = database_.prepare("UPDATE counters SET next = next + ? WHERE name = ?");
  add.integer(more).text(what);
  return add.finish();
}

Status SqliteEvents::delivered(const std::string& webhook, const Delivery& delivery) {
  SqliteTransaction transaction(database_);
  RECORDING_TRY(transaction.begin());
  SqliteStatement done =
      database_.prepare("DELETE FROM deliveries WHERE webhook = ? AND stream = ? AND event = ?");
  done.text(webhook).text(delivery.stream).integer(delivery.event);
  RECORDING_TRY(done.finish());
  SqliteStatement next = database_.prepare(
      "UPDATE deliveries SET next_at = 0 WHERE webhook = ?1 AND stream = ?2 AND next_at = ?3"
      " AND event = (SELECT min(event) FROM deliveries WHERE webhook = ?1 AND stream = ?2)");
  next.text(webhook).text(delivery.stream).integer(kBehind);
  RECORDING_TRY(next.finish());
  RECORDING_TRY(count("delivered", 1));
  return transaction.commit();
}

Status SqliteEvents::failed(const std::string& webhook, const Delivery& delivery,
                            std::int64_t next_ms, const std::string& error) {
  SqliteTransaction transaction(database_);
  RECORDING_TRY(transaction.begin());
  SqliteStatement later = database_.prepare(
      "UPDATE deliveries SET next_at = ?, error = ?"
      " WHERE webhook = ? AND stream = ? AND event = ?");
  later.integer(next_ms).text(error).text(webhook).text(delivery.stream).integer(delivery.event);
  RECORDING_TRY(later.finish());
  RECORDING_TRY(count("deliveries_not_taken", 1));
  return transaction.commit();
}

Result<std::vector<WebhookBacklog>> SqliteEvents::backlogs() {
  SqliteStatement waiting = database_.prepare(
      "SELECT webhook, waiting, coalesce(created_at, 0) FROM (SELECT webhook, count(*) AS waiting,"
      "  min(event) AS oldest FROM deliveries GROUP BY webhook)"
      " LEFT JOIN events ON number = oldest ORDER BY webhook");
  Result<std::vector<WebhookBacklog>> backlogs = waiting.all([](const SqliteStatement& from) {
    WebhookBacklog backlog;
    backlog.webhook = from.get_bytes(0);
    backlog.waiting = from.get_integer(1);
    backlog.oldest_at = from.get_integer(2);
    return backlog;
  });
  if (!backlogs) {
    return backlogs;
  }
  for (WebhookBacklog& backlog : backlogs.value()) {
    SqliteStatement failed = database_.prepare(
        "SELECT id, body, created_at, attempts, next_at, error FROM deliveries"
        " JOIN events ON number = event WHERE webhook = ? AND error <> '' ORDER BY event LIMIT 10");
    failed.text(backlog.webhook);
    auto failures = failed.all([](const SqliteStatement& from) {
      FailedDelivery failure;
      failure.event_id = from.get_bytes(0);
      failure.body = from.get_bytes(1);
      failure.created_at = from.get_integer(2);
      failure.attempts = from.get_integer(3);
      failure.next_at = from.get_integer(4);
      failure.error = from.get_bytes(5);
      return failure;
    });
    if (!failures) {
      return std::move(failures).error();
    }
    backlog.failures = std::move(failures).value();
  }
  return backlogs;
}

Result<std::int64_t> SqliteEvents::prune(std::int64_t happened_before_ms) {
  SqliteTransaction transaction(database_);
  RECORDING_TRY(transaction.begin());
  SqliteStatement give_up = database_.prepare(
      "DELETE FROM deliveries WHERE event IN (SELECT number FROM events WHERE created_at < ?)");
  give_up.integer(happened_before_ms);
  RECORDING_TRY(give_up.finish());
  const std::int64_t given_up = database_.changes();
  if (given_up > 0) {
    // Whatever stands in front of its stream now.
    SqliteStatement next = database_.prepare(
        "UPDATE deliveries AS first SET next_at = 0 WHERE next_at = ?1 AND event = (SELECT"
        " min(event) FROM deliveries WHERE webhook = first.webhook AND stream = first.stream)");
    next.integer(kBehind);
    RECORDING_TRY(next.finish());
  }
  RECORDING_TRY(count("deliveries_given_up", given_up));
  // Those that are delivered stay as long as the others: that they were told is remembered.
  SqliteStatement forget = database_.prepare("DELETE FROM events WHERE created_at < ?");
  forget.integer(happened_before_ms);
  RECORDING_TRY(forget.finish());
  RECORDING_TRY(transaction.commit());
  return given_up;
}

Result<WorkFigures> SqliteEvents::figures(WorkFigures of_jobs) {
  SqliteStatement statement = database_.prepare(
      "SELECT (SELECT count(*) FROM deliveries),"
      " (SELECT next FROM counters WHERE name = 'delivered'),"
      " (SELECT next FROM counters WHERE name = 'deliveries_not_taken'),"
      " (SELECT next FROM counters WHERE name = 'deliveries_given_up')");
  Result<bool> found = statement.step();
  if (!found) {
    return std::move(found).error();
  }
  of_jobs.deliveries_waiting = statement.get_integer(0);
  of_jobs.delivered = statement.get_integer(1);
  of_jobs.not_taken = statement.get_integer(2);
  of_jobs.given_up = statement.get_integer(3);
  return of_jobs;
}

}  // namespace recording::catalog
