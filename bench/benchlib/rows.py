"""Rows 1 to 8: what each compares, and with what result."""
import dataclasses
import statistics
import time

from . import mp4_index, syscalls
from .publisher import Publisher
from .servers import INGEST, OURS, OURS_NO_SYNC, RECORD, Server
from .trial import HIGH, LOW

MB = 1e6
FAST = 600       # times real time, where the media's length and not the load is the point
GOP_SECONDS = 2


@dataclasses.dataclass
class Row:
    number: str
    what: str
    value: str            # ours
    floor: str
    goal: str
    verdict: str
    details: list = dataclasses.field(default_factory=list)


def verdict(value, goal, lost=0):
    if lost:
        return f"INVALID: {lost} samples lost"
    return "pass" if value <= goal else "MISS"


def spread(trials):
    costs = [trial.cpu_per_gb for trial in trials]
    return f"{statistics.median(costs):.2f} [{min(costs):.2f}..{max(costs):.2f}]"


def median_cost(trials):
    return statistics.median(trial.cpu_per_gb for trial in trials)


def span(values):
    return f"{min(values):.2f}..{max(values):.2f}"


class CpuTable:
    """The trials that the CPU rows share."""

    def __init__(self, machine, results):
        self.machine = machine
        self.results = results

    def cell(self, side, load, chunk):
        return self.results.get((side, load, chunk), [])

    def ratio(self, number, what, load, chunk, against, goal):
        ours, other = self.cell(OURS, load, chunk), self.cell(against, load, chunk)
        ingest, record = self.cell(INGEST, load, chunk), self.cell(RECORD, load, chunk)
        unsynced = self.cell(OURS_NO_SYNC, load, chunk)
        floor = (median_cost(ingest) + self.machine.floor(load)) / median_cost(other)
        details = [f"CPU s/GB, median [min..max] of {len(other)}: {title} {spread(trials)}"
                   for title, trials in (("ingest", ingest), ("record all", record), ("ours", ours),
                                         ("ours with recording_sync off", unsynced))
                   if trials]
        details.append(f"floor: ingest + one copy and one gathered write "
                       f"({self.machine.floor(load):.2f} CPU s/GB here)")
        if not ours:
            return Row(number, what, "-", f"{floor:.2f} x", f"<= {goal} x", "not measured", details)
        value = median_cost(ours) / median_cost(other)
        rounds = [a.cpu_per_gb / b.cpu_per_gb for a, b in zip(ours, other)]
        loop = statistics.median(trial.loop_per_gb for trial in ours)
        threads = statistics.median(trial.cpu_per_gb - trial.loop_per_gb for trial in ours)
        details.append(f"ours: event loop {loop:.2f}, its threads {threads:.2f} CPU s/GB")
        details.append(f"ratio in each round: {span(rounds)}")
        if unsynced:
            details.append(f"with recording_sync off: {median_cost(unsynced) / median_cost(other):.2f} x "
                           "(the others never force anything to disk)")
        lost = sum(abs(trial.lost) for trial in ours)
        return Row(number, what, f"{value:.2f} x", f"{floor:.2f} x", f"<= {goal} x",
                   verdict(value, goal, lost), details)

    def chunk_penalty(self):
        def added(side, pick):
            return [pick(self.cell(side, HIGH, chunk)) - pick(self.cell(INGEST, HIGH, chunk))
                    for chunk in (128, 65536)]

        def penalty(pair):
            # A side whose recording costs nothing measurable has no penalty to speak of.
            return pair[0] / pair[1] if pair[1] > 0 else float("inf")

        details, value, lost = [], None, 0
        for side in (OURS, RECORD):
            if not self.cell(side, HIGH, 128):
                continue
            small, large = added(side, median_cost)
            count = len(self.cell(side, HIGH, 128))
            rounds = [penalty(added(side, lambda trials, i=i: trials[i].cpu_per_gb))
                      for i in range(count)]
            details.append(f"{side}: recording adds {small:.2f} CPU s/GB at chunk 128, {large:.2f} at "
                           f"65536: {penalty((small, large)):.2f} x (rounds {span(rounds)})")
            if side == OURS:
                value = penalty((small, large))
                lost = sum(abs(trial.lost) for chunk in (128, 65536)
                           for trial in self.cell(OURS, HIGH, chunk))
        what = "what chunk 128 adds to recording's cost over 65536"
        if value is None:
            return Row("5", what, "-", "1.00 x", "<= 1.5 x", "not measured", details)
        return Row("5", what, f"{value:.2f} x", "1.00 x", "<= 1.5 x", verdict(value, 1.5, lost),
                   details)

    def active_memory(self):
        what = "memory of one active recording of 6 Mbit/s"
        fragment = self.machine.bytes_per_second(HIGH.clip) / MB
        floor = f"{fragment:.2f} MB"
        note = (f"growth from idle to {HIGH.title}, less the same growth of ingest, per stream; "
                "RssAnon + tmpfs (mapped or in files, the larger); floor: one fragment's media")
        ours, ingest = self.cell(OURS, HIGH, 4096), self.cell(INGEST, HIGH, 4096)
        if not ours:
            return Row("7", what, "-", floor, "<= 2 MB", "not measured", [note])

        def growth(trial, *keys):
            return sum(trial.active[key] - trial.idle[key] for key in keys) / HIGH.connections / MB

        def over_ingest(*keys):
            return (statistics.median(growth(trial, *keys) for trial in ours)
                    - statistics.median(growth(trial, *keys) for trial in ingest))

        mapped, files = over_ingest("anon", "shmem"), over_ingest("anon", "tmpfs")
        reserved = statistics.median(trial.idle["tmpfs"] for trial in ours) / MB
        value = max(mapped, files)
        details = [note, f"RssAnon {over_ingest('anon'):.2f} MB, with RssShmem {mapped:.2f}, with all "
                         f"tmpfs files {files:.2f}; reserved there before any stream: {reserved:.1f} MB",
                   f"ingest alone: {statistics.median(growth(t, 'anon', 'shmem') for t in ingest):.2f} "
                   "MB per stream"]
        lost = sum(abs(trial.lost) for trial in ours)
        return Row("7", what, f"{value:.2f} MB", floor, "<= 2 MB", verdict(value, 2, lost), details)


