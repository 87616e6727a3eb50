"""How much memory a file takes on its way from a server to the store: `python benchmarks/streaming.py [MiB]`.

A server in a process of its own sends a clip of 2 GiB; the real transport, engine and store take it. What is printed is
how far the peak of resident memory rose above what was resident before. It fails above the limit.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

LIMIT_MIB = 64
HEAD = b"\0\0\0\x18ftypmp42".ljust(2**20, b"\0")


async def serve(mib):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (mib * 2**20))
        with suppress(ConnectionError):  # the first one reads a little and leaves
            for _ in range(mib):
                writer.write(HEAD)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def resident_mib(field):
    """`VmRSS`: now; `VmHWM`: the most there ever was."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(field)).split()[1]) / 1024


async def fetch(port, mib, directory):
    from aggregator._http import HttpxTransport
    from aggregator.backend import Backend
    from aggregator.clock import SystemClock
    from aggregator.engine import Engine
    from aggregator.probing import Prober
    from aggregator.providers.fal import PROVIDER
    from aggregator.store.files import FileStore

    transport = HttpxTransport()
    engine = Engine(transport=transport, clock=SystemClock(), rng=Random(1))
    base = f"http://127.0.0.1:{port}"
    backend = Backend(replace(PROVIDER, base_url=base), own_host="127.0.0.1")
    store = FileStore(directory, Prober(enabled=False))
    async with engine.download(backend, f"{base}/warm-up.mp4") as stream:
        await anext(aiter(stream.chunks))  # what a first request imports is not what a file takes
    before, began = resident_mib("VmRSS"), time.monotonic()
    async with engine.download(backend, f"{base}/clip.mp4") as stream:
        stored = await store.write(stream.chunks, family="video", expected_bytes=mib * 2**20)
    took_s = time.monotonic() - began
    await transport.aclose()
    assert stored.size_bytes == mib * 2**20
    return resident_mib("VmHWM") - before, took_s


def main():
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("mib", type=int, nargs="?", default=2048)
    asked.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked.add_argument("--directory", type=Path, default=None, help="where the file is written; a temporary one")
    given = asked.parse_args()
    if given.serve:
        asyncio.run(serve(given.mib))
        return 0
    command = [sys.executable, __file__, str(given.mib), "--serve"]
    with (
        tempfile.TemporaryDirectory(dir=given.directory) as directory,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
    ):
        try:
            grew, took_s = asyncio.run(fetch(int(server.stdout.readline()), given.mib, Path(directory)))
        finally:
            server.kill()
    print(f"{given.mib} MiB streamed to the store in {took_s:.1f} s: peak memory grew by {grew:.1f} MiB of {LIMIT_MIB}")
    return 0 if grew < LIMIT_MIB else 1


if __name__ == "__main__":
    sys.exit(main())
