"""Row 20: how long a page of a large catalogue takes, whatever is asked for."""
import contextlib
import sqlite3
import statistics
import time

from .rows import Row, span, verdict
from .serving import MS, Client
from .servers import OURS, Server

VIDEOS = 100_000
STREAMS = 100
ROUNDS = 10  # of each round of the bench
OLDEST = "The very first"

# As recordings make them: nine of ten are ready, with two qualities each.
FILL = f"""
INSERT INTO streams (app, name, record_type, client_entity_data, created_at, started_at, finished_at)
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {STREAMS})
  SELECT CAST('live' AS BLOB), CAST('studio-' || i AS BLOB), 'origin', '', 0, 0, 0 FROM n;
INSERT INTO videos
  (id, stream_id, slug, name, status, error, duration_ms, origin_size, width, height, record_type,
   path, recording_started_at, recording_ended_at, transaction_id, sequence, last_sequence, uniform,
   recording_times, client_user_id, client_entity_data, created_at, updated_at, changed, poster,
   screenshots, sprite)
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {VIDEOS}),
  v AS (SELECT i, 1 + i % {STREAMS} AS stream, 1700000000000 + i * 60000 AS began,
               printf('%016x%016x', i * 2654435761 % 4294967296, i) AS slug FROM n)
  SELECT i, stream, slug,
         'Stream Record: studio-' || stream || ', ' ||
           strftime('%Y-%m-%dT%H:%M:%SZ', began / 1000 + 1800, 'unixepoch'),
         CASE i % 20 WHEN 0 THEN 'viewable' WHEN 1 THEN 'error' ELSE 'ready' END, '', 1800000,
         900000000, 1920, 1080, 'origin',
         CAST('live/studio-' || stream || '/' || slug AS BLOB), began, began + 1800000,
         slug, 1, 1, 1, '[[' || began || ',1800.0]]', 1 + i % 50, '', began,
         began, 0, 1, 10, 1 FROM v;
INSERT INTO renditions (slug, name, video_bps, audio_bps, width, height, size, duration_ms, progress,
                        status, error)
  SELECT slug, quality, 2800000, 128000, width, height, 500000000, duration_ms, 100, 'complete', ''
  FROM videos, (SELECT '720p' AS quality UNION ALL SELECT '480p') WHERE status = 'ready';
UPDATE videos SET name = '{OLDEST}' WHERE id = 1;
UPDATE counters SET next = {VIDEOS + 1} WHERE name = 'video_id';
"""

# What is asked, and how many videos the answer has.
READY = VIDEOS * 9 // 10
ASKED = {
    "first page": ("", 25),
    "first page, 100 videos": ("per_page=100", 100),
    "last page": (f"page={VIDEOS // 25}", 25),
    "last page of a status": (f"status=ready&page={READY // 25}", 25),
    "last page of a client": (f"client_user_id=7&page={VIDEOS // 50 // 25}", 25),
    "search, found last": (f"search={OLDEST.lower().replace(' ', '+')}", 1),
    "search, not found": ("search=nothing+like+it", 0),
    "search and status, not found": ("search=nothing+like+it&status=ready", 0),
}
# What is walked when nothing is found, with the least that can be asked of a name.
FLOOR = "SELECT count(*) FROM videos INDEXED BY videos_newest WHERE name = 'nothing like it'"

CHANGE = "UPDATE videos SET updated_at = updated_at + 1 WHERE id = ?"


def ask(client, what):
    query, count = ASKED[what]
    status, _, seconds, _, body = client.ask(f"/streaming/videos?{query}")
    if status != 200 or body.count(b'"slug":') != count:
        raise RuntimeError(f"{what}: {status} with {body[:200]}, not {count} videos")
    return seconds * MS


def walk(database):
    began = time.perf_counter()
    database.execute(FLOOR).fetchone()
    return (time.perf_counter() - began) * MS


def rows(machine, rounds, say):
    """Each is asked right after another process has changed something, for that takes away what the
    server had in memory, and once more."""
    changed, again = ({what: [] for what in ASKED} for _ in range(2))
    walks = []
    with Server(OURS, machine.settings, http=True) as server:
        client = Client(server.http_port)
        client.json("/streaming/videos")  # its tables have been made
        with contextlib.closing(sqlite3.connect(server.prefix / "catalog.db")) as database:
            database.execute("PRAGMA cache_size = -65536")
            database.executescript(f"BEGIN; {FILL} COMMIT; PRAGMA wal_checkpoint(TRUNCATE);")
            for number in range(rounds * ROUNDS):
                for what in ASKED:
                    with database:
                        database.execute(CHANGE, (number + 1,))
                    changed[what].append(ask(client, what))
                    again[what].append(ask(client, what))
                walk(database)
                walks.append(walk(database))
    middle = {what: statistics.median(times) for what, times in changed.items()}
    slowest = max(middle, key=middle.get)
    details = [f"{what}: median {middle[what]:.2f} ms ({span(changed[what])}); asked again, nothing "
               f"changed since: {statistics.median(again[what]):.2f} ({span(again[what])})"
               for what in ASKED]
    details.append("floor: SQLite walks the index of all names and compares each for equality")
    say(f"pages of {VIDEOS} videos: slowest is {slowest}, {middle[slowest]:.2f} ms")
    return [Row("20", f"any page of {VIDEOS:,} videos; slowest: {slowest}",
                f"{middle[slowest]:.1f} ms", f"{statistics.median(walks):.1f} ms", "< 20 ms",
                verdict(middle[slowest], 20), details)]
