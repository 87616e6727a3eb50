"""OpenAI: what is sent for each task, and what is made of each answer."""

from decimal import Decimal

import pytest

from aggregator import errors
from aggregator._build import call_request
from aggregator.providers.openai import PROVIDER
from aggregator.tasks import ImageToImage, Reference, TextToImage, TextToSpeech
from tests.facts.validate import check_bodies
from tests.providers.harness import STILL, faults_of, is_refused, parts, refusal

NAME = "openai"


async def test_a_picture(shop):
    result = await shop.buy(TextToImage(prompt="a fox", size=(1536, 1024), format="webp"), model="gpt-image-2.6-flare")
    assert shop.paid.path == "/v1/images/generations"
    assert shop.is_signed()
    assert shop.paid.json == {
        "model": "gpt-image-2.6-flare",
        "prompt": "a fox",
        "size": "1536x1024",
        "output_format": "webp",
    }
    assert (result.artifact.mime_type, result.artifact.facts.width) == ("image/webp", 1536)


async def test_the_size_is_written_out_where_none_is_given(shop):
    await shop.buy(TextToImage(prompt="a fox"), model="gpt-image-2")
    assert shop.paid.json == {"model": "gpt-image-2", "prompt": "a fox", "size": "1024x1024"}


@pytest.mark.parametrize(("ratio", "size"), [("1:1", "1024x1024"), ("3:2", "1536x1024"), ("2:3", "1024x1536")])
async def test_a_shape_is_one_of_the_named_sizes(shop, ratio, size):
    await shop.buy(TextToImage(prompt="a fox", aspect_ratio=ratio), model="gpt-image-2")
    assert shop.paid.json["size"] == size


async def test_the_bill_is_what_the_answer_counts(shop):
    result = await shop.buy(TextToImage(prompt="a fox"), model="gpt-image-2")
    assert result.cost.source == "reported"
    assert result.cost.amount_usd == shop.emulator.book.usd == Decimal(439) * Decimal("0.00003") + Decimal("0.00001")
    assert result.quote.low_usd < result.cost.amount_usd < result.quote.high_usd
    assert result.quote.high_usd == 7024 * Decimal("0.00003") + 5 * Decimal("0.000005")


async def test_a_size_that_nobody_lists_has_no_price(shop):
    with pytest.raises(errors.PriceUnknownError):
        await shop.buy(TextToImage(prompt="a fox", size=(2048, 2048)), model="gpt-image-2", max_usd=None)
    assert shop.asked == []


async def test_one_picture_to_edit_is_a_part_of_the_name_image(shop):
    await shop.buy(ImageToImage(prompt="at night", image=STILL), model="gpt-image-2.5-sunburst")
    assert shop.paid.path == "/v1/images/edits"
    assert shop.is_signed()
    assert sorted(parts(shop.paid)) == [
        ("image", "image/png"),
        ("model", "gpt-image-2.5-sunburst"),
        ("prompt", "at night"),
        ("size", "1024x1024"),
    ]
    assert shop.paid.form["image"][0].content == STILL.read_bytes()


async def test_several_pictures_are_parts_of_a_list_and_the_mask_stands_beside(shop):
    request = ImageToImage(prompt="at night", image=STILL, mask=STILL, references=(Reference(image=STILL),))
    result = await shop.buy(request, model="gpt-image-2")
    names = [name for name, _ in parts(shop.paid)]
    assert names.count("image[]") == 2
    assert names.count("mask") == 1
    assert "image" not in names
    assert result.cost.amount_usd < result.quote.high_usd


async def test_an_address_is_not_taken(shop):
    with pytest.raises(errors.NoRouteError, match="takes files"):
        await shop.buy(ImageToImage(prompt="x", image="https://example.com/a.png"), model="gpt-image-2")


