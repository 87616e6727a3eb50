"""Ray Serve: free paths, free answers, a full queue. The real server is in `tests/selfhosted`."""

import pytest

from aggregator import errors
from aggregator.tasks import ImageToVideo, TextToImage, TextToVideo
from tests.providers.harness import STILL, form

NAME = "ray_serve"
FOX = TextToImage(prompt="a fox", size=(64, 48))


async def test_the_answer_is_the_file(shop):
    result = await shop.buy(FOX, model="ray_serve-mine")
    assert (shop.paid.path, shop.paid.json) == (
        "/studio/text-to-image",
        {"prompt": "a fox", "width": 64, "height": 48},
    )
    assert result.artifact.facts.width == 64


async def test_the_row_says_where_the_file_is_in_json(shop):
    result = await shop.buy(TextToVideo(prompt="a fox", duration_s=2), model="ray_serve-mine")
    assert result.artifact.mime_type == "video/mp4"


async def test_a_form(shop):
    await shop.buy(ImageToVideo(prompt="go", image=STILL), model="ray_serve-mine")
    assert form(shop.paid) == {"prompt": "go", "image": "a file, image/png"}


async def test_an_exception_is_a_failed_job(shop):
    with pytest.raises(errors.JobFailedError, match="Internal Server Error") as caught:
        await shop.buy(FOX, "failed", model="ray_serve-mine")
    assert (caught.value.accepted, shop.held) == (True, 0)


async def test_a_full_queue_takes_nothing(shop):
    await shop.is_asked_again(FOX, "busy", model="ray_serve-mine")


async def test_after_a_time_out_nobody_knows(shop):
    await shop.leaves_open(FOX, "timeout", model="ray_serve-mine")
