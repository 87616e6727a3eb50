"""What goes wrong between the shapes: purchases cut in two, keys that cannot be had, files named twice, odd bills. None
of it may buy twice, lose what is paid for, give money back that may be billed, or show a key.
"""

import base64
import decimal
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from aggregator import backends, errors
from aggregator._http import HttpxTransport
from aggregator._results import Delivery, RemoteFile, read_result
from aggregator._wire import Reading, code_of, read_poll, read_status
from aggregator.config import Config
from aggregator.contract import (
    Auth,
    Blocked,
    Call,
    Charge,
    Codes,
    Endpoint,
    Files,
    Follow,
    HttpRequest,
    Input,
    Meter,
    Paid,
    Refusal,
    State,
    To,
    TokenFlow,
)
from aggregator.handing import CannotHandOver
from aggregator.identity import fingerprint
from aggregator.inputs import Media
from aggregator.planning import Planner, write_inputs
from aggregator.probing import Prober
from aggregator.routing.limits import fits, limit_of, nearest_value
from aggregator.routing.plan import Ask, Plan
from aggregator.runner import fetch, submit, watch
from aggregator.runner.context import Context
from aggregator.runner.faults import Source
from aggregator.signing import standard_webhooks
from aggregator.store.files import FileStore
from aggregator.tasks import ImageToVideo, request_from_json
from aggregator.testing.driving import Frozen
from aggregator.testing.memory import PNG
from aggregator.view import View
from aggregator.webhooks import verify
from tests.test_shapes import BASE, IMAGE, PROVIDER, SYNC, Bench, delivered, exchange, flow, says
from tests.test_webhooks import delivery

LONG = "x" * 100_000


# ------------------------------------------------------------------------------------------ purchases of several steps


def breaks(error: Exception, *, paid: bool) -> Callable[[Any], Any]:
    def steps(_order: Any) -> Any:
        if paid:
            yield Paid(HttpRequest("POST", "/accept"), {"id": "q1"})
        raise error
        yield

    return steps


@pytest.mark.parametrize(
    "error", [OSError("gone"), AttributeError("urls"), KeyError("urls"), errors.RequestError("no clip"), ValueError()]
)
async def test_whatever_breaks_in_a_purchase_is_told_by_whether_it_was_paid(error: Exception) -> None:
    before = await Bench(replace(PROVIDER, submit=breaks(error, paid=False))).buy()
    assert before.outcome == "never_sent"
    assert before.error.accepted is False
    after = await Bench(replace(PROVIDER, submit=breaks(error, paid=True)), says({}, 202)).buy()
    assert (after.outcome, after.handle["id"]) == ("accepted", "q1")


async def test_what_was_paid_stays_paid_though_nothing_is_known_of_it() -> None:
    def nameless(_order: Any) -> Any:
        yield Paid(HttpRequest("POST", "/accept"))
        yield HttpRequest("PUT", "/part")

    bench = Bench(replace(PROVIDER, submit=nameless), says({}, 202), says({}, 403))
    assert (await bench.engine.submit(bench.backend, {"prompt": "x"}, {})).outcome == "accepted"


async def test_a_charge_in_the_paid_answer_of_a_purchase_is_kept() -> None:
    provider = replace(PROVIDER, submit=flow, charge=Charge("cost", "1", at="submit"))
    bench = Bench(provider, says({"id": "q1"}), says({"cost": 3}, 202), says(b""))
    assert (await bench.buy()).handle["charge"] == "3"


async def test_a_task_with_a_call_of_its_own_is_not_bought_by_the_flow() -> None:
    own = replace(IMAGE, submit=Call("POST", "/images", capture={"id": "id"}))
    bench = Bench(replace(PROVIDER, submit=flow, tasks={"text-to-image": own}), says({"id": "7"}))
    assert (await bench.buy()).handle["id"] == "7"
    assert [request.url for request in bench.sent] == [f"{BASE}/images"]


