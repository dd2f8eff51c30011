"""Parts of a recording: an epoch alone, or what is between two times, without re-encoding."""
import random

from tests.integration.support import (AUTOMATIC, BY_HAND, Api, RecordingTest, differences, packets,
                                       pictures, probe, probe_warnings, test_clip, wait_for)

RETURNING = ("live on; recording on; auto_record on; recording_min_duration 0; "
             "recording_reconnect_window 5s;")
TICK = 1000 / 44100  # of a sound sample, in ms


def key_times(path):
    found = probe(path, "-select_streams", "v:0", "-show_packets", "-show_entries",
                  "packet=pts_time,flags")["packets"]
    return [1000 * float(packet["pts_time"]) for packet in found if "K" in packet["flags"]]


class ClipTest(RecordingTest):
    def fetch(self, server, video, query="", method="GET", file="source.mp4", **headers):
        return Api(server.http_port).request(
            method, f"/videos/{video['slug']}/{file}{query}",
            headers={key.replace("_", "-"): value for key, value in headers.items()})

    def clip(self, server, video, query):
        reply = self.fetch(server, video, query)
        self.assertEqual(reply.status, 200, (query, reply.body[:300]))
        self.assertEqual(int(reply.headers["content-length"]), len(reply.body))
        self.assertLess(reply.body.find(b"moov"), reply.body.find(b"mdat"))
        self._downloads += 1
        path = self.folder / f"clip-{self._downloads}.mp4"
        path.write_bytes(reply.body)
        self.assertEqual(probe_warnings(path), "", query)
        return path

    def recorded(self, source, *options, **arguments):
        server = self.start_nginx(application=AUTOMATIC, **arguments)
        self.assertEqual(self.send(server, "cam", source, *options).wait(), 0)
        [video] = self.wait_ended(server)
        return server, video

    def assert_part(self, clip, whole, begin, end):
        """`clip` is [begin, end) ms of `whole`: each picture, each sound packet, each time."""
        # The times of packets: ffmpeg's decoder tells late ones behind a change of the picture.
        shown = zip(sorted(pts for pts, _ in packets(whole, "v")), pictures(whole))
        wanted = [(pts, picture) for pts, (_, picture) in shown if begin - 0.01 <= pts < end]
        times = [pts for pts in sorted(pts for pts, _ in packets(clip, "v"))
                 if -0.01 <= pts < end - begin]
        have = list(zip(times, (picture for _, picture in pictures(clip))))
        self.assertEqual(len(pictures(clip)), len(times))
        same = sum(a[1] == b[1] for a, b in zip(wanted, have))
        self.assertEqual((len(have), same), (len(wanted), len(wanted)))
        self.assertGreater(len(wanted), 0)
        sound = packets(whole, "a")
        starts = [pts for pts, _ in sound]
        lasts = 1.01 * max(b - a for a, b in zip(starts[:20], starts[1:20]))
        covered = [p for i, p in enumerate(sound)
                   if p[0] < end and min(starts[i + 1:i + 2] + [p[0] + lasts]) > begin]
        have_sound = packets(clip, "a")
        self.assertEqual([h for _, h in have_sound], [h for _, h in covered])
        for a, b in zip(wanted + covered, have + have_sound):
            self.assertAlmostEqual(a[0] - begin, b[0], delta=2 * TICK + 0.01)


