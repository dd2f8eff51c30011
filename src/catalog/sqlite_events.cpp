#include "catalog/sqlite_events.hpp"

#include "base/strings.hpp"

namespace recording::catalog {

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
          " VALUES (?, ?, ?, 0, 0)");
      deliver.text(webhook).text(stream.value()).integer(number);
      RECORDING_TRY(deliver.finish());
    }
  }
  return ok();
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
  // Of SQLite's bare columns with min(): they are those of the row that has it.
  SqliteStatement due = database_.prepare(
      "UPDATE deliveries SET attempts = attempts + 1, next_at = ?"
      " WHERE (webhook, stream, event) IN ("
      "  SELECT webhook, stream, event FROM ("
      "   SELECT webhook, stream, min(event) AS event, next_at FROM deliveries"
      "   WHERE webhook = ? GROUP BY stream)"
      "  WHERE next_at <= ? ORDER BY event LIMIT 1)"
      " RETURNING event, stream, attempts - 1");
  due.integer(until_ms).text(webhook).integer(now_ms);
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
  delivery.attempts = static_cast<int>(due.get_integer(2));
  RECORDING_TRY(due.finish());

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
  RECORDING_TRY(count("delivered", 1));
  return transaction.commit();
}

Status SqliteEvents::failed(const std::string& webhook, const Delivery& delivery,
                            std::int64_t next_ms) {
  SqliteTransaction transaction(database_);
  RECORDING_TRY(transaction.begin());
  SqliteStatement later = database_.prepare(
      "UPDATE deliveries SET next_at = ? WHERE webhook = ? AND stream = ? AND event = ?");
  later.integer(next_ms).text(webhook).text(delivery.stream).integer(delivery.event);
  RECORDING_TRY(later.finish());
  RECORDING_TRY(count("deliveries_not_taken", 1));
  return transaction.commit();
}

Result<std::int64_t> SqliteEvents::prune(std::int64_t happened_before_ms) {
  SqliteTransaction transaction(database_);
  RECORDING_TRY(transaction.begin());
  SqliteStatement give_up = database_.prepare(
      "DELETE FROM deliveries WHERE event IN (SELECT number FROM events WHERE created_at < ?)");
  give_up.integer(happened_before_ms);
  RECORDING_TRY(give_up.finish());
  const std::int64_t given_up = database_.changes();
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
