"""The official client of ElevenLabs (elevenlabs 2.78.0): it is content with the emulator, and asks for what we ask for.

Not compared: what the client says of itself, the names of files in a form (ours are digests), the order of its parts.
"""

import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import Any

import httpx
import pytest

from aggregator.contract import Auth, Call, Provider, WebhookRequest
from aggregator.errors import WebhookError
from aggregator.signing import hmac_sha256, hmac_stamped
from aggregator.tasks import SpeechToSpeech, TextToMusic, TextToSound, TextToSpeech, VideoToAudio
from aggregator.webhooks import verify
from tests.conformance.compare import same
from tests.providers.harness import DETAIL, Shop, faults_of, opened

elevenlabs = import_module("elevenlabs")
from elevenlabs.core.api_error import ApiError  # noqa: E402

PROVES = {
    "text-to-speech": "client",
    "speech-to-speech": "client",
    "text-to-sound": "client",
    "text-to-music": "client",
    "video-to-audio": "client",
}
NAME = "elevenlabs"
OWN = ("x-fern-*",)
"""Headers in which the client speaks of itself."""
VOICE = "abc123"


@contextmanager
def client(at: Shop, key: str | None = None):
    """The client, on a connection that is closed."""
    with httpx.Client() as line:
        yield elevenlabs.ElevenLabs(api_key=key or at.key(), base_url=at.emulator.url(NAME), httpx_client=line)


INTENTS = {
    "speech": (
        lambda _at: TextToSpeech(text="Guten Morgen.", voice=VOICE, language="de", speed=0.9, seed=7, format="wav"),
        "eleven-v4",
        lambda c, _at: c.text_to_speech.convert(
            VOICE,
            text="Guten Morgen.",
            model_id="eleven_v4",
            language_code="de",
            voice_settings=elevenlabs.VoiceSettings(speed=0.9),
            seed=7,
            output_format="wav_24000",
        ),
    ),
    "speech-plain": (
        lambda _at: TextToSpeech(text="Good morning."),
        "eleven-flash-v2.5",
        lambda c, _at: c.text_to_speech.convert(
            "JBFqnCBsd6RMkjVDRZzb",
            text="Good morning.",
            model_id="eleven_flash_v2_5",
            output_format="mp3_44100_128",
        ),
    ),
    "changer": (
        lambda at: SpeechToSpeech(audio=at.clip, voice=VOICE, format="mp3"),
        "eleven-multilingual-sts-v2",
        lambda c, at: c.speech_to_speech.convert(
            VOICE,
            audio=("clip.wav", at.clip.read_bytes(), "audio/wav"),
            model_id="eleven_multilingual_sts_v2",
            output_format="mp3_44100_128",
        ),
    ),
    "sound": (
        lambda _at: TextToSound(prompt="a door", duration_s=1.5, format="opus"),
        "eleven-sfx-3",
        lambda c, _at: c.text_to_sound_effects.convert(
            text="a door",
            duration_seconds=1.5,
            model_id="eleven_text_to_sound_v3",
            output_format="opus_48000_128",
        ),
    ),
    "music": (
        lambda _at: TextToMusic(prompt="a waltz", duration_s=3),
        "eleven-music-2.5",
        lambda c, _at: c.music.compose(
            prompt="a waltz", music_length_ms=3000, model_id="music_v2_5", output_format="mp3_44100_128"
        ),
    ),
    "film": (
        lambda at: VideoToAudio(video=at.film, prompt="brisk"),
        "eleven-music-2",
        lambda c, at: c.music.video_to_music(
            videos=[("film.mp4", at.film.read_bytes(), "video/mp4")],
            description="brisk",
            model_id="music_v2",
            output_format="mp3_44100_128",
        ),
    ),
}


