"""What the console tells by itself: what was, what fails, what is being made; also behind a proxy."""
import json
import unittest

from tests.integration.support import Api, test_clip, wait_for
from tests.integration.support.console import (ARABIC, BY_HAND, CONSOLE, HOSTILE, ConsoleTest,
                                               can_drive)
from tests.integration.support.nginx import take_port
from tests.integration.support.recording import AUTOMATIC
from tests.integration.support.webhooks import Receiver

# In front of the server, in another place.
PROXY = """} server {
    listen 127.0.0.1:PORT;
    location /tv/ {
        auth_basic people;
        auth_basic_user_file @prefix@/users;
        proxy_pass http://127.0.0.1:@http_port@/;
    }
"""
# What the bars of progress say, as often as they say something new.
PROGRESS = """(() => {
  window.progress = [];
  const look = () => {
    const bar = document.querySelector(".stack progress");
    if (bar && progress.at(-1) !== bar.value) progress.push(bar.value);
  };
  new MutationObserver(look).observe(document.querySelector("main"), {childList: true, subtree: true});
  look();
})()"""


@unittest.skipUnless(can_drive(), "needs chromium and npm")
class News(ConsoleTest):
    def test_sessions_are_listed(self):
        server = self.start_nginx(application=BY_HAND, http=CONSOLE)
        first = self.send(server, "cam", test_clip(seconds=30), "--speed", "1")
        self.wait_live(server, "cam")
        browser = self.browse(server, "#/streams/live/cam")
        self.wait_text(browser, ".history tbody tr:nth-child(1) td:last-child", "Live")
        first.kill()
        self.wait_text(browser, ".history tbody tr:nth-child(1)", "The connection was lost")
        self.wait_text(browser, ".history tbody tr:nth-child(1)", "h264 320×180 25 fps · aac 48000 Hz")
        second = self.publish(server, "cam")
        self.wait_text(browser, ".history tbody tr:nth-child(1)", "Live")
        self.wait_text(browser, ".history tbody tr:nth-child(2)", "The connection was lost")
        second.stop()
        self.wait_text(browser, ".history tbody tr:nth-child(1)", "The encoder said goodbye")
        told = Api(server.http_port).get("streams/live/cam/sessions").json
        self.assertEqual([one["end_reason"] for one in told], ["unpublished", "connection"])
        self.assertTrue(all(one["bytes"] > 1000 and not one["live"] for one in told), told)

    def test_a_delivery_that_failed_is_shown_with_why(self):
        receiver = Receiver()
        receiver.status = 503
        self.addCleanup(receiver.stop)
        server = self.start_nginx(
            application=BY_HAND, http=CONSOLE, recording="storage @prefix@/data/videos; "
            f"min_free 1m; worker 1; webhook {receiver.url}?token=hush secret=x;")
        browser = self.browse(server)
        self.wait_text(browser, "main", "All told")
        self.assertNotIn("Failed deliveries", self.text_of(browser, "main"))
        for name in (HOSTILE, ARABIC):
            self.send(server, name, test_clip(seconds=30), "--speed", "1")
        self.wait_text(browser, "main", "2 to tell")
        browser.see("Failed deliveries")
        failed = "section:has-text('Failed deliveries')"
        for words in (receiver.url, HOSTILE, ARABIC, "stream.started", "it answered 503",
                      "2 events wait", "Tried 2 times; next try"):
            self.wait_text(browser, failed, words)
        self.assertNotIn("hush", browser("page.content"))
        self.assertEqual(browser("axe"), [])
        browser.shoot("failed-deliveries")
        receiver.status = 200
        self.wait_text(browser, "main", "All told")
        wait_for(lambda: "Failed deliveries" not in self.text_of(browser, "main"), 20,
                 "the failures go", interval=0.1)
        self.assertEqual(receiver.types(), ["stream.started"] * 2)

    def test_a_quality_is_seen_to_be_made(self):
        server = self.start_nginx(
            application=AUTOMATIC, http=CONSOLE, worker=1,
            recording="storage @prefix@/data/videos; min_free 1m; "
                      "rendition 720p video=4m audio=64k;")
        self.send(server, HOSTILE, test_clip(seconds=12, size="1280x720"))
        video = wait_for(lambda: [one for one in self.videos(server)
                                  if one["status"] != "pending"], 30, "it is recorded")[0]
        self.assertEqual(video["status"], "viewable")
        browser = self.browse(server, f"#/videos/{video['id']}")
        browser.see("Links for the export")
        browser("page.evaluate", PROGRESS)
        wait_for(lambda: "Complete" in self.text_of(browser, ".stack"), 120, "it is complete",
                 interval=0.1)
        self.wait_text(browser, ".status", "Ready")
        seen = browser("page.evaluate", "progress")
        self.assertEqual(seen, sorted(set(seen)))
        self.assertGreaterEqual(len([value for value in seen if 0 < value < 100]), 2, seen)
        # And what else was made of it: a picture for both lists.
        for page, picture in (("#/videos", ".thumb"), ("#/streams", ".preview img")):
            browser("page.goto", f"http://127.0.0.1:{server.http_port}/console/{page}")
            browser.until(f"document.querySelector('{picture}')?.naturalWidth > 100")
            browser.see(HOSTILE)
            browser.shoot(f"pictures-{page.strip('#/')}")
        self.assertIn("Newest recording", self.text_of(browser, ".preview"))

    def test_behind_a_proxy_and_a_password(self):
        port, _claim = take_port()
        root = f"http://127.0.0.1:{port}/tv/"
        server = self.make_nginx(
            application=BY_HAND, http=CONSOLE + PROXY.replace("PORT", str(port)),
            recording=f"storage @prefix@/data/videos; min_free 1m; public_url {root.rstrip('/')};")
        (server.prefix / "users").write_text("anna:{PLAIN}secret\n", encoding="ascii")
        server.start()
        self.assertEqual(Api(port).get("/tv/streaming/events").status, 401)
        self.publish(server, "guarded")
        browser = self.browse(server, "#/streams/live/guarded", {
            "httpCredentials": {"username": "anna", "password": "secret"}}, root + "console/")
        self.wait_text(browser, "#connection", "Connected")
        browser("page.click", "[aria-label='Start record: guarded']")
        self.wait_text(browser, ".state", "Recording.")
        wait_for(lambda: self.text_of(browser, ".control .timer") >= "0:02", 30, "the timer runs")
        browser("page.click", "[aria-label='Stop record: guarded']")
        self.wait_text(browser, ".state", "Saved")
        browser("page.click", ".list a.name")
        browser.see("Links for the export")
        link = browser("page.inputValue", "[aria-label='Download Source']")
        self.assertTrue(link.startswith(root + "videos/"), link)
        playing = ("document.querySelector('iframe.player')?.contentDocument"
                   "?.querySelector('video')?.readyState >= 1")
        browser.until(playing)
        used = json.dumps(browser("page.evaluate", "performance.getEntriesByType('resource')"
                                  ".map(entry => entry.name)"))
        self.assertNotIn(f":{server.http_port}/", used)
