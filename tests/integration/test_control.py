"""Start, stop and settings over HTTP: who asks gets the right answer, from whichever worker."""
import collections
import concurrent.futures
import random
import re
import sqlite3
import time

from tests.integration.support import (
    BY_HAND, Api, RecordingTest, pictures, probe_warnings, test_clip, wait_for)


class ByHand(RecordingTest):
    def setUp(self):
        super().setUp()
        self.clip = test_clip()

    def live(self, **arguments):
        server = self.start_nginx(application=BY_HAND, **arguments)
        self.publisher = self.send(server, "cam", self.clip, "--loops", "0")
        return server, self.api(server), self.wait_live(server, "cam")["id"]

    def test_every_start_and_stop_makes_one_video(self):
        server, api, stream = self.live(workers=2)
        slugs = []
        for _ in range(3):
            started = api.put(f"streams/{stream}/start_recording")
            self.assertEqual(started.status, 200, started.body)
            self.assertEqual(started.json["data"], {"stream": {"id": stream}})
            self.assertEqual((started.json["errors"], started.json["warnings"]), ([], []))
            again = api.put("streams/live/cam/start_recording")
            self.assertEqual(again.status, 200, again.body)
            for key in ("slug", "video_id", "started_at"):
                self.assertEqual(again.json["recording"][key], started.json["recording"][key])
            self.assertTrue(api.get(f"streams/{stream}").json["recording"])
            time.sleep(1.2)  # at least a key frame
            stopped = api.put("streams/live/cam/stop_recording")
            self.assertEqual(stopped.status, 200, stopped.body)
            self.assertEqual(stopped.json["stream_id"], stream)
            slugs.append(stopped.json["slug"])
            self.assertFalse(api.get(f"streams/{stream}").json["recording"])
            self.assertEqual(api.put(f"streams/{stream}/stop_recording").status, 204)
        videos = self.wait_ended(server, 3)
        self.assertEqual([video["slug"] for video in videos], slugs)
        source = [md5 for _, md5 in pictures(self.clip)]
        for video in videos:
            self.assertEqual(video["status"], "viewable", video)
            path = self.download(server, video)
            self.assertEqual(probe_warnings(path), "")
            saved = [md5 for _, md5 in pictures(path)]
            at = source.index(saved[0])
            self.assertEqual(at % 25, 0, "it begins with a key frame")
            self.assertEqual(saved, (source * 4)[at:at + len(saved)])
            self.assertGreater(len(saved), 0)
        self.assert_consistent(server)

    def test_a_manual_recording_ends_with_its_stream(self):
        server, api, stream = self.live()
        self.assertEqual(api.put(f"streams/{stream}/start_recording").status, 200)
        self.wait_frames(server, "cam", 4096)
        self.publisher.stop()
        [video] = self.wait_ended(server)
        self.assertEqual(video["status"], "viewable")
        # A new publish of the name is not recorded: nobody asked for that.
        self.send(server, "cam", self.clip, "--speed", "8").wait()
        self.wait_live(server, "cam", live=False)
        time.sleep(0.5)
        self.wait_ended(server, 1)

    def test_wrong_calls(self):
        server, api, stream = self.live()
        self.publisher.stop()
        self.wait_live(server, "cam", live=False)
        for name in ("start", "stop"):
            for unknown in ("999999", "live/nobody", "other/cam"):
                reply = api.put(f"streams/{unknown}/{name}_recording")
                self.assertEqual((reply.status, reply.code), (404, "stream_not_found"), unknown)
        reply = api.put(f"streams/{stream}/start_recording")
        self.assertEqual((reply.status, reply.code), (409, "stream_not_live"))
        self.assertEqual(api.put(f"streams/{stream}/stop_recording").status, 204)
        self.assertEqual(api.get(f"streams/{stream}/start_recording").status, 405)
        self.assertEqual(api.post(f"streams/{stream}/start_recording").status, 405)
        for body in ("{", "[]", '{"stream":7}', '{"auto_record":"perhaps"}', '{"auto_record":1}',
                     '{"auto_record":true', "\x00", '"x"', "{}x", '{"name":"\\ud800"}'):
            reply = api.request("PATCH", f"streams/{stream}", body,
                                {"Content-Type": "application/json"})
            self.assertEqual(reply.status, 400, (body, reply.body))
            self.assertTrue(reply.json["error"]["message"])
        self.assertEqual(api.request("PATCH", f"streams/{stream}", "auto_record=1", {
            "Content-Type": "text/plain"}).status, 415)
        self.assertEqual(api.request("PATCH", f"streams/{stream}", b"[" * 9_000_000, {
            "Content-Type": "application/json"}).status, 413)
        self.assertFalse(api.get(f"streams/{stream}").json["auto_record"])
        self.assert_no_trace(server)

    def test_no_space(self):
        server, api, stream = self.live(
            recording="storage @prefix@/data/videos; min_free 900000g;")
        wait_for(lambda: api.put(f"streams/{stream}/start_recording").status == 422, 10,
                 "free space is known")
        reply = api.put(f"streams/{stream}/start_recording")
        self.assertEqual((reply.status, reply.code), (422, "no_space"))
        self.assertIn("min_free", reply.json["error"]["message"])
        self.assertEqual(api.patch(f"streams/{stream}", {"auto_record": True}).status, 200)
        wait_for(lambda: "no_space" in server.log_text(), 10, "an event says so")
        time.sleep(1.2)
        self.publisher.stop()
        self.wait_live(server, "cam", live=False)
        self.assert_no_trace(server)
        self.assertEqual(server.log_text().count('"error":"no_space"'), 1)