# ----------------------------------------------------------------------------------------------------------------- keys


def needs_json(key: str, now: float) -> TokenFlow:
    return json.loads(key)["access"], now + 60
    yield


def misses_extra(_key: str, _now: float) -> str:
    raise errors.ConfigurationError("RS256 tokens need the package cryptography")


@pytest.mark.parametrize(
    ("auth", "key"),
    [
        (Auth(("K",), token=needs_json), "{secret-but-no-json"),
        (Auth(("K",), token=needs_json), '{"another": "secret-value"}'),
        (Auth(("K",), sign=misses_extra), "secret-value"),
    ],
)
async def test_a_key_that_cannot_be_used_buys_nothing_and_is_not_shown(auth: Auth, key: str) -> None:
    bench = Bench(replace(PROVIDER, auth=auth), key=key)
    submission = await bench.buy()
    assert submission.outcome == "never_sent"
    assert isinstance(submission.error, errors.AuthenticationError)
    assert submission.error.accepted is False
    assert "secret" not in f"{submission!r} {submission.error}"
    with pytest.raises(errors.AuthenticationError) as caught:
        await bench.engine.poll(bench.backend, {"id": "1"})
    assert caught.value.accepted is True, "the job was taken, whatever became of the key"
    assert bench.sent == []


async def test_a_token_that_is_refused_is_exchanged_once_more_for_what_costs_nothing() -> None:
    tokens = [says({"access_token": f"token-{n}", "expires_in": 3600}) for n in (1, 2)]
    revoked, run = says({"message": "token-1 was revoked"}, 401), says({"status": "run"})
    bench = Bench(replace(PROVIDER, auth=Auth(("K",), token=exchange)), tokens[0], revoked, tokens[1], run)
    assert (await bench.engine.poll(bench.backend, {"id": "1"})).state is State.RUNNING
    assert bench.sent[-1].headers["Authorization"] == "Bearer token-2"


async def test_a_refused_token_pays_nothing_twice_and_is_not_kept_nor_shown() -> None:
    tokens = [says({"access_token": f"token-{n}", "expires_in": 3600}) for n in (1, 2)]
    revoked = says({"message": "token-1 was revoked"}, 401)
    bench = Bench(
        replace(PROVIDER, auth=Auth(("K",), token=exchange)), tokens[0], revoked, tokens[1], says({"id": "1"})
    )
    first = await bench.buy()
    assert first.outcome == "rejected"
    assert "token-1" not in str(first.error)
    assert (await bench.buy()).outcome == "accepted"
    assert [request.url for request in bench.sent if request.method == "POST"].count(f"{BASE}/jobs") == 2


async def test_what_was_signed_is_not_shown_in_an_echo() -> None:
    auth = Auth(("K",), sign=lambda _key, now: f"signed-at-{now:.0f}")
    bench = Bench(replace(PROVIDER, auth=auth), says({"message": f"bad token signed-at-{Frozen.now_s:.0f}"}, 401))
    assert "signed-at" not in str((await bench.buy()).error)


async def test_two_dialects_do_not_share_a_token() -> None:
    def other(_key: str, now: float) -> TokenFlow:
        return "other-token", now + 3600
        yield

    auth = Auth(("K",), token=other)
    provider = replace(PROVIDER, auth=Auth(("K",), token=exchange), dialects={"v1": {"auth": auth}})
    token, run = says({"access_token": "t-1", "expires_in": 3600}), says({"status": "run"})
    bench = Bench(provider, token, run, run)
    await bench.engine.poll(bench.backend, {"id": "1"})
    await bench.engine.poll(bench.backend, {"id": "1", "dialect": "v1"})
    assert bench.sent[-1].headers["Authorization"] == "Bearer other-token"


