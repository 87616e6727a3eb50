"""The official client of OpenAI (openai 3.52.0): it is content with the emulator, and asks for what we ask for.

Not compared: the client's own headers (`x-stainless-*`), the name of a file in a form (ours is a digest), the order of
parts.
"""

from importlib import import_module
from pathlib import Path

import pytest

from aggregator.tasks import ImageToImage, Reference, TextToImage, TextToSpeech
from aggregator.testing.emulator.services.openai import FAULTS
from tests.conformance.compare import same

openai = import_module("openai")

PROVES = {"text-to-image": "client", "image-to-image": "client", "text-to-speech": "client"}

STILL = Path(__file__).parents[2] / "data" / "still.png"
OWN = ("x-stainless-*",)
FORM = {"ignore_headers": OWN, "unordered_parts": True, "ignore_filenames": True}
PNG = ("still.png", STILL.read_bytes(), "image/png")
FLARE = {"model": "gpt-image-2.6-flare", "prompt": "a fox"}


@pytest.fixture
def client(emulator):
    with openai.OpenAI(
        api_key=emulator.keys["openai"], base_url=f"{emulator.url('openai')}/v1", max_retries=0
    ) as opened:
        yield opened


# ------------------------------------------------------------------------------------------ it understands every answer


def test_it_reads_a_picture(client):
    made = client.images.generate(**FLARE, size="1536x1024", output_format="webp", quality="low")
    assert made.data[0].b64_json
    assert (made.size, made.output_format, made.quality) == ("1536x1024", "webp", "low")
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens


def test_it_reads_a_picture_as_it_comes(client):
    events = list(client.images.generate(**FLARE, stream=True, partial_images=2))
    assert [event.type for event in events] == [*["image_generation.partial_image"] * 2, "image_generation.completed"]
    assert events[-1].usage.output_tokens > 0


@pytest.mark.parametrize("pictures", [PNG, [PNG, PNG]])
def test_it_reads_an_edit(client, pictures):
    made = client.images.edit(model="gpt-image-2", prompt="at night", image=pictures, mask=PNG)
    assert made.usage.input_tokens_details.image_tokens > 0


def test_it_reads_speech(client):
    sound = client.audio.speech.create(model="tts-1", input="hello", voice="alloy", response_format="wav")
    assert sound.content.startswith(b"RIFF")


def test_it_reads_the_list_of_models(client):
    assert client.models.list().data[0].id


ERRORS = {
    "bad_key": "AuthenticationError",
    "forbidden": "PermissionDeniedError",
    "no_credit": "RateLimitError",
    "hard_limit": "BadRequestError",
    "rate_limited": "RateLimitError",
    "moderated_input": "BadRequestError",
    "bad_image": "BadRequestError",
    "no_model": "NotFoundError",
    "not_found": "NotFoundError",
    "invalid": "BadRequestError",
    "server_error": "InternalServerError",
    "unavailable": "InternalServerError",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_it_reads_every_error(emulator, client, fault):
    emulator.script("openai", fault)
    with pytest.raises(openai.APIStatusError) as caught:
        client.images.generate(**FLARE)
    assert type(caught.value).__name__ == ERRORS[fault]
    said = FAULTS[fault]
    code = (said("") if callable(said) else said).body["error"]["code"]
    assert caught.value.code == code
    assert caught.value.request_id.startswith("req_")


# --------------------------------------------------------------------------------------------- it asks for what we ask


async def test_a_picture(ours, bought, client):
    (mine,) = await ours("openai", TextToImage(prompt="a fox", size=(1536, 1024), format="webp"), model=FLARE["model"])
    client.images.generate(**FLARE, size="1536x1024", output_format="webp")
    (other,) = bought("openai")
    assert same(mine, other, ignore_headers=OWN) == []


async def test_an_edit_of_one_picture(ours, bought, client):
    (mine,) = await ours("openai", ImageToImage(prompt="at night", image=STILL), model="gpt-image-2")
    client.images.edit(model="gpt-image-2", prompt="at night", image=PNG, size="1024x1024")
    (other,) = bought("openai")
    assert same(mine, other, **FORM) == []


async def test_an_edit_of_several_pictures_with_a_mask(ours, bought, client):
    request = ImageToImage(prompt="at night", image=STILL, mask=STILL, references=(Reference(image=STILL),))
    (mine,) = await ours("openai", request, model="gpt-image-2")
    client.images.edit(model="gpt-image-2", prompt="at night", image=[PNG, PNG], mask=PNG, size="1024x1024")
    (other,) = bought("openai")
    assert same(mine, other, **FORM) == []


async def test_speech(ours, bought, client):
    request = TextToSpeech(text="hello", voice="nova", speed=1.25, prompt="softly", format="wav")
    (mine,) = await ours("openai", request, model="gpt-4o-mini-tts")
    client.audio.speech.create(
        model="gpt-4o-mini-tts", input="hello", voice="nova", speed=1.25, instructions="softly", response_format="wav"
    )
    (other,) = bought("openai")
    assert same(mine, other, ignore_headers=OWN) == []
    assert mine.headers["accept"] == other.headers["accept"]
