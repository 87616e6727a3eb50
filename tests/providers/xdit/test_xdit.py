"""xDiT's one route: a picture at once, one at a time."""

import pytest

from aggregator import errors
from aggregator.providers.xdit import PROVIDER
from aggregator.tasks import TextToImage
from tests.providers.harness import opened
from tests.providers.own import cards_of

NAME = "xdit"
FOX = TextToImage(prompt="a fox", size=(512, 256), seed=7)


@pytest.fixture
async def shop(quick):
    async with opened(NAME, quick, registry={"paths": [str(one) for one in cards_of(NAME)]}) as found:
        yield found


async def test_a_picture(shop):
    result = await shop.buy(FOX, model="mine-xdit")
    assert shop.asked == ["POST /generate"]
    assert shop.paid.json == {"prompt": "a fox", "seed": 7, "width": 512, "height": 256}
    assert (result.artifact.mime_type, result.artifact.facts.width) == ("image/png", 512)


async def test_one_at_a_time_and_nothing_to_ask_meanwhile():
    assert PROVIDER.concurrency == 1
    assert PROVIDER.probe is None
    assert PROVIDER.cancel is None


async def test_what_it_refuses_and_what_nobody_knows(shop):
    await shop.refuses(FOX, "invalid", errors.InvalidRequestError, model="mine-xdit")
    with pytest.raises(errors.UnavailableError, match="out of memory"):
        await shop.buy(FOX, "server_error", model="mine-xdit")
