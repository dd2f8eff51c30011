"""The page that plays a video, as people use it: what can be seen of it, by mouse and by keyboard."""
import json
import signal
import time
import unittest

from tests.integration.support import Api, check_output, test_clip, wait_for
from tests.integration.support.browser import Player, serve
from tests.integration.support.changes import clip
from tests.integration.support.console import ConsoleTest, can_drive
from tests.integration.support.live import signed
from tests.integration.support.recording import AUTOMATIC

RETURNING = AUTOMATIC.replace("window 0", "window 3s")
SECRET = "not to be guessed"
# One colour each, to be told apart on the screen: of the first part's beginning and end, and of
# the second part, in which there is most to see.
FIRST = "drawbox=c=0x20a020:t=fill,drawbox=c=0xc02020:t=fill:enable='gte(t,2)'"
SECOND = "drawbox=c=0x2040c0:t=fill,drawbox=w=80:h=60:c=white:t=fill"
# The last picture is seen until 3.0333 s: between two milliseconds.
SECONDS, LENGTH = 3.03, 91 / 30
GREEN, RED, BLUE = "green", "red", "blue"
AXE = (("light", 1280), ("dark", 1280), ("light", 390))
AT = "document.querySelector('video').currentTime"
ASKED = ("poster.jpg", "sprite.vtt", "sprite.jpg", "chapters.vtt", "master.m3u8", "source.m3u8",
         "source.m4s")


def name_of(rgb):
    red, green, blue = rgb
    for name, one, others in ((RED, red, (green, blue)), (GREEN, green, (red, blue)),
                              (BLUE, blue, (red, green))):
        if one > max(others) + 50:
            return name
    return rgb


class PlayerPageTest(ConsoleTest):
    def colour(self, browser, selector):
        """What the middle of it looks like on the screen."""
        box = browser("page.evaluate", f"""(() => {{
            const {{left, top, width, height}} = document.querySelector({json.dumps(selector)})
              .getBoundingClientRect();
            return {{x: left + width / 2 - 4, y: top + height / 2 - 4, width: 8, height: 8}};
        }})()""")
        path = self.folder / "seen.png"
        browser("page.screenshot", {"path": str(path), "clip": box})
        return name_of(check_output("ffmpeg", "-v", "error", "-i", path, "-vf",
                                    "scale=1:1:flags=area", "-pix_fmt", "rgb24", "-f", "rawvideo",
                                    "-"))

    def wait_shown(self, browser, colour, what, selector="#screen"):
        wait_for(lambda: self.colour(browser, selector) == colour, 20, f"{what}: it is {colour}",
                 interval=0.1)

    def assert_accessible(self, browser, what, ways=AXE):
        for scheme, width in ways:
            browser("page.emulateMedia", {"colorScheme": scheme})
            browser("page.setViewportSize", {"width": width, "height": 844})
            self.assertEqual(browser("axe"), [], f"{what}, {scheme}, {width}")
            wide = browser("page.evaluate", "document.documentElement.scrollWidth")
            self.assertLessEqual(wide, width, f"{what} at {width} is wider")
            browser.shoot(f"player-{what}-{scheme}-{width}")
        browser("page.setViewportSize", {"width": 1280, "height": 800})


