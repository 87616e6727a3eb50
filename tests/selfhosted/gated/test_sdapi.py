"""A server of AUTOMATIC1111's API at `SDAPI_URL` (started with `--api`), with whatever checkpoint it has.

Neither it nor Forge is on the package index: both install themselves by cloning repositories.
"""

import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from aggregator import Aggregator, errors
from aggregator.tasks import ImageToImage, TextToImage
from tests.selfhosted.gated.cards import written

URL = os.environ.get("SDAPI_URL")
pytestmark = pytest.mark.skipif(not URL, reason="SDAPI_URL is not set: no server of AUTOMATIC1111's API was asked")
STILL = Path(__file__).parents[2] / "data" / "still.png"


@pytest.fixture
async def project(tmp_path: Path, opened: Callable[..., Aggregator]):
    title = httpx.get(f"{URL}/sdapi/v1/sd-models", trust_env=False).json()[0]["model_name"]
    row = f'endpoint = "{title}"\nfixed = {{ steps = 2 }}\n[tasks.text-to-image]\n[tasks.image-to-image]\n'
    client = opened("sdapi", str(URL), cards=written(tmp_path, "sdapi", row))
    async with client as agg, agg.project("tests", budget_usd="10") as found:
        yield found


async def test_a_picture(project) -> None:
    result = await project.generate(TextToImage(prompt="a fox", size=(64, 64), seed=3), model="mine", max_usd="1")
    assert (result.artifact.mime_type, result.artifact.facts.width) == ("image/png", 64)


async def test_a_picture_from_a_picture(project) -> None:
    request = ImageToImage(prompt="a fox", image=STILL, strength=0.5, size=(64, 64))
    assert (await project.generate(request, model="mine", max_usd="1")).artifact.mime_type == "image/png"


async def test_what_it_does_not_take_is_refused(project) -> None:
    options = {"sdapi": {"sampler_name": "no such sampler"}}
    with pytest.raises(errors.InvalidRequestError):
        await project.generate(TextToImage(prompt="x"), model="mine", max_usd="1", provider_options=options)
