"""A headless browser that plays what nginx serves, and tells how."""
import http.client
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import threading

from .wait import wait_for

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")

# Nothing of its own to do, and no click needed to play.
FIREFOX_PREFERENCES = """
user_pref("media.autoplay.default", 0);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("media.gmp-manager.updateEnabled", false);
"""


def command_of(browser, home, url):
    if browser == CHROMIUM:
        return [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--mute-audio",
                "--disable-background-networking", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-component-update", "--autoplay-policy=no-user-gesture-required",
                "--remote-debugging-port=0", f"--user-data-dir={home}", url]
    home.mkdir()
    (home / "user.js").write_text(FIREFOX_PREFERENCES, encoding="ascii")
    return [FIREFOX, "--headless", "--no-remote", "--profile", str(home), url]


def open_browser(test, browser, home, url):
    return subprocess.Popen(
        command_of(browser, home, url), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={**os.environ, "HOME": str(test.folder)},
        start_new_session=True)


def serve(test, handler, server, **state):
    """A site in front of nginx; what its handler keeps, and what its pages tell (`results`)."""
    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    site.daemon_threads = True
    site.nginx_port, site.results = server.http_port, []
    for name, value in state.items():
        setattr(site, name, value)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    test.addCleanup(site.server_close)
    test.addCleanup(site.shutdown)
    return site


class Player(http.server.BaseHTTPRequestHandler):
    """Serves the page; hands requests for the video on to nginx, ranges and all."""

    def do_GET(self):
        if self.path == "/video":
            upstream = http.client.HTTPConnection("127.0.0.1", self.server.nginx_port, timeout=20)
            headers = {"Range": self.headers["Range"]} if "Range" in self.headers else {}
            upstream.request("GET", self.server.video, headers=headers)
            reply = upstream.getresponse()
            self.server.ranges.append((headers.get("Range"), reply.status))
            self.send_response(reply.status)
            for name, value in reply.getheaders():
                if name.lower() in ("content-type", "content-range", "accept-ranges", "etag",
                                    "content-length"):
                    self.send_header(name, value)
            self.end_headers()
            try:
                shutil.copyfileobj(reply, self.wfile)
            except OSError:
                pass  # the browser has enough
            upstream.close()
            return
        body = self.server.page.encode() if self.path == "/" else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.results.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def play_page(test, page, server, slug, query="", browser=CHROMIUM):
    """What the page told after it had played /video, and the ranges that it asked for."""
    player = serve(test, Player, server, page=page, ranges=[],
                   video=f"/videos/{slug}/source.mp4{query}")
    home = test.folder / f"{pathlib.Path(browser).name}-{slug}{len(query)}"
    running = open_browser(test, browser, home, f"http://127.0.0.1:{player.server_port}/")
    try:
        result = wait_for(lambda: player.results, 90, "the browser has played")[0]
    finally:
        os.killpg(running.pid, 15)
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, 9)
            running.wait()
    return result, player.ranges


def of_quality(master, name):
    """The multivariant playlist with that quality alone."""
    front, *variants = master.split("#EXT-X-STREAM-INF:")
    return "#EXT-X-STREAM-INF:".join(
        [front, *(one for one in variants if one.split("\n")[1].startswith(f"{name}.m3u8"))])


class Embedding(Player):
    """A page of somebody's at "/", and nginx for all else, as if it were behind that site."""

    def do_GET(self):
        status, headers, body = 200, {"Content-Type": "text/html"}, self.server.page.encode()
        if self.path != "/":
            upstream = http.client.HTTPConnection("127.0.0.1", self.server.nginx_port, timeout=20)
            upstream.request("GET", self.path, headers={
                name: self.headers[name] for name in ("Range", "If-None-Match")
                if name in self.headers})
            reply = upstream.getresponse()
            status, body = reply.status, reply.read()
            if self.server.quality and self.path.endswith("/master.m3u8"):
                body = of_quality(body.decode(), self.server.quality).encode()
            headers = {name: value for name, value in reply.getheaders() if name.lower() in (
                "content-type", "content-security-policy", "location", "cache-control", "etag",
                "content-range", "accept-ranges")}
            self.server.asked.append((self.path, status))
            upstream.close()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass  # the browser has enough


def embed(test, page, server, quality=None):
    """The site with this page, which a browser shows until the test is over. Of `quality` alone."""
    site = serve(test, Embedding, server, page=page, asked=[], quality=quality)
    browser = open_browser(test, CHROMIUM, test.folder / f"chromium-{site.server_port}",
                           f"http://127.0.0.1:{site.server_port}/")

    def end():
        os.killpg(browser.pid, 9)
        browser.wait()
    test.addCleanup(end)
    return site
