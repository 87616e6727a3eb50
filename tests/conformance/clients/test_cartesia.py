"""The official client of Cartesia (cartesia 4.2.0): it is content with the emulator, and asks for what we ask for.

Not compared: what the client says of itself, the names of files in a form (ours are digests), the order of its parts.
"""

from importlib import import_module

import pytest

from aggregator.tasks import SpeechToSpeech, TextToSpeech
from tests.conformance.compare import same
from tests.providers.harness import DETAIL, Shop, faults_of, opened
from tests.providers.record import VOICES

cartesia = import_module("cartesia")

PROVES = {"text-to-speech": "client", "speech-to-speech": "client"}
NAME = "cartesia"
OWN = ("x-stainless-*", "x-cartesia-client")
"""Headers in which the client speaks of itself."""
OTHER = "6ccbfb76-1fc6-48f7-b71d-91ac6298247b"
WAV = {"container": "wav", "encoding": "pcm_s16le", "sample_rate": 44100}
MP3 = {"container": "mp3", "sample_rate": 44100, "bit_rate": 128000}
KINDS = {
    400: "BadRequestError",
    401: "AuthenticationError",
    402: "APIStatusError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    429: "RateLimitError",
    500: "InternalServerError",
    503: "InternalServerError",
}


def client(at: Shop, key: str | None = None):
    return cartesia.Cartesia(api_key=key or at.key(), base_url=at.emulator.url(NAME), max_retries=0)


INTENTS = {
    "speech": (
        lambda _at: TextToSpeech(text="Bom dia.", voice=VOICES[NAME], language="pt-BR", speed=0.8, format="mp3"),
        "sonic-3.5",
        lambda c, _at: c.tts.generate(
            model_id="sonic-3.5",
            transcript="Bom dia.",
            voice=VOICES[NAME],
            locale="pt-BR",
            generation_config={"speed": 0.8},
            output_format=MP3,
        ),
    ),
    "speech-plain": (
        lambda _at: TextToSpeech(text="Good morning."),
        "sonic-3",
        lambda c, _at: c.tts.generate(
            model_id="sonic-3", transcript="Good morning.", voice=VOICES[NAME], output_format=WAV
        ),
    ),
    "changer": (
        lambda at: SpeechToSpeech(audio=at.clip, voice=VOICES[NAME]),
        "cartesia-voice-changer",
        lambda c, at: c.voice_changer.generate(
            clip=("clip.wav", at.clip.read_bytes(), "audio/wav"),
            voice_id=VOICES[NAME],
            output_format_container="wav",
            output_format_encoding="pcm_s16le",
            output_format_sample_rate=44100,
        ),
    ),
    "changer-mp3": (
        lambda at: SpeechToSpeech(audio=at.clip, voice=VOICES[NAME], format="mp3"),
        "cartesia-voice-changer",
        lambda c, at: c.voice_changer.generate(
            clip=("clip.wav", at.clip.read_bytes(), "audio/wav"),
            voice_id=VOICES[NAME],
            output_format_container="mp3",
            output_format_bit_rate=128000,
            output_format_sample_rate=44100,
        ),
    ),
}


@pytest.mark.parametrize("intent", INTENTS)
async def test_the_client_is_answered_and_asks_for_what_we_ask_for(intent: str, tmp_path) -> None:
    request, model, call = INTENTS[intent]
    async with opened(NAME, tmp_path) as at:
        _, ours = await at.make(request(at), model)
        with client(at) as c:
            content = call(c, at).read()
        theirs = at.emulator.requests[-1]
        assert content == at.emulator.book[1].job.contents[0]
        assert same(ours, theirs, ignore_headers=OWN, unordered_parts=True, ignore_filenames=True) == []


@pytest.mark.parametrize(("fault", "said"), faults_of(NAME).items())
async def test_the_client_reads_every_error(fault: str, said, tmp_path) -> None:
    async with opened(NAME, tmp_path) as at:
        at.emulator.script(NAME, f"{fault}:{DETAIL}")
        with client(at) as c, pytest.raises(cartesia.APIStatusError) as caught:
            c.tts.generate(model_id="sonic-3.5", transcript="Yes.", voice=VOICES[NAME], output_format=WAV)
        assert type(caught.value).__name__ == KINDS[said.status]
        assert caught.value.status_code == said.status
        assert (said.body["message"] if isinstance(said.body, dict) else said.body) in str(caught.value)


async def test_the_client_turns_the_pages_of_voices_to_their_end(tmp_path) -> None:
    async with opened(NAME, tmp_path) as at:
        with client(at) as c:
            assert [voice.id for voice in c.voices.list(limit=1)] == [VOICES[NAME], OTHER]
            assert c.get_status().ok
        with client(at, "x") as c, pytest.raises(cartesia.AuthenticationError):
            list(c.voices.list())
