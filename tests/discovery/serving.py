"""A loopback server that answers with documents by path, for the command as a whole."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Serving:
    """What is answered, and everything that was asked."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = dict(answers)
        """By path with query; the longest beginning that fits."""
        self.asked: list[tuple[str, str]] = []
        self.url = ""

    def answer(self, method: str, path: str) -> tuple[int, Any]:
        self.asked.append((method, path))
        name = max((one for one in self.answers if path.startswith(one)), key=len, default=None)
        if name is None:
            return 404, {"detail": "not found"}
        found = self.answers[name]
        return found if isinstance(found, tuple) else (200, found)


@contextmanager
def serving(answers: Mapping[str, Any]) -> Iterator[Serving]:
    """Serve until the end of the block."""
    here = Serving(answers)

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            status, body = here.answer(self.command, self.path)
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = _do  # noqa: N815 - as the library calls them

        def log_message(self, *_words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    here.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
