"""An inference endpoint of Hugging Face: what is accepted says what comes back, and every error is 400."""

from aggregator import errors
from aggregator.tasks import TextToImage, TextToSpeech, TextToVideo
from tests.providers.harness import faults_of, refusal

NAME = "hf_endpoint"
FOX = TextToImage(prompt="a fox", size=(512, 512), seed=0)


async def test_a_picture(shop):
    result = await shop.buy(FOX, model="hf_endpoint-mine")
    assert shop.paid.path == "/"
    assert (shop.paid.headers["accept"], shop.paid.headers["x-scale-up-timeout"]) == ("image/png", "300")
    assert shop.paid.json == {
        "inputs": "a fox",
        "parameters": {"width": 512, "height": 512, "seed": 0, "num_inference_steps": 20},
    }
    assert "authorization" not in shop.paid.headers
    assert result.artifact.facts.width == 512


async def test_a_key_is_sent_where_the_configuration_names_its_variable(shop):
    shop.settings["providers"] = {NAME: {"api_key_env": "MY_ENDPOINT_TOKEN"}}
    await shop.buy(FOX, model="hf_endpoint-mine")
    assert shop.is_signed()


async def test_speech(shop):
    result = await shop.buy(TextToSpeech(text="hello"), model="hf_endpoint-mine")
    assert (shop.paid.json, result.artifact.mime_type) == ({"inputs": "hello"}, "audio/wav")


async def test_a_handler_of_ones_own_takes_what_it_likes(shop):
    result = await shop.buy(TextToVideo(prompt="a fox", duration_s=2), model="hf_endpoint-mine")
    assert shop.paid.json == {"inputs": {"makes": "video", "prompt": "a fox", "seconds": 2}}
    assert result.artifact.mime_type == "video/mp4", "a bare JSON string of base64"


async def test_an_endpoint_that_starts_and_a_full_gpu_are_asked_again(shop):
    for fault in ("starting", "full_gpu"):
        before = len(shop.emulator.book)
        await shop.buy(FOX, fault, model="hf_endpoint-mine")
        assert len(shop.emulator.book) == before + 1, fault


def test_every_other_400_is_a_refusal():
    found = refusal(NAME, faults_of(NAME)["invalid"])
    assert (found.outcome, type(found.error)) == ("rejected", errors.InvalidRequestError)