class FinishedClips(ClipTest):
    def test_between_two_times(self):
        """With B-frames, 48 kHz and another length of group than of fragment."""
        source = test_clip(seconds=12, gop=60, b_frames=3, rate=30)
        server, video = self.recorded(source)
        whole = self.download(server, video)
        self.assertEqual(differences(source, whole), [])
        keys = key_times(whole)
        self.assertEqual(len(keys), 6)
        for start, to in ((0, None), (None, 3), (3.1, 5.5), (4.9, 5), (7, None), (9, 600),
                          (keys[2] / 1000, keys[4] / 1000), (11.9, None), (0.5, 0.51)):
            query = "&".join(f"{k}={v}" for k, v in (("from", start), ("to", to)) if v is not None)
            with self.subTest(query):
                asked = int((start or 0) * 1000 + 1e-6)
                begin = max((k for k in keys if int(k + 1e-6) <= asked), default=0)
                self.assert_part(self.clip(server, video, "?" + query), whole, begin,
                                 int(to * 1000 + 1e-6) if to is not None else 1e9)

    def test_an_epoch_is_what_was_sent(self):
        first = test_clip(seconds=5, b_frames=2)
        second = test_clip(seconds=4, size="640x360", rate=30, gop=30, audio_rate=44100)
        server, video = self.recorded([first, second])
        epochs = Api(server.http_port).get(f"videos/{video['id']}/timeline").json["epochs"]
        self.assertEqual(len(epochs), 2, epochs)
        for epoch, source in zip(epochs, (first, second)):
            url = epoch["mp4_url"]
            self.assertTrue(url.endswith(f"/videos/{video['slug']}/source.mp4"
                                         f"?epoch={epoch['index']}"), url)
            path = self.clip(server, video, url[url.index("?"):])
            self.assertEqual(differences(source, path), [])
            streams = probe(path, "-show_streams")["streams"]
            self.assertEqual(streams[0]["width"], epoch["video"]["width"])
        # Over the change: what is before it and what is behind it, in one file.
        whole = self.download(server, video)
        at = epochs[1]["start_ms"] / 1000
        self.assert_part(self.clip(server, video, f"?from=3.5&to={at + 1.5}"), whole,
                         max(k for k in key_times(whole) if k <= 3500), at * 1000 + 1500)

    def test_an_epoch_of_sound_alone_that_changes(self):
        """The picture goes on: its epoch begins between two key frames."""
        first = test_clip(seconds=5, gop=60)
        second = test_clip(seconds=4, gop=60, audio_rate=44100)
        server, video = self.recorded([first, second])
        story = Api(server.http_port).get(f"videos/{video['id']}/timeline").json
        fields = {change["field"] for change in story["changes"]}
        self.assertEqual(fields, {"audio.sample_rate"})
        for epoch, source in ((story["epochs"][0], first), (story["epochs"][-1], second)):
            path = self.clip(server, video, f"?epoch={epoch['index']}")
            sent = [h for _, h in packets(source, "a")]
            self.assertEqual([h for _, h in packets(path, "a")], sent)

    def test_as_a_static_file(self):
        server, video = self.recorded(test_clip(seconds=8))
        query = "?from=2.5&to=6"
        whole = self.fetch(server, video, query)
        size, etag = len(whole.body), whole.headers["etag"]
        numbers = random.Random(3)
        cuts = [0, *sorted(numbers.sample(range(1, size), 12)), size]
        pieces = [self.fetch(server, video, query, Range=f"bytes={a}-{b - 1}")
                  for a, b in zip(cuts, cuts[1:])]
        self.assertEqual({(p.status, p.headers["etag"]) for p in pieces}, {(206, etag)})
        self.assertEqual(b"".join(p.body for p in pieces), whole.body)
        head = self.fetch(server, video, query, method="HEAD")
        self.assertEqual((head.status, head.body), (200, b""))
        for name in ("content-length", "etag", "last-modified", "content-type", "accept-ranges"):
            self.assertEqual(head.headers[name], whole.headers[name], name)
        for headers, status in (({"If_Range": etag}, 206), ({"If_Range": '"x"'}, 200)):
            self.assertEqual(self.fetch(server, video, query, Range="bytes=3-9", **headers).status,
                             status)
        self.assertEqual(self.fetch(server, video, query, If_None_Match=etag).status, 304)
        self.assertEqual(self.fetch(server, video, query, Range=f"bytes={size}-").status, 416)
        others = {self.fetch(server, video, q).headers["etag"]
                  for q in ("", "?epoch=0", "?from=2.5", "?to=6", "?from=1&to=6")}
        self.assertEqual(len(others | {etag}), 6)
        for file, disposition in (("source.mp4/download=part", 'attachment; filename="part.mp4"'),
                                  ("source.mp4/download", "attachment; filename=")):
            reply = self.fetch(server, video, query, file=file)
            self.assertEqual(reply.body, whole.body)
            self.assertIn(disposition, reply.headers["content-disposition"])
        # What is nobody's here is left alone, as a link's signature is.
        for same in ("?to=6&x=1&from=2.5", "?from=2%2E5&to=6.000", "?from=02.5&to=6."):
            self.assertEqual(self.fetch(server, video, same).body, whole.body, same)
        self.refusals(server, video)

    def refusals(self, server, video):
        for query, status, code in (
                ("?from=5&to=5", 400, "bad_parameter"), ("?from=6&to=5", 400, "bad_parameter"),
                ("?from=-1", 400, "bad_parameter"), ("?from=nan", 400, "bad_parameter"),
                ("?to=inf", 400, "bad_parameter"), ("?from=1e3", 400, "bad_parameter"),
                ("?from=", 400, "bad_parameter"), ("?from=.", 400, "bad_parameter"),
                ("?from=1&from=2", 400, "bad_parameter"), ("?to=0", 400, "bad_parameter"),
                ("?from=%zz", 400, "bad_parameter"), ("?epoch=", 400, "bad_parameter"),
                ("?epoch=-1", 400, "bad_parameter"), ("?epoch=1.5", 400, "bad_parameter"),
                ("?epoch=0&from=1", 400, "bad_parameter"), ("?epoch=0&epoch=0", 400, "bad_parameter"),
                ("?from=99999999999999999999", 400, "bad_parameter"),
                ("?epoch=1", 404, "epoch_not_found"), ("?epoch=4294967295", 404, "epoch_not_found"),
                ("?from=8.5", 416, "beyond_the_end"), ("?from=900000000", 416, "beyond_the_end")):
            for method in ("GET", "HEAD"):
                reply = self.fetch(server, video, query, method=method)
                self.assertEqual(reply.status, status, query)
                self.assertEqual(reply.headers["content-type"], "application/json")
                if method == "GET":
                    self.assertEqual(reply.code, code, query)
        reply = self.fetch(server, video, "?from=1", file="source.media")
        self.assertEqual((reply.status, reply.code), (400, "bad_parameter"))
        self.assertEqual(self.fetch(server, {"slug": "0" * 32}, "?from=1").status, 404)


