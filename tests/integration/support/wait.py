"""Waiting is polling a condition with a deadline; a test never sleeps for a guessed time."""
import time


# What takes a second on a quiet machine takes many beside a compiler; nobody waits longer for it.
PATIENCE = 4


def wait_for(condition, timeout=15.0, what=None, interval=0.02):
    """Returns the first true value of condition(); AssertionError after `timeout` seconds of a quiet machine."""
    timeout *= PATIENCE
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout} s still not: {what or condition.__name__}")
        time.sleep(interval)
