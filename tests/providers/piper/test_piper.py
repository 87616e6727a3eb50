"""Piper's HTTP server: WAV that is called a page, and pages for every mistake."""

import pytest

from aggregator import errors
from aggregator.tasks import TextToSpeech
from tests.providers.harness import opened
from tests.providers.own import cards_of

NAME = "piper"
HELLO = TextToSpeech(text="hello", voice="en_US-lessac-medium", speed=2)


@pytest.fixture
async def shop(quick):
    async with opened(NAME, quick, registry={"paths": [str(one) for one in cards_of(NAME)]}) as found:
        yield found


async def test_a_sound_that_is_called_a_page_is_a_sound(shop):
    result = await shop.buy(HELLO, model="mine-piper")
    assert shop.paid.json == {"text": "hello", "voice": "en_US-lessac-medium", "length_scale": 0.5}
    assert result.artifact.mime_type == "audio/wav"


async def test_a_page_is_no_sound(shop):
    with pytest.raises(errors.UnavailableError):
        await shop.buy(HELLO, "server_error", model="mine-piper")


async def test_a_voice_that_it_would_replace_in_silence_is_refused_here(shop):
    await shop.cannot(HELLO.with_(voice="nobody"), model="mine-piper")
