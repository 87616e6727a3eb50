"""Gemini: what is sent for each task, the two waits of a clip, and what is made of every answer."""

import json
from decimal import Decimal

import pytest

from aggregator import errors
from aggregator._wire import read_status, read_submission
from aggregator.backends import provider_table
from aggregator.contract import HttpResponse, State, WebhookRequest
from aggregator.errors import WebhookError
from aggregator.tasks import Reference
from aggregator.testing.emulator import Answer
from aggregator.testing.emulator.services.gemini import SERVICE
from aggregator.webhooks import verify
from tests.facts.validate import check_bodies
from tests.providers.harness import PNG, Shop, shortened

NAME = "gemini"
OMNI = "gemini:gemini-omni-1.1-flash"
SMALL = {"duration_s": 3, "resolution": "360p", "max_usd": "1.00", "model": OMNI}
IMAGE = {"type": "image", "mime_type": "image/png", "data": "…"}
INLINE = {"inlineData": {"mimeType": "image/png", "data": "…"}}
FILM = {"type": "video", "delivery": "uri", "duration": "3s", "resolution": "360p"}


def _turn(task, *content, **more):
    return {
        "model": "gemini-omni-1.1-flash",
        "background": True,
        "input": [{"type": "user_input", "content": [*content]}],
        "response_format": FILM,
        "generation_config": {"video_config": {"task": task}},
        **more,
    }


def _text(text):
    return {"type": "text", "text": text}


def _said(*parts, **config):
    return {"contents": [{"role": "user", "parts": [*parts]}], "generationConfig": config}


CLIPS = {
    "text": (
        lambda project: project.text_to_video("a fox", aspect_ratio="9:16", audio=True, **SMALL),
        {**_turn("text_to_video", _text("a fox")), "response_format": {**FILM, "aspect_ratio": "9:16"}},
    ),
    "references": (
        lambda project: project.text_to_video("a fox", references=[Reference(image=PNG)], **SMALL),
        _turn("reference_to_video", IMAGE, _text("a fox")),
    ),
    "first and last frame": (
        lambda project: project.image_to_video(PNG, "it runs", last_image=PNG, **SMALL),
        _turn("image_to_video", IMAGE, IMAGE, _text("it runs")),
    ),
}


@pytest.mark.parametrize("order", CLIPS)
async def test_a_clip_is_ordered_and_waited_for_twice(order: str, shop: Shop) -> None:
    verb, body = CLIPS[order]
    project = await shop.project()
    result = await verb(project)
    (request,) = shop.ordered()
    assert (request.path, shortened(request.json)) == ("/v1/interactions", body)
    assert request.headers["x-goog-api-key"] == shop.key()
    assert "authorization" not in request.headers
    name = request.job_id.removeprefix("v1_")
    looks = [one.path for one in shop.emulator.requests if one.method == "GET"]
    assert looks.count(f"/v1/files/{name}") == 2  # in the making, then there
    assert looks[0] == f"/v1/interactions/{request.job_id}"
    assert looks[-1] == f"/v1/files/{name}:download"
    assert result.artifact.mime_type == "video/mp4"
    assert result.artifact.facts.duration_s == pytest.approx(3, abs=0.2)
    assert result.cost.unpriced


async def test_an_earlier_clip_is_gone_on_with_by_its_interaction(shop: Shop) -> None:
    project = await shop.project()
    first = await project.text_to_video("a fox", **SMALL)
    await project.extend_video(first, "it sleeps", **SMALL)
    await project.video_to_video(first, "make it blue", **SMALL)
    made, extended, edited = shop.ordered()
    earlier = {"previous_interaction_id": made.job_id}
    assert extended.json == _turn("extend", _text("it sleeps"), **earlier)
    assert edited.json == _turn("edit", _text("make it blue"), **earlier)


async def test_a_clip_of_ones_own_goes_inside(shop: Shop) -> None:
    project = await shop.project()
    film = SERVICE_FILM(shop)
    await project.extend_video(film, "it sleeps", **SMALL)
    (request,) = shop.ordered()
    clip = {"type": "video", "mime_type": "video/mp4", "data": "…"}
    assert shortened(request.json) == _turn("extend", clip, _text("it sleeps"))


