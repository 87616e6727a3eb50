"""ElevenLabs, both directions: what is sent for each task, and what is made of every answer."""

from decimal import Decimal
from typing import Any

import pytest

from aggregator import errors
from aggregator.providers.elevenlabs import PROVIDER
from aggregator.tasks import SpeechToSpeech, TextToMusic, TextToSound, TextToSpeech, VideoToAudio
from aggregator.testing.emulator.service import Answer
from tests.providers.harness import Shop, faults_of, free_calls_need_the_key, is_meant, offers_of, refusal

NAME = "elevenlabs"
GEORGE = "JBFqnCBsd6RMkjVDRZzb"

SENT: list[tuple[Any, str, str, str, dict[str, Any]]] = [
    (
        TextToSpeech(text="Good morning."),
        "eleven-v4",
        f"/v1/text-to-speech/{GEORGE}",
        "mp3_44100_128",
        {"model_id": "eleven_v4", "text": "Good morning."},
    ),
    (
        TextToSpeech(text="Bom dia.", voice="abc123", language="pt-BR", speed=0.9, seed=0, format="wav"),
        "eleven-flash-v2.5",
        "/v1/text-to-speech/abc123",
        "wav_24000",
        {
            "model_id": "eleven_flash_v2_5",
            "text": "Bom dia.",
            "language_code": "pt",
            "voice_settings": {"speed": 0.9},
            "seed": 0,
        },
    ),
    (
        TextToSound(prompt="a door", duration_s=0.5, format="opus"),
        "eleven-sfx-3",
        "/v1/sound-generation",
        "opus_48000_128",
        {"model_id": "eleven_text_to_sound_v3", "text": "a door", "duration_seconds": 0.5},
    ),
    (
        TextToSpeech(text="Good morning.", format="mp3"),
        "eleven-v3",
        f"/v1/text-to-speech/{GEORGE}",
        "mp3_44100_128",
        {"model_id": "eleven_v3", "text": "Good morning."},
    ),
    (
        TextToSound(prompt="a door"),
        "eleven-sfx-2",
        "/v1/sound-generation",
        "mp3_44100_128",
        {"model_id": "eleven_text_to_sound_v2", "text": "a door"},
    ),
    (
        TextToMusic(prompt="a waltz", duration_s=3.5, format="opus"),
        "eleven-music-2.5",
        "/v1/music",
        "opus_48000_128",
        {"model_id": "music_v2_5", "prompt": "a waltz", "music_length_ms": 3500},
    ),
]


@pytest.mark.parametrize(("request_", "model", "path", "output_format", "body"), SENT)
async def test_what_is_sent_for_a_text(request_, model, path, output_format, body, shop: Shop) -> None:
    result, sent = await shop.make(request_, model)
    assert (sent.method, sent.path, sent.query) == ("POST", path, {"output_format": output_format})
    assert sent.json == body
    assert sent.headers["xi-api-key"] == shop.key()
    assert sent.headers["content-type"] == "application/json"
    assert "authorization" not in sent.headers
    assert result.artifact.path.read_bytes() == shop.emulator.book[0].job.contents[0]


async def test_what_is_sent_to_change_a_voice(shop: Shop) -> None:
    request = SpeechToSpeech(audio=shop.clip, voice="abc123", format="wav")
    result, sent = await shop.make(request, "eleven-multilingual-sts-v2")
    assert (sent.path, sent.query) == ("/v1/voice-changer/abc123", {"output_format": "wav_24000"})
    assert sent.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert set(sent.form) == {"audio", "model_id"}
    assert sent.form["model_id"][0].text == "eleven_multilingual_sts_v2"
    assert sent.form["audio"][0].content == shop.clip.read_bytes()
    assert sent.form["audio"][0].mime_type == "audio/wav"
    assert result.artifact.mime_type == "audio/wav"
    assert result.artifact.facts.duration_s == pytest.approx(2.0, abs=0.05)


async def test_what_is_sent_for_the_music_of_a_film(shop: Shop) -> None:
    result, sent = await shop.make(VideoToAudio(video=shop.film, prompt="brisk"), "eleven-music-2")
    assert (sent.path, sent.query) == ("/v1/music/video-to-music", {"output_format": "mp3_44100_128"})
    assert {name: parts[0].text for name, parts in sent.form.items() if name != "videos"} == {
        "model_id": "music_v2",
        "description": "brisk",
    }
    assert [part.content for part in sent.form["videos"]] == [shop.film.read_bytes()]
    assert result.artifact.mime_type == "audio/mpeg"