def test_a_configured_address_takes_the_place_of_a_dialects_own() -> None:
    table = replace(PROVIDER, dialects={"v1": {"base_url": "https://old.example.com"}, "v2": {"poll": None}})
    config = Config.of({"providers": {"example": {"base_url": "https://relay.internal"}}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backends, "provider_table", lambda _name, _place: table)
        placed = backends._placed("example", config.providers["example"])
    usable, _ = backends.backends_of(config, {"example": placed}, {"EXAMPLE_KEY": "relay-key"})
    spoken = usable["example"].speaking({"dialect": "v1"})
    assert spoken.provider.base_url == "https://relay.internal"
    assert not spoken.trusts("https://old.example.com/jobs")
    assert "base_url" not in placed.dialects["v2"]


def test_a_dialect_that_is_gone_from_the_table_is_said() -> None:
    with pytest.raises(errors.ConfigurationError, match="v9"):
        PROVIDER.spoken("v9")


async def test_a_probe_that_is_refused_on_200_is_no_working_key() -> None:
    provider = replace(
        PROVIDER,
        probe=Call("GET", "/me"),
        refusal=Refusal("code", (0,)),
        codes=Codes(("code",), {"1000": "authentication"}),
    )
    bench = Bench(provider, says({"code": 1000}), says({"code": 0}))
    with pytest.raises(errors.AuthenticationError):
        await bench.engine.probe(bench.backend)
    assert await bench.engine.probe(bench.backend) == "the key works"


# --------------------------------------------------------------------------------------------------------------- inputs


FILE = Media(sha256="ab" * 32, mime_type="image/png", size_bytes=len(PNG))
OFFER = SimpleNamespace(
    id="example:m",
    provider="example",
    endpoint="m",
    model="m",
    version=None,
    task="image-to-video",
    mapping=Endpoint(
        fields={"prompt": "prompt", "image": "first", "last_image": "last"},
        files=Files("url", "video/mp4"),
        inputs={"image": Input(("data",)), "last_image": Input(("upload",))},
    ),
)


def planner(now_s: float = 0.0, **changes: Any) -> Planner:
    backend = Bench(replace(PROVIDER, upload=lambda _source: None, **changes)).backend  # type: ignore[arg-type,return-value]
    clock = SimpleNamespace(time=lambda: now_s, monotonic=lambda: now_s)
    nothing = cast("Any", None)
    return Planner(View(nothing, nothing, nothing, {"example": backend}), cast("Any", clock))


def plan_of(offer: Any, request: Any, at: Planner) -> Plan:
    return at._written(Plan(request, Ask(), cast("Any", SimpleNamespace(offer=offer, adjustments=())), (), ""))


@pytest.mark.parametrize(
    "forms", [("data", "upload"), ("upload", "data"), ("part", "upload"), ("upload", "part"), ("data", "part")]
)
def test_one_file_may_be_handed_over_in_two_ways(forms: tuple[str, str]) -> None:
    mapping = replace(
        OFFER.mapping, encoding="multipart", inputs={"image": Input((forms[0],)), "last_image": Input((forms[1],))}
    )
    offer = SimpleNamespace(**{**vars(OFFER), "mapping": mapping})
    at = planner()
    plan = plan_of(offer, ImageToVideo(image=FILE, last_image=FILE, prompt="x"), at)
    handed = at.handed(plan)
    assert sorted(item["form"] for item in handed.values()) == sorted(forms)
    gave = {"upload": "https://up/1", "data": "QUJD"}
    body = write_inputs(plan.body, {text: gave[item["form"]] for text, item in handed.items() if item["form"] in gave})
    texts = {"upload": "https://up/1", "data": "data:image/png;base64,QUJD"}
    part = next((text for text, item in handed.items() if item["form"] == "part"), None)
    assert (body["first"], body["last"]) == tuple(texts.get(form, part) for form in forms)


def test_a_reference_that_ended_after_the_plan_is_sent_as_it_was_planned() -> None:
    refs = {"provider": "example", "account": planner().backends["example"].account, "video": "v1", "until": "100"}
    clip = replace(FILE, refs=refs)
    only = replace(OFFER.mapping, inputs={"": Input(("ref:video",))}, fields={"prompt": "prompt", "image": "first"})
    for ways in (("ref:video",), ("ref:video", "upload")):
        mapping = replace(only, inputs={"image": Input(ways)})
        offer = SimpleNamespace(**{**vars(OFFER), "mapping": mapping})
        plan = plan_of(offer, ImageToVideo(image=clip, prompt="x"), planner(99.0))
        assert plan.body["first"] == "v1"
        assert planner(101.0).handed(plan) == {}
    never = SimpleNamespace(**{**vars(OFFER), "mapping": replace(only, inputs={"image": Input(("ref:video",))})})
    with pytest.raises(CannotHandOver):
        plan_of(never, ImageToVideo(image=FILE, prompt="x"), planner())


async def test_what_an_older_version_journalled_of_inputs_is_still_read() -> None:
    async def have(sha256: str, _mime: str) -> Path:
        return Path("/store") / sha256

    context = SimpleNamespace(files=SimpleNamespace(have=have))
    of = SimpleNamespace(plan={"inputs": {"<in>": FILE.as_json()}})
    [(text, source)] = (await submit._sources(cast("Any", context), cast("Any", of), "upload")).items()
    assert (text, source.sha256) == ("<in>", FILE.sha256)
    assert await submit._sources(cast("Any", context), cast("Any", of), "part") == {}


async def test_a_form_whose_file_is_gone_was_never_sent() -> None:
    source = Source("ab" * 32, "image/png", 5, "/nowhere/at/all.png")
    endpoint = replace(IMAGE, encoding="multipart")
    bench = Bench(replace(PROVIDER, tasks={"text-to-image": endpoint}, base_url="http://127.0.0.1:9"))
    bench.engine._transport = transport = HttpxTransport()
    submission = await bench.engine.submit(
        bench.backend, {"image": "<in>"}, {"task": "text-to-image"}, inputs={"<in>": source}
    )
    await transport.aclose()
    assert submission.outcome == "never_sent"


async def test_a_file_that_breaks_while_it_is_sent_leaves_the_outcome_unknown() -> None:
    bench = Bench()

    async def breaks_off(*_given: Any, **_more: Any) -> Any:
        raise OSError(5, "Input/output error")

    bench.transport.send = breaks_off  # type: ignore[method-assign]
    submission = await bench.buy()
    assert (submission.outcome, submission.error.accepted) == ("unknown", None)


# -------------------------------------------------------------------------------------------------------------- answers


@pytest.mark.parametrize(("word", "state"), [("bad", State.FAILED), ("ok", State.SUCCEEDED)])
def test_a_word_that_ends_a_job_wins_over_a_refusal_beside_it(word: str, state: State) -> None:
    codes = Codes(("base.code",), {"1033": "unavailable"})
    provider = replace(PROVIDER, refusal=Refusal("base.code", (0,)), codes=codes)
    assert read_poll(provider, says({"status": word, "base": {"code": 1033}})).state is state
    with pytest.raises(errors.UnavailableError):
        read_poll(provider, says({"status": "run", "base": {"code": 1033}}))


async def test_a_step_after_success_that_is_refused_on_200_is_no_answer_yet() -> None:
    codes = Codes(("code",), {"9": "rate_limit", "13": "invalid_request", "27": "content_policy"})
    provider = replace(PROVIDER, refusal=Refusal("code", (0,)), codes=codes, follow=(Follow(Call("GET", "/f/{id}")),))
    for code, kind in ((9, errors.RateLimitError), (13, errors.InvalidRequestError), (27, errors.ContentPolicyError)):
        bench = Bench(provider, says({"status": "ok", "code": 0}), says({"code": code}))
        reading = await bench.engine.poll(bench.backend, {"id": "1"})
        with pytest.raises(kind) as caught:
            await bench.engine.result(bench.backend, IMAGE, {"id": "1"}, reading)
        assert caught.value.accepted is True


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (says({"message": "not here"}, 404), False),
        (says({"message": "gone"}, 410), False),
        (says({"code": 2}), False),
        (says({"code": 3}, 402), False),
        (says({"message": "bad input"}, 422), True),
        (says({"code": 27}), True),
    ],
)
async def test_a_success_whose_result_is_not_found_is_not_given_back(
    answer: Any, failed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = Codes(("code",), {"2": "invalid_request", "3": "quota", "27": "content_policy"})
    follow = (Follow(Call("GET", "/f/{id}")),)
    bench = Bench(replace(PROVIDER, refusal=Refusal("code", (0, None)), codes=codes, follow=follow), answer)
    ended: list[Any] = []

    async def note(_context: Any, of: Any, error: Any, *_more: Any) -> Any:
        ended.append(error)
        return of

    monkeypatch.setattr(watch, "_failed", note)
    context = SimpleNamespace(engine=bench.engine, backend=lambda _of: bench.backend)
    read = {"files": {"path": "url", "mime_type": "image/png"}, "facts": {}, "reported": {}}
    of = SimpleNamespace(plan={"read": read}, handle={"id": "1"}, offer="example:m", job="j")
    assert await watch.seen(cast("Any", context), cast("Any", of), Reading(State.SUCCEEDED, body={"code": 0})) is of
    assert bool(ended) is failed


async def test_a_stream_that_is_refused_is_looked_after_by_polls() -> None:
    async def readings(*_given: Any) -> Any:
        raise errors.RateLimitError("slow down")
        yield

    context: Any = SimpleNamespace(engine=SimpleNamespace(watch=readings), listening=set(), remaining_s=lambda _of: 1.0)
    of: Any = SimpleNamespace(job="j", handle={"id": "1"}, provider="example")
    assert await watch._stream(context, of, cast("Any", None), cast("Any", None)) is of


async def test_an_answer_at_once_that_is_not_over_is_no_end() -> None:
    provider = replace(SYNC, status=PROVIDER.status)
    assert (await Bench(provider, says({"status": "run"})).buy()).outcome == "unknown"


async def test_a_cast_that_cannot_read_an_answer_leaves_the_outcome_unknown() -> None:
    captures = {"id": To("id", cast=lambda value: value["name"])}  # type: ignore[index]
    bench = Bench(replace(PROVIDER, submit=Call("POST", "/jobs", capture=captures)), says({"id": [1]}))
    submission = await bench.buy()
    assert submission.outcome == "unknown"
    assert isinstance(submission.error, errors.ResponseFormatError)


def test_what_an_answer_repeats_without_end_is_cut() -> None:
    with pytest.raises(errors.ResponseFormatError) as caught:
        read_status(PROVIDER, {"status": LONG})
    assert len(str(caught.value)) < 1000
    assert len(caught.value.code or "") < 1000
    dots = Codes(("error",), {"a.b": "content_policy"})
    assert code_of(replace(PROVIDER, codes=dots), {"error": "a.b" + ".c" * 1_000_000})[1] == "content_policy"


async def test_an_error_in_the_result_shows_no_key() -> None:
    files = Files("url", "image/png", blocked=Blocked("blocked"))
    bench = Bench(SYNC, says({"blocked": True, "message": "refused for canary-key"}), key="canary-key")
    with pytest.raises(errors.ContentPolicyError) as caught:
        await delivered(bench, replace(IMAGE, files=files), await bench.buy())
    assert "canary-key" not in str(caught.value)


# ---------------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ({"d": [{"u": "https://x/1"}, {"no": True}]}, ["https://x/1"]),
        ({"d": [{"no": True}, {"u": "https://x/2"}]}, ["https://x/2"]),
        ({"d": [{"u": "https://x/1", "no": True}, {"u": "https://x/2"}]}, ["https://x/2"]),
        ({"d": [{"u": "https://x/1", "no": False}, {"u": "https://x/2", "no": True}]}, ["https://x/1"]),
    ],
)
def test_a_refusal_speaks_of_the_file_beside_it(body: Any, kept: list[str]) -> None:
    endpoint = replace(IMAGE, files=Files("d[].u", "image/png", blocked=Blocked("d[].no")))
    assert [file.url for file in read_result(PROVIDER, endpoint, body, {}).files] == kept


