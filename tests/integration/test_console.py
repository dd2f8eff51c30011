"""The console, as people use it: in a browser, against a real nginx and encoder."""
import http.server
import json
import pathlib
import subprocess
import threading
import unittest

from tests.integration.support import Api, test_clip, wait_for
from tests.integration.support.console import (ARABIC, BY_HAND, CONSOLE, HOSTILE, Browser,
                                               ConsoleTest, can_drive)
from tests.integration.support.live import LIVE
from tests.integration.support.nginx import take_port
from tests.integration.support.recording import RecordingTest



def duration_of(path):
    out = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "json",
                          path], capture_output=True, check=True, timeout=60).stdout
    return float(json.loads(out)["format"]["duration"])


class Foreign(http.server.BaseHTTPRequestHandler):
    """Somebody else's site: an empty page."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Serving(RecordingTest):
    """What the location answers, without a browser."""

    def test_pages_are_found_below_any_prefix_and_kept(self):
        http = ("location /a/api/ { recording_api; } location /a/b/console { recording_console; } "
                "location /files/ { recording_files; }")
        api = Api(self.start_nginx(http=http).http_port)
        into = api.get("/a/b/console")
        self.assertEqual((into.status, into.headers["location"]), (302, "./console/"))
        page = api.get("/a/b/console/")
        self.assertEqual((page.status, page.headers["content-type"]), (200, "text/html; charset=utf-8"))
        policy = page.headers["content-security-policy"]
        for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'self'"):
            self.assertIn(part, policy)
        self.assertNotIn("unsafe", policy)
        text = page.body.decode()
        self.assertNotRegex(text, r"<script>|<style|style=|onclick|https?:")
        config = api.get("/a/b/console/config.json").json
        self.assertEqual(config, {"api": "./../../../a/api/", "files": "./../../../files/",
                                  "links": f"http://127.0.0.1:{api.port}/files/"})
        asset = text.split('src="')[1].split('"')[0]
        script = api.get(f"/a/b/console/{asset}")
        self.assertEqual(script.body, pathlib.Path("pages/console/main.js").read_bytes())
        self.assertEqual(script.headers["cache-control"], "public, max-age=31536000, immutable")
        # A page of another version gets what is there, and asks again next time.
        other = api.get("/a/b/console/assets/0123456789abcdef/main.js")
        self.assertEqual((other.body, other.headers["cache-control"]), (script.body, "no-cache"))
        same = api.request("GET", "/a/b/console/", headers={"If-None-Match": page.headers["etag"]})
        self.assertEqual((same.status, same.body), (304, b""))
        for path in ("assets/main.js", "assets/x/none.js", "assets/x/index.html", "none"):
            self.assertEqual(api.get(f"/a/b/console/{path}").status, 404, path)
        self.assertEqual(api.post("/a/b/console/", {}).status, 405)

    def test_another_server_may_have_the_files(self):
        port, claim = take_port()
        self.addCleanup(claim.close)
        http = ("location /api/ { recording_api; } location /console/ { recording_console; } } "
                f"server {{ listen 127.0.0.1:{port}; location /files/ {{ recording_files; }}")
        api = Api(self.start_nginx(http=http).http_port)
        config = api.get("/console/config.json").json
        self.assertEqual((config["api"], config["files"]), ("./../api/", None))

    def test_needs_an_api_in_its_server(self):
        server = self.make_nginx(http="location /console/ { recording_console; }")
        accepted, said = server.test()
        self.assertFalse(accepted)
        self.assertRegex(said, r'"recording_console" needs a location with "recording_api" in the '
                               r"same server, in .*nginx\.conf:\d+")


@unittest.skipUnless(can_drive(), "needs chromium and npm")
class Walk(ConsoleTest):
    def test_from_a_new_stream_to_a_deleted_video(self):
        server = self.start_nginx(application=BY_HAND + LIVE, workers=2, http=CONSOLE)
        browser = self.browse(server, options={
            "acceptDownloads": True, "permissions": ["clipboard-read", "clipboard-write"]})
        self.wait_text(browser, "main", "0 live")
        browser.see("Nothing is being recorded.")
        # Create.
        browser("page.click", "header >> text=Streams")
        browser.see("No streams yet.")
        browser("page.click", "text=New stream")
        self.assertEqual(browser("axe"), [], "a form")
        browser("page.fill", "#new-name", "walk")
        browser("page.click", "dialog >> text=Create")
        browser("page.waitForSelector", "dialog >> text=Created")
        self.assertEqual(browser("page.inputValue", "[aria-label='Server URL']"),
                         f"rtmp://127.0.0.1:{server.rtmp_port}/live")
        self.assertEqual(browser("page.inputValue", "[aria-label='Stream key']"), "walk")
        browser("page.click", "[aria-label='Copy: Stream key']")
        browser("page.waitForSelector", "text=Copied")
        self.assertEqual(browser("page.evaluate", "navigator.clipboard.readText()"), "walk")
        browser("page.click", "dialog >> text=Go to the stream")
        browser.see("Not live. Start the encoder to record by hand")
        self.assertTrue(browser("page.isDisabled", "[aria-label='Start record: walk']"))
        # Publish, record.
        publisher = self.publish(server, "walk")
        browser("page.waitForSelector", ".badge:visible")
        browser("page.waitForSelector", "iframe.player")
        browser("page.click", "[aria-label='Start record: walk']")
        self.wait_text(browser, ".state", "Recording.")
        wait_for(lambda: self.text_of(browser, ".control .timer") >= "0:03", 30, "the timer runs")
        browser.shoot("stream")
        # Interrupt, resume.
        publisher.kill()
        self.wait_text(browser, ".state", "Interrupted: goes on if the encoder is back within")
        left = self.text_of(browser, ".state")
        wait_for(lambda: self.text_of(browser, ".state") != left, 10, "the seconds run down")
        again = self.publish(server, "walk")
        self.wait_text(browser, ".state", "Recording.")
        wait_for(lambda: self.text_of(browser, ".control .timer") >= "0:07", 40, "it goes on")
        # Stop.
        browser("page.click", "[aria-label='Stop record: walk']")
        self.wait_text(browser, ".state", "Saved")
        again.stop()
        video = self.videos(server)[-1]
        self.assertEqual(len(self.videos(server)), 1)
        # The video: plays, tells of the interruption, gives a link and a clip.
        browser("page.click", "text=Stream Record: walk")
        self.wait_text(browser, "h1", "Stream Record: walk")
        where = ("document.querySelector('video.player') ?? "
                 "document.querySelector('iframe.player').contentDocument.querySelector('video')")
        browser.until(f"({where})?.readyState >= 1")
        browser("page.evaluate", f"(video => {{ video.muted = true; video.play(); }})({where})")
        browser.until(f"({where}).currentTime > 0.5")
        browser("page.hover", ".thing.gap")
        self.wait_text(browser, ".facts", "Interruption at ")
        self.assertEqual(browser("page.evaluate", "document.querySelectorAll('.thing.gap').length"), 1)
        browser("page.focus", ".thing.epoch")
        self.wait_text(browser, ".facts", "h264")
        link = browser("page.inputValue", "[aria-label='Download Source']")
        self.assertEqual(Api(server.http_port).get(link[link.index("/videos/"):]).status, 200)
        browser("page.click", "[aria-label='Copy: Download Source']")
        browser.until(f"navigator.clipboard.readText().then(text => text === {json.dumps(link)})")
        browser("page.evaluate", "document.querySelector('.track').scrollIntoView()")
        box = browser("page.evaluate", "(({x, y, width, height}) => ({x, y, width, height}))"
                      "(document.querySelector('.track').getBoundingClientRect())")
        middle = box["y"] + box["height"] / 2
        browser("page.mouse.move", box["x"] + box["width"] * 0.25, middle)
        browser("page.mouse.down")
        browser("page.mouse.move", box["x"] + box["width"] * 0.5, middle, {"steps": 5})
        browser("page.mouse.up")
        start, end = (float(browser("page.inputValue", f"#clip-{which}")) for which in ("from", "to"))
        whole = video["duration"] / 1000
        self.assertAlmostEqual(start, whole * 0.25, delta=0.3)
        self.assertAlmostEqual(end, whole * 0.5, delta=0.3)
        browser.shoot("video")
        clip = self.folder / "clip.mp4"
        name = browser("page.download", "text=Download clip", str(clip))
        self.assertEqual(name, f"clip-{video['id']}.mp4")
        # From the key frame before, one a second.
        self.assertGreaterEqual(duration_of(clip), end - start - 0.2)
        self.assertLess(duration_of(clip), end - start + 1.2)
        self.choose_by_keyboard(browser, whole)
        # Delete.
        browser("page.click", "text=Delete video")
        self.assertEqual(browser("axe"), [], "a question")
        browser("page.click", "dialog >> text=Cancel")
        self.assertEqual(len(self.videos(server)), 1)
        browser("page.click", "text=Delete video")
        browser("page.click", "dialog >> role=button[name='Delete']")
        browser.see("No video fits.")
        self.assertEqual(self.videos(server), [])

    def choose_by_keyboard(self, browser, whole):
        def clip():
            return tuple(float(browser("page.inputValue", f"#clip-{which}"))
                         for which in ("from", "to"))

        begins, ends = "[aria-label='Clip begins']", "[aria-label='Clip ends']"
        browser("page.press", begins, "Home")
        browser("page.press", ends, "End")
        start, end = clip()
        self.assertEqual(start, 0)
        self.assertAlmostEqual(end, whole, delta=0.1)
        for key in ("ArrowRight", "ArrowUp", "ArrowRight", "ArrowLeft", "Shift+ArrowRight"):
            browser("page.press", begins, key)
        browser("page.press", ends, "ArrowLeft")
        self.assertEqual(clip()[0], 2.1)
        self.assertAlmostEqual(clip()[1], whole - 1, delta=0.1)
        self.assertEqual(browser("page.getAttribute", begins, "aria-valuetext"), "0:02.100")
        self.assertEqual(browser("page.getAttribute", begins, "aria-valuenow"), "2.1")
        self.assertIn("from=2.1&to=", browser("page.getAttribute", "text=Download clip", "href"))
        # The end meets the beginning, and takes it along.
        browser("page.press", ends, "Home")
        self.assertEqual(clip(), (0, 0))
        # The same as numbers.
        browser("page.fill", "#clip-from", "0.5")
        browser("page.fill", "#clip-to", "1.5")
        self.assertIn("from=0.5&to=1.5", browser("page.getAttribute", "text=Download clip", "href"))
        self.assertEqual(browser("page.getAttribute", ends, "aria-valuetext"), "0:01.500")

    def test_too_short(self):
        server = self.start_nginx(application=BY_HAND.replace("1s", "1h"), http=CONSOLE)
        self.publish(server, "brief")
        self.wait_live(server, "brief")
        browser = self.browse(server, "#/streams/live/brief")
        browser("page.click", "[aria-label='Start record: brief']")
        self.wait_text(browser, ".state", "Recording.")
        browser("page.click", "[aria-label='Stop record: brief']")
        self.wait_text(browser, ".state", "Too short: it was not kept.")

    def test_no_space_is_said(self):
        server = self.start_nginx(http=CONSOLE, application=BY_HAND,
                                  recording="storage @prefix@/data/videos; min_free 900000g;")
        self.publish(server, "full")
        self.wait_live(server, "full")
        browser = self.browse(server, "#/streams/live/full")
        browser("page.click", "[aria-label='Start record: full']")
        self.wait_text(browser, ".state", "No space")

    def test_names_are_text_everywhere(self):
        server = self.start_nginx(application=BY_HAND, http=CONSOLE)
        api = Api(server.http_port)
        for name in (HOSTILE, ARABIC):
            self.send(server, name, test_clip(seconds=30), "--speed", "1")
            stream = self.wait_live(server, name)
            api.put(f"streams/{stream['id']}/start_recording")
        browser = self.browse(server)
        for page in ("#/", "#/streams", "#/videos"):
            browser("page.goto", f"http://127.0.0.1:{server.http_port}/console/{page}")
            browser.see(HOSTILE)
            browser.see(ARABIC)
        for name in (HOSTILE, ARABIC):
            browser("page.goto", f"http://127.0.0.1:{server.http_port}/console/#/streams")
            browser("page.click", f"css=a.name:has-text({json.dumps(name, ensure_ascii=False)})")
            self.wait_text(browser, "h1", name)
            self.assertEqual(browser("page.inputValue", "[aria-label='Stream key']"), name)
            wait_for(lambda: self.text_of(browser, ".control .timer") >= "0:02", 30, "it is recorded")
            browser("page.click", ".control .stop")
            self.wait_text(browser, ".state", "Saved")
            browser("page.click", ".list a.name")
            self.wait_text(browser, "h1", name)
            browser("page.click", "text=Delete video")
            self.wait_text(browser, "dialog", name)
            browser("page.click", "dialog >> text=Cancel")
        self.assertEqual(browser("page.evaluate", "document.querySelectorAll('img[src=x]').length"), 0)

    def test_is_told_when_the_server_is_away(self):
        server = self.start_nginx(application=BY_HAND, http=CONSOLE)
        browser = self.browse(server)
        self.wait_text(browser, "#connection", "Connected")
        server.stop()
        self.wait_text(browser, "#connection", "Disconnected")
        server.start()
        self.wait_text(browser, "#connection", "Connected")
        self.publish(server, "back")
        self.wait_text(browser, "main", "1 live")
        server.reload()
        self.publish(server, "other")
        self.wait_text(browser, "main", "live")
        wait_for(lambda: "other" in json.dumps(Api(server.http_port).get("streams").json), 20,
                 "the new workers know it")
        browser("page.click", "header >> text=Streams")
        browser.see("other")

    def test_a_foreign_page_changes_nothing(self):
        server = self.start_nginx(application=BY_HAND, http=CONSOLE)
        self.publish(server, "cam")
        stream = self.wait_live(server, "cam")
        site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
        threading.Thread(target=site.serve_forever, daemon=True).start()
        self.addCleanup(site.server_close)
        self.addCleanup(site.shutdown)
        browser = Browser(self)
        browser("open", {})
        browser("page.goto", f"http://127.0.0.1:{site.server_port}/")
        api = f"http://127.0.0.1:{server.http_port}/streaming"
        one = f"{api}/streams/{stream['id']}"
        body = json.dumps({"name": "theirs", "app": "live"})
        for url, options in (
                (f"{one}/start_recording", {"method": "PUT"}),
                (f"{one}/start_recording", {"method": "POST", "mode": "no-cors"}),
                (one, {"method": "DELETE"}),
                (one, {"method": "PATCH", "headers": {"Content-Type": "application/json"},
                       "body": '{"auto_record":true}'}),
                (f"{api}/streams", {"method": "POST", "mode": "no-cors", "body": body}),
                (f"{api}/streams", {"method": "POST", "body": body,
                                    "headers": {"Content-Type": "application/json"}}),
                (f"{api}/streams", {})):
            answer = browser("page.evaluate",
                             f"fetch({json.dumps(url)}, {json.dumps(options)})"
                             ".then(reply => reply.type, error => 'refused')")
            self.assertEqual(answer, "opaque" if "mode" in options else "refused", (url, options))
        # Nor can a form.
        browser("page.setContent", f"<form method=post enctype=text/plain action='{api}/streams'>"
                f"<input name='{body[:-1]},\"client_entity_data\":\"' value='\"}}'><button>go</button></form>")
        browser("page.click", "button")
        browser.see("unsupported_media_type")
        streams = Api(server.http_port).get("streams").json
        self.assertEqual([(one["name"], one["recording"], one["auto_record"]) for one in streams],
                         [("cam", False, False)])
        # The console in a frame of theirs would let them guide a click.
        browser("page.goto", f"http://127.0.0.1:{site.server_port}/")
        browser("page.evaluate", "document.body.innerHTML = '<iframe src=\"http://127.0.0.1:"
                f"{server.http_port}/console/\"></iframe>'")
        wait_for(lambda: any("frame-ancestors" in one for one in browser("told")), 20,
                 "the browser refuses the frame")

    def test_accessible_and_small(self):
        server = self.start_nginx(application=BY_HAND + LIVE, http=CONSOLE)
        self.publish(server, "cam")
        stream = self.wait_live(server, "cam")
        api = Api(server.http_port)
        api.put(f"streams/{stream['id']}/start_recording")
        browser = self.browse(server)
        self.wait_text(browser, "main", "1 live")
        wait_for(lambda: (self.stream(server, "cam") or {"recording_duration": 0})["recording_duration"] > 5,
                 30, "something is recorded")
        first = browser("page.evaluate", "performance.getEntriesByType('resource')"
                        ".concat(performance.getEntriesByType('navigation'))"
                        ".reduce((sum, entry) => sum + entry.transferSize, 0)")
        self.assertLess(first, 150_000)
        video = api.put(f"streams/{stream['id']}/stop_recording").json["id"]
        wait_for(lambda: api.get(f"videos/{video}").json["status"] != "pending", 30, "it is finished")
        root = f"http://127.0.0.1:{server.http_port}/console/"
        for scheme, width in (("light", 1280), ("dark", 1280), ("light", 390)):
            browser("page.emulateMedia", {"colorScheme": scheme})
            browser("page.setViewportSize", {"width": width, "height": 844})
            for path, shown in (("#/", "in work, "), ("#/streams", "Auto-record"),
                                ("#/streams/live/cam", "Recordings"), ("#/videos", "Stream Record"),
                                (f"#/videos/{video}", "Links for the export")):
                browser("page.goto", root + path)
                browser.see(shown)
                self.assertEqual(browser("axe"), [], f"{path}, {scheme}, {width}")
                wide = browser("page.evaluate", "document.documentElement.scrollWidth")
                self.assertLessEqual(wide, width, f"{path} at {width} is wider")
                browser.shoot(f"{scheme}-{width}-{path.strip('#/').replace('/', '-') or 'overview'}")