async def test_what_only_this_vendor_knows_is_an_option(shop: Shop) -> None:
    options = {"voice_settings.stability": 0.25, "@query.enable_logging": False, "previous_text": "Then:"}
    request = TextToSpeech(text="Good morning.", speed=1.1)
    _, sent = await shop.make(request, "eleven-v3", provider_options={NAME: options})
    assert sent.query == {"output_format": "mp3_44100_128", "enable_logging": "false"}
    assert sent.json["voice_settings"] == {"speed": 1.1, "stability": 0.25}
    assert sent.json["previous_text"] == "Then:"
    with pytest.raises(errors.RequestError, match="may not set"):
        await shop.make(request, "eleven-v3", provider_options={NAME: {"model_id": "eleven_v4"}})


async def test_what_is_sent_to_dub(shop: Shop) -> None:
    """A job: ordered as a form, looked at until it is `dubbed`, then fetched in the language it was ordered in."""
    result, _ = await shop.make(SpeechToSpeech(audio=shop.clip, language="pt-BR"), "eleven-dubbing")
    (order, *looks) = shop.emulator.requests
    assert (order.method, order.path, order.query) == ("POST", "/v1/dubbing", {})
    assert set(order.form) == {"file", "target_lang"}
    assert order.form["target_lang"][0].text == "pt"
    assert order.form["file"][0].content == shop.clip.read_bytes()
    number = shop.emulator.book[0].job.id
    assert {look.path for look in looks[:-1]} == {f"/v1/dubbing/{number}"}
    assert (looks[-1].method, looks[-1].path) == ("GET", f"/v1/dubbing/{number}/audio/pt")
    assert result.artifact.path.read_bytes() == shop.emulator.book[0].job.contents[0]
    assert result.cost.unpriced


@pytest.mark.parametrize("fate", ["failed", "moderated_output", "canceled"])
async def test_a_dubbing_that_fails_keeps_its_money(fate: str, shop: Shop) -> None:
    """Whether a failure is billed is not documented."""
    with pytest.raises(errors.JobFailedError, match="stay reserved") as caught:
        await shop.make(SpeechToSpeech(audio=shop.clip, language="es"), "eleven-dubbing", fate)
    assert caught.value.accepted is True


@pytest.mark.parametrize(
    "offer",
    [one for one in offers_of(NAME) if not one.mapping.dialect],
    ids=lambda offer: f"{offer.endpoint}-{offer.task}",
)
async def test_every_offer_is_taken_and_what_it_makes_can_be_played(offer, shop: Shop) -> None:
    result, _ = await shop.make(shop.of(offer), f"{NAME}:{offer.endpoint}")
    assert result.artifact.mime_type == "audio/mpeg"
    assert result.artifact.facts.duration_s > 0.4
    assert len(shop.emulator.book) == 1


async def test_the_bill_is_the_vendors_own(shop: Shop) -> None:
    result, _ = await shop.make(TextToSpeech(text="x" * 1234), "eleven-flash-v2")
    assert (result.cost.amount_usd, result.cost.unpriced) == (Decimal("0.04936"), False)
    assert shop.emulator.book[0].usd == result.cost.amount_usd
    result, _ = await shop.make(TextToMusic(prompt="a tune"), "eleven-music-1")
    assert result.cost.unpriced


# ------------------------------------------------------------------------------------------------------------- errors

MEANINGS = {
    "bad_key": (errors.AuthenticationError, "invalid_api_key"),
    "old_bad_key": (errors.AuthenticationError, "invalid_api_key"),
    "missing_permissions": (errors.AuthenticationError, "missing_permissions"),
    "no_credit": (errors.QuotaError, "quota_exceeded"),
    "plan": (errors.AuthenticationError, "only_for_creator+"),
    "rate_limited": (errors.RateLimitError, "rate_limit_exceeded"),
    "concurrent": (errors.RateLimitError, "concurrent_limit_exceeded"),
    "old_concurrent": (errors.RateLimitError, "too_many_concurrent_requests"),
    "busy": (errors.RateLimitError, "system_busy"),
    "invalid": (errors.InvalidRequestError, None),
    "parameters": (errors.InvalidRequestError, "invalid_parameters"),
    "too_long": (errors.InvalidRequestError, "max_character_limit_exceeded"),
    "not_found": (errors.InvalidRequestError, "voice_not_found"),
    "conflict": (errors.InvalidRequestError, "conflict"),
    "moderated_input": (errors.ContentPolicyError, "bad_prompt"),
    "bad_plan": (errors.ContentPolicyError, "bad_composition_plan"),
    "unavailable": (errors.UnavailableError, None),
    "server_error": (errors.UnavailableError, "internal_server_error"),
}
FAULTS = faults_of(NAME)