def test_a_files_address_is_not_bent_by_what_was_captured() -> None:
    endpoint = replace(IMAGE, files=Files(url="/videos/{id}/content", mime_type="video/mp4"))
    [file] = read_result(PROVIDER, endpoint, {}, {"id": "https://evil.example/../../admin"}).files
    assert file.url == f"{BASE}/videos/https%3A%2F%2Fevil.example%2F..%2F..%2Fadmin/content"


def test_broken_hex_of_half_letters_is_kept_as_it_came() -> None:
    endpoint = replace(IMAGE, files=Files("a", "audio/mpeg", form="hex"))
    assert read_result(PROVIDER, endpoint, {"a": "\ud800"}, {}).files[0].url.startswith("data:audio/mpeg,")


def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path, Prober(enabled=False))


async def test_no_answer_may_name_a_file_of_our_own_store(tmp_path: Path) -> None:
    files = store(tmp_path)
    uri = "data:image/png;base64," + base64.b64encode(PNG).decode()
    kept = await files.write(fetch._inline(uri, "image"), family="image")
    context: Any = SimpleNamespace(files=files)
    named = Delivery((RemoteFile(f"stored:{kept.sha256}", "image/png"),))
    spooled = await fetch.spooled(context, named)
    assert not spooled.files[0].url.startswith("stored:")


