"""Cog: what is sent under our own id, and what is made of each answer. The real server is in `tests/selfhosted`."""

import asyncio

from aggregator import errors
from aggregator.contract import State
from aggregator.tasks import ImageToImage, TextToImage, TextToVideo
from aggregator.testing.emulator import Answer
from tests.providers.harness import STILL, faults_of, refusal

NAME = "cog"
FOX = TextToImage(prompt="a fox", size=(64, 48), seed=0)


async def test_a_prediction_has_the_id_of_the_attempt_and_the_models_own_names(shop):
    result = await shop.buy(FOX, model="cog-mine")
    sent = shop.emulator.requests[-1]
    assert (sent.method, sent.path.rpartition("/")[0]) == ("PUT", "/predictions")
    assert "prefer" not in sent.headers, "it is waited for"
    assert sent.json == {"input": {"makes": "image", "prompt": "a fox", "width": 64, "height": 48, "seed": 0}}
    assert (result.artifact.facts.width, str(result.cost.amount_usd)) == (64, "0.000075")
    assert result.cost.source == "reported", "a quarter of a second, as it says itself"


async def test_a_local_picture_is_a_data_uri(shop):
    await shop.buy(ImageToImage(prompt="at night", image=STILL), model="cog-mine")
    assert shop.emulator.requests[-1].json["input"]["image"].startswith("data:image/png;base64,")


async def test_a_clip(shop):
    result = await shop.buy(TextToVideo(prompt="a fox", duration_s=2), model="cog-mine")
    assert result.artifact.mime_type == "video/mp4"


async def test_a_failure_on_http_200_is_one_and_nothing_is_held(shop):
    try:
        await shop.buy(FOX, "failed", model="cog-mine")
    except errors.JobFailedError as error:
        assert "ValueError: it broke" in str(error)
    assert (shop.held, shop.spent.settled_usd) == (0, 0)


async def test_busy_and_unready_take_nothing_and_are_asked_again(shop):
    await shop.is_asked_again(FOX, "busy", model="cog-mine")


def test_each_refusal_was_certainly_not_taken():
    kinds = {"busy": errors.RateLimitError, "unready": errors.UnavailableError, "invalid": errors.InvalidRequestError}
    for fault, kind in kinds.items():
        found = refusal(NAME, faults_of(NAME)[fault])
        assert (found.outcome, type(found.error)) == ("rejected", kind), fault


def test_what_is_not_over_is_no_answer_to_a_call_that_waits():
    found = refusal(NAME, Answer(202, {"id": "x", "status": "processing"}))
    assert (found.outcome, type(found.error)) == ("unknown", errors.ResponseFormatError)


async def test_what_is_waited_for_is_canceled_by_our_id(shop):
    """Whoever cancels does not wait for the answer that names the job."""
    given = {"input": {"prompt": "a fox"}, "@path": {"attempt": "mine"}}
    assert await shop.engine.cancel(shop.backend, {"attempt": "mine"}) is False, "there is none of this id yet"
    submission = await shop.submit(given, "pictures", "text-to-image")
    assert submission.reading.state is State.SUCCEEDED
    assert shop.asked[0] == "POST /predictions/mine/cancel"


async def test_a_job_that_is_on_its_way_can_be_canceled(shop):
    """The client asks for it while the order is still open: the table's cancel needs no more than our own id."""
    project = await shop.project()
    shop.emulator.script(NAME, "hang_before")
    job = await project.submit(FOX, model="cog-mine")
    while not shop.emulator.requests:
        await asyncio.sleep(0)
    assert await job.cancel() is False
    assert shop.asked[-1] == f"POST /predictions/{(await job.record()).id}.1/cancel"