class GrowingClips(ClipTest):
    def test_while_it_is_recorded(self):
        server = self.start_nginx(application=BY_HAND)
        self.send(server, "cam", test_clip(seconds=8, b_frames=2), "--loops", "0", "--speed", "2")
        stream = self.wait_live(server, "cam")["id"]
        wait_for(lambda: self.stream(server, "cam")["session"], 10, "a session")
        api = self.api(server)
        self.assertEqual(api.put(f"streams/{stream}/start_recording").status, 200)
        wait_for(lambda: self.stream(server, "cam")["recording_duration"] > 5, 20, "5 s")
        video = self.videos(server)[0]
        early = self.fetch(server, video, "?from=1.2&to=3.4")
        self.assertEqual(early.status, 200)
        epoch = self.fetch(server, video, "?epoch=0")
        open_end = self.clip(server, video, "?from=2")
        self.assertEqual(self.fetch(server, video, "?from=3600").status, 416)
        wait_for(lambda: self.fetch(server, video, "?epoch=0").headers["etag"]
                 != epoch.headers["etag"], 10, "the epoch grows")
        again = self.fetch(server, video, "?from=1.2&to=3.4")
        self.assertEqual(again.headers["etag"], early.headers["etag"])
        self.assertEqual(self.fetch(server, video, "?from=1.2&to=3.4", Range="bytes=5-99",
                                    If_Range=early.headers["etag"]).body, early.body[5:100])
        self.assertEqual(api.put(f"streams/{stream}/stop_recording").status, 200)
        [video] = self.wait_ended(server)
        after = self.fetch(server, video, "?from=1.2&to=3.4")
        self.assertEqual((after.headers["etag"], after.body), (early.headers["etag"], early.body))
        whole = self.download(server, video)
        keys = key_times(whole)
        self.assert_part(self.clip(server, video, "?from=1.2&to=3.4"), whole,
                         max(k for k in keys if k <= 1200), 3400)
        begin = max(k for k in keys if k <= 2000)
        length = len(pictures(open_end))
        self.assertGreater(length, 50)
        self.assertEqual([h for _, h in pictures(open_end)],
                         [h for t, h in pictures(whole) if t >= begin - 0.01][:length])

    def test_over_an_interruption(self):
        server = self.start_nginx(application=RETURNING)
        clip = test_clip(seconds=6)
        encoder = self.send(server, "cam", clip, "--speed", "2")
        self.wait_live(server, "cam")
        video = wait_for(lambda: [v for v in self.videos(server) if v["duration"] > 2500], 15,
                         "2.5 s are saved")[0]
        encoder.kill()
        self.wait_live(server, "cam", live=False)
        waiting = self.clip(server, video, "?from=0.5&to=1.5")
        self.assertEqual(self.send(server, "cam", clip, "--speed", "4").wait(), 0)
        [video] = self.wait_ended(server)
        [gap] = Api(server.http_port).get(f"videos/{video['id']}/timeline").json["interruptions"]
        whole = self.download(server, video)
        begin = max(k for k in key_times(whole) if k <= gap["at_ms"] - 800)
        end = gap["at_ms"] + 1500
        self.assert_part(self.clip(server, video, f"?from={(gap['at_ms'] - 800) / 1000}"
                                                  f"&to={end / 1000}"), whole, begin, end)
        self.assert_part(waiting, whole, key_times(whole)[0], 1500)