@pytest.mark.parametrize("polled", [True, False])
async def test_a_stored_file_that_is_missing_is_asked_for_again_or_lost(tmp_path: Path, polled: bool) -> None:
    uri = "data:image/png;base64," + base64.b64encode(PNG).decode()
    bench = Bench(PROVIDER if polled else SYNC, says({"status": "ok", "url": uri}))
    files = store(tmp_path)
    context: Any = SimpleNamespace(files=files, engine=bench.engine, clock=bench.clock, rng=bench.engine._rng)
    delivery = await fetch.spooled(context, Delivery((RemoteFile(uri, "image/png"),)))
    files.path(delivery.files[0].url.removeprefix("stored:"), "image/png").unlink()
    read = {"files": {"path": "url", "mime_type": "image/png"}, "facts": {}, "reported": {}}
    of: Any = SimpleNamespace(plan={"read": read}, handle={"id": "1"})
    if polled:
        assert (await fetch._one(context, of, bench.backend, 0, delivery.files[0])).size_bytes == len(PNG)
        return
    with pytest.raises(errors.ArtifactLostError):
        await fetch._one(context, of, bench.backend, 0, delivery.files[0])


async def test_what_the_disk_does_not_take_is_journalled_as_it_came(tmp_path: Path) -> None:
    class Full:
        async def write(self, *_given: Any, **_more: Any) -> Any:
            raise errors.StoreError("no space left")

    delivery = Delivery((RemoteFile("data:image/png;base64,QQ==", "image/png"),))
    assert await fetch.spooled(cast("Any", SimpleNamespace(files=Full())), delivery) == delivery


