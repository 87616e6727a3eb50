"""The shapes that answers and purchases of the field's backends have, each on a table of its own: what is sent, and
what is made of it. A provider's own tests pin its words; these pin what every table may rely on.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from aggregator import errors
from aggregator._build import build_body, call_request
from aggregator._http import SendError
from aggregator._wire import read_status
from aggregator.backend import Backend
from aggregator.contract import (
    BUILD,
    Auth,
    Blocked,
    Call,
    Charge,
    Codes,
    Endpoint,
    Files,
    Follow,
    HttpRequest,
    HttpResponse,
    Input,
    Paid,
    Provider,
    Refusal,
    State,
    Status,
    To,
    TokenFlow,
)
from aggregator.engine import Engine
from aggregator.handing import CannotHandOver, way
from aggregator.inputs import Media
from aggregator.runner.faults import Source
from aggregator.secret import Secret
from aggregator.tasks import ImageToVideo, TextToImage, TextToSpeech, TextToVideo
from aggregator.testing.driving import Frozen
from aggregator.testing.recording import Prompter

BASE = "https://api.example.com/v1"
WORDS = {"run": State.RUNNING, "ok": State.SUCCEEDED, "bad": State.FAILED}
PROVIDER = Provider(
    name="example",
    docs="https://example.com",
    checked="2026-11-21",
    base_url=BASE,
    auth=Auth(env=("EXAMPLE_KEY",)),
    submit=Call("POST", "/jobs", capture={"id": "id"}),
    poll=Call("GET", "/jobs/{id}"),
    status=Status("status", WORDS, error="error"),
    tasks={"text-to-image": Endpoint(fields={"prompt": "prompt"}, files=Files("url", "image/png"))},
)
IMAGE = Endpoint(fields={"prompt": "prompt"}, files=Files("url", "image/png"))


def says(body: Any, status: int = 200, **headers: str) -> HttpResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = {} if isinstance(body, bytes) else {"content-type": "application/json"}
    return HttpResponse(status, {**kind, **{name.replace("_", "-"): value for name, value in headers.items()}}, raw)


class Bench:
    """An engine on a virtual clock over canned answers."""

    def __init__(self, provider: Provider = PROVIDER, *answers: HttpResponse | SendError, key: str = "k-1") -> None:
        self.transport = Prompter(*answers)
        self.clock = Frozen()
        self.engine = Engine(transport=self.transport, clock=self.clock, rng=Random(1))
        self.backend = Backend(provider, Secret(key))

    @property
    def sent(self) -> list[HttpRequest]:
        return self.transport.sent

    async def buy(self, body: dict[str, Any] | None = None, **names: str) -> Any:
        return await self.engine.submit(self.backend, body or {"prompt": "x"}, {"task": "text-to-image", **names})


def built(provider: Provider, endpoint: Endpoint, request: Any) -> dict[str, Any]:
    def media(_name: str, item: Media) -> Any:
        return item.url

    return build_body(provider, endpoint, request, names={"endpoint": "m-1"}, media=media)


# ----------------------------------------------------------------------------------------------------- what goes where


def test_values_go_into_query_headers_and_path() -> None:
    endpoint = Endpoint(
        fields={"text": "text", "voice": "@path.voice", "format": "@query.encoding", "speed": "@headers.x-speed"},
        fixed={"@query.model": "{endpoint}"},
    )
    body = built(PROVIDER, endpoint, TextToSpeech(text="hi", voice="a/b c", format="mp3", speed=1.5))
    request = call_request(PROVIDER, Call("POST", "/speak/{voice}?a=1"), {"endpoint": "m-1"}, body)
    assert request.url == f"{BASE}/speak/a%2Fb%20c?a=1&model=m-1&encoding=mp3"
    assert request.headers == {"x-speed": "1.5"}
    assert request.json == {"text": "hi"}


def test_what_goes_elsewhere_is_not_wrapped() -> None:
    endpoint = Endpoint(fields={"text": "text", "voice": "@path.voice"})
    body = built(replace(PROVIDER, input_path="input"), endpoint, TextToSpeech(text="hi", voice="v"))
    assert body == {"input": {"text": "hi"}, "@path": {"voice": "v"}}


def test_headers_and_call_bodies_are_templates() -> None:
    provider = replace(PROVIDER, headers={"x-version": "3", "x-trace": "{nonce}"})
    call = Call("POST", "/ops/{id}:get", headers={"accept": "audio/*"}, body={"name": "{id}", "deep": [{"n": "{id}"}]})
    request = call_request(provider, call, {"id": "a%2Fb"}, nonce="n1")
    assert request.url == f"{BASE}/ops/a%2Fb:get"
    assert request.headers == {"x-version": "3", "x-trace": "n1", "accept": "audio/*"}
    assert request.json == {"name": "a/b", "deep": [{"n": "a/b"}]}


def test_build_writes_the_fields_that_are_aimed_at_it() -> None:
    def contents(values: Mapping[str, Any]) -> dict[str, Any]:
        items = [{"type": "text", "text": values["prompt"]}] if "prompt" in values else []
        items += [{"type": item["role"], "url": item["image"]} for item in values.get("references", ())]
        return {"content": items, "settings": {"loud": values.get("audio")}, "known": dict(values["@media"])}

    endpoint = Endpoint(
        fields={
            "prompt": BUILD,
            "references": BUILD,
            "audio": To(BUILD, values={"true": "yes", "false": "no"}),
            "duration_s": "settings.duration",
        },
        build=contents,
    )
    request = TextToVideo(
        prompt="a fox",
        references=[{"image": Media(url="https://x/a.png", width=8), "role": "style"}],
        audio=False,
        duration_s=5,
    )
    assert built(PROVIDER, endpoint, request) == {
        "content": [{"type": "text", "text": "a fox"}, {"type": "style", "url": "https://x/a.png"}],
        "settings": {"loud": "no", "duration": 5},
        "known": {"references": {"width": 8}},
    }


def test_an_option_may_not_touch_what_build_writes() -> None:
    endpoint = Endpoint(fields={"prompt": BUILD}, build=lambda values: {"content": [values.get("prompt")]})
    for path in ("content", "content.0"):
        with pytest.raises(errors.RequestError, match="may not set"):
            build_body(
                PROVIDER,
                endpoint,
                TextToImage(prompt="x"),
                names={},
                media=lambda _name, item: item.url,
                options={path: "y"},
            )


async def test_a_form_holds_texts_lists_objects_and_files(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(b"png")
    source = Source("ab" * 32, "image/jpeg", 3, str(file))
    endpoint = replace(IMAGE, encoding="multipart")
    bench = Bench(replace(PROVIDER, tasks={"text-to-image": endpoint}), says({"id": "1"}))
    body = {"prompt": "x", "n": 2, "on": True, "image[]": ["<in>", "<in>"], "svg": {"model": "m"}}
    await bench.engine.submit(bench.backend, body, {"task": "text-to-image"}, inputs={"<in>": source})
    parts = [(part.name, part.filename, part.mime_type) for part in bench.sent[0].parts]
    name = f"{'ab' * 8}.jpg"
    files = [("image[]", name, "image/jpeg")] * 2
    assert parts == [("prompt", None, None), ("n", None, None), ("on", None, None), *files, ("svg[model]", None, None)]
    assert [part.value for part in bench.sent[0].parts[:3]] == ["x", "2", "true"]
    assert bench.sent[0].json is None


# ------------------------------------------------------------------------------------------------------ what came back


async def delivered(bench: Bench, endpoint: Endpoint, submission: Any) -> Any:
    return await bench.engine.result(bench.backend, endpoint, submission.handle, submission.reading)


SYNC = replace(PROVIDER, poll=None, status=None, submit=Call("POST", "/make"))


@pytest.mark.parametrize(
    ("files", "answer", "urls"),
    [
        (
            Files("data[].b64", "image/png", "base64"),
            says({"data": [{"b64": "QUJD"}, {}]}),
            ["data:image/png;base64,QUJD"],
        ),
        (
            Files("d[].b", "image/png", "base64", mime_path="d[].m"),
            says({"d": [{"b": "QQ==", "m": "image/webp"}]}),
            ["data:image/webp;base64,QQ=="],
        ),
        (Files("audio", "audio/mpeg", "hex"), says({"audio": "414243"}), ["data:audio/mpeg;base64,QUJD"]),
        (Files("audio", "audio/mpeg", "hex"), says({"audio": "https://x/a.mp3"}), ["https://x/a.mp3"]),
        (
            Files(form="body", mime_type="audio/mpeg"),
            says(b"ABC", content_type="audio/wav; rate=1"),
            ["data:audio/wav;base64,QUJD"],
        ),
        (
            Files(form="body", mime_type="audio/mpeg"),
            says(b"ABC", content_type="application/octet-stream"),
            ["data:audio/mpeg;base64,QUJD"],
        ),
        (Files("out out[]", "image/png"), says({"out": "https://x/1"}), ["https://x/1"]),
        (
            Files("out out[]", "image/png"),
            says({"out": ["https://x/1", "https://x/2"]}),
            ["https://x/1", "https://x/2"],
        ),
        (Files(url="https://h/{endpoint}/content", mime_type="video/mp4"), says({}), ["https://h/m-1/content"]),
        (Files(url="/videos/{endpoint}", mime_type="video/mp4"), says({}), [f"{BASE}/videos/m-1"]),
    ],
)
async def test_the_answer_is_the_result(files: Files, answer: HttpResponse, urls: list[str]) -> None:
    bench = Bench(SYNC, answer)
    submission = await bench.buy(endpoint="m-1")
    assert submission.outcome == "accepted"
    delivery = await delivered(bench, replace(IMAGE, files=files), submission)
    assert [file.url for file in delivery.files] == urls


async def test_a_file_that_should_be_json_is_no_result() -> None:
    bench = Bench(PROVIDER, says(b"<html>", content_type="text/html"))
    assert (await bench.buy()).outcome == "unknown"


BLOCKED = Files("data[].url", "image/png", blocked=Blocked("data[].safe", (False,)))


async def test_single_refusals_take_their_file_away() -> None:
    answer = says({"data": [{"url": "https://x/1", "safe": True}, {"url": "https://x/2", "safe": False}]})
    bench = Bench(SYNC, answer)
    delivery = await delivered(bench, replace(IMAGE, files=BLOCKED), await bench.buy())
    assert [file.url for file in delivery.files] == ["https://x/1"]


@pytest.mark.parametrize(
    ("blocked", "body"),
    [
        (Blocked("data[].safe", (False,)), {"data": [{"url": None, "safe": False}]}),
        (Blocked("reason", ("SAFETY",)), {"reason": "SAFETY"}),
        (Blocked("filtered"), {"filtered": 2}),
        (Blocked("@headers.finish-reason", ("CONTENT_FILTERED",)), {}),
    ],
)
async def test_all_refused_is_a_content_policy_error(blocked: Blocked, body: dict[str, Any]) -> None:
    bench = Bench(SYNC, says(body, finish_reason="CONTENT_FILTERED"))
    submission = await bench.buy()
    with pytest.raises(errors.ContentPolicyError) as caught:
        await delivered(bench, replace(IMAGE, files=replace(BLOCKED, blocked=blocked)), submission)
    assert caught.value.accepted is True


async def test_no_file_and_no_refusal_is_an_answer_of_another_form() -> None:
    bench = Bench(SYNC, says({"data": []}))
    with pytest.raises(errors.ResponseFormatError):
        await delivered(bench, replace(IMAGE, files=replace(BLOCKED, blocked=Blocked("filtered"))), await bench.buy())


async def test_a_refused_picture_on_200_was_taken_where_the_answer_is_the_result() -> None:
    provider = replace(SYNC, refusal=Refusal("code", (0,)), codes=Codes(("code",), {"1027": "content_policy"}))
    submission = await Bench(provider, says({"code": 1027})).buy()
    assert submission.outcome == "accepted"
    assert submission.reading.state is State.FAILED
    assert isinstance(submission.reading.error, errors.ContentPolicyError)


@pytest.mark.parametrize(
    ("status", "body", "code", "state"),
    [
        (Status("@status", {"202": State.RUNNING, "200": State.SUCCEEDED}), {}, 202, State.RUNNING),
        (Status("done", {"true": State.SUCCEEDED}, missing=State.RUNNING), {}, 200, State.RUNNING),
        (Status("done", {"true": State.SUCCEEDED}, missing=State.RUNNING), {"done": True}, 200, State.SUCCEEDED),
        (Status("r.status", {"5": State.RUNNING}), {"r": {"status": 5}}, 200, State.RUNNING),
    ],
)
async def test_states_have_many_words(status: Status, body: dict[str, Any], code: int, state: State) -> None:
    bench = Bench(replace(PROVIDER, status=status), says(body, code))
    assert (await bench.engine.poll(bench.backend, {"id": "1"})).state is state


@pytest.mark.parametrize(
    ("progress", "of", "fraction"), [(40, 100, 0.4), (0.4, 1, 0.4), (140, 100, None), (True, 1, None)]
)
def test_progress_is_a_fraction(progress: Any, of: float, fraction: float | None) -> None:
    status = Status("status", WORDS, progress="p", progress_of=of)
    assert read_status(replace(PROVIDER, status=status), {"status": "run", "p": progress}).progress == fraction


async def test_a_look_may_bring_the_file_itself() -> None:
    status = Status("@status", {"202": State.RUNNING, "200": State.SUCCEEDED})
    bench = Bench(replace(PROVIDER, status=status), says(b"RIFF", content_type="audio/wav"))
    reading = await bench.engine.poll(bench.backend, {"id": "1"})
    endpoint = replace(IMAGE, files=Files(form="body", mime_type="audio/wav"))
    delivery = await bench.engine.result(bench.backend, endpoint, {"id": "1"}, reading)
    assert delivery is not None
    assert delivery.files[0].url == "data:audio/wav;base64," + base64.b64encode(b"RIFF").decode()


async def test_an_error_status_with_a_job_in_it_is_believed_only_where_the_table_says_so() -> None:
    for believes in (True, False):
        bench = Bench(replace(PROVIDER, believes_body=believes), says({"status": "bad", "error": "boom"}, 422))
        if believes:
            assert (await bench.engine.poll(bench.backend, {"id": "1"})).state is State.FAILED
        else:
            with pytest.raises(errors.InvalidRequestError):
                await bench.engine.poll(bench.backend, {"id": "1"})


async def test_a_look_that_is_refused_on_200_says_nothing_of_the_job_unless_its_code_does() -> None:
    codes = Codes(("code",), {"9": "rate_limit", "27": "content_policy"})
    provider = replace(PROVIDER, refusal=Refusal("code", (0, None)), codes=codes)
    bench = Bench(provider, says({"code": 9}), says({"code": 27}))
    with pytest.raises(errors.RateLimitError):
        await bench.engine.poll(bench.backend, {"id": "1"})
    assert isinstance((await bench.engine.poll(bench.backend, {"id": "1"})).error, errors.ContentPolicyError)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("OutputVideoSensitiveContentDetected.PolicyViolation", errors.ContentPolicyError),
        ("SAFETY.INPUT.TEXT", errors.ContentPolicyError),
        ("Other", errors.JobFailedError),
    ],
)
def test_a_code_matches_itself_its_prefix_or_a_pattern(code: str, kind: type[Exception]) -> None:
    codes = Codes(("error",), {"*SensitiveContentDetected*": "content_policy", "SAFETY": "content_policy"})
    reading = read_status(replace(PROVIDER, codes=codes), {"status": "bad", "error": code})
    assert type(reading.error) is kind


# --------------------------------------------------------------------------------------------- dialects, further calls


def test_a_dialect_takes_the_place_of_the_tables_own_words() -> None:
    old = {"submit": Call("POST", "/old"), "poll": None}
    provider = replace(PROVIDER, dialects={"v1": old}, tasks={**PROVIDER.tasks, "text-to-image@v1": Endpoint()})
    assert provider.spoken("") is provider
    assert provider.spoken("v1").submit == old["submit"]
    assert provider.spoken("v1") is provider.spoken("v1")
    assert provider.spoken("v1").name == "example"
    assert provider.endpoint("text-to-image", "v1") == Endpoint()
    assert provider.endpoint("text-to-image", "v2") is provider.tasks["text-to-image"]


async def test_a_job_is_looked_at_in_the_dialect_it_was_ordered_in() -> None:
    provider = replace(PROVIDER, dialects={"v1": {"poll": Call("GET", "/old/{id}")}})
    bench = Bench(provider, says({"status": "run"}), says({"status": "run"}))
    await bench.engine.poll(bench.backend, {"id": "1", "dialect": "v1"})
    await bench.engine.poll(bench.backend, {"id": "1"})
    assert [request.url for request in bench.sent] == [f"{BASE}/old/1", f"{BASE}/jobs/1"]


async def test_a_task_may_be_ordered_elsewhere() -> None:
    elsewhere = replace(IMAGE, submit=Call("POST", "/images", capture={"id": "task"}))
    bench = Bench(replace(PROVIDER, tasks={"text-to-image": elsewhere}), says({"task": "7"}))
    assert (await bench.buy()).handle["id"] == "7"
    assert bench.sent[0].url == f"{BASE}/images"


FILE = Follow(
    Call("GET", "/files/{file}"),
    needs={"file": To("out.uri", cast=lambda uri: str(uri).rpartition("/")[2])},
    status=Status("state", {"PROCESSING": State.RUNNING, "ACTIVE": State.SUCCEEDED, "FAILED": State.FAILED}),
)


@pytest.mark.parametrize(("state", "urls"), [("PROCESSING", None), ("ACTIVE", ["https://x/f"])])
async def test_what_follows_a_success_is_waited_for(state: str, urls: list[str] | None) -> None:
    provider = replace(PROVIDER, follow=(FILE,))
    bench = Bench(
        provider, says({"status": "ok", "out": {"uri": "a/f-1"}}), says({"state": state, "url": "https://x/f"})
    )
    reading = await bench.engine.poll(bench.backend, {"id": "1"})
    delivery = await bench.engine.result(bench.backend, IMAGE, {"id": "1"}, reading)
    assert bench.sent[1].url == f"{BASE}/files/f-1"
    assert (delivery and [file.url for file in delivery.files]) == urls


async def test_what_follows_may_fail() -> None:
    bench = Bench(
        replace(PROVIDER, follow=(FILE,)), says({"status": "ok", "out": {"uri": "f"}}), says({"state": "FAILED"})
    )
    reading = await bench.engine.poll(bench.backend, {"id": "1"})
    with pytest.raises(errors.JobFailedError):
        await bench.engine.result(bench.backend, IMAGE, {"id": "1"}, reading)


# ------------------------------------------------------------------------------------------ purchases of several steps


def flow(order: Any) -> Any:
    quote = yield HttpRequest("POST", "/quotes", json=order.body)
    number = json.loads(quote.body)["id"]
    yield Paid(HttpRequest("PATCH", f"/quotes/{number}/accept"), {"id": number})
    yield HttpRequest("PUT", "https://store.example.org/part", content=b"x", trusted=False)
    return {"id": number, "more": "1"}


async def test_a_purchase_of_several_steps_marks_the_one_that_is_paid() -> None:
    bench = Bench(replace(PROVIDER, submit=flow), says({"id": "q1"}), says({}, 202), says(b"", 200))
    submission = await bench.buy()
    assert submission.outcome == "accepted"
    assert (submission.handle["id"], submission.handle["more"]) == ("q1", "1")
    assert [request.url for request in bench.sent] == [
        f"{BASE}/quotes",
        f"{BASE}/quotes/q1/accept",
        "https://store.example.org/part",
    ]
    assert ["Authorization" in request.headers for request in bench.sent] == [True, True, False]


@pytest.mark.parametrize(
    ("answers", "outcome", "handle"),
    [
        ((says({"message": "no"}, 400),), "never_sent", None),
        ((says({"id": "q1"}), says({}, 402)), "rejected", None),
        ((says({"id": "q1"}), SendError("cut", sent=None)), "unknown", None),
        ((says({"id": "q1"}), SendError("refused", sent=False)), "never_sent", None),
        ((says({"id": "q1"}), says({}, 202), says({}, 403)), "accepted", "q1"),
    ],
)
async def test_each_step_of_a_purchase_may_break(answers: Any, outcome: str, handle: str | None) -> None:
    submission = await Bench(replace(PROVIDER, submit=flow), *answers).buy()
    assert (submission.outcome, submission.handle.get("id")) == (outcome, handle)
    if outcome in ("never_sent", "rejected"):
        assert submission.error.accepted is False


# --------------------------------------------------------------------------------------------------------- credentials


async def test_a_key_may_be_signed_with_the_time() -> None:
    auth = Auth(env=("K",), sign=lambda key, now: f"{key}@{now:.0f}")
    bench = Bench(replace(PROVIDER, auth=auth), says({"status": "run"}))
    await bench.engine.poll(bench.backend, {"id": "1"})
    assert bench.sent[0].headers["Authorization"] == f"Bearer k-1@{bench.clock.time():.0f}"


def exchange(key: str, now: float) -> TokenFlow:
    answer = yield HttpRequest("POST", "https://oauth.example.org/token", json={"assertion": key}, trusted=False)
    got = json.loads(answer.body)
    return got["access_token"], now + got["expires_in"]


async def test_a_token_is_kept_until_shortly_before_its_end() -> None:
    run, token = says({"status": "run"}), says({"access_token": "t-1", "expires_in": 3600})
    bench = Bench(replace(PROVIDER, auth=Auth(env=("K",), token=exchange)), token, run, run, token, run)
    for _ in range(2):
        await bench.engine.poll(bench.backend, {"id": "1"})
    bench.clock.now_s += 3_545
    await bench.engine.poll(bench.backend, {"id": "1"})
    assert [request.url.rpartition("/")[2] for request in bench.sent] == ["token", "1", "1", "token", "1"]
    assert bench.sent[1].headers["Authorization"] == "Bearer t-1"
    assert "Authorization" not in bench.sent[0].headers


async def test_without_a_token_nothing_was_ordered() -> None:
    bench = Bench(replace(PROVIDER, auth=Auth(env=("K",), token=exchange)), says({"error": "revoked"}, 401))
    submission = await bench.buy()
    assert submission.outcome == "never_sent"
    assert submission.error.accepted is False


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://api.example.com/x", True),
        ("https://eu.poll.example.com/x", True),
        ("https://poll.example.com/x", False),
        ("http://eu.poll.example.com/x", False),
        ("https://eu.poll.example.com:444/x", False),
        ("https://eu.poll.example.com.evil.org/x", False),
        ("https://evilpoll.example.com/x", False),
    ],
)
def test_the_credential_goes_to_named_addresses_and_below_a_star(url: str, trusted: bool) -> None:
    assert Backend(replace(PROVIDER, hosts={"poll": "https://*.poll.example.com"})).trusts(url) is trusted


# ------------------------------------------------------------------------------------------------------------- charges


@pytest.mark.parametrize(
    ("charge", "submit", "end", "charged"),
    [
        (Charge("cost", "0.01"), {"id": "1"}, {"status": "ok", "url": "https://x/1", "cost": 25}, "0.25"),
        (Charge("cost", "0.01", at="submit"), {"id": "1", "cost": 3}, {"status": "ok", "url": "https://x/1"}, "0.03"),
        (Charge("cost", "0.01"), {"id": "1"}, {"status": "ok", "url": "https://x/1"}, None),
        (Charge("cost", "1/4"), {"id": "1"}, {"status": "ok", "url": "https://x/1", "cost": "0.5"}, "0.125"),
        (Charge("@headers.x-credits", "2"), {"id": "1"}, {"status": "ok", "url": "https://x/1"}, "6"),
    ],
)
async def test_the_answer_says_what_was_charged(charge: Charge, submit: Any, end: Any, charged: str | None) -> None:
    bench = Bench(replace(PROVIDER, charge=charge), says(submit), says(end, x_credits="3"))
    handle = (await bench.buy()).handle
    delivery = await bench.engine.result(bench.backend, IMAGE, handle, await bench.engine.poll(bench.backend, handle))
    assert delivery is not None
    assert delivery.charged_usd == (None if charged is None else Decimal(charged))


async def test_the_charge_of_a_look_counts_where_the_result_comes_later() -> None:
    provider = replace(PROVIDER, charge=Charge("credits", "0.1", at="poll"), follow=(Follow(Call("GET", "/out/{id}")),))
    bench = Bench(provider, says({"status": "ok", "credits": 4}), says({"url": "https://x/1"}))
    reading = await bench.engine.poll(bench.backend, {"id": "1"})
    delivery = await bench.engine.result(bench.backend, IMAGE, {"id": "1"}, reading)
    assert delivery is not None
    assert delivery.charged_usd == Decimal("0.4")


async def test_a_charge_that_is_no_number_is_an_answer_of_another_form() -> None:
    provider = replace(PROVIDER, charge=Charge("cost", "1"), follow=(Follow(Call("GET", "/out/{id}")),))
    bench = Bench(provider, says({"status": "ok"}), says({"url": "https://x/1", "cost": "much"}))
    reading = await bench.engine.poll(bench.backend, {"id": "1"})
    with pytest.raises(errors.ResponseFormatError, match="not a quantity"):
        await bench.engine.result(bench.backend, IMAGE, {"id": "1"}, reading)


# -------------------------------------------------------------------------------------------------- inputs, references


async def test_what_the_provider_calls_its_output_is_kept() -> None:
    endpoint = replace(IMAGE, refs={"video_id": "{id}", "uri": "deep.uri", "none": "not.there"})
    bench = Bench(PROVIDER, says({"status": "ok", "url": "https://x/1", "deep": {"uri": "gs://b/c"}}))
    reading = await bench.engine.poll(bench.backend, {"id": "a%2Fb"})
    delivery = await bench.engine.result(bench.backend, endpoint, {"id": "a%2Fb"}, reading)
    assert delivery is not None
    assert delivery.refs == {"video_id": "a/b", "uri": "gs://b/c"}


URL = Media(url="https://x/a.png")
FILE_OF_5 = Media(sha256="0" * 64, mime_type="video/mp4", size_bytes=5)
OURS = {"provider": "example", "account": "acc", "video_id": "v1", "until": "100"}


def reason(media: Media, accepts: tuple[str, ...], now_s: float = 0.0, **more: Any) -> str:
    provider = replace(PROVIDER, inputs={"": Input(accepts, **more)}, upload=lambda _source: None)  # type: ignore[arg-type,return-value]
    try:
        return way(provider, Endpoint(), "video", media, account="acc", now_s=now_s)
    except CannotHandOver as why:
        return f"{why} / {why.advice}"


@pytest.mark.parametrize(
    ("media", "accepts", "more", "said"),
    [
        (URL, ("upload", "url"), {}, "url"),
        (FILE_OF_5, ("url", "upload"), {}, "upload"),
        (FILE_OF_5, ("url", "data"), {"max_bytes": 5}, "data"),
        (FILE_OF_5, ("part",), {"max_bytes": None}, "part"),
        (replace(FILE_OF_5, refs=OURS), ("ref:video_id", "url"), {}, "ref:video_id"),
        (URL, ("upload",), {}, "it takes files, not addresses / download"),
        (FILE_OF_5, ("url",), {}, "it takes a video by address only / put it where"),
        (FILE_OF_5, ("url", "data"), {"max_bytes": 4}, "of up to 4 bytes; this one has 5 / make it smaller, or give"),
        (FILE_OF_5, ("part",), {"mime_types": ("video/webm",)}, "it takes no video/mp4 here / convert"),
        (FILE_OF_5, ("ref:video_id",), {}, "goes on only from a video that it made itself"),
        (
            replace(FILE_OF_5, refs={**OURS, "account": "other"}),
            ("ref:video_id",),
            {},
            "made itself, with the same key",
        ),
        (replace(FILE_OF_5, refs={**OURS, "provider": "other"}), ("ref:video_id",), {}, "made itself"),
        (replace(FILE_OF_5, refs=OURS), ("ref:video_id",), {"now_s": 101.0}, "made itself"),
    ],
)
def test_an_input_is_handed_over_the_first_way_that_fits(
    media: Media, accepts: tuple[str, ...], more: dict[str, Any], said: str
) -> None:
    assert said in reason(media, accepts, **more)


def test_a_field_may_take_other_ways_than_its_kind() -> None:
    endpoint = Endpoint(inputs={"last_image": Input(("url",)), "image": Input(("data",))})
    local = Media(sha256="0" * 64, mime_type="image/png", size_bytes=5)
    choose: Callable[[str], str] = lambda name: way(PROVIDER, endpoint, name, local, account="", now_s=0)  # noqa: E731
    assert choose("image") == "data"
    with pytest.raises(CannotHandOver, match="by address only"):
        choose("last_image")
    assert ImageToVideo(image=URL, prompt="x").image == URL
