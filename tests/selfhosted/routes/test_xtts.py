"""The server of xtts-api-server 0.9.0, whose voice says nothing."""

import pytest

from aggregator import errors
from aggregator.tasks import TextToSpeech

PROVES = {"text-to-speech": "schema"}
ENGINE = NAME = "xtts"
HELLO = TextToSpeech(text="Good morning.", voice="calm_female")
MINE = "xtts:xtts-v2"


@pytest.fixture
async def project(server, opened):
    async with opened(NAME, server.url) as agg, agg.project("tests", budget_usd="1") as found:
        yield found


async def test_speech(project) -> None:
    made = await project.generate(HELLO, model=MINE, max_usd="1")
    assert (made.artifact.mime_type, made.artifact.facts.duration_s) == ("audio/wav", 1.0)


async def test_a_failure_is_said(project) -> None:
    with pytest.raises(errors.UnavailableError, match="no fox today"):
        await project.generate(HELLO.with_(text="break"), model=MINE, max_usd="1")


SPOKEN = {"text": "hello", "speaker_wav": "me", "language": "en"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/tts_to_audio/", SPOKEN),
        ("POST", "/tts_to_audio/", {**SPOKEN, "language": "xx"}),
        ("GET", "/speakers_list", None),
    ],
)
def test_the_emulator_answers_alike(alike, method, path, body) -> None:
    real, emulated = alike(method, path, **({"json": body} if body else {}))
    assert emulated == real


@pytest.mark.parametrize("name", SPOKEN)
def test_what_is_missing_is_refused_by_both(alike, name) -> None:
    body = {key: value for key, value in SPOKEN.items() if key != name}
    assert [status for status, _ in alike("POST", "/tts_to_audio/", json=body)] == [422, 422]


async def test_it_is_known_by_its_pages(server, discovered) -> None:
    assert (await discovered(server.url)).engine.provider == NAME
