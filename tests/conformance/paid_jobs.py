"""How many paid jobs one call makes, by client and fault: each official client as it comes, and this library.

    python -m tests.conformance.paid_jobs [--write] [--only CLIENT]

A server on this machine takes and charges every complete POST, and then misbehaves: it drops the line, hangs, or
answers like a gateway with 500, 503, 504 or 429. The clients live in the environment of `make conformance`. `--write`
puts the table into README.md.
"""

import argparse
import json
import os
import socketserver
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.conformance.run import HERE, ROOT, make

FAULTS = ("drop", "hang", "500", "503", "504", "429")
CALLS = HERE / "paid_calls.py"
BEGIN = "<!-- paid jobs: begin (python -m tests.conformance.paid_jobs --write) -->"
END = "<!-- paid jobs: end -->"
AT_ONCE = 4
HANG_S = 30.0
CALL_S = 150.0
"""A call that has not ended by then is cut off; its count is shown with a plus."""
STILL_GOING = "it was still ordering when it was cut off"
PAGE = b"<html><head><title>%s</title></head><body><center>nginx</center></body></html>"


class Till(socketserver.ThreadingTCPServer):
    """Charges every complete POST, and then does what its fault says."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, fault: str) -> None:
        super().__init__(("127.0.0.1", 0), Customer)
        self.fault = fault
        self.charged: list[str] = []
        self.keyed = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Customer(socketserver.StreamRequestHandler):
    """One connection."""

    server: Till

    def handle(self) -> None:
        try:
            while self._one():
                pass
        except OSError:
            pass  # it gave up

    def _one(self) -> bool:
        first = self.rfile.readline().decode()
        if not first:
            return False
        headers = {}
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        self._body(headers)
        if not first.startswith("POST"):
            return self._answer("404")  # looking costs nothing, and finds nothing
        self.server.charged.append(first)
        self.server.keyed += "idempotency-key" in headers
        if self.server.fault == "drop":
            return False
        if self.server.fault == "hang":
            time.sleep(HANG_S)
            return False
        return self._answer(self.server.fault)

    def _body(self, headers: dict[str, str]) -> None:
        if "chunked" not in headers.get("transfer-encoding", ""):
            self.rfile.read(int(headers.get("content-length", "0")))
            return
        while size := int(self.rfile.readline(), 16):
            self.rfile.read(size + 2)
        self.rfile.readline()

    def _answer(self, status: str) -> bool:
        page = PAGE % status.encode()
        head = f"HTTP/1.1 {status} x\r\ncontent-type: text/html\r\ncontent-length: {len(page)}\r\n\r\n"
        self.wfile.write(head.encode() + page)
        return True


def count(python: Path, client: str, fault: str) -> tuple[int, bool, str]:
    """Make one call in a process of its own: what was charged, whether a key was sent, and how the call ended."""
    environ = {name: value for name, value in os.environ.items() if not name.endswith(("_KEY", "_TOKEN", "_SECRET"))}
    environ |= {"NO_PROXY": "127.0.0.1,localhost", "HF_HUB_DISABLE_TELEMETRY": "1"}
    with Till(fault) as till:
        command = [str(python), str(CALLS), client, till.url]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=CALL_S, env=environ, check=False)
            end = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else done.stderr[-1500:]
        except subprocess.TimeoutExpired:
            end = STILL_GOING
        till.shutdown()
        if not till.charged:
            raise RuntimeError(f"{client}, {fault}: it never bought anything: {end}")
        return len(till.charged), till.keyed > 0, end


def names(python: Path) -> dict[str, str]:
    """The clients, each with its version."""
    code = (
        "import json, paid_calls; from importlib.metadata import version;"
        "print(json.dumps({name: version(package) for name, (_, package) in paid_calls.CLIENTS.items()}))"
    )
    said = subprocess.run([str(python), "-c", code], cwd=HERE, capture_output=True, text=True, check=True)
    return dict(json.loads(said.stdout))


def measure(only: str | None = None, *, told: bool = False) -> list[str]:
    """The rows of the table."""
    python = make(HERE / "clients")
    versions = names(python)
    wanted = [name for name in versions if only in (None, name)]
    cells = [(name, fault) for name in wanted for fault in FAULTS]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        counts = dict(zip(cells, pool.map(lambda cell: count(python, *cell), cells), strict=True))
    if told:
        for (name, fault), (jobs, _, end) in counts.items():
            sys.stderr.write(f"{name:32} {fault:5} {jobs:3}  {end[:120]}\n")
    rows = [f"| client | {' | '.join(FAULTS)} | key sent |", f"| --- |{' --: |' * len(FAULTS)} --- |"]
    for name in wanted:
        own = name.startswith("aggregator")
        found = [counts[name, fault] for fault in FAULTS]
        texts = [f"{jobs}{'+' if end == STILL_GOING else ''}" for jobs, _, end in found]
        shown = [f"**{text}**" if text != "1" and not own else text for text in texts]
        label = f"**{name}**" if own else f"{name.partition(',')[0]} {versions[name]}{''.join(name.partition(',')[1:])}"
        rows.append(f"| {label} | {' | '.join(shown)} | {'yes' if any(key for _, key, _ in found) else 'no'} |")
    return rows


def written(rows: list[str]) -> str:
    """README.md with this table in its place."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return "\n".join([head + BEGIN, *rows, END + tail])


def main() -> None:
    parser = argparse.ArgumentParser(description="Counts the paid jobs of one call.")
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    parser.add_argument("--only", help="one client")
    given = parser.parse_args()
    rows = measure(given.only, told=True)
    sys.stdout.write("\n".join(rows) + "\n")
    if given.write:
        (ROOT / "README.md").write_text(written(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