def SERVICE_FILM(it):  # noqa: N802
    from aggregator.testing.emulator import media

    return media.render(
        "video/mp4", width=64, height=36, duration_s=1, fps=8, audio=False, rate_hz=8000, channels=1, seed=1
    )


CONTENT = {
    "picture": (
        lambda project: project.text_to_image(
            "a fox", aspect_ratio="21:9", resolution="2k", seed=0, model="gemini:gemini-3-pro-image"
        ),
        "gemini-3-pro-image",
        _said(
            {"text": "a fox"},
            responseModalities=["IMAGE"],
            imageConfig={"aspectRatio": "21:9", "imageSize": "2K"},
            seed=0,
        ),
        ("image/png", "0.134002"),
    ),
    "references": (
        lambda project: project.text_to_image(
            "a fox", references=[Reference(image=PNG)], model="gemini:gemini-nano-banana-2.1"
        ),
        "gemini-nano-banana-2.1",
        _said(INLINE, {"text": "a fox"}, responseModalities=["IMAGE"]),
        ("image/png", "0.0336015"),
    ),
    "edit": (
        lambda project: project.image_to_image(
            PNG, "make it blue", references=[Reference(image=PNG)], model="gemini:gemini-2.5-flash-image"
        ),
        "gemini-2.5-flash-image",
        _said(INLINE, INLINE, {"text": "make it blue"}, responseModalities=["IMAGE"]),
        ("image/png", "0.0390009"),
    ),
    "speech": (
        lambda project: project.text_to_speech(
            "Good morning", voice="Puck", language="en-US", prompt="warm", seed=3, model="gemini:gemini-3.8-flash-tts"
        ),
        "gemini-3.8-flash-tts",
        _said(
            {"text": "Good morning", "speechMetadata": {"style": "warm"}},
            responseModalities=["AUDIO"],
            speechConfig={"voiceConfig": {"voice": "Puck"}, "languageCode": "en-US"},
            seed=3,
        ),
        ("audio/wav", "0.0001815"),
    ),
}


@pytest.mark.parametrize("order", CONTENT)
async def test_pictures_and_speech_are_answered_at_once(order: str, shop: Shop) -> None:
    verb, model, body, (mime, usd) = CONTENT[order]
    project = await shop.project()
    result = await verb(project)
    (request,) = shop.emulator.requests
    assert request.path == f"/v1/models/{model}:generateContent"
    assert shortened(request.json) == body
    assert result.artifact.mime_type == mime
    assert result.cost.amount_usd == Decimal(usd)
    if shop.emulator.book.usd:
        assert shop.emulator.book.usd == Decimal(usd)


async def test_speech_is_settled_by_the_tokens_that_were_counted(shop: Shop) -> None:
    project = await shop.project()
    result = await CONTENT["speech"][0](project)
    assert result.quote.high_usd == Decimal("0.151552")  # 8192 tokens in, 16384 out
    assert result.cost.source == "reported"
    assert {line.unit for line in result.cost.lines} == {"input_token", "output_token"}


@pytest.mark.parametrize(("form", "sent", "mime"), [(None, None, "audio/mpeg"), ("wav", "audio/wav", "audio/wav")])
async def test_a_song(form: str | None, sent: str | None, mime: str, shop: Shop) -> None:
    project = await shop.project()
    result = await project.text_to_music("a march", seed=4, format=form, model="gemini:lyria-3-clip-preview")
    (request,) = shop.ordered()
    assert request.json == {
        "model": "lyria-3-clip-preview",
        "background": True,
        "input": [{"type": "user_input", "content": [_text("a march")]}],
        "response_format": {"type": "audio", **({"mime_type": sent} if sent else {})},
        "generation_config": {"seed": 4},
    }
    assert not [one for one in shop.emulator.requests if "/files/" in one.path]
    assert (result.artifact.mime_type, result.cost.amount_usd) == (mime, Decimal("0.04"))


