"""Inputs that many orders name are uploaded once where their provider keeps them, and anew where it may not."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from aggregator.errors import UnavailableError
from aggregator.runner.faults import Source
from aggregator.runner.handed import SHARE, Handed
from aggregator.store.journal import Attempt
from aggregator.testing.emulator import Emulator, LeapingClock
from aggregator.testing.memory import PNG

DAY_S = 86_400.0
PICTURE = Source("ab" * 32, "image/png", 70, "/nowhere")


@dataclass
class Order:
    """What is looked at of an attempt."""

    provider: str = "fal"
    account_ref: str = "one"
    model: str = "flux"
    plan: dict[str, Any] = field(default_factory=lambda: {"names": {"endpoint": "fal-ai/flux"}})


def order(**other: Any) -> Attempt:
    return cast("Attempt", Order(**other))


class Uploads:
    """Counts; each takes until `go` is set."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = asyncio.Event()
        self.fails = False

    async def __call__(self) -> str:
        self.begun += 1
        name = f"https://cdn/{self.begun}"
        await self.go.wait()
        if self.fails:
            raise UnavailableError("no room")
        return name


async def test_those_at_once_and_those_after_share_one() -> None:
    handed, uploads, clock = Handed(), Uploads(), LeapingClock()
    asked = [asyncio.create_task(handed.once(order(), PICTURE, clock, DAY_S, uploads)) for _ in range(5)]
    await asyncio.sleep(0)
    uploads.go.set()
    assert set(await asyncio.gather(*asked)) == {"https://cdn/1"}
    assert await handed.once(order(), PICTURE, clock, DAY_S, uploads) == "https://cdn/1"
    assert uploads.begun == 1


@pytest.mark.parametrize(
    "other",
    [
        {"provider": "runway"},
        {"account_ref": "two"},
        {"model": "kling"},  # some serve the model that they were uploaded for, and no other
        {"plan": {"names": {"endpoint": "fal-ai/kling"}}},
    ],
)
async def test_what_is_another_place_has_its_own(other: dict[str, Any]) -> None:
    handed, uploads, clock = Handed(), Uploads(), LeapingClock()
    uploads.go.set()
    await handed.once(order(), PICTURE, clock, DAY_S, uploads)
    await handed.once(order(**other), PICTURE, clock, DAY_S, uploads)
    assert uploads.begun == 2


async def test_it_is_shared_for_a_part_of_its_life_and_never_where_that_is_not_known() -> None:
    handed, uploads, clock = Handed(), Uploads(), LeapingClock()
    uploads.go.set()
    for left_s in (DAY_S * SHARE, 1.0, 0.0):
        await handed.once(order(), PICTURE, clock, DAY_S, uploads)
        clock.advance(left_s)
    assert uploads.begun == 2
    for _ in range(2):
        await handed.once(order(account_ref="unknown"), PICTURE, clock, None, uploads)
    assert uploads.begun == 4


async def test_one_that_fails_is_told_to_all_who_wait_and_the_next_tries_anew() -> None:
    handed, uploads, clock = Handed(), Uploads(), LeapingClock()
    uploads.fails = True
    asked = [asyncio.create_task(handed.once(order(), PICTURE, clock, DAY_S, uploads)) for _ in range(3)]
    await asyncio.sleep(0)
    uploads.go.set()
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(end) for end in ends] == [UnavailableError] * 3
    assert uploads.begun == 1
    uploads.fails = False
    assert await handed.once(order(), PICTURE, clock, DAY_S, uploads) == "https://cdn/2"


async def test_whoever_gives_up_leaves_it_to_the_others() -> None:
    handed, uploads, clock = Handed(), Uploads(), LeapingClock()
    first, second = (asyncio.create_task(handed.once(order(), PICTURE, clock, DAY_S, uploads)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    uploads.go.set()
    assert await second == "https://cdn/1"
    assert uploads.begun == 1


async def test_after_an_order_that_failed_there_it_is_uploaded_anew() -> None:
    handed, uploads, clock = Handed(), Uploads(), LeapingClock()
    uploads.go.set()
    await handed.once(order(), PICTURE, clock, DAY_S, uploads)
    handed.forget(order(account_ref="two"))
    await handed.once(order(), PICTURE, clock, DAY_S, uploads)
    assert uploads.begun == 1
    handed.forget(order())
    await handed.once(order(), PICTURE, clock, DAY_S, uploads)
    assert uploads.begun == 2


async def test_closing_ends_what_is_under_way() -> None:
    handed, uploads = Handed(), Uploads()
    asked = asyncio.create_task(handed.once(order(), PICTURE, LeapingClock(), DAY_S, uploads))
    await asyncio.sleep(0)
    await handed.aclose()
    with pytest.raises(asyncio.CancelledError):
        await asked


async def test_orders_of_one_picture_upload_it_once(tmp_path: Path) -> None:
    with Emulator(only=("fal",), latency_s=0.0) as emulator:
        async with emulator.aggregator(tmp_path, "fal") as agg, agg.project("film") as p:
            for prompts in (("dawn", "noon"), ("dusk",)):  # at once, and later
                await asyncio.gather(*(p.image_to_image(PNG, prompt) for prompt in prompts))
        paths = [one.path for one in emulator.requests]
        assert sum(path.endswith("/files/upload") for path in paths) == 1
        assert len(list(emulator.book)) == 3