class FreshStart(RecordingTest):
    def test_the_very_first_calls_are_answered(self):
        """The catalogue is made by the first worker that comes: nobody is told to try again."""
        for _ in range(3):
            server = self.start_nginx(application=BY_HAND, workers=4)
            for path in ("streams", "videos", "streams", "videos"):
                reply = self.api(server).get(path)
                self.assertEqual((reply.status, reply.json), (200, []), path)
            made = self.api(server).post("streams", {"name": "cam", "app": "live"})
            self.assertIn(made.status, (200, 201), made.body)


class AutoRecord(RecordingTest):
    def test_set_on_a_stream_it_survives_a_restart(self):
        server = self.start_nginx(application=BY_HAND)
        api = self.api(server)
        made = api.post("streams", {"name": "cam", "app": "live"})
        self.assertIn(made.status, (200, 201), made.body)
        self.assertEqual(api.patch("streams/live/cam", {"auto_record": True}).status, 200)
        other = api.post("streams", {"name": "quiet", "app": "live"}).json["id"]
        self.assertEqual(api.patch(f"streams/{other}", {"stream": {"auto_record": False}}).status,
                         200)
        for generation in range(2):
            if generation == 1:
                self.assertEqual(server.stop(), 0)
                # As after the machine's restart, too: the live state is gone.
                for path in server.runtime.iterdir():
                    path.unlink()
                server.start()
            self.assertTrue(api.get(f"streams/{made.json['id']}").json["auto_record"])
            clip = test_clip()
            for name in ("cam", "quiet"):
                self.assertEqual(self.send(server, name, clip, "--speed", "4").wait(), 0)
            videos = self.wait_ended(server, generation + 1)
            self.assertEqual({video["stream_id"] for video in videos}, {made.json["id"]})
            self.assert_whole(server, videos[-1], clip)
        self.assert_consistent(server)

    def test_off_for_a_stream_where_the_application_says_on(self):
        server = self.start_nginx(application=BY_HAND + " auto_record on;")
        api = self.api(server)
        made = api.post("streams", {"name": "cam", "app": "live", "auto_record": False})
        self.assertIn(made.status, (200, 201), made.body)
        self.assertEqual(self.send(server, "cam", test_clip(), "--speed", "4").wait(), 0)
        self.wait_live(server, "cam", live=False)
        time.sleep(0.5)
        self.assert_no_trace(server)

    def test_turned_on_while_live_it_records_from_the_last_key_frame(self):
        server = self.start_nginx(application=BY_HAND)
        publisher = self.send(server, "cam", test_clip(), "--loops", "0")
        stream = self.wait_live(server, "cam")["id"]
        self.assertEqual(self.api(server).patch(f"streams/{stream}", {"auto_record": True}).status,
                         200)
        self.wait_frames(server, "cam", 4096)
        publisher.stop()
        self.wait_ended(server)
        self.assert_consistent(server)