@pytest.mark.parametrize("intent", INTENTS)
async def test_the_client_is_answered_and_asks_for_what_we_ask_for(intent: str, tmp_path) -> None:
    request, model, call = INTENTS[intent]
    async with opened(NAME, tmp_path) as at:
        _, ours = await at.make(request(at), model)
        with client(at) as c:
            content = b"".join(call(c, at))
        theirs = at.emulator.requests[-1]
        assert content == at.emulator.book[1].job.contents[0]
        assert same(ours, theirs, ignore_headers=OWN, unordered_parts=True, ignore_filenames=True) == []


async def test_the_client_dubs_as_we_do(tmp_path) -> None:
    async with opened(NAME, tmp_path) as at:
        await at.make(SpeechToSpeech(audio=at.clip, language="es"), "eleven-dubbing")
        ours = list(at.emulator.requests)
        with client(at) as c:
            file = ("clip.wav", at.clip.read_bytes(), "audio/wav")
            number = c.dubbing.create(file=file, target_lang="es").dubbing_id
            at.clock.advance(1.0)
            seen = c.dubbing.get(number)
            assert (seen.status, seen.target_languages) == ("dubbed", ["es"])
            content = b"".join(c.dubbing.audio.get(number, "es"))
            theirs = at.emulator.requests[len(ours) :]
            c.dubbing.delete(number)
        assert content == at.emulator.book[1].job.contents[0]
        first = at.emulator.book[0].job.id
        for mine, their in ((ours[0], theirs[0]), (ours[1], theirs[1]), (ours[-1], theirs[-1])):
            renamed = replace(their, path=their.path.replace(number, first))
            assert same(mine, renamed, ignore_headers=OWN, unordered_parts=True, ignore_filenames=True) == []


@pytest.mark.parametrize(("fault", "said"), faults_of(NAME).items())
async def test_the_client_reads_every_error(fault: str, said, tmp_path) -> None:
    async with opened(NAME, tmp_path) as at:
        at.emulator.script(NAME, f"{fault}:{DETAIL}")
        with client(at) as c, pytest.raises(ApiError) as caught:
            b"".join(c.text_to_speech.convert(VOICE, text="Yes.", request_options={"max_retries": 0}))
        assert caught.value.status_code == said.status
        assert caught.value.body == said.body


async def test_the_client_reads_the_free_answers(tmp_path) -> None:
    async with opened(NAME, tmp_path) as at:
        with client(at) as c:
            assert "eleven_v4" in {model.model_id for model in c.models.list()}
            assert [voice.voice_id for voice in c.voices.search().voices] == ["JBFqnCBsd6RMkjVDRZzb"]
        with client(at, "x") as c, pytest.raises(ApiError) as caught:
            c.models.list()
        assert caught.value.status_code == 401


def test_the_client_and_we_know_the_same_deliveries() -> None:
    table = Provider(
        name=NAME,
        docs="",
        checked="2026-11-21",
        base_url="http://elevenlabs.example",
        auth=Auth(env=()),
        submit=Call("POST", "/"),
        tasks={},
        webhook=hmac_stamped("", "data.id", header="elevenlabs-signature", version="v0", tolerance_s=1800),
    )
    hooks = elevenlabs.ElevenLabs(api_key="x").webhooks
    body, now = b'{"type": "dubbing", "data": {"id": "d1"}}', int(time.time())

    def both(seconds: int, secret: str) -> tuple[bool, bool]:
        digest = hmac_sha256(secret.encode(), f"{now + seconds}.".encode() + body).hex()
        header = f"t={now + seconds},v0={digest}"
        request = WebhookRequest("POST", "/", "", {"elevenlabs-signature": header}, body)
        return _accepts(lambda: hooks.construct_event(body.decode(), header, "key")), _accepts(
            lambda: verify(table, request, secrets=["key"], now=now)
        )

    assert both(0, "key") == both(-1700, "key") == (True, True)
    assert both(0, "other") == both(-1900, "key") == (False, False)
    assert both(1900, "key") == (True, False)  # the client takes what comes from the future


def _accepts(check: Callable[[], Any]) -> bool:
    try:
        check()
    except (elevenlabs.BadRequestError, WebhookError):
        return False
    return True