@unittest.skipUnless(can_drive(), "needs chromium and npm")
class Finished(PlayerPageTest):
    """An interrupted recording behind signed links, with all that is made of it."""

    def test_all_that_it_shows(self):
        server = self.start_nginx(
            worker=1, application=RETURNING,
            recording="storage @prefix@/data/videos; min_free 1m; "
                      f"link_secret '{SECRET}'; rendition 90p video=100k audio=48k;")
        for picture in (FIRST, SECOND):
            flv = clip(picture=picture, rate=30, seconds=SECONDS)
            self.assertEqual(self.send(server, "cam", flv, "--speed", "8").wait(), 0)
        video = wait_for(lambda: [one for one in self.videos(server) if one["status"] == "ready"],
                         60, "it is ready")[0]
        browser = self.browse(server, root=video["iframe_url"])
        for look in (self.look_at_poster, self.look_at_chapters, self.look_at_timeline,
                     self.look_at_qualities):
            with self.subTest(look.__name__):
                look(browser)
        with self.subTest("accessible"):
            self.assert_accessible(browser, "finished")
        with self.subTest("embedded"):
            self.look_at_frame(browser, server, video)
        with self.subTest("links"):
            self.look_at_links(browser, server, video)

    def look_at_poster(self, browser):
        """It is not the first picture; that comes when it is played, which the keyboard can do."""
        self.wait_shown(browser, BLUE, "the poster")
        self.assertEqual(browser("page.evaluate", "[document.querySelector('video').paused, "
                                 f"{AT}, document.querySelector('[role=status]').textContent]"),
                         [True, 0, ""])
        browser("page.press", "video", "Space")
        self.wait_shown(browser, GREEN, "it plays")
        browser.until(f"{AT} > 0.2")
        browser("page.press", "video", "Space")
        browser.until("document.querySelector('video').paused")

    def look_at_chapters(self, browser):
        current = "document.querySelector('nav [aria-current]')?.textContent"
        browser("page.waitForSelector", "nav button")
        texts = browser("page.evaluate",
                        "[...document.querySelectorAll('nav button')].map(one => one.textContent)")
        self.assertEqual(len(texts), 2, texts)
        self.assertEqual(texts[0], "0:00 Beginning")
        self.assertRegex(texts[1], r"^0:03 After an interruption( of [1-9]\d* s)? "
                                   r"\((connection|unpublished)\)$")
        browser("page.click", "text=After an interruption")
        self.wait_shown(browser, BLUE, "behind the interruption")
        self.assertAlmostEqual(browser("page.evaluate", AT), LENGTH, delta=0.1)
        browser.until(f"{current} === {json.dumps(texts[1])}")
        mark = browser("page.evaluate", """(() => {
            const [mark] = document.querySelectorAll("#marks i"), way = mark.parentElement;
            return (mark.getBoundingClientRect().left - way.getBoundingClientRect().left) /
              way.clientWidth;
        })()""")
        self.assertAlmostEqual(mark, 0.5, delta=0.02)
        browser("page.press", "text=Beginning", "Enter")
        self.wait_shown(browser, GREEN, "the beginning")
        browser.until(f"{current} === {json.dumps(texts[0])}")

    def look_at_timeline(self, browser):
        """Above the timeline is the picture of the time below the mouse; a click goes there."""
        left, y, width = browser("page.evaluate", """(() => {
            const way = document.querySelector("#marks").getBoundingClientRect();
            return [way.left, way.top, way.width];
        })()""")
        for seconds, colour in ((1, GREEN), (2.6, RED), (5, BLUE), (0.2, GREEN)):
            browser("page.mouse.move", left + width * seconds / (2 * LENGTH), y)
            self.wait_shown(browser, colour, f"the preview of {seconds} s", "#preview i")
            self.assertEqual(self.text_of(browser, "#preview"), f"0:0{int(seconds)}")
        browser.shoot("player-preview")
        browser("page.mouse.move", left + width * 2.6 / (2 * LENGTH), y)
        browser("page.mouse.down")
        browser("page.mouse.up")
        self.wait_shown(browser, RED, "where it was clicked")
        self.assertAlmostEqual(browser("page.evaluate", AT), 2.6, delta=0.1)
        browser("page.mouse.move", 10, 10)
        browser.until("document.querySelector('#preview').hidden")
        # By keyboard, in steps that lead somewhere.
        position = "[aria-label=Position]"
        browser("page.press", position, "ArrowLeft")
        self.wait_shown(browser, GREEN, "five seconds back")
        browser("page.press", position, "ArrowRight")
        self.wait_shown(browser, BLUE, "five seconds on")
        self.assertAlmostEqual(browser("page.evaluate", AT), 5, delta=0.1)
        browser.until(f"document.querySelector('{position}').ariaValueText === '0:05 of 0:06'")
        # Where the keyboard is can be seen as well as text can.
        self.assertEqual(browser("page.evaluate", "getComputedStyle(document.activeElement)"
                                 ".outlineColor"),
                         browser("page.evaluate", "getComputedStyle(document.body).color"))

    def look_at_qualities(self, browser):
        self.assertEqual(sorted(self.text_of(browser, "#quality select").split("\n")),
                         ["90p", "Automatic", "Source (180p)"])
        for label, height in (("90p", 90), ("Source (180p)", 180)):
            browser("page.selectOption", "#quality select", {"label": label})
            browser.until(f"document.querySelector('video').videoHeight === {height}")
        self.wait_shown(browser, BLUE, "in another quality")

    def look_at_frame(self, browser, server, video):
        """On somebody else's site."""
        page = f"<!doctype html><title>theirs</title>{video['iframe_embed_code']}"
        site = serve(self, Player, server, page=page)
        browser("page.goto", f"http://127.0.0.1:{site.server_port}/")
        self.wait_shown(browser, BLUE, "the poster in a frame", "iframe")
        browser("frame.press", "text=Beginning", "Enter")
        self.wait_shown(browser, GREEN, "the beginning in a frame", "iframe")
        browser("frame.press", "video", "Space")
        wait_for(lambda: browser("frame.evaluate", f"{AT} > 0.2"), 20, "it plays in a frame")
        browser.shoot("player-embedded")

    def look_at_links(self, browser, server, video):
        """All of it is there with the link of the page, and nothing with one that has ended."""
        api, base = Api(server.http_port), f"/videos/{video['slug']}"
        query = video["iframe_url"].partition("?")[2]
        old = signed(base, int(time.time()) - 2, SECRET)
        for name in ASKED:
            self.assertEqual(api.get(f"{base}/{name}?{query}").status, 200, name)
            self.assertEqual(api.get(f"{base}/{name}?{old.partition('?')[2]}").status, 410, name)
            self.assertEqual(api.get(f"{base}/{name}").status, 403, name)
        root = f"http://127.0.0.1:{server.http_port}"
        self.assertEqual(api.delete(f"videos/{video['id']}").status, 204)
        later = int(time.time()) + 99
        for link, words in ((old, "has expired"), (base, "not valid"),
                            (signed(base, later, SECRET), "was deleted"),
                            (signed(f"/videos/{'0' * 32}", later, SECRET), "no such video")):
            browser("page.goto", root + link)
            browser.see(words)
            # Nothing that looks as if it could be played.
            browser.until("!document.querySelector('video').checkVisibility()")
        self.assert_accessible(browser, "absent", AXE[2:])