# ----------------------------------------------------------------------------------------------------------- references


def test_only_what_is_captured_is_unquoted() -> None:
    endpoint = replace(IMAGE, refs={"uri": "uri", "id": "{id}"})
    delivery = read_result(PROVIDER, endpoint, {"url": "https://x/1", "uri": "gs://b/a%20c"}, {"id": "a%2Fb"})
    assert delivery.refs == {"uri": "gs://b/a%20c", "id": "a/b"}


def test_a_reference_to_one_of_several_files_is_a_reference_to_none() -> None:
    endpoint = replace(
        IMAGE,
        refs={"video": "out[].id"},
        files=Files("out[].url", "image/png", blocked=Blocked("out[].bad")),
    )
    both = {"out": [{"url": "https://x/1", "id": "a"}, {"url": "https://x/2", "id": "b"}]}
    assert read_result(PROVIDER, endpoint, both, {}).refs == {}
    one_refused = {"out": [{"url": "https://x/1", "id": "a", "bad": True}, {"url": "https://x/2", "id": "b"}]}
    assert read_result(PROVIDER, endpoint, one_refused, {}).refs == {}


def test_a_result_can_be_read_though_its_dialect_is_gone() -> None:
    backend = Bench().backend
    context: Any = SimpleNamespace(planner=SimpleNamespace(backend=lambda _name, _account: backend))
    context.result_ttl_s = partial(Context.result_ttl_s, context)
    of: Any = SimpleNamespace(
        provider="example", plan={"names": {"dialect": "v9"}}, account_ref="a", submitted_at=None, created_at=0
    )
    found = fetch._refs(context, of, Delivery((), refs={"id": "1"}))
    assert found == {"id": "1", "provider": "example", "account": "a"}


