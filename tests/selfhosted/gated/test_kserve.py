"""A server of the open inference protocol at `TRITON_URL`; `TRITON_MODEL` takes a text `prompt` (BYTES) and gives back
a picture as base64 (BYTES).
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from aggregator import Aggregator, errors
from aggregator.tasks import TextToImage
from tests.selfhosted.gated.cards import written

URL, MODEL = os.environ.get("TRITON_URL"), os.environ.get("TRITON_MODEL", "text-to-image")
pytestmark = pytest.mark.skipif(not URL, reason="TRITON_URL is not set: no server of the inference protocol was asked")


def row(model: str) -> str:
    return f'endpoint = "{model}"\ntask = "text-to-image"\n'


@pytest.mark.parametrize(("model", "there"), [(MODEL, True), ("no-such-model", False)])
async def test_a_picture(tmp_path: Path, opened: Callable[..., Aggregator], model: str, there: bool) -> None:
    client = opened("kserve", str(URL), cards=written(tmp_path, "kserve", row(model)))
    async with client as agg, agg.project("tests", budget_usd="10") as project:
        if there:
            result = await project.generate(TextToImage(prompt="a fox"), model="mine", max_usd="1")
            assert result.artifact.mime_type.startswith("image/")
            return
        with pytest.raises(errors.ProviderError) as caught:
            await project.generate(TextToImage(prompt="a fox"), model="mine", max_usd="1")
        assert caught.value.accepted is False
