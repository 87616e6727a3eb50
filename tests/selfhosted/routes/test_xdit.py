"""xDiT's own `entrypoints/launch.py` (xfuser 0.7.0), whose pipeline draws."""

import pytest

from aggregator import errors
from aggregator.tasks import TextToImage

PROVES = {"text-to-image": "schema"}
ENGINE = NAME = "xdit"
FOX = TextToImage(prompt="a fox", size=(64, 48), seed=7)


@pytest.fixture
async def project(server, opened):
    async with opened(NAME, server.url) as agg, agg.project("tests", budget_usd="1") as found:
        yield found


async def test_a_picture(project) -> None:
    made = await project.generate(FOX, model="mine-xdit", max_usd="1")
    facts = made.artifact.facts
    assert (made.artifact.mime_type, facts.width, facts.height) == ("image/png", 64, 48)


async def test_a_failure_is_said(project) -> None:
    with pytest.raises(errors.UnavailableError, match="no fox today"):
        await project.generate(FOX.with_(prompt="break"), model="mine-xdit", max_usd="1")


@pytest.mark.parametrize(
    "body",
    [{"prompt": "a fox", "width": 64, "height": 48}, {"prompt": ""}, {}, {"prompt": "a fox", "width": 0, "height": 8}],
)
def test_the_emulator_answers_alike(alike, body) -> None:
    real, emulated = alike("POST", "/generate", json=body)
    assert emulated[0] == real[0]
    if real[0] != 422:  # their words for what is missing have more in them
        assert emulated == real


async def test_it_is_known_by_its_pages(server, discovered) -> None:
    assert (await discovered(server.url)).engine.provider == NAME
