"""Speech: a separate process when installed, an honest stand-in when not, and lengths a quote can rely on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aggregator.local import voice
from aggregator.local.compute import speech_seconds_bounds

from .conftest import Caller

needs_voice = pytest.mark.skipif(voice.engine_name() == "synthetic", reason="the extra `voice` is not installed")
TEXTS = [
    "Hi",
    "!!!!",
    ",,,,,,,.......",
    "1234567890" * 4,
    "☃☃☃",
    "漢字漢字漢字",
    "A plain sentence, as most are.",
    "w" * 60,
]


@needs_voice
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_spoken_length_keeps_to_the_bounds(text: str, speed: float) -> None:
    sound, _ = voice.speak(text, language="en", voice="narrator", speed=speed, seed=1)
    lower, upper = speech_seconds_bounds(len(text))
    assert lower <= round(sound.duration_s, 6) <= upper


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_the_stand_in_keeps_to_them_too(text: str, speed: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "_loader_directory", lambda: None)
    sound, notes = voice.speak(text, language="tlh", voice="narrator", speed=speed, seed=1)
    lower, upper = speech_seconds_bounds(len(text))
    assert lower <= round(sound.duration_s, 6) <= upper
    assert notes[0] == voice.SYNTHETIC_NOTE


@needs_voice
async def test_the_engine_runs_elsewhere_and_no_text_is_an_argument(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    run = subprocess.run

    def watched(command, **options):
        calls.append((command, options))
        return run(command, **options)

    monkeypatch.setattr(voice.subprocess, "run", watched)
    monkeypatch.setenv("SOME_API_KEY", "secret")
    job, data = await caller.make("text-to-speech", text="Zebra quartz.", language="de-AT", voice="alto")
    [(command, options)] = calls
    assert command == [sys.executable, "-P", str(voice.CHILD_PATH)]
    assert json.loads(options["input"])["text"] == "Zebra quartz."
    assert "SOME_API_KEY" not in options["env"]
    assert not {"espeakng_loader", "aggregator.local.espeak"} & set(sys.modules)
    assert "libespeak" not in Path("/proc/self/maps").read_text()
    assert "voice: espeak-ng" in job["notes"]
    assert data.startswith(b"RIFF")
    assert job["usage"]["compute_seconds"] == str(round(0.0013 + 0.05 * job["outputs"][0]["duration_s"], 3)).ljust(
        5, "0"
    )


@needs_voice
async def test_an_unknown_language_is_refused(caller: Caller) -> None:
    refused = await caller.submit("text-to-speech", text="x", language="tlh-x")
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid_input")
    assert refused.json()["error"]["message"].startswith("language: one of ")


@needs_voice
@pytest.mark.parametrize("name", list(voice.TIMBRES))
def test_every_timbre_speaks(name: str) -> None:
    sound, _ = voice.speak("One two.", language="zh", voice=name, speed=1, seed=1)
    assert any(sound.samples)


async def test_without_the_engine_the_answer_says_so(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "_loader_directory", lambda: None)
    assert (await caller.http.get("/v1/health")).json()["voice"] == "synthetic"
    job, data = await caller.make("text-to-speech", text="Hello there, this is not speech.")
    assert voice.SYNTHETIC_NOTE in job["notes"]
    assert voice.SYNTHETIC_NOTE.encode() in data


async def test_a_voice_that_overruns_is_killed_and_fails_the_job(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert voice.engine_name() == "espeak-ng", "the tests need the extra `voice`"
    monkeypatch.setattr(voice, "CHILD_TIME_LIMIT_S", 0.001)
    job = await caller.ended((await caller.submit("text-to-speech", text="x" * 50)).json()["id"])
    assert (job["status"], job["error"]["code"]) == ("failed", "render_failed")
