"""Runs the integration tests: python3 -m tests.integration [-j JOBS] [-k PATTERN] [MODULE…]

Each test module runs in a process of its own, JOBS of them side by side. The last line is the
count; the exit status is 0 when nothing failed.
"""
import argparse
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


def run_apart(module, patterns):
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report"
        command = [sys.executable, "-m", "tests.integration", "--report", str(report), module]
        for pattern in patterns or []:
            command += ["-k", pattern]
        began = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        counts = {"passed": 0, "failed": 1, "skipped": 0}  # when the process itself died
        if report.exists():
            counts = json.loads(report.read_text())
        return module, counts, done.stdout, time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(prog="python3 -m tests.integration")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("-k", dest="patterns", action="append",
                        help="only tests whose name contains this")
    parser.add_argument("--report", help=argparse.SUPPRESS)
    parser.add_argument("modules", nargs="*", help="such as test_configuration; default: all")
    options = parser.parse_args()
    patterns = [p if "*" in p else f"*{p}*" for p in options.patterns or []]
    if options.report:
        run_here(options.modules[0], patterns, options.report)
        return 0

    modules = options.modules or sorted(path.stem for path in HERE.glob("test_*.py"))
    total = {"passed": 0, "failed": 0, "skipped": 0}
    with concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as pool:
        futures = [pool.submit(run_apart, module, patterns) for module in modules]
        for future in concurrent.futures.as_completed(futures):
            module, counts, output, seconds = future.result()
            for key, value in counts.items():
                total[key] += value
            print(f"{module}: {counts['passed']} passed, {counts['failed']} failed, "
                  f"{counts['skipped']} skipped in {seconds:.0f} s", flush=True)
            if counts["failed"]:
                print(output, flush=True)
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
