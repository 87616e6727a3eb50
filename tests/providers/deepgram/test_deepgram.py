"""Deepgram, both directions: what is sent for each generation, and what is made of every answer."""

from decimal import Decimal
from typing import Any

import pytest

from aggregator import errors
from aggregator.providers.deepgram import PROVIDER
from aggregator.tasks import TextToSpeech
from tests.providers.harness import Shop, faults_of, free_calls_need_the_key, is_meant, offers_of

NAME = "deepgram"
SENT: list[tuple[Any, str, str, dict[str, str], str]] = [
    (
        TextToSpeech(text="Good morning."),
        "aura-2",
        "/v1/speak",
        {"model": "aura-2-thalia-en"},
        "audio/mpeg",
    ),
    (
        TextToSpeech(text="Buenos días.", language="es", format="mp3"),
        "aura-2",
        "/v1/speak",
        {"model": "aura-2-celeste-es", "encoding": "mp3"},
        "audio/mpeg",
    ),
    (
        TextToSpeech(text="Guten Morgen.", language="de", voice="lara", speed=0.9, format="wav"),
        "aura-2",
        "/v1/speak",
        {"model": "aura-2-lara-de", "speed": "0.9", "encoding": "linear16"},
        "audio/wav",
    ),
    (
        TextToSpeech(text="Good morning.", voice="luna", format="flac"),
        "aura-1",
        "/v1/speak",
        {"model": "aura-luna-en", "encoding": "flac"},
        "audio/flac",
    ),
    (
        TextToSpeech(text="Good morning.", format="opus"),
        "deepgram-flux-tts",
        "/v2/speak",
        {"model": "flux-alexis-en", "encoding": "opus"},
        "audio/ogg",
    ),
    (
        TextToSpeech(text="Good morning.", voice="kit", speed=1.05, format="aac"),
        "deepgram-flux-tts",
        "/v2/speak",
        {"model": "flux-kit-en", "speed": "1.05", "encoding": "aac"},
        "audio/aac",
    ),
]


@pytest.mark.parametrize(("request_", "model", "path", "query", "mime_type"), SENT)
async def test_what_is_sent(request_, model, path, query, mime_type, shop: Shop) -> None:
    result, sent = await shop.make(request_, model)
    assert (sent.method, sent.path, sent.query) == ("POST", path, query)
    assert sent.json == {"text": request_.text}
    assert sent.headers["authorization"] == f"Token {shop.key()}"
    assert result.artifact.mime_type == mime_type
    assert result.artifact.path.read_bytes() == shop.emulator.book[0].job.contents[0]


async def test_what_only_this_vendor_knows_is_an_option(shop: Shop) -> None:
    options = {"@query.mip_opt_out": True, "@query.expressivity": -1}
    _, sent = await shop.make(TextToSpeech(text="Yes."), "deepgram-flux-tts", provider_options={NAME: options})
    assert sent.query == {"model": "flux-alexis-en", "mip_opt_out": "true", "expressivity": "-1"}
    with pytest.raises(errors.RequestError):
        await shop.make(TextToSpeech(text="Yes."), "aura-2", provider_options={NAME: {"@path.voice": "x"}})


@pytest.mark.parametrize("offer", offers_of(NAME), ids=lambda offer: offer.endpoint)
async def test_every_offer_is_taken_and_what_it_makes_can_be_played(offer, shop: Shop) -> None:
    result, sent = await shop.make(
        shop.of(offer).with_(language=offer.defaults["language"]), f"{NAME}:{offer.endpoint}"
    )
    assert result.artifact.mime_type == "audio/mpeg"
    assert result.artifact.facts.duration_s > 0.4
    assert sent.query["model"].endswith(f"-{offer.defaults['language']}")
    assert offer.defaults["voice"] in offer.limits["voice"].values


async def test_the_bill_is_the_vendors_own(shop: Shop) -> None:
    for model, usd in (("aura-1", Decimal("0.015")), ("aura-2", Decimal("0.030"))):
        result, _ = await shop.make(TextToSpeech(text="x" * 1000, language="en"), model)
        assert (result.cost.amount_usd, result.cost.unpriced) == (usd, False)
    assert [entry.usd for entry in shop.emulator.book] == [Decimal("0.015"), Decimal("0.030")]


