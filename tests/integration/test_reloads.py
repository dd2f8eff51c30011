"""Start and stop while nginx is reloaded: whichever generation's worker is reached, it is right."""
import concurrent.futures
import os
import random
import threading

from tests.integration.support import (
    BY_HAND, Api, RecordingTest, mp4_samples, probe_warnings, test_clip, wait_for)
from tests.integration.support.encoder import Encoder

CLIENTS = 8
CALLS = 63  # of each client: 504 in all
RELOADS = 20


class Client:
    """Calls for one stream, one after the other, so that the right answer to each is known."""

    def __init__(self, port, name, stream, chance):
        self.port, self.name, self.stream, self.chance = port, name, stream, chance
        self.recording = None  # the slug of what is being recorded
        self.slugs = []
        self.wrong = []
        self.answers = 0

    def call(self, number):
        verb = self.chance.choice(("start", "stop"))
        # By number and by name: both are resolved by the worker that is reached.
        by = self.chance.choice((self.stream, f"live/{self.name}"))
        try:
            reply = Api(self.port).put(f"streams/{by}/{verb}_recording")
            wrong = (self.started if verb == "start" else self.stopped)(reply)
            shown = Api(self.port).get(f"streams/{by}")
            if shown.status != 200 or shown.json["recording"] != bool(self.recording):
                wrong = wrong or f"the stream is shown as {shown.status} {shown.body[:300]}"
        except (OSError, ValueError, KeyError, TypeError) as error:
            wrong = f"no right answer: {error!r}"
        self.answers += not wrong
        if wrong:
            self.wrong.append(f"{self.name}, call {number}, {verb}: {wrong}")

    def started(self, reply):
        if reply.status != 200:
            return f"{reply.status} {reply.body[:300]}"
        body = reply.json
        if (body["data"], body["errors"], body["warnings"]) != (
                {"stream": {"id": self.stream}}, [], []):
            return body
        slug = body["recording"]["slug"]
        if self.recording and slug != self.recording:
            return f"{slug} is recorded, not {self.recording} as before"
        if not self.recording and slug in self.slugs:
            return f"{slug} had been stopped"
        if not self.recording:
            self.slugs.append(slug)
        self.recording = slug
        return None

    def stopped(self, reply):
        was, self.recording = self.recording, None
        if was is None:
            return None if (reply.status, reply.body) == (204, b"") else (
                f"nothing was recorded, but {reply.status} {reply.body[:300]}")
        if reply.status != 200:
            return f"{was} was recorded, but {reply.status} {reply.body[:300]}"
        body = reply.json
        return None if (body["slug"], body["stream_id"], body["sequence"]) == (
            was, self.stream, 1) else body


class WhileReloading(RecordingTest):
    def test_five_hundred_calls_during_twenty_reloads(self):
        server = self.start_nginx(application=BY_HAND, workers=4)
        source = test_clip(seconds=8)
        chance = random.Random(int(os.environ.get("RECORDING_SEED", 3)))
        encoders = {}
        for i in range(CLIENTS):
            encoders[f"cam{i}"] = Encoder(server, f"cam{i}", source, "--loops", "0")
            self.addCleanup(encoders[f"cam{i}"].remove)
        clients = [Client(server.http_port, name, self.wait_live(server, name)["id"],
                          random.Random(chance.random())) for name in encoders]
        sessions = {name: self.stream(server, name)["session"]["id"] for name in encoders}
        progress = threading.Condition()
        self.calls = self.reloads = 0

        # Calls and reloads wait for each other, so that they are mixed on any machine.
        def run(client):
            for number in range(CALLS):
                with progress:
                    progress.wait_for(lambda: self.reloads + 1 >= number * RELOADS // CALLS, 300)
                client.call(number)
                with progress:
                    self.calls += 1
                    progress.notify_all()

        def reload_again_and_again():
            for number in range(RELOADS):
                with progress:
                    progress.wait_for(
                        lambda: self.calls >= number * CLIENTS * CALLS // RELOADS, 300)
                server.reload()
                with progress:
                    self.reloads += 1
                    progress.notify_all()
        with concurrent.futures.ThreadPoolExecutor(CLIENTS + 1) as pool:
            running = [pool.submit(run, client) for client in clients]
            running.append(pool.submit(reload_again_and_again))
            for each in running:
                each.result()
        wrong = sum((client.wrong for client in clients), [])
        self.assertEqual(wrong, [], "\n".join(map(str, wrong)))
        self.assertEqual(sum(client.answers for client in clients), CLIENTS * CALLS)
        self.assertEqual(server.log_text().count("(SIGHUP) received from"), RELOADS)

        for client in clients:
            shown = self.stream(server, client.name)
            self.assertEqual(shown["recording"], bool(client.recording), client.name)
            # Its encoder never noticed.
            self.assertEqual(shown["session"]["id"], sessions[client.name], client.name)
            self.assertTrue(encoders[client.name].running, encoders[client.name].output())
        self.assertNotIn('"stream.ended"', server.log_text())
        for name, encoder in encoders.items():
            encoder.stop()
            [report] = encoder.report()
            self.assertEqual((report["publish"], report["closed_by_peer"], report["error"]),
                             ("accepted", False, ""), report)
            self.wait_live(server, name, live=False)
        self.look_at_videos(server, clients, encoders)

    def look_at_videos(self, server, clients, encoders):
        slugs = [slug for client in clients for slug in client.slugs]
        self.assertEqual(len(set(slugs)), len(slugs))

        def ended():
            videos = {}
            for page in range(1, 2 + len(slugs) // 100):
                for video in Api(server.http_port).get(f"videos?per_page=100&page={page}").json:
                    videos[video["slug"]] = video
            return videos if len(videos) == len(slugs) and all(
                video["status"] in ("viewable", "error") for video in videos.values()) else None
        videos = wait_for(ended, 60, f"{len(slugs)} videos have ended")
        self.assertEqual(set(videos), set(slugs))
        # The longest of each stream is a stretch of what was sent, from a key frame on.
        for client in clients:
            for slug in client.slugs:
                video = videos[slug]
                self.assertEqual(video["stream_id"], client.stream)
                self.assertTrue(video["status"] == "viewable" or video["error"], video)
            path = self.download(server, max(
                client.slugs, key=lambda slug: videos[slug]["duration"] or 0))
            self.assertEqual(probe_warnings(path), "")
            saved, sent = mp4_samples(path), encoders[client.name].sent()
            for kind in "va":
                have = saved[kind]
                self.assertGreater(len(have), 0)
                self.assertTrue(any(sent[kind][i:i + len(have)] == have
                                    for i in range(0, len(sent[kind]), 25 if kind == "v" else 1)),
                                f"{client.name}: {kind}: {len(have)} samples")
