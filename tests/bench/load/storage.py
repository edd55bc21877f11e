"""A caller with one connection, and the few calls of Cloud Storage's JSON API that the benchmark itself makes."""

import http.client
import json
import urllib.parse

PNG = b"\x89PNG\r\n\x1a\n"


class Caller:
    """One keep-alive connection, opened anew where the server closed it between two calls."""

    def __init__(self, port, timeout=90):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def call(self, method, path, body=None, headers=None):
        """Status, headers and body of the answer."""
        reused = self.connection.sock is not None
        try:
            return self._call(method, path, body, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.connection.close()
            if not reused:
                raise
        return self._call(method, path, body, headers)

    def _call(self, method, path, body, headers):
        try:
            self.connection.request(method, path, body, headers or {})
            answer = self.connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except BaseException:
            self.connection.close()
            raise


class Storage:
    """fake-gcs-server, as one thread uses it."""

    def __init__(self, port):
        self.port = port
        self.caller = Caller(port)

    def create_bucket(self, bucket):
        body = json.dumps({"name": bucket})
        self._expect(200, "POST", "/storage/v1/b?project=bench", body, {"content-type": "application/json"})

    def put(self, bucket, name, content):
        """Uploads, and returns the generation."""
        path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={urllib.parse.quote(name, safe='')}"
        kind = "image/png" if name.endswith(".png") else "image/jpeg"
        _, body = self._expect(200, "POST", path, content, {"content-type": kind})
        return int(json.loads(body)["generation"])

    def get(self, bucket, name):
        """Content and custom metadata, or nothing where there is no such object."""
        status, headers, body = self.caller.call("GET", f"{self._path(bucket, name)}?alt=media")
        if status == 404:
            return None
        if status != 200:
            raise SystemExit(f"{name}: storage answers {status}")
        prefix = "x-goog-meta-"
        metadata = {key.lower()[len(prefix) :]: value for key, value in headers.items() if key.lower().startswith(prefix)}
        return body, metadata

    def take_thumbnail(self, bucket, source):
        """Whether there is a thumbnail; it is gone afterwards, so that the same work can be done again."""
        name = f"thumbnails/{source}"
        found = self.get(bucket, name)
        if found is None:
            return False
        if not found[0].startswith(PNG):
            raise SystemExit(f"{name} is no PNG")
        self._expect(200, "DELETE", self._path(bucket, name))
        return True

    @staticmethod
    def _path(bucket, name):
        return f"/storage/v1/b/{bucket}/o/{urllib.parse.quote(name, safe='')}"

    def _expect(self, expected, method, path, body=None, headers=None):
        status, headers, body = self.caller.call(method, path, body, headers)
        if status != expected:
            raise SystemExit(f"{method} {path}: storage answers {status}: {body[:200]}")
        return headers, body
