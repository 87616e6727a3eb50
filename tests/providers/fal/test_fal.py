"""What we make of every answer fal gives: status words, error codes, failures, cancellations, streams."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import State
from aggregator.errors import ProviderError
from aggregator.providers.fal import PROVIDER
from aggregator.testing.emulator.services.fal import MODEL_ERRORS, REQUEST_ERRORS
from tests.providers.fal.harness import IMAGES, Fal, Source, running
from tests.providers.fal.server import Answer

_OF_MODELS = [code for codes in MODEL_ERRORS.values() for code in codes]
_OF_REQUESTS = [code for codes in REQUEST_ERRORS.values() for code in codes]
NOT_MADE = ("no_media_generated", "content_policy_violation")
REFUSED = [code for code in MODEL_ERRORS[422] if code not in NOT_MADE] + ["bad_request"]
FAILED = [
    code
    for code in _OF_MODELS + _OF_REQUESTS
    if code not in [*REFUSED, NOT_MADE[1], "client_disconnected", "client_cancelled"]
]


@pytest.fixture
async def fal() -> AsyncIterator[Fal]:
    async with running() as it:
        yield it


def detail(code: str, message: str = "why") -> dict[str, Any]:
    """The body of a model error."""
    return {"detail": [{"loc": ["body", "prompt"], "msg": message, "type": code, "url": "", "input": {}}]}


def request_error(code: str, message: str = "why") -> dict[str, Any]:
    return {"detail": message, "error_type": code}


# ------------------------------------------------------------------------------------------------------------ status


async def test_every_status_word_has_its_state_and_the_queue_its_position(fal: Fal) -> None:
    handle = await fal.handle(words=("IN_QUEUE", "IN_QUEUE", "IN_PROGRESS", "COMPLETED"))
    readings = [await fal.engine.poll(fal.backend, handle) for _ in range(4)]
    assert [one.state for one in readings] == [State.QUEUED, State.QUEUED, State.RUNNING, State.SUCCEEDED]
    assert [one.position for one in readings] == [2, 1, None, None]
    assert [one.error for one in readings] == [None] * 4


@pytest.mark.parametrize("word", ["PAUSED", "completed", "", None, 7])
async def test_an_unknown_word_is_never_guessed(word: Any, fal: Fal) -> None:
    handle = await fal.handle(status=[Answer(body={"status": word})])
    with pytest.raises(errors.ResponseFormatError) as caught:
        await fal.engine.poll(fal.backend, handle)
    assert caught.value.accepted is True
    assert caught.value.code == (None if word is None else str(word))


@pytest.mark.parametrize(
    ("error_type", "expected", "state"),
    [
        ("runner_disconnected", errors.JobFailedError, State.FAILED),
        ("content_policy_violation", errors.ContentPolicyError, State.FAILED),
        ("client_cancelled", errors.JobCanceledError, State.CANCELED),
        ("something_new", errors.JobFailedError, State.FAILED),
    ],
)
async def test_completed_with_an_error_is_a_failure(
    error_type: str, expected: type[ProviderError], state: State, fal: Fal
) -> None:
    handle = await fal.handle(error={"error": "it broke", "error_type": error_type})
    reading = await fal.engine.poll(fal.backend, handle)
    assert reading.state is state
    assert type(reading.error) is expected
    assert (reading.error.code, reading.error.accepted) == (error_type, True)
    assert "it broke" in str(reading.error)


@pytest.mark.parametrize("nothing", [None, "", False])
async def test_completed_with_an_empty_error_is_a_success(nothing: Any, fal: Fal) -> None:
    handle = await fal.handle(error={"error": nothing})
    assert (await fal.engine.poll(fal.backend, handle)).state is State.SUCCEEDED


# ------------------------------------------------------------------------------------------------------------ result


async def test_the_result_names_its_files_and_the_seed(fal: Fal) -> None:
    handle = await fal.handle()
    reading = await fal.engine.poll(fal.backend, handle)
    delivery = await fal.engine.result(fal.backend, IMAGES, handle, reading)
    assert [(one.url, one.mime_type) for one in delivery.files] == [(f"{fal.server.cdn_url}/files/out.png", "image/*")]
    assert delivery.facts == {"seed": 7}
    async with fal.engine.download(fal.backend, delivery.files[0].url) as stream:
        assert b"".join([chunk async for chunk in stream.chunks]) == fal.server.files["out.png"]


async def failing_result(fal: Fal, *answers: Answer) -> ProviderError:
    handle = await fal.handle(result=list(answers))
    reading = await fal.engine.poll(fal.backend, handle)
    with pytest.raises(ProviderError) as caught:
        await fal.engine.result(fal.backend, IMAGES, handle, reading)
    assert caught.value.accepted is True
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (422, "content_policy_violation", errors.ContentPolicyError),
        (422, "no_media_generated", errors.JobFailedError),
        (422, "file_download_error", errors.InvalidRequestError),
        (422, "greater_than", errors.InvalidRequestError),
        (400, "downstream_service_error", errors.JobFailedError),
        (500, "internal_server_error", errors.JobFailedError),
        (500, "downstream_service_unavailable", errors.JobFailedError),
        (504, "generation_timeout", errors.JobFailedError),
    ],
)
async def test_a_model_error_is_final_at_once(status: int, code: str, expected: type[ProviderError], fal: Fal) -> None:
    error = await failing_result(fal, Answer(status, detail(code, "no fox")))
    assert type(error) is expected
    assert (error.code, error.status_code) == (code, status)
    assert error.request_id.startswith("gateway-")
    assert "no fox" in str(error)
    assert len(fal.server.got("GET", "/requests/")) == 2  # one look, one fetch, no retry
    assert fal.clock.slept == []


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (504, "request_timeout", errors.JobFailedError),
        (504, "startup_timeout", errors.JobFailedError),
        (503, "runner_scheduling_failure", errors.JobFailedError),
        (503, "runner_connection_timeout", errors.JobFailedError),
        (503, "runner_disconnected", errors.JobFailedError),
        (503, "runner_connection_refused", errors.JobFailedError),
        (503, "runner_connection_error", errors.JobFailedError),
        (502, "runner_incomplete_response", errors.JobFailedError),
        (500, "runner_server_error", errors.JobFailedError),
        (500, "internal_error", errors.JobFailedError),
        (499, "client_disconnected", errors.JobCanceledError),
        (499, "client_cancelled", errors.JobCanceledError),
        (400, "bad_request", errors.InvalidRequestError),
    ],
)
async def test_a_request_error_is_final_at_once(
    status: int, code: str, expected: type[ProviderError], fal: Fal
) -> None:
    error = await failing_result(fal, Answer(status, request_error(code), {"x-fal-error-type": code}))
    assert type(error) is expected
    assert error.code == code
    assert fal.clock.slept == []


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
async def test_a_result_that_is_not_served_right_now_is_fetched_again(status: int, fal: Fal) -> None:
    passing = Answer(status, b"<html>nginx</html>", {"content-type": "text/html"})
    handle = await fal.handle(result=[passing, passing, Answer(fault="drop"), Answer(fault="truncate")])
    reading = await fal.engine.poll(fal.backend, handle)
    delivery = await fal.engine.result(fal.backend, IMAGES, handle, reading)
    assert delivery.facts == {"seed": 7}
    assert len(fal.clock.slept) == 4


async def test_a_result_that_is_never_served_stays_paid_for(fal: Fal) -> None:
    error = await failing_result(fal, *[Answer(503, {})] * 6)
    assert type(error) is errors.UnavailableError
    assert len(fal.clock.slept) == 5


@pytest.mark.parametrize("output", [{}, {"images": []}, {"images": [{"url": None}]}, {"images": "x"}, []])
async def test_a_success_without_a_file_is_loud(output: Any, fal: Fal) -> None:
    error = await failing_result(fal, Answer(200, output))
    assert type(error) is errors.ResponseFormatError


# --------------------------------------------------------------------------------------------- the answer to a submit


@pytest.mark.parametrize("code", [*REFUSED, "never_heard_of"])
async def test_a_refused_submit_bought_nothing(code: str, fal: Fal) -> None:
    fal.server.script(submit=[Answer(422, detail(code))])
    submission = await fal.submit()
    assert submission.outcome == "rejected"
    assert type(submission.error) is errors.InvalidRequestError
    assert (submission.error.accepted, submission.error.code) == (False, code)
    assert fal.server.book()["accepted"] == 0


@pytest.mark.parametrize("code", FAILED)
async def test_a_code_cannot_say_that_a_job_failed_which_was_not_taken(code: str, fal: Fal) -> None:
    fal.server.script(submit=[Answer(500, request_error(code))])
    submission = await fal.submit()
    assert submission.outcome == "unknown"
    assert type(submission.error) is errors.UnavailableError
    assert (submission.error.accepted, submission.error.code) == (None, code)


@pytest.mark.parametrize("code", ["internal_error", "runner_disconnected", "client_cancelled"])
async def test_a_look_that_goes_wrong_is_not_a_job_that_went_wrong(code: str, fal: Fal) -> None:
    handle = await fal.handle(status=[Answer(500, request_error(code))])
    assert (await fal.engine.poll(fal.backend, handle)).state is State.SUCCEEDED
    assert len(fal.clock.slept) == 1


async def test_a_moderated_submit_is_a_refusal_of_content(fal: Fal) -> None:
    fal.server.script(submit=[Answer(422, detail("content_policy_violation"))])
    submission = await fal.submit()
    assert type(submission.error) is errors.ContentPolicyError
    assert (submission.outcome, submission.error.accepted) == ("rejected", False)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, errors.AuthenticationError), (403, errors.AuthenticationError), (429, errors.RateLimitError)],
)
async def test_a_refused_key_or_a_full_queue(status: int, expected: type[ProviderError], fal: Fal) -> None:
    fal.server.script(submit=[Answer(status, {"detail": "no"}, {"retry-after": "12"})])
    submission = await fal.submit()
    assert submission.outcome == "rejected"
    assert type(submission.error) is expected
    assert (submission.error.accepted, submission.error.retry_after_s) == (False, 12.0)


async def test_the_handle_holds_what_later_calls_need(fal: Fal) -> None:
    handle = await fal.handle()
    (job,) = fal.server.jobs.values()
    base = f"{fal.server.url}/fal-ai/flux/requests/{job.id}"
    assert handle == {
        "endpoint": "fal-ai/flux/schnell",
        "id": job.id,
        "response_url": base,
        "status_url": f"{base}/status",
        "cancel_url": f"{base}/cancel",
    }


# ------------------------------------------------------------------------------------------------ billing and cancels


@pytest.mark.parametrize(
    ("answer", "billed"),
    [
        (Answer(500, detail("internal_server_error")), False),
        (Answer(504, request_error("startup_timeout")), False),
        (Answer(422, detail("content_policy_violation")), None),
        (Answer(422, detail("no_media_generated")), None),
        (Answer(499, request_error("client_cancelled")), None),
    ],
)
async def test_server_errors_are_not_billed_and_of_the_rest_nobody_knows(
    answer: Answer, billed: bool | None, fal: Fal
) -> None:
    error = await failing_result(fal, answer)
    assert callable(PROVIDER.bills_failures)
    assert PROVIDER.bills_failures(error) is billed


async def test_a_failure_without_a_status_may_be_billed(fal: Fal) -> None:
    handle = await fal.handle(error={"error": "it broke", "error_type": "internal_error"})
    error = (await fal.engine.poll(fal.backend, handle)).error
    assert error is not None
    assert callable(PROVIDER.bills_failures)
    assert PROVIDER.bills_failures(error) is None


async def test_cancel_is_accepted_and_then_shows(fal: Fal) -> None:
    handle = await fal.handle(words=("IN_QUEUE",))
    assert await fal.engine.cancel(fal.backend, handle) is True
    reading = await fal.engine.poll(fal.backend, handle)
    assert reading.state is State.CANCELED
    assert type(reading.error) is errors.JobCanceledError
    with pytest.raises(errors.JobCanceledError):
        await fal.engine.result(fal.backend, IMAGES, handle, reading)


@pytest.mark.parametrize(
    "answer", [Answer(400, {"status": "ALREADY_COMPLETED"}), Answer(404, {"status": "NOT_FOUND"}), Answer(409, {})]
)
async def test_a_cancel_that_comes_too_late_says_so(answer: Answer, fal: Fal) -> None:
    handle = await fal.handle(cancel=[answer])
    assert await fal.engine.cancel(fal.backend, handle) is False
    assert fal.clock.slept == []


# ------------------------------------------------------------------------------------------------------------ stream


async def test_the_stream_is_read_to_its_end(fal: Fal) -> None:
    handle = await fal.handle(words=("IN_QUEUE", "IN_PROGRESS", "COMPLETED"))
    readings = [one async for one in fal.engine.watch(fal.backend, handle)]
    assert [one.state for one in readings] == [State.QUEUED, State.RUNNING, State.SUCCEEDED]
    (asked,) = fal.server.got("GET", "/status/stream")
    assert asked.headers["authorization"] == f"Key {fal.server.key}"
    assert asked.headers["accept"] == "text/event-stream"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, {"detail": "no stream"}),
        Answer(fault="drop"),
        Answer(body=b"data: {not json\n\n", headers={"content-type": "text/event-stream"}),
        Answer(body=b"data: " + b"x" * (2**20 + 10), headers={"content-type": "text/event-stream"}),
        Answer(body=b'data: {"status": "IN_QUEUE"}', headers={"content-type": "text/event-stream"}),
    ],
    ids=["refused", "dropped", "broken", "endless", "unfinished"],
)
async def test_a_stream_that_goes_wrong_ends_quietly(answer: Answer, fal: Fal) -> None:
    handle = await fal.handle(stream=[answer])
    assert [one async for one in fal.engine.watch(fal.backend, handle)] == []


async def test_an_unknown_word_in_the_stream_is_loud(fal: Fal) -> None:
    event = Answer(body=b'data: {"status":\r\ndata: "PAUSED"}\r\n\r\n', headers={"content-type": "text/event-stream"})
    handle = await fal.handle(stream=[event])
    with pytest.raises(errors.ResponseFormatError) as caught:
        [one async for one in fal.engine.watch(fal.backend, handle)]
    assert caught.value.code == "PAUSED"


# -------------------------------------------------------------------------------------------- where the credential goes


async def test_the_credential_never_goes_to_the_cdn(fal: Fal, tmp_path: Any) -> None:
    file = tmp_path / "in.png"
    file.write_bytes(b"picture")
    url = await fal.engine.upload(fal.backend, Source(str(file)))
    async with fal.engine.download(fal.backend, url) as stream:
        assert b"".join([chunk async for chunk in stream.chunks]) == b"picture"
    at_cdn = [one for one in fal.server.seen if f":{one.port}" in fal.server.cdn_url]
    assert [one.method for one in at_cdn] == ["POST", "GET"]
    assert not [one for one in at_cdn if fal.server.key in repr(one.headers)]


async def test_a_job_at_a_foreign_address_is_not_asked_for(fal: Fal) -> None:
    handle = await fal.handle(origin=fal.server.cdn_url)
    before = len(fal.server.seen)
    calls = (
        fal.engine.poll(fal.backend, handle),
        fal.engine.cancel(fal.backend, handle),
        anext(fal.engine.watch(fal.backend, handle)),
    )
    for call in calls:
        with pytest.raises(errors.ResponseFormatError, match="not one of its own addresses"):
            await call
    assert len(fal.server.seen) == before


@pytest.mark.parametrize(
    "answer",
    [Answer(body=b"{"), Answer(body={}), Answer(body={"token": None, "token_type": 1}), Answer(body=[])],
)
async def test_a_broken_upload_bought_nothing(answer: Answer, fal: Fal, tmp_path: Any) -> None:
    file = tmp_path / "in.png"
    file.write_bytes(b"picture")
    fal.server.answers["token"].append(answer)
    fal.server.answers["upload"].append(Answer(body={}))
    with pytest.raises(errors.ResponseFormatError) as caught:
        await fal.engine.upload(fal.backend, Source(str(file)))
    assert caught.value.accepted is False


async def test_the_key_can_be_checked_for_free(fal: Fal) -> None:
    assert await fal.engine.probe(fal.backend) == "the key works"
    fal.server.answers["pricing"].append(Answer(401, {"error": {"type": "authorization_error", "message": "bad key"}}))
    with pytest.raises(errors.AuthenticationError, match="bad key"):
        await fal.engine.probe(fal.backend)
    assert fal.server.submits == []