REFUSALS = {
    "bad_key": errors.AuthenticationError,  # on HTTP 400, told by its text
    "moderated_input": errors.ContentPolicyError,
    "unauthenticated": errors.AuthenticationError,
    "permission_denied": errors.AuthenticationError,
    "no_credit": errors.QuotaError,
    "rate_limited": errors.RateLimitError,
    "invalid": errors.InvalidRequestError,
    "out_of_range": errors.InvalidRequestError,
    "not_found": errors.InvalidRequestError,
}
ORDER = (
    {"model": "gemini-omni-1.1-flash", "background": True, "input": "a fox", "response_format": {"type": "video"}},
    "gemini-omni-1.1-flash",
    "text-to-video",
)


@pytest.mark.parametrize("fault", REFUSALS)
async def test_a_refusal_is_certain_and_of_its_class(fault: str, shop: Shop) -> None:
    error = await shop.refused(fault, REFUSALS[fault])
    assert "HTTP 4" in str(error)


@pytest.mark.parametrize("fault", [name for name in REFUSALS if name != "moderated_input"])
async def test_the_other_wording_of_errors_says_the_same(fault: str, shop: Shop) -> None:
    shop.emulator.script(NAME, fault)
    body = {"contents": [{"parts": [{"text": "a fox"}]}]}
    said = await shop.submit(body, "gemini-nano-banana-2.1", "text-to-image", "content")
    assert (said.outcome, type(said.error), said.error.accepted) == ("rejected", REFUSALS[fault], False)
    assert shop.emulator.desk("gemini").fault(fault).body["error"]["message"] in str(said.error)


@pytest.mark.parametrize(
    "fault", ["internal", "unavailable", "unavailable_listed", "deadline_exceeded", "aborted", "cancelled"]
)
async def test_what_does_not_say_whether_it_was_taken(fault: str, shop: Shop) -> None:
    said = await shop.order(fault)
    assert (said.outcome, said.error.accepted) == ("unknown", None)
    body = shop.emulator.desk("gemini").fault(fault).body
    assert (body[0] if isinstance(body, list) else body)["error"]["message"] in str(said.error)


WORDS = {
    "queued": State.QUEUED,
    "in_progress": State.RUNNING,
    "completed": State.SUCCEEDED,
    "cancelled": State.CANCELED,
    **dict.fromkeys(
        ("failed", "incomplete", "budget_exceeded", "requires_action", "requires_continuation"), State.FAILED
    ),
}


@pytest.mark.parametrize("word", WORDS)
def test_each_word_of_an_interaction(word: str) -> None:
    assert read_status(provider_table("gemini"), {"status": word}).state is WORDS[word]


def test_a_word_nobody_knows_is_never_guessed() -> None:
    for body in ({"status": "paused"}, {}):
        with pytest.raises(errors.ResponseFormatError):
            read_status(provider_table("gemini"), body)


def test_an_error_inside_a_completed_interaction_is_a_failure() -> None:
    step = {"type": "model_output", "error": {"code": 13, "message": "it broke"}}
    reading = read_status(provider_table("gemini"), {"status": "completed", "steps": [step]})
    assert (reading.state, type(reading.error)) == (State.FAILED, errors.JobFailedError)
    assert "it broke" in str(reading.error)


REFUSED = "BLOCKLIST IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION IMAGE_SAFETY PROHIBITED_CONTENT RECITATION SAFETY SPII"
BROKEN = "CONTINUATION IMAGE_OTHER LANGUAGE MALFORMED_RESPONSE MAX_TOKENS NO_IMAGE OTHER PUP_LIMITED_DISABLED"


@pytest.mark.parametrize("word", [*REFUSED.split(), *BROKEN.split()])
async def test_each_reason_to_finish_without_a_picture(word: str, shop: Shop) -> None:
    project = await shop.project()
    shop.emulator.script(NAME, f"failed:{word}")
    kind = errors.ContentPolicyError if word in REFUSED.split() else errors.JobFailedError
    with pytest.raises(kind) as caught:
        await project.text_to_image("a fox", model="gemini:gemini-nano-banana-2.1")
    assert (caught.value.accepted, caught.value.code) == (True, word)
    assert len(shop.ordered()) == 1


