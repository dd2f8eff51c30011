"""Runs the integration tests: python3 -m tests.integration [-j JOBS] [-k PATTERN] [MODULE…]

Each class of tests runs in a process of its own, JOBS of them side by side; most of their time
they wait. A class that failed runs once more when all others have ended, for what only an overloaded
machine breaks; both outputs are shown, and how often that was. What tries random instants has no
second chance: what it finds is there, however seldom. The last line is the count; the exit status is
0 when nothing failed.
"""
import argparse
import ast
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# Begun first, so that no long one is left at the end.
LONGEST = ("test_hls", "test_live", "test_source_changes", "test_live_sources", "test_timestamps",
           "test_interruptions", "test_crash", "test_takeover", "test_refused", "test_kills",
           "test_recovery", "test_processing", "test_clock", "test_timeline", "test_divide", "test_power_loss",
           "test_player_page")

# Of these a failure counts, whatever the next run says.
RANDOM = ("test_crash", "test_kills", "test_power_loss", "test_takeover")


def parts_of(module):
    """The module's classes that have tests, found without importing it."""
    if "." in module:
        return [module]
    tree = ast.parse((HERE / f"{module}.py").read_text(encoding="utf-8"))
    return [f"{module}.{node.name}" for node in tree.body if isinstance(node, ast.ClassDef) and any(
        isinstance(part, ast.FunctionDef) and part.name.startswith("test") for part in node.body)]


def run_here(module, patterns, report):
    loader = unittest.TestLoader()
    loader.testNamePatterns = patterns or None
    suite = loader.loadTestsFromName(f"tests.integration.{module}")
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    failed = len({getattr(test, "test_case", test).id() for test, _ in result.failures + result.errors})
    skipped = len(result.skipped)
    pathlib.Path(report).write_text(json.dumps({
        "passed": max(0, result.testsRun - failed - skipped), "failed": failed,
        "skipped": skipped}), encoding="ascii")


def run_apart(part, patterns):
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report"
        command = [sys.executable, "-m", "tests.integration", "--report", str(report), part]
        for pattern in patterns or []:
            command += ["-k", pattern]
        began = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        counts = {"passed": 0, "failed": 1, "skipped": 0}  # when the process itself died
        if report.exists():
            counts = json.loads(report.read_text())
        return part, counts, done.stdout, time.monotonic() - began


def show(part, counts, output, seconds):
    if any(counts.values()):  # else there is no test of that name
        print(f"{part}: {counts['passed']} passed, {counts['failed']} failed, "
              f"{counts['skipped']} skipped in {seconds:.0f} s", flush=True)
    if counts["failed"]:
        print(output, flush=True)
    return part, counts


def main():
    parser = argparse.ArgumentParser(prog="python3 -m tests.integration")
    parser.add_argument("-j", "--jobs", type=int, default=min(12, 3 * (os.cpu_count() or 1)))
    parser.add_argument("-k", dest="patterns", action="append",
                        help="only tests whose name contains this")
    parser.add_argument("--without", action="append", default=[], metavar="MODULE")
    parser.add_argument("--report", help=argparse.SUPPRESS)
    parser.add_argument("modules", nargs="*", help="such as test_configuration; default: all")
    options = parser.parse_args()
    patterns = [p if "*" in p else f"*{p}*" for p in options.patterns or []]
    if options.report:
        run_here(options.modules[0], patterns, options.report)
        return 0

    modules = options.modules or sorted(path.stem for path in HERE.glob("test_*.py"))
    modules = sorted((module for module in modules if module not in options.without),
                     key=lambda name: LONGEST.index(name) if name in LONGEST else len(LONGEST))
    parts = [part for module in modules for part in parts_of(module)]
    counts_of, again = {}, []
    with concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as pool:
        futures = [pool.submit(run_apart, part, patterns) for part in parts]
        for future in concurrent.futures.as_completed(futures):
            part, counts_of[part] = show(*future.result())
            if counts_of[part]["failed"] and part.split(".")[0] not in RANDOM:
                again.append(part)
    for part in again:
        print(f"{part} once more, alone:", flush=True)
        part, counts_of[part] = show(*run_apart(part, patterns))
    total = {key: sum(counts[key] for counts in counts_of.values())
             for key in ("passed", "failed", "skipped")}
    if again:
        print(f"{len(again)} classes ran twice")
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