class FourWorkers(RecordingTest):
    def test_two_hundred_calls_get_the_right_answer(self):
        server = self.start_nginx(application=BY_HAND, workers=4)
        clip = test_clip()
        names = ("one", "two")
        for name in names:
            self.send(server, name, clip, "--loops", "0")
        ids = {name: self.wait_live(server, name)["id"] for name in names}
        chance = random.Random(7)
        plan = {name: [chance.choice(("start", "stop")) for _ in range(100)] for name in names}

        def run(name):
            """Each stream's calls one after the other, so that the right answer is known."""
            wrong, recording = [], None  # the slug of what is being recorded
            for i, call in enumerate(plan[name]):
                reply = Api(server.http_port).put(f"streams/{ids[name]}/{call}_recording")
                expected = 200 if call == "start" or recording else 204
                if reply.status != expected:
                    wrong.append((i, call, reply.status, expected, reply.body[:200]))
                elif call == "start":
                    now = reply.json["recording"]["slug"]
                    if recording and now != recording:
                        wrong.append((i, "another recording", recording, now))
                    recording = now
                elif recording:
                    if reply.json["slug"] != recording:
                        wrong.append((i, "another video", recording, reply.json))
                    recording = None
                if Api(server.http_port).get(f"streams/{ids[name]}").json["recording"] != bool(
                        recording):
                    wrong.append((i, call, "the stream's `recording` is wrong"))
            return wrong, recording

        with concurrent.futures.ThreadPoolExecutor() as pool:
            results = dict(zip(names, pool.map(run, names)))
        starts = 0
        for name, (wrong, recording) in results.items():
            self.assertEqual(wrong, [], name)
            self.assertEqual(bool(recording), plan[name][-1] == "start")
            self.assertEqual(self.stream(server, name)["recording"], bool(recording))
            starts += sum(call == "start" and (i == 0 or plan[name][i - 1] == "stop")
                          for i, call in enumerate(plan[name]))
            Api(server.http_port).put(f"streams/{ids[name]}/stop_recording")
        videos = self.wait_ended(server, starts)
        for video in videos:
            self.assertTrue(video["status"] == "viewable" or video["error"], video)
        self.assert_consistent(server)
        rows = sqlite3.connect(f"file:{catalogue(server)}?mode=ro", uri=True)
        self.addCleanup(rows.close)
        # An outcome is told by the live state while its row is written.
        wait_for(lambda: rows.execute("SELECT count(*) FROM videos WHERE status IN "
                                      "('viewable', 'error')").fetchone() == (starts,), 10,
                 "every video has its row")

    def test_calls_at_once_leave_one_state(self):
        server = self.start_nginx(application=BY_HAND, workers=4)
        self.send(server, "cam", test_clip(), "--loops", "0")
        stream = self.wait_live(server, "cam")["id"]
        chance = random.Random(8)

        calls = []

        def call(verb):
            began = time.monotonic()
            reply = Api(server.http_port).put(f"streams/{stream}/{verb}_recording")
            ended = time.monotonic()
            slug = None
            if verb == "start":
                self.assertEqual(reply.status, 200, reply.body)
                self.assertEqual(reply.json["data"], {"stream": {"id": stream}})
                slug = reply.json["recording"]["slug"]
            elif reply.status == 200:
                self.assertEqual(reply.json["stream_id"], stream)
                slug = reply.json["slug"]
            else:
                self.assertEqual((reply.status, reply.body), (204, b""))
            calls.append(Call(verb, slug, began, ended))

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            for _ in range(4):
                list(pool.map(call, [chance.choice(("start", "stop")) for _ in range(25)]))
                last = chance.choice(("start", "stop"))
                call(last)
                self.assertEqual(self.stream(server, "cam")["recording"], last == "start")
        call("stop")
        wait_for(lambda: all(v["status"] in ("viewable", "error") for v in self.videos(server)), 20,
                 "all have ended")
        for video in self.videos(server):
            self.assertTrue(video["status"] == "viewable" or video["error"], video)
        self.assert_consistent(server)
        self.assertEqual(contradictions(calls), [])
        self.assertEqual({video["slug"] for video in self.videos(server)},
                         {call.slug for call in calls if call.verb == "start"})
        workers = set(re.findall(r" (\d+)#\d+: \*\d+ client 127", server.log_text()))
        self.assertGreater(len(workers), 1, "more than one worker was asked")


Call = collections.namedtuple("Call", "verb slug began ended")


def contradictions(calls):
    """Answers that no order of the calls, one after the other, could have given."""
    said = []
    starts = collections.defaultdict(list)
    stops = {}
    for call in calls:
        if call.verb == "start":
            starts[call.slug].append(call)
        elif call.slug in stops:
            said.append(f"stopped twice: {call} {stops[call.slug]}")
        elif call.slug:
            stops[call.slug] = call
    for slug, stop in stops.items():
        if not any(start.began < stop.ended for start in starts[slug]):
            said.append(f"stopped before it was started: {stop}")
        said += [f"started again after {stop}: {start}" for start in starts[slug]
                 if start.began > stop.ended]
    for call in calls:
        if call.verb == "stop" and call.slug is None:
            said += [f"not stopped by {call}: {slug}" for slug, begun in starts.items()
                     if min(start.ended for start in begun) < call.began
                     and (slug not in stops or stops[slug].began > call.ended)]
    for slug, begun in starts.items():  # one recording at a time
        said += [f"{slug} while {other} was recorded" for other, stop in stops.items()
                 if other != slug and starts[other] and any(
                     min(first.ended for first in starts[other]) < start.began
                     and start.ended < stop.began for start in begun)]
    return said


def catalogue(server):
    return next((server.prefix / "data").rglob("*.db"))
