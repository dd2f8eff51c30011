#!/usr/bin/env python3
"""Measures rows of "Numbers to reach" and prints them as one table; see README.md."""
import argparse
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import time

from benchlib import catalog, live, processing, rows as rows_module, serving
from benchlib.servers import INGEST, OURS, RECORD
from benchlib.trial import HIGH, LOW, Machine, measure, sides

ALL_ROWS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 17, 18, 19, 20)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/run.sh", description=__doc__)
    parser.add_argument("--rows", default=",".join(map(str, ALL_ROWS)), help="which rows, e.g. 1,2,5")
    parser.add_argument("--rounds", type=int, default=3, help="trials of each side (3)")
    parser.add_argument("--seconds", type=float, default=5, help="of steady state in a trial (5)")
    parser.add_argument("--module", help="ngx_recording_module.so; 'none': measure the others only")
    parser.add_argument("--nginx", default=shutil.which("nginx", path=os.defpath + ":/usr/sbin:/sbin"))
    parser.add_argument("--rtmp-module", help="default: where this nginx keeps its modules")
    parser.add_argument("--port", type=int, default=19350, help="first of eleven (19350)")
    parser.add_argument("--work", required=True, help="on a real disk: recordings go here")
    parser.add_argument("--runtime", default=f"/dev/shm/recording-bench-{os.getpid()}")
    parser.add_argument("--publisher", required=True)
    parser.add_argument("--floor", required=True)
    settings = parser.parse_args()
    try:
        settings.rows = sorted({int(row) for row in settings.rows.split(",")})
    except ValueError:
        parser.error("--rows takes numbers: 1,2,5")
    if not set(settings.rows) <= set(ALL_ROWS) or settings.rounds < 1 or settings.seconds <= 0:
        parser.error("rows are 1 to 9, 11 and 17 to 20; rounds and seconds are positive")
    settings.work = pathlib.Path(settings.work).resolve()
    settings.media = settings.work / "media"
    settings.media.mkdir(parents=True, exist_ok=True)
    return settings


def find_modules(settings):
    if settings.nginx is None:
        sys.exit("no nginx; install it or give --nginx")
    flags = subprocess.run([settings.nginx, "-V"], capture_output=True, text=True).stderr
    settings.version = flags.splitlines()[0]
    if settings.rtmp_module is None:
        paths = [flag.split("=", 1)[1] for flag in flags.split() if flag.startswith("--modules-path=")]
        settings.rtmp_module = f"{paths[0] if paths else 'modules'}/ngx_rtmp_module.so"
    if settings.module in (None, "none") or not pathlib.Path(settings.module).exists():
        settings.module = None
    else:
        settings.module = str(pathlib.Path(settings.module).resolve())


def say(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def describe(settings):
    kind = subprocess.run(["stat", "-f", "-c", "%T", settings.work], capture_output=True, text=True)
    print(f"{settings.version}; {platform.release()}; {os.cpu_count()} cores; recordings on "
          f"{kind.stdout.strip()}; load {os.getloadavg()[0]:.2f}; {settings.rounds} rounds of "
          f"{settings.seconds:g} s")
    if kind.stdout.strip() == "tmpfs":
        print("WARNING: --work is on tmpfs: what a disk costs is not in these numbers")
    if os.getloadavg()[0] > 0.5 * (os.cpu_count() or 1):
        print("WARNING: the machine is busy with something else: expect wide spreads")
    if settings.module is None:
        print("WARNING: no ngx_recording_module.so: only nginx-rtmp is measured")


def attempt(number, measure_rows):
    """A row that cannot be measured takes no other with it."""
    try:
        return measure_rows()
    except RuntimeError as error:
        say(f"row {number} FAILED: {error}")
        return [rows_module.Row(number, "failed, see above", "-", "-", "-", "not measured")]


def run(settings):
    machine = Machine(settings)
    for clip in ("6M", "0.3M", "0.3M-bf3"):
        machine.clip(clip)
    for load in (HIGH, LOW):
        say(f"clip {load.clip}: {machine.bytes_per_second(load.clip) * 8 / 1e6:.2f} Mbit/s")
    wanted = settings.rows
    cells = rows_module.cells_for(wanted, settings.module is not None)
    cpu = rows_module.CpuTable(machine, measure(machine, cells, settings.rounds, say))
    table = []
    if 1 in wanted:
        for chunk in (4096, 65536):
            table.append(cpu.ratio("1", f"CPU while recording, {HIGH.title}, chunk {chunk}, "
                                   "against ingest only", HIGH, chunk, INGEST, 1.35))
    if 2 in wanted:
        table.append(cpu.ratio("2", f"CPU while recording, {HIGH.title}, against record all",
                               HIGH, 4096, RECORD, 0.55))
    if 3 in wanted:
        table.append(cpu.ratio("3", f"CPU while recording, {LOW.title}, against record all",
                               LOW, 4096, RECORD, 0.6))
    if 4 in wanted:
        table += attempt("4", lambda: [rows_module.write_calls(
            machine, sides(settings, RECORD, OURS), say)])
    if 5 in wanted:
        table.append(cpu.chunk_penalty())
    if 6 in wanted:
        table += attempt("6", lambda: rows_module.long_memory(
            machine, sides(settings, RECORD, OURS), say))
    if 7 in wanted:
        table.append(cpu.active_memory())
    if 8 in wanted:
        table += attempt("8", lambda: rows_module.index_bytes(
            machine, sides(settings, OURS), say))
    if settings.module and not {9, 11}.isdisjoint(wanted):
        table += attempt("9", lambda: serving.long_recording(machine, wanted, settings.rounds, say))
    if 17 in wanted:
        table += attempt("17", lambda: serving.loop_lag(
            machine, sides(settings, INGEST, OURS), say))
    if settings.module and 18 in wanted:
        table += attempt("18", lambda: live.rows(machine, settings.rounds, say))
    if settings.module and 19 in wanted:
        table += attempt("19", lambda: processing.rows(machine, settings.rounds, say))
    if settings.module and 20 in wanted:
        table += attempt("20", lambda: catalog.rows(machine, settings.rounds, say))
    return table


def print_table(table):
    heads = ("#", "what", "measured", "floor", "goal", "verdict")
    lines = [(row.number, row.what, row.value, row.floor, row.goal, row.verdict) for row in table]
    widths = [max(len(line[column]) for line in [heads, *lines]) for column in range(len(heads))]

    def show(cells):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + " |")

    show(heads)
    show(["-" * width for width in widths])
    for line in lines:
        show(line)
    print()
    for row in table:
        for detail in row.details:
            print(f"row {row.number}: {detail}")


def main():
    settings = parse_arguments()
    find_modules(settings)
    describe(settings)
    sys.stdout.flush()
    begin = time.monotonic()
    table = run(settings)
    print()
    print_table(table)
    print(f"\n{time.monotonic() - begin:.0f} s")
    # A missed goal is a result; numbers that mean nothing, or none, are a failure of the bench.
    return 1 if any(row.verdict.startswith(("INVALID", "not")) for row in table) else 0


if __name__ == "__main__":
    sys.exit(main())
