"""The server all peers are measured against: fal's queue, an immediate answer, OpenAI's images, and large files.

It is a bare asyncio protocol in a process of its own, so that it is never the bottleneck. Service times are log-normal
and seeded: every peer is given the same ones, in the order of its submits. For each job it keeps, on the monotonic
clock that all processes of a machine share, when it was ready, when an answer first said so, and when the result was
handed over.

    python benchmarks/emulator.py    # prints its port
"""

import asyncio
import base64
import json
import math
import struct
import sys
import tempfile
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import parse_qs, urlsplit

SEED = 7
MEDIAN_S, SIGMA = 2.0, 0.5
CLIP_HEAD = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
REASONS = {200: "OK", 202: "Accepted", 404: "Not Found"}


def picture() -> bytes:
    """The smallest true PNG: one grey pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\x7f")) + chunk(b"IEND", b"")
    )


PICTURE = picture()


@dataclass(slots=True)
class Job:
    """One queued job; times are of the monotonic clock, in seconds."""

    submitted_s: float
    ready_s: float
    seen_s: float | None = None
    result_s: float | None = None
    looks: int = 0


class Emulator:
    """The state of all jobs, and what is answered."""

    def __init__(self) -> None:
        self.reset(SEED, MEDIAN_S, SIGMA)

    def reset(self, seed: int, median_s: float, sigma: float) -> None:
        self.random = Random(seed)
        self.median_s, self.sigma = median_s, sigma
        self.jobs: list[Job] = []
        self.requests = 0
        self.connections = 0

    def submit(self, base: str, path: str) -> dict[str, object]:
        now_s = time.monotonic()
        number = len(self.jobs)
        self.jobs.append(Job(now_s, now_s + self.median_s * math.exp(self.random.gauss(0, self.sigma))))
        at = f"{base}{'/'.join(path.split('/')[:4])}/requests/r{number}"
        return {
            "request_id": f"r{number}",
            "status_url": f"{at}/status",
            "response_url": at,
            "cancel_url": f"{at}/cancel",
            "queue_position": 0,
        }

    def status(self, job: Job, number: int) -> dict[str, object]:
        now_s = time.monotonic()
        if now_s < job.ready_s:
            return {"status": "IN_PROGRESS", "request_id": f"r{number}", "logs": None}
        job.seen_s = job.seen_s or now_s
        return {"status": "COMPLETED", "request_id": f"r{number}", "logs": None, "metrics": {"inference_time": 1.0}}

    def result(self, base: str, number: int) -> dict[str, object]:
        job = self.jobs[number]
        job.result_s = job.result_s or time.monotonic()
        return {"images": [{"url": f"{base}/picture.png", "content_type": "image/png"}], "seed": number}

    def stats(self) -> dict[str, object]:
        jobs = [[job.submitted_s, job.ready_s, job.seen_s, job.result_s, job.looks] for job in self.jobs]
        return {"requests": self.requests, "connections": self.connections, "jobs": jobs}

    def answer(self, method: str, target: str, base: str) -> tuple[int, object]:
        parts = urlsplit(target)
        path = parts.path
        if path == "/stats":
            return 200, self.stats()
        if path == "/reset":
            given = {name: float(values[0]) for name, values in parse_qs(parts.query).items()}
            self.reset(int(given.get("seed", SEED)), given.get("median", MEDIAN_S), given.get("sigma", SIGMA))
            return 200, {}
        self.requests += 1
        if path.startswith("/queue/"):
            return (200, self.submit(base, path)) if method == "POST" else self.asked(path, base)
        if path.startswith("/run/"):
            images = [{"url": f"{base}/picture.png", "content_type": "image/png"}]
            return 200, {"status": "COMPLETED", "images": images, "seed": 1, "prompt": "x" * 850}
        if path == "/v1/images/generations":
            return 200, {"created": 1, "data": [{"b64_json": base64.b64encode(b"x" * 720).decode()}]}
        return 404, {"detail": "no such path"}

    def asked(self, path: str, base: str) -> tuple[int, object]:
        """Status, result or cancel of a job."""
        number, _, what = path.partition("/requests/r")[2].partition("/")
        job = self.jobs[int(number)]
        if what == "cancel":
            return 202, {"status": "CANCELLATION_REQUESTED"}
        if what == "status":
            job.looks += 1
            return 202 if time.monotonic() < job.ready_s else 200, self.status(job, int(number))
        return 200, self.result(base, int(number))


class Connection(asyncio.Protocol):
    """One connection: as much of HTTP/1.1 as clients send here."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.buffer = b""
        self.background: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.emulator.connections += 1
        host, port = transport.get_extra_info("sockname")[:2]
        self.base = f"http://{host}:{port}"

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].decode("latin-1")
            length = 0
            for line in head.split("\r\n")[1:]:
                name, _, value = line.partition(":")
                if name.lower() == "content-length":
                    length = int(value)
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            method, target, _ = head.split(" ", 2)
            self.serve(method, target)

    def serve(self, method: str, target: str) -> None:
        path = target.partition("?")[0]
        if path.endswith("/status/stream"):
            self.emulator.requests += 1
            self.listen(int(path.partition("/requests/r")[2].partition("/")[0]))
        elif path.startswith("/v1/files/"):  # as OpenAI names a file's content; anyone may fetch it
            self.emulator.requests += 1
            self.start(self.clip(int(path.split("/")[3])))
        elif path == "/picture.png":
            self.emulator.requests += 1
            self.write(200, PICTURE, "image/png")
        else:
            status, body = self.emulator.answer(method, target, self.base)
            self.write(status, json.dumps(body).encode(), "application/json")

    def start(self, work) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.background.add(task)
        task.add_done_callback(self.background.discard)

    def write(self, status: int, body: bytes, kind: str) -> None:
        head = f"HTTP/1.1 {status} {REASONS[status]}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)

    def listen(self, number: int) -> None:
        """Server-sent events: one at once, one when the job is ready, then the end."""
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        job = self.emulator.jobs[number]
        self.event(job, number)
        if job.seen_s is None:
            asyncio.get_running_loop().call_later(job.ready_s - time.monotonic() + 1e-3, self.event, job, number)

    def event(self, job: Job, number: int) -> None:
        if self.transport.is_closing():
            return
        said = self.emulator.status(job, number)
        data = f"data: {json.dumps(said)}\n\n".encode()
        last = b"0\r\n\r\n" if said["status"] == "COMPLETED" else b""
        self.transport.write(f"{len(data):x}\r\n".encode() + data + b"\r\n" + last)

    async def clip(self, size_bytes: int) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\ncontent-length: {size_bytes}\r\n\r\n"
        self.transport.write(head.encode())
        with clip_file(size_bytes) as file:
            await asyncio.get_running_loop().sendfile(self.transport, file)


def clip_file(size_bytes: int):
    """A file that begins like an MP4 and holds what does not compress."""
    path = MADE / f"{size_bytes}.mp4"
    if not path.exists():
        block = Random(SEED).randbytes(2**20)
        with path.open("wb") as file:
            file.write((CLIP_HEAD + block * (size_bytes // len(block) + 1))[:size_bytes])
    return path.open("rb")


async def main() -> None:
    emulator = Emulator()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(emulator), "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    reading = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reading), sys.stdin)
    await reading.read()  # whoever started it is gone


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        MADE = Path(directory)
        asyncio.run(main())
