"""Links that end, checked by us and by nginx's own secure_link, and nginx's access control."""
import base64
import time
import unittest
import urllib.parse

from tests.integration.support import AT_ONCE, AUTOMATIC, Api, test_clip, wait_for
from tests.integration.support.live import LIVE, LiveTest, signed
from tests.integration.support.rtmp import ROOT

SECRET = "change-this-to-something-long"  # of the example


def sign(path, expires):
    return signed(path, expires, SECRET)


def path_of(url):
    parts = urllib.parse.urlsplit(url)
    return parts.path + ("?" + parts.query if parts.query else "")


class Links(LiveTest):
    def start_example(self):
        """conf-examples/secure-links.conf, with our ports: (server, port of the front)."""
        conf = (ROOT / "conf-examples/secure-links.conf").read_text(encoding="utf-8")
        conf = conf[conf.index("worker_processes"):]
        front = self.make_nginx()  # for its port alone
        for old, new in (
                ("worker_processes auto", "worker_processes 2"),
                ("/var/lib/nginx-recording/videos;", "@prefix@/data/videos; runtime @runtime@; "
                                                     "min_free 1m;"),
                ("listen 1935", "listen 127.0.0.1:@rtmp_port@"),
                ("live on;", "live on; auto_record on; " + AT_ONCE + LIVE),
                ("127.0.0.1:8081", "127.0.0.1:@http_port@"),
                ("{ recording_files; }",
                 "{ recording_files; add_header X-Checked-By recording always; }"),
                ("127.0.0.1:8080", f"127.0.0.1:{front.http_port}"),
                ("http {", "http { access_log off;")):
            self.assertIn(old, conf)
            conf = conf.replace(old, new)
        return self.start_nginx(conf=conf), front.http_port

    def check_all(self, front, back, cases):
        """Both answer so, and what the front refuses is refused by the front."""
        for path, status in cases:
            for port in (back, front):
                with self.subTest(path=path, front=port == front):
                    reply = Api(port).request("GET", path)
                    self.assertEqual(reply.status, status, reply.body[:200])
                    by_us = "x-checked-by" in reply.headers
                    self.assertEqual(by_us, port == back or status in (200, 302, 404))

    def test_links_of_the_api_are_those_of_secure_link(self):
        server, front = self.start_example()
        publisher = self.send(server, "front door", test_clip(seconds=6), "--loops", "0")
        stream = self.wait_live(server, "front door")
        live = wait_for(lambda: self.stream(server, "front door")["hls_url"], 60, "an HLS link")
        dash, page = (self.stream(server, "front door")[key] for key in ("dash_url", "iframe_url"))
        growing = wait_for(lambda: self.videos(server, stream["id"])[0]["origin_url"], 20,
                           "a link to what grows")
        now = int(time.time())
        path, _, query = path_of(growing).partition("?")
        arguments = dict(urllib.parse.parse_qsl(query))
        self.assertAlmostEqual(int(arguments["expires"]), now + 6 * 3600, delta=60)
        self.assertEqual(path_of(growing), sign(path, arguments["expires"]))
        def redirected():
            reply = Api(front).request("GET", path_of(live))
            return reply if reply.status == 302 else None
        redirect = wait_for(redirected, 30, "live playback can be played")
        run = urllib.parse.urljoin(path_of(live), redirect.headers["location"]).partition("?")[0]
        md5 = arguments["md5"]
        other = ("A" if md5[0] != "A" else "B") + md5[1:]
        attachment = path + "/download?" + query
        self.check_all(front, server.http_port, [
            (path_of(growing), 200), (attachment, 200),
            (path + "/download=a-name?" + query, 200),
            (path + "?from=0&to=1&" + query, 200),
            (path_of(live), 302), (path_of(dash), 302), (run, 200),
            (path_of(page), 200), (path_of(page).partition("?")[0], 403),
            ("/videos/player/live.js", 200),
            (path, 403), (path + "?" + query.replace(md5, other), 403),
            (path + f"?md5=&expires={now + 99}", 403),
            (path + f"?md5={md5}", 403), (path + f"?md5={md5}&expires={now + 99}", 403),
            (path.replace("source.mp4", "source.media") + "?" + query, 403),
            (path.replace("source.mp4", "other.mp4") + "/download?" + query, 403),
            (signed(path, now + 99, "another"), 403),
            (path_of(live).partition("?")[0], 403),
            (path_of(live).replace("master.m3u8", "manifest.mpd"), 302),
            (path_of(live).replace("master.m3u8", "none.mpd"), 403),
            ("/videos/none", 403), (sign("/videos/none", now + 99), 404),
            (sign(path, now - 2), 410), (sign(path, now + 99), 200)])
        publisher.kill()
        [video] = self.wait_ended(server)
        reply = Api(server.http_port).get(f"videos/{video['id']}/timeline")
        epoch = path_of(reply.json["epochs"][0]["mp4_url"])
        page, _, query = path_of(video["iframe_url"]).partition("?")
        self.assertEqual(path_of(video["hls_url"]), f"{page}/master.m3u8?{query}")
        playlist = Api(front).get(path_of(video["hls_url"])).body.decode().splitlines()[-1]
        segment = Api(front).get(f"{page}/{playlist}").body.decode().splitlines()[-2]
        expired = sign(page, now - 2).partition("?")[2]
        for_poster = sign(f"{page}/poster.jpg", now + 99).partition("?")[2]
        self.check_all(front, server.http_port, [
            (path_of(video["origin_url"]), 200), (epoch, 200), (epoch.partition("&")[0], 403),
            (f"{page}?{query}", 200), (f"{page}/{playlist}", 200), (f"{page}/{segment}", 200),
            (f"{page}/chapters.vtt?{query}", 200), (f"{page}/poster.jpg?{query}", 404),
            (sign(f"{page}/poster.jpg", now + 99) + "&only=1", 404),
            (f"{page}/source.media?{for_poster}&only=1", 403), (f"{page}?{for_poster}&only=1", 403),
            (f"{page}/source.media?{query}", 200), (f"{page}/source.mp4?{query}", 403),
            (f"{page}/source.m3u8", 403), (f"{page}/source.m4s", 403), (page, 403),
            (f"{page}/source.m3u8?{expired}", 410), (f"{page}/source.m4s?{expired}", 410)])