@pytest.mark.parametrize(
    "word", ["SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "MODEL_ARMOR", "JAILBREAK"]
)
async def test_a_prompt_that_is_blocked_on_http_200(word: str, shop: Shop) -> None:
    project = await shop.project()
    shop.emulator.script(NAME, f"moderated_input:{word}")
    with pytest.raises(errors.ContentPolicyError) as caught:
        await project.text_to_image("a fox", model="gemini:gemini-nano-banana-2.1")
    assert caught.value.code == word


def test_only_words_instead_of_a_picture_are_no_success() -> None:
    table = provider_table("gemini").spoken("content")
    words = {"candidates": [{"content": {"parts": [{"text": "I cannot draw"}]}, "finishReason": "STOP"}]}
    answer = HttpResponse(200, {"content-type": "application/json"}, json.dumps(words).encode())
    said = read_submission(table, {}, {}, answer)
    from aggregator._results import read_result

    with pytest.raises(errors.ResponseFormatError):
        read_result(table, table.endpoint("text-to-image"), said.reading.body, {})


@pytest.mark.parametrize(
    ("fate", "error"),
    [
        ("failed", errors.JobFailedError),
        ("moderated_output", errors.ContentPolicyError),
        ("failed:incomplete", errors.JobFailedError),
        ("canceled", errors.JobCanceledError),
    ],
)
async def test_a_bad_end_of_a_clip(fate: str, error: type[Exception], shop: Shop) -> None:
    project = await shop.project()
    shop.emulator.script(NAME, fate)
    with pytest.raises(error) as caught:
        await project.text_to_video("a fox", **SMALL)
    assert caught.value.accepted is True


async def test_a_file_that_failed_fails_the_job(shop: Shop) -> None:
    project = await shop.project()
    shop.emulator.disturb("gemini", Answer(200, {"name": "files/x", "state": "FAILED"}), on="GET /v1/files/*")
    with pytest.raises(errors.JobFailedError):
        await project.text_to_video("a fox", **SMALL)


async def test_a_job_is_canceled(shop: Shop) -> None:
    said = await shop.order()
    await shop.is_canceled(said)
    assert await shop.cancel(said) is False


@pytest.mark.parametrize(
    "uri", ["https://x/v1beta/files/abc-1:download?alt=media", "files/abc-1", "https://x/v1/files/abc-1"]
)
def test_the_file_is_found_in_each_form_of_its_address(uri: str) -> None:
    cast = provider_table("gemini").follow[0].needs["file"].cast
    assert cast(uri) == "abc-1"


async def test_the_key_is_tried_by_a_call_that_costs_nothing(shop: Shop) -> None:
    assert await shop.engine.probe(shop.backend) == "the key works"
    assert [one.path for one in shop.emulator.requests] == ["/v1/models"]


async def test_a_delivery_to_a_hook_of_the_project_is_believed_if_it_is_signed(shop: Shop) -> None:
    table = provider_table("gemini")
    said = await shop.order()
    desk = shop.emulator.desk("gemini")
    job = desk.jobs[said.handle["id"]]
    job.finish()
    sent = SERVICE.hook(job, "https://example.com/hook", desk.world)
    secret, now = desk.world.secret, desk.world.now
    delivery = WebhookRequest("POST", "/hook", "", dict(sent.headers), sent.body)
    notice = verify(table, delivery, secrets=[secret], now=now)
    assert (notice.job_id, notice.reading.state) == (job.id, State.SUCCEEDED)
    forged = WebhookRequest("POST", "/hook", "", dict(sent.headers), sent.body.replace(b"completed", b"failed"))
    for wrong, at in ((forged, now), (delivery, now + 3600)):
        with pytest.raises(WebhookError):
            verify(table, wrong, secrets=[secret], now=at)


def test_every_body_is_what_the_vendor_takes() -> None:
    check_bodies("gemini", offers=21)