# -------------------------------------------------------------------------------------------------------------- charges


ODD = ["much", -1, "NaN", "sNaN", "Infinity", True, {}, "1e999999999", "1e-999999999", 10**30, "1." + "1" * 200]


@pytest.mark.parametrize("said", ODD)
async def test_a_bill_that_cannot_be_read_loses_no_file_that_is_had_once(said: Any) -> None:
    endpoint = replace(IMAGE, meters=(Meter("image", "1", reported="n"),))
    for answer in ({"url": "https://x/1", "cost": said}, {"url": "https://x/1", "n": said}):
        bench = Bench(replace(SYNC, charge=Charge("cost", "0.01")), says(answer))
        delivery = await delivered(bench, endpoint, await bench.buy())
        assert [file.url for file in delivery.files] == ["https://x/1"]
        assert (delivery.charged_usd, delivery.reported) == (None, {})
        [note] = delivery.facts["notes"]
        assert "not a quantity" in note
        assert len(note) < 1000


@pytest.mark.parametrize("said", ODD)
async def test_a_bill_that_cannot_be_read_is_loud_where_it_can_be_asked_for_again(said: Any) -> None:
    bench = Bench(replace(PROVIDER, charge=Charge("cost", "0.01")), says({"status": "ok", "cost": said}))
    with pytest.raises(errors.ResponseFormatError, match="not a quantity"):
        await bench.engine.poll(bench.backend, {"id": "1"})


@pytest.mark.parametrize("said", ODD)
async def test_a_bill_in_the_answer_to_the_order_that_cannot_be_read_is_not_kept(said: Any) -> None:
    bench = Bench(replace(PROVIDER, charge=Charge("cost", "1", at="submit")), says({"id": "1", "cost": said}))
    submission = await bench.buy()
    assert (submission.outcome, submission.handle.get("charge")) == ("accepted", None)


def test_a_charge_may_be_counted_in_very_small_coins() -> None:
    provider = replace(PROVIDER, charge=Charge("ticks", "0.0000000001"))
    reading = read_status(provider, {"status": "ok", "url": "u", "ticks": 3_500_000_000})
    assert str(reading.charged_usd) == "0.35"


def test_a_charge_does_not_depend_on_the_callers_decimals() -> None:
    provider = replace(PROVIDER, charge=Charge("cost", "1/211"))
    with decimal.localcontext(decimal.Context(prec=3, traps=[decimal.Inexact])):
        reading = read_status(provider, {"status": "ok", "url": "u", "cost": 100})
    assert str(reading.charged_usd).startswith("0.47393364928909")


