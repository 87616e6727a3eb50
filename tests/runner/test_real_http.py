"""The whole way over real HTTP, to a fal of our own: one request where nobody knows, and an end to every wait."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aggregator import Aggregator, errors
from aggregator.providers import fal
from tests.providers.fal.server import KEY, Answer, FalServer


class Film:
    """A project at a server."""

    def __init__(self, server: FalServer, p: Any, agg: Any) -> None:
        self.server, self.p, self.agg = server, p, agg

    async def order(self, **options: Any) -> Any:
        given = {"key": "fox", "model": "flux-1-schnell", "max_usd": "0.01", **options}
        return await self.p.text_to_image("a fox", **given)

    async def ends(self, cls: type[errors.ProviderError], **options: Any) -> Any:
        with pytest.raises(cls) as caught:
            await self.order(**options)
        return caught.value

    async def states(self) -> list[str]:
        return [record.state.value for record in await self.agg.jobs()]


@pytest.fixture
async def film(quick: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Film]:
    monkeypatch.setenv("FAL_KEY", KEY)
    monkeypatch.setattr(fal, "PROVIDER", replace(fal.PROVIDER, lookup=None))  # looking takes its time
    with FalServer() as server:
        providers = {"fal": {"base_url": server.url}}
        config = {"directory": str(quick), "allow_ephemeral": True, "providers": providers}
        async with Aggregator(config) as agg, agg.project("film", budget_usd="1") as p:
            yield Film(server, p, agg)


async def test_an_order_is_one_paid_request(film: Film) -> None:
    result = await film.order()
    assert (await film.order()).artifact == result.artifact
    assert len(film.server.submits) == len(film.server.jobs) == 1
    assert (await film.p.spend()).held_usd == 0


@pytest.mark.parametrize(
    "answer",
    [
        Answer(fault="drop", taken=True),
        Answer(fault="drop"),
        Answer(body={"request_id": "x"}, fault="truncate"),
        Answer(body={}),
        Answer(500, {"detail": "oh"}, taken=True),
        Answer(503, {"detail": "oh"}),
        Answer(504, {"detail": "oh"}),
    ],
)
async def test_where_nobody_knows_one_request_was_sent_and_the_money_stays(film: Film, answer: Answer) -> None:
    film.server.script(submit=[answer])
    first = await film.ends(errors.ProviderError)
    again = await film.ends(errors.ProviderError)
    assert (first.accepted, str(again)) == (None, str(first))
    assert len(film.server.submits) == 1
    assert (await film.states(), (await film.p.spend()).held_usd > 0) == (["unknown"], True)


async def test_connections_that_die_when_idle_make_no_unknown(film: Film) -> None:
    film.server.close_idle = True
    for n in range(5):
        await film.order(key=f"fox {n}")
    assert len(film.server.submits) == len(film.server.jobs) == 5


async def test_a_stream_that_hangs_does_not_outlive_the_deadline(film: Film) -> None:
    film.server.script(words=("IN_PROGRESS",), stream=[Answer(fault="hang")])
    began = time.monotonic()
    error = await film.ends(errors.JobTimeoutError, deadline_s=0.4)
    assert error.accepted is True
    assert time.monotonic() - began < 5
    assert await film.states() == ["unknown"]


async def test_a_refusal_on_content_is_never_asked_elsewhere(film: Film) -> None:
    body = {"detail": [{"type": "content_policy_violation", "msg": "no", "loc": ["body"]}]}
    film.server.script(submit=[Answer(422, body)])
    error = await film.ends(errors.ContentPolicyError, model=None)
    assert error.accepted is False
    assert len(film.server.submits) == 1
    assert (await film.p.spend()).held_usd == 0