def write_calls(machine, sides, say):
    streams, seconds = 4, 12
    what = "write-like system calls per stream and 2 s GOP, all files"
    values, details = {}, []
    for side in sides:
        with Server(side, machine.settings) as server:
            with Publisher(machine.settings, server.port, machine.clip("6M"), streams) as publisher:
                publisher.wait_for("accepted")
                time.sleep(2 + 1.5)
                counts = syscalls.trace(server.worker, seconds, machine.settings.work)
                publisher.finish()
        if counts is None:
            return Row("4", what, "-", "2", "<= 4", "not measured: strace may not attach")
        per_gop = {key: count / streams / (seconds / GOP_SECONDS) for key, count in counts.items()}
        apart = ("sync", "head", "socket, pipe or eventfd")
        values[side] = sum(count for key, count in per_gop.items() if key not in apart)
        parts = ", ".join(f"{key} {count:.2f}" for key, count in sorted(per_gop.items()))
        details.append(f"{side}: {values[side]:.2f} ({parts}); {', '.join(apart)} are not counted")
        say(f"system calls: {details[-1]}")
    details.append("floor: one write for each fragment of 1 s")
    if OURS not in values:
        return Row("4", what, "-", "2", "<= 4", "not measured", details)
    # No write at all would not be a pass but a recording that does not happen.
    result = verdict(values[OURS], 4) if values[OURS] > 0 else "INVALID: nothing was written"
    return Row("4", what, f"{values[OURS]:.2f}", "2", "<= 4", result, details)


