"""BentoML: methods, forms and tasks, and what is made of each answer. The real server is in `tests/selfhosted`."""

import pytest

from aggregator import errors
from aggregator.providers.bentoml import PROVIDER
from aggregator.tasks import ImageToImage, TextToImage, TextToMusic, TextToVideo
from tests.providers.harness import STILL, faults_of, form, refusal

NAME = "bentoml"
FOX = TextToImage(prompt="a fox", size=(64, 48))
CLIP = TextToVideo(prompt="a fox", duration_s=2)


async def test_a_method_answers_with_the_file(shop):
    result = await shop.buy(FOX, model="bentoml-mine")
    assert shop.paid.path == "/text-to-image"
    assert shop.paid.json == {"prompt": "a fox", "width": 64, "height": 48}
    assert result.artifact.facts.width == 64


async def test_a_form_says_texts_as_json(shop):
    await shop.buy(ImageToImage(prompt="1984", image=STILL, strength=0.5), model="bentoml-mine")
    assert form(shop.paid) == {"prompt": '"1984"', "image": "a file, image/png", "strength": "0.5"}


async def test_a_task_is_looked_at_and_fetched(shop):
    result = await shop.buy(CLIP, model="bentoml-mine")
    asked = [one.rpartition("/")[2] for one in shop.asked]
    assert asked[0] == "submit"
    assert set(asked[1:-1]) == {"status"}
    assert asked[-1] == "get"
    assert result.artifact.mime_type == "video/mp4"


@pytest.mark.parametrize("request_", [FOX, CLIP], ids=["at once", "as a task"])
async def test_a_failure_is_one_although_it_is_a_500(shop, request_):
    with pytest.raises(errors.JobFailedError) as caught:
        await shop.buy(request_, "failed", model="bentoml-mine")
    assert caught.value.accepted is True
    assert shop.held == 0


def test_only_the_cloud_cancels():
    assert PROVIDER.spoken("cloud").cancel.method == "PUT"
    assert {PROVIDER.spoken(one).cancel for one in ("", "form", "task", "task_form")} == {None}


async def test_a_task_in_the_cloud(shop):
    result = await shop.buy(TextToMusic(prompt="a tune"), model="bentoml-mine")
    assert result.artifact.mime_type == "audio/wav"


async def test_too_many_are_asked_again(shop):
    await shop.is_asked_again(FOX, "busy", model="bentoml-mine")


async def test_after_a_gateway_time_out_nobody_knows(shop):
    await shop.leaves_open(FOX, "timeout", model="bentoml-mine")


def test_a_refusal_names_the_fields():
    found = refusal(NAME, faults_of(NAME)["invalid"])
    assert found.outcome == "rejected"
    assert "prompt: text is required" in str(found.error)