class AccessControl(LiveTest):
    """What nginx has for every location holds for ours."""

    def test_nginx_guards_our_locations(self):
        server = self.start_nginx(application=AUTOMATIC, http="""
            location /streaming/ { recording_api; }
            location /private/ {
                auth_basic recordings; auth_basic_user_file @prefix@/passwords; recording_files;
            }
            location /asked/ { auth_request /may; recording_files; }
            location /control/ { auth_request /may; recording_api; }
            location = /may { internal; if ($http_x_token = good) { return 204; } return 401; }
            location /slow/ { limit_rate 20k; recording_files; }
            location = /metrics { auth_request /may; recording_metrics; }""")
        (server.prefix / "passwords").write_text("me:{PLAIN}secret\n")
        clip = test_clip(seconds=3)
        self.assertEqual(self.send(server, "cam", clip).wait(), 0)
        [video] = self.wait_ended(server)
        api = Api(server.http_port)
        file = f"{video['slug']}/source.mp4"
        basic = {"Authorization": "Basic " + base64.b64encode(b"me:secret").decode()}
        token = {"X-Token": "good"}
        for path, headers in ((f"/private/{file}", basic), (f"/asked/{file}", token),
                              ("/control/videos", token), ("/metrics", token)):
            with self.subTest(path):
                self.assertEqual(api.request("GET", path).status, 401)
                self.assertEqual(api.request("GET", path, headers=headers).status, 200)
        stop = api.request("DELETE", f"/control/videos/{video['id']}")
        self.assertEqual(stop.status, 401)
        began = time.monotonic()
        slow = api.request("GET", f"/slow/{file}")
        size = video["origin_size"]
        self.assertGreaterEqual(len(slow.body), size)
        self.assertGreater(time.monotonic() - began, size / 20_480 - 2)
        self.assertGreater(size, 80_000, "too little to be slowed down")


if __name__ == "__main__":
    unittest.main()
