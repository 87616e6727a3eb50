"""The two servers of XTTS: JSON and a trailing slash, or one address with everything in its query."""

import pytest

from aggregator import errors
from aggregator.tasks import TextToSpeech
from tests.providers.harness import opened
from tests.providers.own import cards_of

NAME = "xtts"
HELLO = TextToSpeech(text="good morning", voice="calm_female")
API, DEMO = "xtts:xtts-v2", "xtts:coqui-demo"


@pytest.fixture
async def shop(quick):
    async with opened(NAME, quick, registry={"paths": [str(one) for one in cards_of(NAME)]}) as found:
        yield found


async def test_the_api_server_wants_a_language(shop):
    result = await shop.buy(HELLO, model=API)
    assert shop.paid.path == "/tts_to_audio/"
    assert shop.paid.json == {"text": "good morning", "speaker_wav": "calm_female", "language": "en"}
    assert result.artifact.mime_type == "audio/wav"
    await shop.buy(HELLO.with_(language="de"), model=API)
    assert shop.paid.json["language"] == "de"


async def test_the_demo_server_is_asked_in_a_query(shop):
    result = await shop.buy(HELLO.with_(language="de"), model=DEMO)
    asked = shop.emulator.requests[-1]
    assert (asked.method, asked.path) == ("GET", "/api/tts")
    assert asked.query == {"text": "good morning", "speaker_id": "calm_female", "language_id": "de"}
    assert result.artifact.mime_type == "audio/wav"


async def test_a_failure_says_why(shop):
    with pytest.raises(errors.UnavailableError, match="unsupported or misspelled"):
        await shop.buy(HELLO, "language", model=API)