def long_memory(machine, sides, say):
    what = "memory of a recording at 4 h minus at 1 min"
    details = [f"one stream of 30 fps + AAC, sent at {FAST} x real time; growth of RssAnon + tmpfs "
               "(mapped or in files, the larger)"]
    value, ratio, lost = None, None, 0
    for side in sides:
        with Server(side, machine.settings) as server:
            options = ("--speed", FAST, "--pause", "60:3", "--duration", 4 * 3600, "--hold", 3)
            with Publisher(machine.settings, server.port, machine.clip("0.3M"),
                           options=options) as publisher:
                publisher.wait_for("pause")
                time.sleep(2)  # what was under way at the pause is written
                early = server.memory()
                publisher.wait_for("done")
                time.sleep(2)
                late = server.memory()
                sent = publisher.finish(stop=False)[1]["messages"]
            missing = sent - server.recorded_samples(1, timeout=30)
        grown = {key: (late[key] - early[key]) / MB for key in early}
        growth = grown["anon"] + max(grown["shmem"], grown["tmpfs"])
        details.append(f"{side}: {growth:+.2f} MB (RssAnon {grown['anon']:+.2f}, RssShmem "
                       f"{grown['shmem']:+.2f}, tmpfs files {grown['tmpfs']:+.2f}); {sent} samples "
                       f"sent, {missing} lost; RssAnon at 4 h {late['anon'] / MB:.1f} MB")
        say(f"4 h: {details[-1]}")
        if side == OURS:
            value, lost = growth, abs(missing)
            ratio = (late["anon"] + late["shmem"]) / (early["anon"] + early["shmem"])
    of_worker = "memory of a worker after 4 h of recorded media / after 1 min"
    if value is None:
        return [Row("6", what, "-", "0 MB", "<= 0.5 MB", "not measured", details)]
    return [Row("6", what, f"{value:.2f} MB", "0 MB", "<= 0.5 MB", verdict(value, 0.5, lost), details),
            Row("6", of_worker, f"{ratio:.3f} x", "1 x", "<= 1.05 x", verdict(ratio, 1.05, lost),
                ["RssAnon + RssShmem of the worker"])]


def index_bytes(machine, sides, say):
    if not sides:
        return [Row("8", "index bytes per stream-hour", "-", "-", "-", "not measured")]
    goals = {"0.3M": ("no B-frames", 1.25, 1.75), "0.3M-bf3": ("bf=3", 2.1, 2.2)}
    rows = []
    for clip, (title, moov_goal, fragments_goal) in goals.items():
        with Server(OURS, machine.settings) as server:
            options = ("--speed", FAST, "--duration", 3600)
            with Publisher(machine.settings, server.port, machine.clip(clip),
                           options=options) as publisher:
                publisher.wait_for("done")
                sent = publisher.finish(stop=False)[1]["messages"]
            lost = sent - server.recorded_samples(1, timeout=30)
            files = [mp4_index.read(path) for path in server.recordings()]
        if len(files) != 1 or not files[0]["finished"]:
            rows.append(Row("8", f"index bytes per stream-hour, {title}", "-", "-", "-",
                            f"INVALID: {len(files)} files, not one that is finished"))
            continue
        index = files[0]
        headers = index["moof"] + index["mdat_headers"]
        other = ", ".join(f"{kind} {size / MB:.2f}" for kind, size in sorted(index["other"].items()))
        details = [f"{index['samples']} samples, {index['fragments']} fragments; moof "
                   f"{index['moof'] / MB:.2f} MB, mdat headers {index['mdat_headers'] / MB:.2f}; beside "
                   f"them: {other} MB; floor: 4 bytes a sample in stsz, in trun"]
        floor = f"{index['samples'] * 4 / MB:.2f} MB"
        for part, size, goal in (("final moov", index["moov"], moov_goal),
                                 ("fragment headers", headers, fragments_goal)):
            rows.append(Row("8", f"{part} per stream-hour, {title}", f"{size / MB:.2f} MB", floor,
                            f"<= {goal} MB", verdict(size / MB, goal, abs(lost)), details))
            details = []
        say(f"index, {title}: moov {index['moov'] / MB:.2f} MB, headers {headers / MB:.2f} MB")
    return rows


def cells_for(rows, have_module):
    """The trials that the CPU rows need, each once; sides of one load next to each other."""
    wanted = {}
    needs = {1: [(INGEST, HIGH, 4096), (INGEST, HIGH, 65536), (OURS, HIGH, 4096), (OURS, HIGH, 65536)],
             2: [(side, HIGH, 4096) for side in (INGEST, RECORD, OURS)],
             3: [(side, LOW, 4096) for side in (INGEST, RECORD, OURS)],
             5: [(side, HIGH, chunk) for chunk in (128, 65536) for side in (INGEST, RECORD, OURS)],
             7: [(side, HIGH, 4096) for side in (INGEST, OURS)]}
    for row in rows:
        for cell in needs.get(row, []):
            if have_module or cell[0] != OURS:
                wanted[cell] = None
    order = {INGEST: 0, RECORD: 1, OURS: 2, OURS_NO_SYNC: 3}
    for side, load, chunk in list(wanted):
        if side == OURS and chunk == 4096 and not {1, 2, 3}.isdisjoint(rows):
            wanted[OURS_NO_SYNC, load, chunk] = None
    return sorted(wanted, key=lambda cell: (cell[1].connections, cell[2], order[cell[0]]))
