"""Two hosts with a directory each, one database and one bucket: what one of them made, the other one has."""

import asyncio
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from aggregator.contract import Input
from aggregator.errors import ArtifactLostError, StoreError, UnavailableError
from aggregator.runner import room, runner
from aggregator.store import bucket as bucket_module
from aggregator.store.bucket import Bucket
from aggregator.tasks import ImageToImage
from aggregator.testing import memory
from aggregator.testing.memory import PNG
from tests import s3
from tests.several.hosts import Hosts

PARTED = replace(memory.PROVIDER, inputs={"": Input(("part",))})
"""Its inputs go inside the paid request."""


def elsewhere(hosts: Hosts) -> dict[str, Any]:
    """Settings with which the bucket cannot be reached."""
    return {"artifacts": {"url": f"s3://{hosts.bucket}/films", "endpoint": "http://127.0.0.1:1", "region": s3.REGION}}


async def test_what_one_host_made_another_one_has_and_works_on(hosts: Hosts) -> None:
    async with hosts.on("a") as agg, agg.project("film", budget_usd="1") as p:
        made = await p.text_to_image("a lighthouse", key="still")
    async with hosts.on("b") as agg, agg.project("film", budget_usd="1") as p:
        still = await p.text_to_image("a lighthouse", key="still")
        assert still.reused
        assert hashlib.sha256(still.path.read_bytes()).hexdigest() == made.artifact.sha256
        night = await p.image_to_image(still, "at night", key="night")
    assert list(hosts.transport.uploads.values()) == [still.path.read_bytes()]
    async with hosts.on("a") as agg, agg.project("film", budget_usd="1") as p:
        again = await p.image_to_image(made, "at night", key="night")
        assert again.reused
        assert again.path.is_file()
        assert str((await p.spend()).settled_usd) == "0.080000"
    assert again.artifact.sha256 == night.artifact.sha256
    assert len(hosts.transport.book) == 2


async def begun(hosts: Hosts, monkeypatch: pytest.MonkeyPatch, stage: str, request: Any, **settings: Any) -> None:
    """A job that the first host leaves at a stage: `upload` or `submit` has not begun."""
    reached = asyncio.Event()

    async def never(*_: Any, **__: Any) -> None:
        reached.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(runner, "CLOSE_GRACE_S", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(room, "is_first", lambda *_: False)  # else its intent is written with its body
        patch.setattr(runner, stage, never)
        async with hosts.on("a", **settings) as agg, agg.project("film", budget_usd="1") as p:
            await p.submit(request, key="night")
            await reached.wait()


async def test_the_inputs_of_a_job_go_to_whichever_host_goes_on_with_it(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = PNG + b"mine"
    await begun(hosts, monkeypatch, "upload", ImageToImage(image=picture, prompt="at night"))
    async with hosts.on("b") as agg:
        assert list((await agg.resume()).values()) == ["stored"]
    assert list(hosts.transport.uploads.values()) == [picture]


async def test_an_input_that_is_nowhere_is_found_to_be_before_the_order_leaves(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    parted = {"providers": {"memory": {"table": f"{__name__}:PARTED"}}}
    await begun(hosts, monkeypatch, "submit", ImageToImage(image=PNG, prompt="at night"), **parted)
    async with hosts.on("b", **parted, **elsewhere(hosts)) as agg:
        [end] = (await agg.resume()).values()
        assert isinstance(end, UnavailableError)
        assert end.accepted is False
        assert "an input cannot be had" in str(end)
        assert (await agg.project("film").spend()).held_usd == 0
    assert hosts.transport.count("submit") == 0


async def test_a_process_that_dies_between_the_bucket_and_the_journal_has_lost_nothing(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, sent = Bucket.put, list[str]()

    async def and_die(self: Bucket, key: str, *given: Any, **options: Any) -> None:
        await put(self, key, *given, **options)
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "put", and_die)
        async with hosts.on("a") as agg, agg.project("film", budget_usd="1") as p:
            with pytest.raises(RuntimeError, match="killed"):
                await p.text_to_image("a lighthouse", key="still")
            assert [record.state for record in await agg.jobs()] == ["succeeded"]
    [there] = s3.client().list_objects_v2(Bucket=hosts.bucket)["Contents"]
    true = bucket_module.obstore.put_async
    monkeypatch.setattr(bucket_module.obstore, "put_async", lambda *a, **o: (sent.append(a[1]), true(*a, **o))[1])
    async with hosts.on("b") as agg, agg.project("film", budget_usd="1") as p:
        still = await p.text_to_image("a lighthouse", key="still")
        assert there["Key"].endswith(f"/{still.artifact.sha256}.png")
        assert str((await p.spend()).settled_usd) == "0.040000"
    assert sent == []
    assert len(hosts.transport.book) == 1


async def test_while_the_bucket_is_away_a_job_waits_paid_for_and_is_fetched_afterwards(hosts: Hosts) -> None:
    async with hosts.on("a", **elsewhere(hosts)) as agg, agg.project("film", budget_usd="1") as p:
        with pytest.raises(StoreError, match=r"it is paid for, but .*cannot be reached.*`aggregator resume` fetches"):
            await p.text_to_image("a lighthouse", key="still")
        with pytest.raises(StoreError, match="cannot be reached"):  # and no input is taken in that others cannot read
            await p.submit(ImageToImage(image=PNG, prompt="at night"), key="night")
        [record] = await agg.jobs()
        assert record.state == "succeeded"
        assert str((await p.spend()).settled_usd) == "0.040000"
    async with hosts.on("b") as agg, agg.project("film", budget_usd="1") as p:
        assert await agg.resume() == {record.id: "stored"}
        assert (await p.text_to_image("a lighthouse", key="still")).path.is_file()
        assert str((await p.spend()).settled_usd) == "0.040000"
    assert len(hosts.transport.book) == 1


async def test_wrong_bytes_are_refused_and_a_file_that_is_gone_is_not_bought_again(hosts: Hosts) -> None:
    async with hosts.on("a") as agg, agg.project("film", budget_usd="1") as p:
        await p.text_to_image("a lighthouse", key="still")
    [there] = s3.client().list_objects_v2(Bucket=hosts.bucket)["Contents"]
    s3.client().put_object(Bucket=hosts.bucket, Key=there["Key"], Body=PNG + b"another")
    async with hosts.on("b") as agg, agg.project("film", budget_usd="1") as p:
        with pytest.raises(StoreError, match="other bytes than its name says"):
            await p.text_to_image("a lighthouse", key="still")
        s3.client().delete_object(Bucket=hosts.bucket, Key=there["Key"])
        with pytest.raises(ArtifactLostError, match="nor in s3://"):
            await p.text_to_image("a lighthouse", key="still")
    assert len(hosts.transport.book) == 1
