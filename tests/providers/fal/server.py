"""A fal of our own on 127.0.0.1: queue, storage and CDN over real HTTP, with every fault that can be asked for.

It keeps its own book (`jobs`: what it took; `seen`: every request it got), to be compared with what a client believes.
What a job does is a `Script`. Wire facts: fal-client 1.0.3 and https://fal.ai/docs/model-apis/model-endpoints/queue.

As a process of its own: `python server.py [--port N]` prints its two addresses as one JSON line. Scripts are then given
with `POST /_script`, the book is read with `GET /_book`.
"""

import argparse
import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

KEY = "6f1c9d2e-key-id:canary0123456789abcdef"
CDN_TOKEN = "cdn-token-of-one-day"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)
REASONS = {200: "OK", 202: "Accepted"}
SUFFIXES = (("image", "png"), ("video", "mp4"), ("audio", "wav"))


@dataclass
class Answer:
    """What is said instead of the usual. `fault`: `drop` (say nothing, close), `hang`, `truncate` (close half-way)."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    fault: str = ""
    taken: bool | None = None
    """For a submit: whether the job is taken all the same. Unless said otherwise: on 2xx, and never on a `drop`."""


@dataclass
class Script:
    """The life of one job. Answers are used up in order; then the usual is said."""

    words: tuple[str, ...] = ("COMPLETED",)
    """The status words, one a look; the last stays."""
    queue_s: float = 0.0
    run_s: float = 0.0
    """Real seconds in the queue and at work; above zero they decide instead of `words`."""
    error: dict[str, Any] = field(default_factory=dict)
    """Goes into the status once it is COMPLETED: `error`, `error_type`."""
    output: dict[str, Any] | None = None
    submit: list[Answer] = field(default_factory=list)
    status: list[Answer] = field(default_factory=list)
    stream: list[Answer] = field(default_factory=list)
    result: list[Answer] = field(default_factory=list)
    cancel: list[Answer] = field(default_factory=list)
    origin: str = ""
    """Of the addresses in the answer to the submit; empty: the server's own."""

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """Read what `asdict` wrote."""
        kinds = ("submit", "status", "stream", "result", "cancel")
        answers = {kind: [Answer(**item) for item in value.get(kind, ())] for kind in kinds}
        return cls(**{**value, **answers, "words": tuple(value.get("words", ("COMPLETED",)))})


@dataclass
class Seen:
    """One request as it arrived."""

    connection: int
    port: int
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass
class Job:
    """One entry of the book: a request that was taken, and will be billed."""

    id: str
    endpoint: str
    body: Any
    script: Script
    at: float
    looks: int = 0
    canceled: bool = False

    def word(self) -> str:
        script = self.script
        if self.canceled:
            return "COMPLETED"
        if script.queue_s or script.run_s:
            passed = time.monotonic() - self.at
            return "IN_QUEUE" if passed < script.queue_s else "IN_PROGRESS" if passed < self.ends else "COMPLETED"
        return script.words[min(self.looks, len(script.words) - 1)]

    @property
    def ends(self) -> float:
        return self.script.queue_s + self.script.run_s


