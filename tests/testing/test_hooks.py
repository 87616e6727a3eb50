"""Calling back: signed, once the job has ended, again until it is heard."""

import hashlib
import hmac
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from .conftest import Tiny


@dataclass
class Receiver:
    """Somebody's application."""

    url: str = ""
    heard: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: deque[int] = field(default_factory=deque)

    def wait(self, count: int) -> None:
        end = time.monotonic() + 5
        while len(self.heard) < count and time.monotonic() < end:
            time.sleep(0.002)
        assert len(self.heard) == count


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.heard.append((self.path, dict(self.headers), body))
            self.send_response(found.answers.popleft() if found.answers else 204)
            self.end_headers()

        def log_message(self, *_args) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/hooks?job=1"
    thread = threading.Thread(target=server.serve_forever, args=(0.005,))
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("end", ["succeeded", "failed", "canceled"])
def test_a_job_that_has_ended_is_told(it: Tiny, receiver: Receiver, end: str) -> None:
    made = it.make(hook=receiver.url)
    time.sleep(0.01)
    assert receiver.heard == []
    if end == "canceled":
        it.http.delete(f"v1/videos/{made.json()['id']}")
    else:
        it.emulator.desk("tiny").jobs[made.json()["id"]].ending = end
        it.clock.advance(60)
    receiver.wait(1)
    path, headers, body = receiver.heard[0]
    signature = hmac.new(it.emulator.desk("tiny").world.secret.encode(), body, hashlib.sha256).hexdigest()
    assert (path, headers["x-signature"], headers["content-type"]) == ("/hooks?job=1", signature, "application/json")
    assert f'"status": "{end}"'.encode() in body


def test_what_is_not_acknowledged_comes_again(it: Tiny, receiver: Receiver) -> None:
    receiver.answers.extend([500, 204])
    made = it.make(hook=receiver.url)
    it.clock.advance(60)
    receiver.wait(2)
    assert receiver.heard[0] == receiver.heard[1]
    again = it.emulator.deliver_again("tiny", made.json()["id"])
    assert (again.status, again.acknowledged) == (204, True)
    assert [one.status for one in it.emulator.deliveries] == [500, 204, 204]


def test_an_address_where_nobody_is(it: Tiny) -> None:
    made = it.make()
    gone = it.emulator.deliver_again("tiny", made.json()["id"], "http://127.0.0.1:9/hooks")
    assert (gone.status, gone.acknowledged) == (0, False)
