"""What goes over the wire: an immediate call, 200 jobs at once, one large file."""

import json
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import environments
from server import MEDIAN_S, SIGMA, Server
from tables import Table, medians, quantile

ADDED_US = 300.0
CALLS = (
    ("raw httpx, kept-alive connections", "httpx", "kept"),
    ("raw httpx, a connection per call", "httpx", "fresh"),
    ("aggregator, a paid call (a connection per call)", "aggregator", "fresh"),
    ("aggregator, a look (kept-alive connections)", "aggregator", "poll"),
    ("fal-client, run (kept-alive connections)", "fal", ""),
    ("openai, images.generate (kept-alive connections)", "openai", ""),
)
JOBS = (
    ("fal-client, subscribe", "fal", "jobs", ""),
    ("aggregator's engine, status stream", "aggregator", "jobs", "stream"),
    ("aggregator's engine, learned looks", "aggregator", "jobs", "poll"),
    ("aggregator, all of it, status stream", "aggregator", "whole", "stream"),
    ("aggregator, all of it, learned looks", "aggregator", "whole", "poll"),
    ("  of which fetching the files, alone", "aggregator", "fetch", ""),
)
DOWNLOADS = (
    ("httpx, streamed to a file", "httpx", ""),
    ("aggregator, to its store", "aggregator", "fsync"),
    ("aggregator, without fsync", "aggregator", "no fsync"),
    ("openai, files.content", "openai", ""),
    ("httpx whole in memory, as fal documents", "fal", ""),
)


def ask(server: Server, peer: str, **asked: Any) -> Any:
    return environments.run(peer, json.dumps({"base": server.base, "median_s": MEDIAN_S, "sigma": SIGMA, **asked}))


def call(*, quick: bool) -> list[Table]:
    """CPU of one call with a JSON answer of 1 KB."""
    rounds, calls = (3, 200) if quick else (5, 600)
    runs: dict[tuple[str, int], list[dict[str, float]]] = defaultdict(list)
    with Server() as server:
        for _ in range(rounds):
            for name, peer, way in CALLS:
                for at_once in (1, 64):
                    asked = {"measure": "call", "way": way, "calls": max(calls, 4 * at_once), "at_once": at_once}
                    runs[name, at_once].append(ask(server, peer, **asked))
    found = {key: medians(of) for key, of in runs.items()}
    table = Table("One immediate call: CPU µs", ("", "one at a time", "64 at once"))
    table.rows = [[name, found[name, 1]["cpu_us"], found[name, 64]["cpu_us"]] for name, _, _ in CALLS]
    kept, fresh, paid, look = (name for name, _, _ in CALLS[:4])
    for at_once in (1, 64):
        for ours, theirs in ((paid, fresh), (look, kept)):
            added_us = found[ours, at_once]["cpu_us"] - found[theirs, at_once]["cpu_us"]
            table.judge(f"{at_once} at once, {ours!r} over {theirs!r}, µs", added_us, ADDED_US)
    table.notes = [
        "A paid request goes on a fresh connection by design: it is never lost on one that the server has just closed.",
        "Ours is the engine: request, origin check, credential, answer read by a table; no journal, no ledger.",
    ]
    return [table]