# ------------------------------------------------------------------------------------------------------------- errors

MEANINGS = {
    "bad_key": (errors.AuthenticationError, "INVALID_AUTH"),
    "no_permission": (errors.AuthenticationError, "INSUFFICIENT_PERMISSIONS"),
    "no_credit": (errors.QuotaError, "ASR_PAYMENT_REQUIRED"),
    "rate_limited": (errors.RateLimitError, "TOO_MANY_REQUESTS"),
    "invalid": (errors.InvalidRequestError, "INVALID_JSON"),
    "bad_request": (errors.InvalidRequestError, "Bad Request"),
    "too_long": (errors.InvalidRequestError, None),
    "expressivity": (errors.InvalidRequestError, "EXPRESSIVITY_OUT_OF_RANGE"),
    "pause": (errors.InvalidRequestError, "PAUSE_SPEED_CAP_EXCEEDED"),
    "controls": (errors.InvalidRequestError, "CONTROL_COMBINATION_INVALID"),
    "speed": (errors.InvalidRequestError, "SPEED_OUT_OF_RANGE"),
    "increment": (errors.InvalidRequestError, "SPEED_INCREMENT_INVALID"),
    "unavailable": (errors.UnavailableError, None),
    "server_error": (errors.UnavailableError, "INTERNAL_SERVER_ERROR"),
}
FAULTS = faults_of(NAME)


def test_every_error_of_the_emulator_and_every_code_of_the_table_has_a_meaning_here() -> None:
    assert set(FAULTS) == set(MEANINGS)
    exact = {code for code in PROVIDER.codes.kinds if "*" not in code}
    assert exact <= {code for _, code in MEANINGS.values()}


@pytest.mark.parametrize("fault", MEANINGS)
def test_each_error_is_one_of_ours_with_the_vendors_code_and_words(fault: str) -> None:
    error = is_meant(NAME, FAULTS[fault], *MEANINGS[fault])
    body = FAULTS[fault].body
    said = body if isinstance(body, str) else body.get("err_msg") or body["details"] or body["message"]
    assert f": {said}. " in str(error)


@pytest.mark.parametrize("fault", ["bad_key", "no_credit", "too_long"])
async def test_a_refusal_costs_nothing_and_is_not_sent_again(fault, shop: Shop) -> None:
    await shop.refuses(TextToSpeech(text="Yes."), fault, MEANINGS[fault][0], model="aura-2")


async def test_a_full_house_is_asked_again_and_paid_once(shop: Shop) -> None:
    await shop.is_asked_again(TextToSpeech(text="Yes."), "rate_limited", model="aura-2")


@pytest.mark.parametrize("fate", ["unavailable", "server_error_after", "drop_after", "truncated"])
async def test_when_nobody_knows_nothing_is_sent_again_and_the_money_stays(fate, shop: Shop) -> None:
    await shop.leaves_open(TextToSpeech(text="Yes."), fate, model="aura-2")


@pytest.mark.parametrize(
    ("request_", "model"),
    [
        (TextToSpeech(text="x", voice="lara"), "deepgram:aura-2-en"),
        (TextToSpeech(text="x", voice="lara"), "aura-2"),
        (TextToSpeech(text="x", language="de"), "deepgram:aura-2-en"),
        (TextToSpeech(text="x", language="fr"), "deepgram-flux-tts"),
        (TextToSpeech(text="x", speed=0.6), "aura-2"),
        (TextToSpeech(text="x", speed=1.02), "deepgram-flux-tts"),
        (TextToSpeech(text="x" * 2001, language="en"), "aura-2"),
        (TextToSpeech(text="x", format="pcm"), "aura-2"),
        (TextToSpeech(text="x", seed=1), "aura-2"),
    ],
)
async def test_what_it_cannot_do_is_refused_before_anything_is_sent(request_, model, shop: Shop) -> None:
    await shop.cannot(request_, model=model)


def test_the_free_calls_are_answered_with_the_key_only() -> None:
    free_calls_need_the_key(NAME, {"authorization": "Token {key}"})
