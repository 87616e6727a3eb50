"""This library: its engine alone (what it adds to HTTP), and the whole of it with journal, ledger and stored files."""

import asyncio
import os
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from random import Random

from measuring import all_at_once, argument, cpu_us_per_call, one_download, report

from aggregator._http import HttpxTransport
from aggregator.backend import Backend
from aggregator.clock import SystemClock
from aggregator.contract import Auth, Call, Endpoint, Files, Provider, State, Status
from aggregator.engine import Engine
from aggregator.polling import ServiceTime, next_poll_s
from aggregator.probing import Prober
from aggregator.providers import fal
from aggregator.secret import Secret
from aggregator.store.files import FileStore

IMAGES = Endpoint(files=Files("images[].url", "image/png"), facts={"seed": "seed"})
OFFER = "fal:fal-ai/flux/schnell"
LEARNED_FROM = 20
"""Service times an offer has learned from before the jobs begin: a user's second day, not the first minute."""


def engine():
    return Engine(transport=HttpxTransport(), clock=SystemClock(), rng=Random(1))


def immediate(base):
    """A provider whose answer to the submit is the result; `poll` reads the same 1 KB over a kept connection."""
    return Provider(
        name="immediate",
        docs="",
        checked="2026-11-21",
        base_url=base,
        auth=Auth(env=(), template="Key {key}"),
        submit=Call("POST", "/run/{endpoint}"),
        status=Status("status", {"COMPLETED": State.SUCCEEDED}),
        tasks={"text-to-image": IMAGES},
    )


def queue(base):
    return replace(fal.PROVIDER, base_url=f"{base}/queue", hosts={}, cdns={})


def learned(asked):
    """What polling knows after some jobs of this offer."""
    known, random = ServiceTime(), Random(99)
    for _ in range(LEARNED_FROM):
        known = known.observe(asked["median_s"] * random.lognormvariate(0, asked["sigma"]))
    return known


async def call(asked):
    at, table = engine(), immediate(asked["base"])
    if asked["way"] == "poll":
        table = replace(table, poll=Call("POST", "/run/fal-ai/flux"))
    backend = Backend(table, Secret("k"), own_host="127.0.0.1")

    async def submit():
        submission = await at.submit(backend, {"prompt": "a fox"}, {"endpoint": "fal-ai/flux"})
        delivery = await at.result(backend, IMAGES, submission.handle, submission.reading)
        return delivery.files[0].url

    async def poll():
        return (await at.result(backend, IMAGES, {}, await at.poll(backend, {}))).files[0].url

    once = poll if asked["way"] == "poll" else submit
    return await cpu_us_per_call(once, calls=asked["calls"], at_once=asked["at_once"])


async def jobs(asked):
    """The engine alone: no journal, no ledger, nothing stored."""
    at, backend, known = engine(), Backend(queue(asked["base"]), Secret("k"), own_host="127.0.0.1"), learned(asked)

    async def job(index):
        submission = await at.submit(backend, {"prompt": f"fox {index}"}, {"endpoint": "fal-ai/flux/schnell"})
        if submission.error is not None:
            raise submission.error
        began_s, reading = time.monotonic(), None
        if asked["way"] == "stream":
            async for reading in at.watch(backend, submission.handle):  # noqa: B007
                pass
        while reading is None or not reading.state.is_terminal:
            await asyncio.sleep(next_poll_s(known, time.monotonic() - began_s))
            reading = await at.poll(backend, submission.handle)
        return (await at.result(backend, IMAGES, submission.handle, reading)).facts["seed"]

    return await all_at_once(job, asked["jobs"])


async def whole(asked):
    """Everything: plan, reservation, journal, submit, wait, settlement, file in the store, result."""
    from aggregator import Aggregator
    from aggregator.store import journal

    os.environ["FAL_KEY"] = "a:b"
    if asked["way"] == "poll":
        fal.PROVIDER = replace(fal.PROVIDER, stream=None)
    with tempfile.TemporaryDirectory(dir=asked["directory"]) as directory:
        config = {"directory": directory, "providers": {"fal": {"base_url": f"{asked['base']}/queue"}}}
        async with Aggregator(config) as agg, agg.project("benchmark") as project:
            await agg.opened.store.transact(lambda c: teach(c, journal, asked))
            store_s = await agg.opened.store.read(lambda _: time.thread_time())
            loop_s = time.thread_time()

            async def job(index):
                return (await project.text_to_image(f"fox {index}", model=OFFER)).job_id

            measured = await all_at_once(job, asked["jobs"])
            per_job = 1e3 / asked["jobs"]
            measured["loop_ms"] = (time.thread_time() - loop_s) * per_job
            numbers = {record.id: int((record.remote_id or "r-1")[1:]) for record in await agg.jobs()}
            measured["ended"] = {numbers[job_id]: at_s for job_id, at_s in measured["ended"].items()}
            measured["store_ms"] = (await agg.opened.store.read(lambda _: time.thread_time()) - store_s) * per_job
    return measured


def teach(connection, journal, asked):
    random = Random(99)
    for _ in range(LEARNED_FROM):
        journal.learn(connection, OFFER, asked["median_s"] * random.lognormvariate(0, asked["sigma"]))


async def fetch(asked):
    """Only the last stretch: as many small files as jobs, from the server to the store."""
    at, backend = engine(), Backend(queue(asked["base"]), Secret("k"), own_host="127.0.0.1")
    with tempfile.TemporaryDirectory(dir=asked["directory"]) as directory:
        store = file_store(Path(directory))

        async def job(index):
            async with at.download(backend, f"{asked['base']}/picture.png") as stream:
                await store.write(stream.chunks, family="image")
            return index

        return await all_at_once(job, asked["jobs"])


def file_store(directory):
    """Without the probing child: what the file holds is another question."""
    prober = Prober()
    prober._available = False  # noqa: SLF001
    return FileStore(directory, prober)


async def download(asked):
    at, backend = engine(), Backend(queue(asked["base"]), Secret("k"), own_host="127.0.0.1")
    waited = []
    if asked["way"] == "no fsync":
        os.fsync = lambda _: None
    else:
        fsync = os.fsync

        def timed(descriptor):
            began_s = time.perf_counter()
            fsync(descriptor)
            waited.append(time.perf_counter() - began_s)

        os.fsync = timed
    with tempfile.TemporaryDirectory(dir=asked["directory"]) as directory:
        store = file_store(Path(directory))

        async def streamed(size_bytes):
            async with at.download(backend, f"{asked['base']}/v1/files/{size_bytes}/content") as stream:
                await store.write(stream.chunks, family="video", expected_bytes=size_bytes)

        await streamed(100_000)
        waited.clear()
        measured = await one_download(lambda: streamed(asked["size_bytes"]), asked["size_bytes"])
    return {**measured, "fsync_ms": sum(waited) * 1e3, "threads": threading.active_count()}


if __name__ == "__main__":
    given = argument()
    measures = {"call": call, "jobs": jobs, "whole": whole, "fetch": fetch, "download": download}
    report(asyncio.run(measures[given["measure"]](given)))