def jobs(*, quick: bool) -> list[Table]:
    """200 jobs at once through fal's queue."""
    rounds, count = (1, 200) if quick else (3, 200)
    runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with Server() as server, tempfile.TemporaryDirectory() as directory:
        for turn in range(rounds):
            for name, peer, measure, way in JOBS:
                server.reset(turn + 1)
                found = ask(server, peer, measure=measure, way=way, jobs=count, directory=directory)
                runs[name].append(_of_jobs(found, server.stats(), count))
    columns = ("", "ready to seen p50 s", "p95", "ready to handed over p95 s", "looks", "requests", "CPU ms", "errors")
    table = Table(f"{count} jobs at once, service time log-normal, median 2 s, sigma 0.5; per job", columns)
    best = {name: _middle(of) for name, of in runs.items()}
    for name, of in best.items():
        table.rows.append([name, of["p50"], of["p95"], of["handed"], of["looks"], of["requests"], of["cpu"], of["bad"]])
    fal, stream, poll, whole, whole_poll, fetch = (best[name] for name, *_ in JOBS)
    table.judge("engine (stream) against fal-client, CPU", stream["cpu"] / fal["cpu"], 1 / 3)
    table.judge("engine (stream) against fal-client, handed over p95", stream["handed"] / fal["handed"], 1 / 3)
    table.judge("engine (looks) against fal-client, CPU", poll["cpu"] / fal["cpu"], 1 / 3)
    table.judge("engine (looks) against fal-client, handed over p95", poll["handed"] / fal["handed"], 1 / 3)
    table.judge("all of it (stream) against fal-client, handed over p95", whole["handed"] / fal["handed"], 1 / 3)
    table.judge("all of it (looks) against fal-client, handed over p95", whole_poll["handed"] / fal["handed"], 1 / 3)
    rest = whole["cpu"] - whole["store"] - fetch["cpu"]
    table.judge("all but journal and fetched files (stream) against fal-client, CPU", rest / fal["cpu"], 1 / 3)
    table.judge(
        "errors and pool time-outs of ours", float(sum(of["bad"] for of in (stream, poll, whole, whole_poll))), 0
    )
    table.notes = [
        _split("All of it, status stream", whole),
        _split("All of it, learned looks", whole_poll),
        "Looks know 20 service times of the offer beforehand. fal-client keeps no journal.",
    ]
    return [table]


def _split(name: str, of: dict[str, Any]) -> str:
    return (
        f"{name}: CPU {of['loop']:.1f} ms on the event loop, {of['store']:.1f} ms in the thread of journal and ledger"
    )


def _of_jobs(found: dict[str, Any], stats: dict[str, Any], count: int) -> dict[str, Any]:
    """Figures of one run: the server knows when a job was ready, the client when its caller had the result."""
    server = stats["jobs"]
    late = [seen_s - ready_s for _, ready_s, seen_s, _, _ in server if seen_s is not None]
    handed = [at_s - server[int(number)][1] for number, at_s in found["ended"].items() if server]
    return {
        "p50": quantile(late, 0.5),
        "p95": quantile(late, 0.95),
        "handed": quantile(handed, 0.95),
        "looks": sum(job[4] for job in server) / count,
        "requests": stats["requests"] / count,
        "cpu": found["cpu_ms"],
        "loop": found.get("loop_ms", 0.0),
        "store": found.get("store_ms", 0.0),
        "bad": sum(found["errors"].values()),
    }


def _middle(runs: list[dict[str, Any]]) -> dict[str, Any]:
    found = {name: None if runs[0][name] is None else quantile([of[name] for of in runs], 0.5) for name in runs[0]}
    return {**found, "bad": sum(of["bad"] for of in runs)}


def download(*, quick: bool) -> list[Table]:
    """One file of 200 MB."""
    rounds, size_bytes = (3, 200_000_000) if quick else (7, 200_000_000)
    runs: dict[str, list[dict[str, float]]] = defaultdict(list)
    with Server() as server, tempfile.TemporaryDirectory() as directory:
        to = str(Path(directory) / "clip.mp4")
        for _ in range(rounds):
            for name, peer, way in DOWNLOADS:
                asked = {"measure": "download", "way": way, "size_bytes": size_bytes, "to": to, "directory": directory}
                runs[name].append(ask(server, peer, **asked))
    found = {name: medians(of) for name, of in runs.items()}
    table = Table("One file of 200 MB", ("", "MB/s", "CPU ms", "memory grows by MB"))
    table.rows = [[name, of["mb_s"], of["cpu_ms"], of["growth_mb"]] for name, of in found.items()]
    streamed, ours, unsynced = (found[name] for name, *_ in DOWNLOADS[:3])
    table.judge("memory of ours grows by MB", ours["growth_mb"], 8.0)
    table.judge("httpx streamed over ours without fsync, MB/s", streamed["mb_s"] / unsynced["mb_s"], 1 / 0.9)
    table.notes = [
        "Ours hashes (SHA-256), counts, sniffs the type and publishes the file under its hash; httpx only writes it.",
        f"fsync alone waits {ours['fsync_ms']:.0f} ms for the disk; no peer does it.",
    ]
    return [table]
