"""The console in Debian's Chromium, driven by playwright-core (tests/browser/driver.mjs)."""
import json
import os
import pathlib
import shutil
import subprocess

from .browser import CHROMIUM
from .nginx import ROOT
from .recording import RecordingTest
from .wait import wait_for

CONSOLE = """
    location /streaming/ { recording_api; }
    location /videos/ { recording_files; }
    location /console/ { recording_console; }
"""
BY_HAND = "live on; recording on; recording_min_duration 1s; recording_reconnect_window 30s; "
HOSTILE = "<img src=x onerror=alert(1)>"
ARABIC = "بث مباشر"

NODE = shutil.which("node")
_MODULES = ROOT / "build/browser"


def can_drive():
    return bool(CHROMIUM and NODE and shutil.which("npm"))


class Browser:
    """`browser("page.click", "text=Start")`: see driver.mjs. An error is an AssertionError."""

    def __init__(self, test):
        subprocess.run([ROOT / "tools/fetch_browser_driver.sh", _MODULES], check=True, timeout=120)
        self._process = subprocess.Popen(
            [NODE, ROOT / "tests/browser/driver.mjs", _MODULES, CHROMIUM], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, encoding="utf-8")
        test.addCleanup(self.close)

    def __call__(self, *call):
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"the browser ended at {call}")
        answer = json.loads(line)
        if "error" in answer:
            raise AssertionError(f"{call}: {answer['error']}")
        return answer["value"]

    def close(self):
        try:
            self._process.stdin.close()
            self._process.wait(30)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def see(self, text):
        """Waits until the text can be seen, and for nothing else."""
        self.until(f"document.body.innerText.includes({json.dumps(text)})")

    def until(self, expression):
        """Not with waitForFunction(), which the page's policy forbids."""
        wait_for(lambda: self("page.evaluate", expression), 20, expression, interval=0.1)

    def shoot(self, name):
        """For people, where CONSOLE_PICTURES names a folder."""
        folder = os.environ.get("CONSOLE_PICTURES")
        if folder:
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            self("page.screenshot", {"path": f"{folder}/{name}.png", "fullPage": True})


class ConsoleTest(RecordingTest):
    def browse(self, server, path="", options=None, root=None):
        browser = Browser(self)
        browser("open", {"viewport": {"width": 1280, "height": 900}, **(options or {})})
        browser("page.goto", (root or f"http://127.0.0.1:{server.http_port}/console/") + path)
        self.addCleanup(lambda: self.assertEqual(browser("told"), [], "what the page complains of"))
        return browser

    def text_of(self, browser, selector):
        return browser("page.innerText", selector)

    def wait_text(self, browser, selector, pattern):
        wait_for(lambda: pattern in self.text_of(browser, selector), 30,
                 f"{selector} shows {pattern!r}; it shows {self.text_of(browser, selector)!r}",
                 interval=0.1)
