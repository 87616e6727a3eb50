"""Cartesia, both directions: what is sent for each task, and what is made of every answer."""

from decimal import Decimal
from typing import Any

import pytest

from aggregator import errors
from aggregator.providers.cartesia import PROVIDER
from aggregator.tasks import SpeechToSpeech, TextToSpeech
from tests.providers.harness import Shop, faults_of, free_calls_need_the_key, is_meant, offers_of
from tests.providers.record import VOICES

NAME = "cartesia"
VOICE = VOICES[NAME]
WAV = {"container": "wav", "encoding": "pcm_s16le", "sample_rate": 44100}
MP3 = {"container": "mp3", "sample_rate": 44100, "bit_rate": 128000}

SENT: list[tuple[Any, str, dict[str, Any]]] = [
    (
        TextToSpeech(text="Good morning."),
        "sonic-3.5",
        {"model_id": "sonic-3.5", "transcript": "Good morning.", "voice": VOICE, "output_format": WAV},
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
async def test_what_is_sent_for_a_text(request_, model, body, shop: Shop) -> None:
    result, sent = await shop.make(request_, model)
    assert (sent.method, sent.path, sent.query) == ("POST", "/tts/bytes", {})
    assert sent.json == body
    assert sent.headers["authorization"] == f"Bearer {shop.key()}"
    assert sent.headers["cartesia-version"] == "2026-08-14"
    assert result.artifact.mime_type == f"audio/{'wav' if request_.format is None else 'mpeg'}"
    assert result.artifact.path.read_bytes() == shop.emulator.book[0].job.contents[0]


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        (None, {"container": "wav", "encoding": "pcm_s16le", "sample_rate": "44100"}),
        ("mp3", {"container": "mp3", "bit_rate": "128000", "sample_rate": "44100"}),
    ],
)
async def test_what_is_sent_to_change_a_voice(form, fields, shop: Shop) -> None:
    request = SpeechToSpeech(audio=shop.clip, voice=VOICE, format=form)
    result, sent = await shop.make(request, "cartesia-voice-changer")
    assert (sent.path, sent.query) == ("/voice-changer/bytes", {})
    assert sent.headers["cartesia-version"] == "2026-08-14"
    texts = {name: parts[0].text for name, parts in sent.form.items() if name != "clip"}
    assert texts == {"voice[id]": VOICE, **{f"output_format[{key}]": text for key, text in fields.items()}}
    assert sent.form["clip"][0].content == shop.clip.read_bytes()
    assert sent.form["clip"][0].filename.endswith(".wav")
    assert result.artifact.facts.duration_s == pytest.approx(2.0, abs=0.05)


async def test_what_only_this_vendor_knows_is_an_option(shop: Shop) -> None:
    options = {"generation_config.emotion": "calm", "normalization": "off"}
    _, sent = await shop.make(TextToSpeech(text="Yes.", speed=1.5), "sonic-3.5", provider_options={NAME: options})
    assert sent.json["generation_config"] == {"speed": 1.5, "emotion": "calm"}
    assert sent.json["normalization"] == "off"


@pytest.mark.parametrize("offer", offers_of(NAME), ids=lambda offer: f"{offer.endpoint}-{offer.task}")
async def test_every_offer_is_taken_and_what_it_makes_can_be_played(offer, shop: Shop) -> None:
    result, _ = await shop.make(shop.of(offer, VOICE), f"{NAME}:{offer.endpoint}")
    assert result.artifact.mime_type == "audio/wav"
    assert result.artifact.facts.duration_s > 0.4


async def test_the_bill_is_the_vendors_own(shop: Shop) -> None:
    result, _ = await shop.make(TextToSpeech(text="x" * 200), "sonic-3.5")
    assert (result.cost.amount_usd, result.cost.unpriced) == (Decimal("0.01"), False)
    assert shop.emulator.book[0].usd == result.cost.amount_usd


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
    error = is_meant(NAME, FAULTS[fault], *MEANINGS[fault])
    body = FAULTS[fault].body
    assert f": {body['message'] if isinstance(body, dict) else body}. " in str(error)


@pytest.mark.parametrize("fault", ["bad_key", "no_credit", "not_found"])
async def test_a_refusal_costs_nothing_and_is_not_sent_again(fault, shop: Shop) -> None:
    await shop.refuses(TextToSpeech(text="Yes."), fault, MEANINGS[fault][0], model="sonic-3.5")


@pytest.mark.parametrize("fault", ["rate_limited", "plain"])
async def test_a_full_house_is_asked_again_and_paid_once(fault, shop: Shop) -> None:
    await shop.is_asked_again(TextToSpeech(text="Yes."), fault, model="sonic-3.5")


@pytest.mark.parametrize("fate", ["unavailable", "server_error_after", "drop_after", "truncated"])
async def test_when_nobody_knows_nothing_is_sent_again_and_the_money_stays(fate, shop: Shop) -> None:
    await shop.leaves_open(TextToSpeech(text="Yes."), fate, model="sonic-3.5")


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
async def test_what_it_cannot_do_is_refused_before_anything_is_sent(request_, shop: Shop) -> None:
    await shop.cannot(request_, model="sonic-3.5")


def test_the_free_calls_are_answered_with_the_key_only() -> None:
    free_calls_need_the_key(NAME, {"authorization": "Bearer {key}", "cartesia-version": "2026-08-14"})