@pytest.mark.parametrize(("form", "mime"), [("mp3", "audio/mpeg"), ("wav", "audio/wav"), ("flac", "audio/flac")])
async def test_speech(shop, form, mime):
    request = TextToSpeech(text="hello there", voice="nova", speed=1.25, prompt="softly", format=form)
    result = await shop.buy(request, model="gpt-4o-mini-tts")
    assert shop.paid.path == "/v1/audio/speech"
    assert shop.is_signed()
    assert shop.paid.json == {
        "model": "gpt-4o-mini-tts",
        "input": "hello there",
        "voice": "nova",
        "speed": 1.25,
        "instructions": "softly",
        "response_format": form,
    }
    assert result.artifact.mime_type == mime


async def test_speech_is_billed_by_its_characters(shop):
    result = await shop.buy(TextToSpeech(text="x" * 100, voice="alloy"), model="tts-1-hd")
    assert result.cost.amount_usd == result.quote.high_usd == shop.emulator.book.usd == Decimal("0.003")


async def test_the_old_voices_take_no_direction(shop):
    with pytest.raises(errors.UnsupportedFieldError, match="prompt"):
        await shop.buy(TextToSpeech(text="x", voice="alloy", prompt="softly"), model="tts-1")


FAULTS = faults_of(NAME)
REFUSALS = {
    "bad_key": (errors.AuthenticationError, "invalid_api_key"),
    "forbidden": (errors.AuthenticationError, "invalid_request_error"),
    "no_credit": (errors.QuotaError, "insufficient_quota"),
    "hard_limit": (errors.QuotaError, "billing_hard_limit_reached"),
    "rate_limited": (errors.RateLimitError, "rate_limit_exceeded"),
    "moderated_input": (errors.ContentPolicyError, "moderation_blocked"),
    "bad_image": (errors.InvalidRequestError, "invalid_image"),
    "no_model": (errors.InvalidRequestError, "model_not_found"),
    "not_found": (errors.InvalidRequestError, "invalid_request_error"),
    "invalid": (errors.InvalidRequestError, "invalid_request_error"),
}


def test_every_code_of_the_table_is_tried():
    tried = {code for _, code in REFUSALS.values()} | {"image_content_policy_violation"}
    assert set(PROVIDER.codes.kinds) <= tried
    assert {*REFUSALS, "server_error", "unavailable"} == set(FAULTS)


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_refusal_was_certainly_not_taken(fault):
    is_refused(NAME, FAULTS[fault], *REFUSALS[fault])


def test_a_picture_that_was_refused_for_what_it_shows():
    answer = faults_of(NAME)["moderated_input"]
    answer.body["error"]["code"] = "image_content_policy_violation"
    try:
        assert type(refusal(NAME, answer).error) is errors.ContentPolicyError
    finally:
        answer.body["error"]["code"] = "moderation_blocked"


@pytest.mark.parametrize("fault", ["server_error", "unavailable"])
async def test_after_an_error_of_theirs_nobody_knows(shop, fault):
    with pytest.raises(errors.UnavailableError) as caught:
        await shop.buy(TextToImage(prompt="a fox"), fault, model="gpt-image-2")
    assert caught.value.accepted is None
    assert shop.spent.held_usd > 0


async def test_a_picture_that_is_stopped_is_a_matter_of_content(shop):
    with pytest.raises(errors.ContentPolicyError) as caught:
        await shop.buy(TextToImage(prompt="a fox"), "moderated_output", model="gpt-image-2")
    assert caught.value.code == "moderation_blocked"
    assert (shop.spent.settled_usd, shop.spent.held_usd) == (0, 0)


async def test_a_key_that_is_wrong_is_said_with_the_number_of_the_request(shop):
    with pytest.raises(errors.AuthenticationError) as caught:
        await shop.buy(TextToImage(prompt="a fox"), "bad_key", model="gpt-image-2")
    assert caught.value.request_id.startswith("req_")


def test_the_key_is_checked_by_the_list_of_models(shop):
    probe = call_request(PROVIDER, PROVIDER.probe, {})
    assert (probe.method, probe.url, probe.trusted) == ("GET", "https://api.openai.com/v1/models", True)


def test_every_body_of_every_offer_is_what_is_documented():
    check_bodies("openai", offers=17)
