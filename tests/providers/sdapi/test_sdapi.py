"""AUTOMATIC1111's API: the checkpoint that is meant, pictures as bare base64, errors by the names of classes."""

import base64

import pytest

from aggregator import errors
from aggregator.providers.sdapi import PROVIDER
from aggregator.tasks import ImageToImage, ImageUpscaling, TextToImage
from tests.providers.harness import STILL, faults_of, refusal

NAME = "sdapi"
FOX = TextToImage(prompt="a fox", size=(64, 48), seed=0, negative_prompt="text")


async def test_a_picture_of_the_checkpoint_that_is_meant(shop):
    result = await shop.buy(FOX, model="sdapi-mine")
    assert shop.paid.path == "/sdapi/v1/txt2img"
    assert shop.paid.json == {
        "prompt": "a fox",
        "negative_prompt": "text",
        "width": 64,
        "height": 48,
        "seed": 0,
        "steps": 20,
        "sampler_name": "Euler a",
        "override_settings": {"sd_model_checkpoint": "sd_xl_base_1.0"},
        "override_settings_restore_afterwards": False,
    }
    assert result.artifact.facts.width == 64


async def test_a_picture_from_a_picture(shop):
    await shop.buy(ImageToImage(prompt="at night", image=STILL, strength=0.5), model="sdapi-mine")
    assert shop.paid.path == "/sdapi/v1/img2img"
    assert shop.paid.json["init_images"][0].startswith("iVBOR")
    assert shop.paid.json["denoising_strength"] == 0.5


async def test_a_larger_picture(shop):
    await shop.buy(ImageUpscaling(image=STILL, factor=2), model="sdapi-mine")
    sent = shop.paid.json
    assert (shop.paid.path, sent["upscaler_1"], sent["upscaling_resize"]) == (
        "/sdapi/v1/extra-single-image",
        "R-ESRGAN 4x+",
        2,
    )


async def test_a_user_and_a_password_are_sent_as_basic(shop):
    shop.settings["providers"] = {NAME: {"api_key_env": "MY_FORGE_LOGIN"}}
    await shop.buy(FOX, model="sdapi-mine")
    told = shop.paid.headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(told).decode() == shop.key()


def test_what_would_end_anothers_picture_is_not_used():
    assert PROVIDER.cancel is None


async def test_work_that_broke_off_is_a_failed_job_although_it_is_a_500(shop):
    with pytest.raises(errors.JobFailedError, match="CUDA out of memory"):
        await shop.buy(FOX, "full_gpu", model="sdapi-mine")
    assert shop.held == 0


@pytest.mark.parametrize("fault", ["invalid", "no_sampler"])
def test_fastapis_own_classes_refuse(fault):
    found = refusal(NAME, faults_of(NAME)[fault])
    assert (found.outcome, type(found.error)) == ("rejected", errors.InvalidRequestError)
