"""The base of all integration tests."""
import sys
import unittest

from .api import Api
from .nginx import Nginx
from .publish import Publisher


class IntegrationTest(unittest.TestCase):
    """Whatever a test starts is stopped and checked after it; a failure shows the logs."""

    def setUp(self):
        self._servers = []

    def start_nginx(self, **arguments):
        server = self.make_nginx(**arguments)
        server.start()
        return server

    def make_nginx(self, **arguments):
        """Not started; removed and (if the test starts it) checked afterwards."""
        server = Nginx(**arguments)
        self._servers.append(server)
        self.addCleanup(server.remove)
        self.addCleanup(server.check)
        return server

    def publish(self, server, name, **arguments):
        publisher = Publisher(server.rtmp_port, name, **arguments)
        self.addCleanup(publisher.kill)
        return publisher

    def api(self, server, prefix="/streaming/"):
        return Api(server.http_port, prefix)

    def run(self, result=None):
        before = _bad(result)
        answer = super().run(result)
        if _bad(result) > before:
            for server in self._servers:
                print(f"--- {self.id()}: the end of nginx's log\n{server.last_words}",
                      file=sys.stderr)
        return answer


def _bad(result):
    return 0 if result is None else len(result.failures) + len(result.errors)
