"""Cartesia, both directions: what is sent for each task, and what is made of every answer."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from aggregator import errors
from aggregator.providers.cartesia import PROVIDER
from aggregator.tasks import SpeechToSpeech, TextToSpeech
from tests.providers.sound import VOICES, faults_of, free_paths, meaning, offers_of, studio

NAME = "cartesia"
WAV = {"container": "wav", "encoding": "pcm_s16le", "sample_rate": 44100}
MP3 = {"container": "mp3", "sample_rate": 44100, "bit_rate": 128000}

SENT: list[tuple[Any, str, dict[str, Any]]] = [
    (
        TextToSpeech(text="Good morning."),
        "sonic-3.5",
        {"model_id": "sonic-3.5", "transcript": "Good morning.", "voice": VOICES[NAME], "output_format": WAV},
    ),
    (
        TextToSpeech(
            text="Bom dia.",
            voice="6ccbfb76-1fc6-48f7-b71d-91ac6298247b",
            language="pt-BR",
            speed=0.6,
            format="mp3",
        ),
        "sonic-3",
        {
            "model_id": "sonic-3",
            "transcript": "Bom dia.",
            "voice": "6ccbfb76-1fc6-48f7-b71d-91ac6298247b",
            "locale": "pt-BR",
            "generation_config": {"speed": 0.6},
            "output_format": MP3,
        },
    ),
]


@pytest.mark.parametrize(("request_", "model", "body"), SENT)
async def test_what_is_sent_for_a_text(request_, model, body, tmp_path) -> None:
    async with studio(NAME, tmp_path) as at:
        result, sent = await at.make(request_, model)
        assert (sent.method, sent.path, sent.query) == ("POST", "/tts/bytes", {})
        assert sent.json == body
        assert sent.headers["authorization"] == f"Bearer {at.key()}"
        assert sent.headers["cartesia-version"] == "2026-08-14"
        assert result.artifact.mime_type == f"audio/{'wav' if request_.format is None else 'mpeg'}"
        assert result.artifact.path.read_bytes() == at.emulator.book[0].job.contents[0]


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        (None, {"container": "wav", "encoding": "pcm_s16le", "sample_rate": "44100"}),
        ("mp3", {"container": "mp3", "bit_rate": "128000", "sample_rate": "44100"}),
    ],
)
async def test_what_is_sent_to_change_a_voice(form, fields, tmp_path) -> None:
    async with studio(NAME, tmp_path) as at:
        request = SpeechToSpeech(audio=at.clip, voice=VOICES[NAME], format=form)
        result, sent = await at.make(request, "cartesia-voice-changer")
        assert (sent.path, sent.query) == ("/voice-changer/bytes", {})
        assert sent.headers["cartesia-version"] == "2026-08-14"
        texts = {name: parts[0].text for name, parts in sent.form.items() if name != "clip"}
        assert texts == {"voice[id]": VOICES[NAME], **{f"output_format[{key}]": text for key, text in fields.items()}}
        assert sent.form["clip"][0].content == at.clip.read_bytes()
        assert sent.form["clip"][0].filename.endswith(".wav")
        assert result.artifact.facts.duration_s == pytest.approx(2.0, abs=0.05)


async def test_what_only_this_vendor_knows_is_an_option(tmp_path) -> None:
    options = {"generation_config.emotion": "calm", "normalization": "off"}
    async with studio(NAME, tmp_path) as at:
        _, sent = await at.make(TextToSpeech(text="Yes.", speed=1.5), "sonic-3.5", provider_options={NAME: options})
        assert sent.json["generation_config"] == {"speed": 1.5, "emotion": "calm"}
        assert sent.json["normalization"] == "off"


@pytest.mark.parametrize("offer", offers_of(NAME), ids=lambda offer: f"{offer.endpoint}-{offer.task}")
async def test_every_offer_is_taken_and_what_it_makes_can_be_played(offer, tmp_path) -> None:
    async with studio(NAME, tmp_path) as at:
        result, _ = await at.make(at.of(offer), f"{NAME}:{offer.endpoint}")
        assert result.artifact.mime_type == "audio/wav"
        assert result.artifact.facts.duration_s > 0.4


async def test_the_bill_is_the_vendors_own(tmp_path) -> None:
    async with studio(NAME, tmp_path) as at:
        result, _ = await at.make(TextToSpeech(text="x" * 200), "sonic-3.5")
        assert (result.cost.amount_usd, result.cost.unpriced) == (Decimal("0.01"), False)
        assert at.emulator.book[0].usd == result.cost.amount_usd


# ------------------------------------------------------------------------------------------------------------- errors

MEANINGS = {
    "bad_key": (errors.AuthenticationError, None),
    "forbidden": (errors.AuthenticationError, None),
    "no_credit": (errors.QuotaError, None),
    "rate_limited": (errors.RateLimitError, "concurrency_limited"),
    "plain": (errors.RateLimitError, None),
    "invalid": (errors.InvalidRequestError, None),
    "not_found": (errors.InvalidRequestError, None),
    "unavailable": (errors.UnavailableError, None),
    "server_error": (errors.UnavailableError, None),
}
FAULTS = faults_of(NAME)


def test_every_error_of_the_emulator_and_every_code_of_the_table_has_a_meaning_here() -> None:
    assert set(FAULTS) == set(MEANINGS)
    assert set(PROVIDER.codes.kinds) <= {code for _, code in MEANINGS.values()}


@pytest.mark.parametrize("fault", MEANINGS)
def test_each_error_is_one_of_ours_with_the_vendors_code_and_words(fault: str) -> None:
    kind, code = MEANINGS[fault]
    error = meaning(PROVIDER, FAULTS[fault])
    assert (type(error), error.code, error.status_code) == (kind, code, FAULTS[fault].status)
    body = FAULTS[fault].body
    assert f": {body['message'] if isinstance(body, dict) else body}. " in str(error)


@pytest.mark.parametrize("fault", ["bad_key", "no_credit", "not_found"])
async def test_a_refusal_costs_nothing_and_is_not_sent_again(fault, tmp_path) -> None:
    async with studio(NAME, tmp_path) as at:
        at.emulator.script(NAME, fault)
        with pytest.raises(MEANINGS[fault][0]) as caught:
            await at.make(TextToSpeech(text="Yes."), "sonic-3.5")
        assert caught.value.accepted is False
        assert (len(at.emulator.requests), len(at.emulator.book)) == (1, 0)
        assert (await at.project.spend()).held_usd == 0


@pytest.mark.parametrize("fault", ["rate_limited", "plain"])
async def test_a_full_house_is_asked_again_and_paid_once(fault, tmp_path) -> None:
    async with studio(NAME, tmp_path) as at:
        at.emulator.script(NAME, fault)
        await at.make(TextToSpeech(text="Yes."), "sonic-3.5")
        assert (len(at.emulator.requests), len(at.emulator.book)) == (2, 1)


@pytest.mark.parametrize("fate", ["unavailable", "server_error_after", "drop_after", "truncated"])
async def test_when_nobody_knows_nothing_is_sent_again_and_the_money_stays(fate, tmp_path) -> None:
    async with studio(NAME, tmp_path) as at:
        at.emulator.script(NAME, fate)
        with pytest.raises(errors.UnavailableError) as caught:
            await at.make(TextToSpeech(text="Yes."), "sonic-3.5")
        assert caught.value.accepted is None
        assert len(at.emulator.requests) == 1
        assert (await at.project.spend()).held_usd > 0


@pytest.mark.parametrize(
    "request_",
    [
        TextToSpeech(text="x", speed=0.5),
        TextToSpeech(text="x", speed=1.6),
        TextToSpeech(text="x", format="flac"),
        TextToSpeech(text="x", format="pcm"),
        TextToSpeech(text="x", seed=1),
        TextToSpeech(text="x", prompt="whispering"),
    ],
)
async def test_what_it_cannot_do_is_refused_before_anything_is_sent(request_, tmp_path) -> None:
    async with studio(NAME, tmp_path) as at:
        with pytest.raises((errors.NoRouteError, errors.RequestError)):
            await at.make(request_, "sonic-3.5")
        assert at.emulator.requests == []


async def test_the_free_calls_are_answered_with_the_key_only(tmp_path) -> None:
    async with studio(NAME, tmp_path) as at, httpx.AsyncClient() as client:
        for path in free_paths(NAME):
            for key, status in ((at.key(), 200), ("x", 401)):
                headers = {"authorization": f"Bearer {key}", "cartesia-version": "2026-08-14"}
                answer = await client.get(at.emulator.url(NAME) + path, headers=headers)
                assert answer.status_code == status, path
