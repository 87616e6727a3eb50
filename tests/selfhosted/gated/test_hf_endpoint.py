"""A container of Hugging Face's inference toolkit at `HF_TOOLKIT_URL`, with a text-to-image pipeline.

The toolkit is not on the package index; what SageMaker has there under a like name is another server.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from aggregator import Aggregator, errors
from aggregator.tasks import TextToImage
from tests.selfhosted.gated.cards import written

URL = os.environ.get("HF_TOOLKIT_URL")
pytestmark = pytest.mark.skipif(not URL, reason="HF_TOOLKIT_URL is not set: no inference toolkit was asked")
ROW = 'endpoint = "x"\ntask = "text-to-image"\nfixed = { "parameters.num_inference_steps" = 2 }\n'


@pytest.fixture
async def project(tmp_path: Path, opened: Callable[..., Aggregator]):
    client = opened("hf_endpoint", str(URL), cards=written(tmp_path, "hf_endpoint", ROW))
    async with client as agg, agg.project("tests", budget_usd="10") as found:
        yield found


async def test_a_picture(project) -> None:
    result = await project.generate(TextToImage(prompt="a fox", size=(64, 64), seed=3), model="mine", max_usd="1")
    assert (result.artifact.mime_type, result.artifact.facts.width) == ("image/png", 64)


async def test_another_shape_than_a_square_is_refused(project) -> None:
    with pytest.raises(errors.InvalidRequestError) as caught:
        await project.generate(TextToImage(prompt="a fox", size=(64, 128)), model="mine", max_usd="1")
    assert (caught.value.status_code, caught.value.accepted) == (400, False)
