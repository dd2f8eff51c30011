"""A small HTTP client: a fresh connection for every request, nothing retried or followed."""
import dataclasses
import http.client
import json


@dataclasses.dataclass
class Reply:
    status: int
    headers: dict  # names in lower case
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The code of an error answer."""
        return self.json["error"]["code"]


class Api:
    def __init__(self, port, prefix="/streaming/", host="127.0.0.1", timeout=20):
        self.port, self.prefix, self.host, self.timeout = port, prefix, host, timeout

    def request(self, method, path, body=None, headers=None):
        """`path` with a slash in front is taken as it is, otherwise below the API's prefix.
        `body`: bytes or str as they are, anything else as JSON."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        url = path if path.startswith("/") else self.prefix + path
        connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        try:
            connection.request(method, url, body=body, headers=headers)
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()},
                         answer.read())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.request("GET", path, headers={k.replace("_", "-"): v
                                                  for k, v in headers.items()})

    def put(self, path, body=None):
        return self.request("PUT", path, body)

    def post(self, path, body=None):
        return self.request("POST", path, body)

    def patch(self, path, body=None):
        return self.request("PATCH", path, body)

    def delete(self, path):
        return self.request("DELETE", path)
