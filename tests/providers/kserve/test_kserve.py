"""The open inference protocol: values become the tensors that the model declares."""

import pytest

from aggregator import errors
from aggregator.providers.kserve import _tensor
from aggregator.tasks import ImageToImage, TextToImage, TextToSpeech, TextToVideo
from tests.providers.harness import STILL

NAME = "kserve"
FOX = TextToImage(prompt="a fox", size=(64, 48), seed=0)


async def test_a_model_is_asked_what_it_takes_and_given_that(shop):
    result = await shop.buy(FOX, model="kserve-mine")
    assert shop.asked == ["GET /v2/models/text-to-image", "POST /v2/models/text-to-image/infer"]
    tensors = {one["name"]: (one["datatype"], one["shape"], one["data"]) for one in shop.paid.json["inputs"]}
    assert tensors == {
        "prompt": ("BYTES", [1, 1], ["a fox"]),
        "seed": ("INT64", [1, 1], [0]),
        "steps": ("INT32", [1, 1], [20]),
        "width": ("INT32", [1, 1], [64]),
        "height": ("INT32", [1, 1], [48]),
    }
    assert result.artifact.facts.width == 64


async def test_a_picture_is_its_base64(shop):
    await shop.buy(ImageToImage(prompt="at night", image=STILL), model="kserve-mine")
    (picture,) = [one for one in shop.paid.json["inputs"] if one["name"] == "image"]
    assert picture["data"][0].startswith("iVBOR")


@pytest.mark.parametrize(
    ("shape", "value", "made"),
    [([-1], [1, 2, 3], [3]), ([-1, 1], "x", [1, 1]), ([1], 5, [1]), ([-1, -1], [1, 2], [1, 2])],
)
def test_what_a_shape_leaves_open_is_as_long_as_the_value(shape, value, made):
    assert _tensor({"name": "x", "datatype": "INT32", "shape": shape}, value)["shape"] == made


async def test_an_input_that_the_model_does_not_have_is_said_before_anything_is_bought(shop):
    with pytest.raises(errors.ProviderError, match="no input nonsense: it has audio, height") as caught:
        await shop.buy(FOX, model="kserve-mine", provider_options={NAME: {"nonsense": 1}})
    assert caught.value.accepted is False
    assert shop.asked == ["GET /v2/models/text-to-image"]


async def test_plain_json_and_instances(shop):
    await shop.buy(TextToVideo(prompt="a fox", duration_s=2), model="kserve-mine")
    assert (shop.paid.path, shop.paid.json) == (
        "/v2/models/text-to-video/generate",
        {"prompt": "a fox", "duration": 2},
    )
    await shop.buy(TextToSpeech(text="hello"), model="kserve-mine")
    assert (shop.paid.path, shop.paid.json) == ("/v1/models/text-to-speech:predict", {"instances": [{"text": "hello"}]})


@pytest.mark.parametrize("request_", [FOX, TextToSpeech(text="hello")], ids=["tensors", "instances"])
async def test_a_failure_is_one(shop, request_):
    with pytest.raises(errors.JobFailedError, match="it broke"):
        await shop.buy(request_, "failed", model="kserve-mine")
    assert shop.held == 0


async def test_a_full_queue_is_not_told_from_a_lost_answer(shop):
    await shop.leaves_open(TextToVideo(prompt="a fox"), "full", model="kserve-mine")