class FalServer:
    """Serves from a thread of its own: `with FalServer() as server`."""

    def __init__(self, default: Script | None = None, *, key: str = KEY, port: int = 0) -> None:
        self.default = default
        self.key = key
        self.scripts: deque[Script] = deque()
        self.answers: dict[str, deque[Answer]] = {kind: deque() for kind in ("token", "upload", "file", "pricing")}
        self.seen: list[Seen] = []
        self.jobs: dict[str, Job] = {}
        self.files: dict[str, bytes] = {"out.png": PNG, "out.mp4": b"\0\0\0\x18ftypmp42", "out.wav": b"RIFF"}
        self.connections = 0
        self.close_idle = False
        """Close every connection right after its first answer, without having said so."""
        self.url = self.cdn_url = ""
        self._port = port
        self._count = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)

    # ------------------------------------------------------------------------------------------------ for the tests

    def script(self, **given: Any) -> Script:
        """Say what the next submitted job does; several are used in order."""
        self.scripts.append(Script(**given))
        return self.scripts[-1]

    def got(self, method: str, part: str = "") -> list[Seen]:
        """The requests of one method whose path contains `part`."""
        return [one for one in self.seen if one.method == method and part in one.path]

    @property
    def submits(self) -> list[Seen]:
        return [one for one in self.got("POST") if not one.path.startswith(("/storage", "/files", "/_"))]

    def book(self) -> dict[str, Any]:
        taken = [{"id": job.id, "endpoint": job.endpoint, "body": job.body} for job in self.jobs.values()]
        return {"accepted": len(taken), "jobs": taken, "submits": len(self.submits), "requests": len(self.seen)}

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    # ------------------------------------------------------------------------------------------------------ the wire

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        api = await asyncio.start_server(self._connected, "127.0.0.1", self._port)
        cdn = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url, self.cdn_url = (f"http://127.0.0.1:{one.sockets[0].getsockname()[1]}" for one in (api, cdn))
        self._ready.set()
        await self._stop.wait()
        for _ in range(10):
            await asyncio.sleep(0)  # a connection that was just made gets as far as its task
        api.close()
        cdn.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0.001)  # the loop closes what was aborted

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        self.connections += 1
        try:
            number = self.connections
            while (one := await self._read(reader, writer, number)) is not None:
                self.seen.append(one)
                answer = self._answer(one)
                if answer.fault == "hang":
                    await self._stop.wait()
                if answer.fault == "drop" or not await self._say(writer, answer) or self.close_idle:
                    return
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> Seen | None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        method, target, _ = first.split(" ")
        parts = urlsplit(target)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        port = writer.get_extra_info("sockname")[1]
        return Seen(number, port, method, parts.path, parse_qs(parts.query, keep_blank_values=True), headers, body)

    async def _say(self, writer: asyncio.StreamWriter, answer: Answer) -> bool:
        """Write the answer; `False`: the connection is over."""
        raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        headers = {
            "content-type": "application/json",
            "x-fal-request-id": f"gateway-{len(self.seen)}",
            **answer.headers,
        }
        stream = headers["content-type"] == "text/event-stream"
        length = {} if stream else {"content-length": str(len(raw) + (answer.fault == "truncate"))}
        lines = [f"{name}: {value}" for name, value in {**length, **headers}.items()]
        reason = REASONS.get(answer.status, "Whatever")
        writer.write("\r\n".join([f"HTTP/1.1 {answer.status} {reason}", *lines, "", ""]).encode() + raw)
        await writer.drain()
        return not stream and answer.fault != "truncate"

    # ------------------------------------------------------------------------------------------------- what is said

    def _answer(self, one: Seen) -> Answer:
        path = one.path
        if path == "/_book":
            return Answer(body=self.book())
        if path == "/_script":
            self.scripts.append(Script.of(one.json))
            return Answer(body=len(self.scripts))
        if one.method == "GET" and path.startswith("/files/"):
            raw = self.files.get(path.removeprefix("/files/"))
            return self._next("file") or Answer(200 if raw else 404, raw or b"", {"content-type": "image/png"})
        if path == "/files/upload":
            return self._next("upload") or self._upload(one)
        if one.headers.get("authorization") != f"Key {self.key}":
            return Answer(401, {"detail": "Cannot access application: invalid credentials"})
        if path == "/storage/auth/token":
            token = {"token": CDN_TOKEN, "token_type": "Bearer", "base_url": self.cdn_url}
            return self._next("token") or Answer(body={**token, "expires_at": "2099-01-01T00:00:00+00:00"})
        if path == "/v1/models/pricing":
            return self._next("pricing") or Answer(body={"prices": [], "next_cursor": None, "has_more": False})
        endpoint, _, rest = path.strip("/").partition("/requests/")
        return self._of_job(one, *rest.partition("/")[::2]) if rest else self._submit(one, endpoint)

    def _next(self, kind: str) -> Answer | None:
        return self.answers[kind].popleft() if self.answers[kind] else None

    def _upload(self, one: Seen) -> Answer:
        if one.headers.get("authorization") != f"Bearer {CDN_TOKEN}":
            return Answer(401, {"detail": "no token"})
        name = f"{len(self.files)}-{one.headers.get('x-fal-file-name', 'file')}"
        self.files[name] = one.body
        return Answer(body={"access_url": f"{self.cdn_url}/files/{name}"})

    def _submit(self, one: Seen, endpoint: str) -> Answer:
        script = self.scripts.popleft() if self.scripts else self.default or Script()
        said = script.submit.pop(0) if script.submit else None
        taken = said is None or (said.taken if said.taken is not None else said.status < 300 and said.fault != "drop")
        if not taken:
            return said or Answer()
        self._count += 1
        job = Job(f"00000000-0000-4000-8000-{self._count:012d}", endpoint, one.json, script, time.monotonic())
        self.jobs[job.id] = job
        return said or Answer(body={**self._urls(job), "queue_position": 0, "gateway_request_id": job.id})

    def _urls(self, job: Job) -> dict[str, Any]:
        app = job.endpoint.split("/")
        owner = "/".join(app[: 3 if app[0] in ("workflows", "comfy") else 2])
        base = f"{job.script.origin or self.url}/{owner}/requests/{job.id}"
        urls = {"response_url": base, "status_url": f"{base}/status", "cancel_url": f"{base}/cancel"}
        return {"request_id": job.id, **urls}

    def _of_job(self, one: Seen, name: str, verb: str) -> Answer:
        job = self.jobs.get(name)
        kind = {"": "result", "response": "result", "status/stream": "stream"}.get(verb, verb)
        if job is None or kind not in ("result", "status", "stream", "cancel"):
            return Answer(404, {"status": "NOT_FOUND"} if kind == "cancel" else {"detail": "Request not found"})
        scripted: list[Answer] = getattr(job.script, kind)
        return scripted.pop(0) if scripted else getattr(self, f"_{kind}")(job)

    def _status(self, job: Job) -> Answer:
        word = job.word()
        job.looks += 1
        body = {"status": word, "logs": None, **self._urls(job)}
        if word == "IN_QUEUE":
            body["queue_position"] = max(0, len(job.script.words) - job.looks - 1)
        if word == "COMPLETED":
            body |= {"metrics": {"inference_time": 0.5}, **job.script.error}
        if job.canceled:
            body |= {"error": "Request was cancelled", "error_type": "client_cancelled"}
        return Answer(202 if word != "COMPLETED" else 200, body)

    def _stream(self, job: Job) -> Answer:
        events = []
        while not events or events[-1]["status"] != "COMPLETED":
            events.append(self._status(job).body)
            if job.looks >= len(job.script.words):
                break
        raw = ": hello\n\n" + "".join(f"event: status\ndata: {json.dumps(event)}\n\n" for event in events)
        return Answer(body=raw.encode(), headers={"content-type": "text/event-stream", "connection": "close"})

    def _result(self, job: Job) -> Answer:
        if job.canceled:
            return Answer(499, {"detail": "Request was cancelled", "error_type": "client_cancelled"})
        if job.word() != "COMPLETED":
            return Answer(400, {"detail": "Request is still in progress"})
        url = f"{self.cdn_url}/files/out"
        usual = {
            "images": [{"url": f"{url}.png", "width": 1, "height": 1, "content_type": "image/png"}],
            **{kind: {"url": f"{url}.{suffix}"} for kind, suffix in SUFFIXES},
            "seed": 7,
        }
        return Answer(body=usual if job.script.output is None else job.script.output)

    def _cancel(self, job: Job) -> Answer:
        if job.canceled or job.word() == "COMPLETED":
            return Answer(400, {"status": "ALREADY_COMPLETED"})
        job.canceled = True
        return Answer(202, {"status": "CANCELLATION_REQUESTED"})


def script_json(script: Script) -> dict[str, Any]:
    """What `POST /_script` takes."""
    return asdict(script)


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", default=KEY)
    parser.add_argument("--queue-s", type=float, default=0.0)
    parser.add_argument("--run-s", type=float, default=0.0)
    given = parser.parse_args()
    default = Script(queue_s=given.queue_s, run_s=given.run_s)
    with FalServer(default, key=given.key, port=given.port) as server:
        print(json.dumps({"url": server.url, "cdn_url": server.cdn_url}), flush=True)  # noqa: T201
        threading.Event().wait()


if __name__ == "__main__":
    main()