def test_a_charge_beside_a_refusal_that_ends_a_job_is_read() -> None:
    provider = replace(
        PROVIDER,
        refusal=Refusal("code", (0,)),
        codes=Codes(("code",), {"27": "content_policy"}),
        charge=Charge("cost", "1"),
    )
    assert str(read_poll(provider, says({"code": 27, "cost": 2})).charged_usd) == "2"


# ------------------------------------------------------------------------------------------------------------- webhooks


def test_an_empty_secret_proves_nothing() -> None:
    hook = replace(PROVIDER, webhook=standard_webhooks("cb", "id"))
    raw = b'{"id": "1", "status": "ok"}'
    signature = base64.b64encode(hmac.new(b"", b"m.1800000000." + raw, hashlib.sha256).digest()).decode()
    sent = delivery(raw, webhook_id="m", webhook_timestamp="1800000000", webhook_signature=f"v1,{signature}")
    for secret in ("whsec_", "  "):
        with pytest.raises(errors.ConfigurationError):
            verify(hook, sent, secrets=[secret], now=1_800_000_000)


@pytest.mark.parametrize("when", ["", "x", "0", "Mon, 99 Foo", "Wed, 3 Apr 2002 12.34.56.78+0800", " ", "1 Jan 99999"])
def test_an_odd_time_is_a_malformed_delivery(when: str) -> None:
    hook = replace(PROVIDER, webhook=standard_webhooks("cb", "id"))
    sent = delivery(b"{}", webhook_id="m", webhook_timestamp=when, webhook_signature="v1,QQ==")
    with pytest.raises(errors.WebhookError):
        verify(hook, sent, secrets=["s"], now=1_800_000_000)


# -------------------------------------------------------------------------------------------------- routing, identities


@pytest.mark.parametrize(
    ("task", "name", "table", "given", "refused"),
    [
        ("text-to-video", "audio", {"true": "on", "false": "off"}, (True, False), ("true", 1)),
        ("text-to-video", "duration_s", {"5": "5s", "10": "10s"}, (5, 5.0, 10), (6,)),
        ("text-to-video", "resolution", {"720p": "std"}, ("720p",), ("1080p",)),
        ("text-to-image", "size", {"1280x720": "wide"}, ((1280, 720),), ((720, 1280),)),
        ("text-to-speech", "voice", {"5": "v5"}, ("5",), (5,)),
    ],
)
def test_the_words_of_a_table_are_the_values_they_stand_for(
    task: str, name: str, table: dict[str, Any], given: tuple[Any, ...], refused: tuple[Any, ...]
) -> None:
    offer: Any = SimpleNamespace(limits={}, task=task, mapping=Endpoint(fields={name: To(name, values=table)}))
    limit = limit_of(offer, name)
    assert limit is not None
    assert [fits(limit, value) for value in given] == [True] * len(given)
    assert [fits(limit, value) for value in refused] == [False] * len(refused)


def test_the_nearest_word_of_a_table_is_a_value() -> None:
    fields = {"duration_s": To("d", values={"5": "5s", "10": "10s"})}
    limit = limit_of(
        cast("Any", SimpleNamespace(limits={}, task="text-to-video", mapping=Endpoint(fields=fields))), "duration_s"
    )
    assert limit is not None
    assert nearest_value(limit, 9) == 10


def test_what_a_provider_calls_an_input_is_no_part_of_its_identity() -> None:
    refs = {"provider": "example", "account": "a", "video": "v1", "until": "100"}
    requests = [
        ImageToVideo(image=replace(FILE, refs=given), prompt="x") for given in (None, refs, {**refs, "until": "200"})
    ]
    assert len({fingerprint(request, Ask()) for request in requests}) == 1
    assert requests[0] == requests[1]
    again = request_from_json(json.loads(json.dumps(requests[1].as_json())))
    assert fingerprint(again, Ask()) == fingerprint(requests[0], Ask())
