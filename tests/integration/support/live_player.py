"""A player of a live media playlist that knows nothing but RFC 8216."""
import re
import threading
import time
import urllib.parse

from .api import Api


class LivePlayer(threading.Thread):
    """Asks for one playlist again and again until it ends, and takes all that it names.

    `segments`: {media sequence number: (discontinuity sequence number, URL of its map, its URL)}
    `bytes`: {URL: what is there}. `faults`: what no server may do."""

    def __init__(self, server, url):
        super().__init__(daemon=True)
        self.api, self.url = Api(server.http_port), url
        self.segments, self.bytes, self.faults = {}, {}, []
        self.ended = False
        self.start()

    def run(self):
        while not self.ended:
            self.read(self.api.get(self.url))
            time.sleep(0.2)  # as players do

    def read(self, reply):
        if reply.status != 200:
            self.faults.append(f"{self.url}: {reply.status}")
            return
        number = discontinuity = 0
        file_of = None
        for line in reply.body.decode().splitlines():
            tag, _, value = line.partition(":")
            if tag == "#EXT-X-MEDIA-SEQUENCE":
                number = int(value)
                if number < min(self.segments, default=0):
                    self.faults.append(f"went back to {number}")
            elif tag == "#EXT-X-DISCONTINUITY-SEQUENCE":
                discontinuity = int(value)
            elif tag == "#EXT-X-DISCONTINUITY":
                discontinuity += 1
            elif tag == "#EXT-X-MAP":
                file_of = self.take(re.search('URI="([^"]+)"', value)[1])
            elif tag == "#EXT-X-ENDLIST":
                self.ended = True
            elif line and not line.startswith("#"):
                found = (discontinuity, file_of, self.take(line))
                if self.segments.setdefault(number, found) != found:
                    self.faults.append(f"{number} was {self.segments[number]}, is {found}")
                number += 1

    def take(self, uri):
        url = urllib.parse.urljoin(self.url, uri)
        if url not in self.bytes:
            reply = self.api.get(url)
            self.bytes[url] = reply.body
            if reply.status != 200:
                self.faults.append(f"{url}: {reply.status}")
        return url

    def parts(self):
        """What came between two discontinuities, each as one file."""
        found = {}
        for _, (part, map_url, url) in sorted(self.segments.items()):
            found.setdefault(part, self.bytes[map_url])
            found[part] += self.bytes[url]
        return [data for _, data in sorted(found.items())]