def test_every_error_of_the_emulator_and_every_code_of_the_table_has_a_meaning_here() -> None:
    assert set(FAULTS) == set(MEANINGS)
    assert set(PROVIDER.codes.kinds) <= {code for _, code in MEANINGS.values()}


@pytest.mark.parametrize("fault", MEANINGS)
def test_each_error_is_one_of_ours_with_the_vendors_code_and_words(fault: str) -> None:
    error = is_meant(NAME, FAULTS[fault], *MEANINGS[fault])
    body = FAULTS[fault].body
    detail = body["detail"] if isinstance(body, dict) else body
    said = detail if isinstance(detail, str) else detail[0]["msg"] if isinstance(detail, list) else detail["message"]
    assert f": {said}. " in str(error)


@pytest.mark.parametrize("name", ["code", "status"])
def test_the_code_may_stand_in_either_place(name: str) -> None:
    error = refusal(NAME, Answer(401, {"detail": {name: "quota_exceeded", "message": "no credits"}})).error
    assert (type(error), error.code) == (errors.QuotaError, "quota_exceeded")


def test_the_time_to_wait_is_the_vendors() -> None:
    assert refusal(NAME, FAULTS["rate_limited"]).error.retry_after_s == 1.0


@pytest.mark.parametrize(("fault", "kind"), [(name, MEANINGS[name][0]) for name in ("bad_key", "no_credit", "invalid")])
async def test_a_refusal_costs_nothing_and_is_not_sent_again(fault, kind, shop: Shop) -> None:
    await shop.refuses(TextToSpeech(text="Good morning."), fault, kind, model="eleven-v4")


async def test_a_copyrighted_prompt_is_content_policy(shop: Shop) -> None:
    shop.emulator.script(NAME, "moderated_input")
    with pytest.raises(errors.ContentPolicyError):
        await shop.make(TextToMusic(prompt="like that band"), "eleven-music-2")
    assert len(shop.emulator.requests) == 1


@pytest.mark.parametrize("fault", ["rate_limited", "busy", "old_concurrent"])
async def test_a_full_house_is_asked_again_and_paid_once(fault, shop: Shop) -> None:
    await shop.is_asked_again(TextToSpeech(text="Good morning."), fault, model="eleven-v4")


@pytest.mark.parametrize("fate", ["unavailable", "server_error_after", "drop_after", "truncated"])
async def test_when_nobody_knows_nothing_is_sent_again_and_the_money_stays(fate, shop: Shop) -> None:
    await shop.leaves_open(TextToSpeech(text="Good morning."), fate, model="eleven-v4")


@pytest.mark.parametrize(
    ("request_", "model"),
    [
        (TextToSpeech(text="x" * 10_001), "eleven-v4"),
        (TextToSpeech(text="x", seed=2**32), "eleven-v4"),
        (TextToSpeech(text="x", format="flac"), "eleven-v4"),
        (TextToSpeech(text="x", format="pcm"), "eleven-v4"),
        (TextToSpeech(text="x", language="de"), "eleven-multilingual-v2"),
        (TextToSpeech(text="x", prompt="whispering"), "eleven-v3"),
        (TextToSound(prompt="x", duration_s=31), "eleven-sfx-3"),
        (TextToSound(prompt="x", duration_s=0.4), "eleven-sfx-3"),
        (TextToSound(prompt="x", seed=1), "eleven-sfx-3"),
        (TextToMusic(prompt="x", duration_s=2), "eleven-music-2"),
        (TextToMusic(prompt="x", duration_s=601), "eleven-music-2"),
        (TextToMusic(prompt="x", seed=1), "eleven-music-2"),
        (TextToMusic(prompt="x", format="wav"), "eleven-music-2"),
        (TextToMusic(prompt="x", lyrics="la"), "eleven-music-2"),
    ],
)
async def test_what_it_cannot_do_is_refused_before_anything_is_sent(request_, model, shop: Shop) -> None:
    await shop.cannot(request_, model=model)


def test_the_free_calls_are_answered_with_the_key_only() -> None:
    free_calls_need_the_key(NAME, {"xi-api-key": "{key}"})