@unittest.skipUnless(can_drive(), "needs chromium and npm")
class Growing(PlayerPageTest):
    def test_waits_and_goes_on(self):
        """From before there is anything to play until its end, over a time without a server."""
        server = self.start_nginx(application=RETURNING.replace("window 3s", "window 60s"))
        # Less than a segment.
        self.assertEqual(self.send(server, "cam", test_clip(), "--speed", "8").wait(), 0)
        slug = wait_for(lambda: [one["slug"] for one in self.videos(server) if one["hls_url"]], 20,
                        "it is recorded")[0]
        browser = self.browse(server, root=f"http://127.0.0.1:{server.http_port}/videos/{slug}")
        browser.see("Nothing is saved yet")
        self.assert_accessible(browser, "waiting", AXE[:1])
        publisher = self.send(server, "cam", test_clip(seconds=60))
        said = "document.querySelector('[role=status]').textContent"
        browser.until(f"{said} === '' && document.querySelectorAll('nav button').length === 2")
        browser("page.click", "text=Beginning")
        browser("page.waitForSelector", "#live")
        self.assert_accessible(browser, "growing")
        browser("page.click", "text=Jump to live")
        browser.until(f"{AT} > 4 && !document.querySelector('video').paused")
        browser("page.focus", "text=Beginning")
        publisher.kill()
        server.keeps_journals = True
        self.assertEqual(server.stop(signal.SIGTERM), 0)
        browser.see("The server cannot be reached")
        # The picture stays meanwhile.
        self.assertGreater(browser("page.evaluate", "document.querySelector('video').readyState"), 1)
        server.start()
        browser.until(f"{said} === ''")
        # What comes now is seen without a click, and takes the keyboard's focus from nobody.
        self.send(server, "cam", test_clip(seconds=60))
        browser.until("document.querySelectorAll('nav button').length === 3")
        self.assertEqual(browser("page.evaluate", "document.activeElement.textContent"),
                         "0:00 Beginning")
        self.assertEqual(Api(server.http_port).put("streams/live/cam/stop_recording").status, 200)
        browser.until("document.querySelector('#live').hidden")
        video = self.wait_ended(server)[0]
        browser.until(f"document.querySelector('video').duration > {video['duration'] / 1000 - 1}")


if __name__ == "__main__":
    unittest.main()
