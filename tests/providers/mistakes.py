"""Small wrong edits, in tables and in the engine, each of which the compliance suite must notice.

`python -m tests.providers.mistakes` makes them one by one and says which case noticed each. A table's mistake is made
on a copy of it; an engine's by exchanging one function while the suite runs.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aggregator import _build, _credentials, _results, _wire, engine
from aggregator._credentials import Credentials
from aggregator._wire import Reading, Submission
from aggregator.backends import provider_table
from aggregator.contract import Blocked, Call, Codes, Endpoint, Provider, State, To
from aggregator.testing.compliance import cases
from aggregator.testing.recording import Recording

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Mistake:
    """One wrong edit: of a provider's table, or (`patches`) of what runs every table."""

    name: str
    provider: str
    edit: Callable[[Provider], Provider] | None = None
    patches: Callable[[], Any] | None = None


@cache
def recording(name: str) -> Recording:
    return Recording.read(HERE / name / "recording.json")


def noticed_by(mistake: Mistake) -> str | None:
    """The first case that fails; `None`: nobody noticed."""
    provider = provider_table(mistake.provider)
    if mistake.edit is not None:
        provider = mistake.edit(provider)
    with mistake.patches() if mistake.patches is not None else _nothing():
        for case in cases(provider, recording(mistake.provider)):
            try:
                case()
            except Exception:  # noqa: BLE001 - however it is noticed
                return case.name
    return None


@contextmanager
def _nothing() -> Iterator[None]:
    yield


# ------------------------------------------------------------------------------------------------ mistakes in a table


def every_endpoint(change: Callable[[Endpoint], Endpoint]) -> Callable[[Provider], Provider]:
    def edit(provider: Provider) -> Provider:
        return replace(provider, tasks={name: change(endpoint) for name, endpoint in provider.tasks.items()})

    return edit


def status(**changes: Any) -> Callable[[Provider], Provider]:
    return lambda provider: replace(provider, status=replace(provider.status, **changes))


def word(name: str, means: State | None) -> Callable[[Provider], Provider]:
    """One word means something else, or (`None`) is forgotten."""

    def edit(provider: Provider) -> Provider:
        assert provider.status is not None
        assert name in provider.status.words
        words = {**provider.status.words, name: means}
        kept = {key: value for key, value in words.items() if value is not None}
        return replace(provider, status=replace(provider.status, words=kept))

    return edit


def code(name: str, means: str) -> Callable[[Provider], Provider]:
    def edit(provider: Provider) -> Provider:
        assert name in provider.codes.kinds
        return replace(provider, codes=replace(provider.codes, kinds={**provider.codes.kinds, name: means}))

    return edit


def call(field: str, **changes: Any) -> Callable[[Provider], Provider]:
    return lambda provider: replace(provider, **{field: replace(getattr(provider, field), **changes)})


def auth(**changes: Any) -> Callable[[Provider], Provider]:
    return lambda provider: replace(provider, auth=replace(provider.auth, **changes))


def table(**changes: Any) -> Callable[[Provider], Provider]:
    return lambda provider: replace(provider, **changes)


def files(**changes: Any) -> Callable[[Provider], Provider]:
    def change(endpoint: Endpoint) -> Endpoint:
        return replace(endpoint, files=replace(endpoint.files, **changes)) if endpoint.files else endpoint

    return every_endpoint(change)


def moved(name: str) -> Callable[[Provider], Provider]:
    """A field is written beside its place."""

    def change(endpoint: Endpoint) -> Endpoint:
        fields = {
            key: (replace(target, path=target.path + "_x") if isinstance(target, To) else f"{target}_x")
            if key == name and target != "@build"
            else target
            for key, target in endpoint.fields.items()
        }
        return replace(endpoint, fields=fields)

    return every_endpoint(change)


def fixed(name: str, value: Any) -> Callable[[Provider], Provider]:
    return every_endpoint(lambda endpoint: replace(endpoint, fixed={**endpoint.fixed, name: value}))


def without_fixed() -> Callable[[Provider], Provider]:
    return every_endpoint(lambda endpoint: replace(endpoint, fixed={}))


TABLES: tuple[Mistake, ...] = (
    Mistake("a failure is a success", "runway", word("FAILED", State.SUCCEEDED)),
    Mistake("a success is forgotten", "runway", word("SUCCEEDED", None)),
    Mistake("waiting is failing", "runway", word("THROTTLED", State.FAILED)),
    Mistake("a canceled job has failed", "runway", word("CANCELLED", State.FAILED)),
    Mistake("a word in small letters", "dashscope", word("RUNNING", State.QUEUED)),
    Mistake("a failed job still runs", "luma", word("failed", State.RUNNING)),
    Mistake("an expired job is a success", "ark", word("expired", State.SUCCEEDED)),
    Mistake("the status is elsewhere", "replicate", status(path="state")),
    Mistake("no word means success", "replicate", status(missing=State.SUCCEEDED)),
    Mistake("the error text turns nothing", "fal", status(error=None)),
    Mistake("moderation is a failure", "runway", code("SAFETY", "job_failed")),
    Mistake("no credit is a bad request", "ark", code("AccountOverdueError", "invalid_request")),
    Mistake("a content refusal is a bad request", "fal", code("content_policy_violation", "invalid_request")),
    Mistake("codes are looked for elsewhere", "ark", lambda p: replace(p, codes=Codes(("code",), p.codes.kinds))),
    Mistake("a rate limit is an empty account", "minimax", code("1002", "quota")),
    Mistake("the wrong method", "runway", call("cancel", method="POST")),
    Mistake("the wrong path", "replicate", call("poll", url="/prediction/{id}")),
    Mistake("a name nobody captured", "replicate", call("poll", url="/predictions/{job}")),
    Mistake("the id is elsewhere", "replicate", call("submit", capture={"id": "uuid"})),
    Mistake("polled with the wrong method", "dashscope", call("poll", method="POST")),
    Mistake("Bearer for Key", "fal", auth(template="Bearer {key}")),
    Mistake("Key for Bearer", "openrouter", auth(template="Key {key}")),
    Mistake("the key in another header", "elevenlabs", auth(header="Authorization")),
    Mistake("another variable for the key", "stability", auth(env=("STABILITYAI_KEY",))),
    Mistake("a header less", "runway", table(headers={})),
    Mistake(
        "an older version", "cartesia", lambda p: replace(p, headers={**p.headers, "Cartesia-Version": "2024-06-10"})
    ),
    Mistake("another host", "recraft", table(base_url="https://api.recraft.ai/v1")),
    Mistake(
        "a host more that gets the key", "fal", lambda p: replace(p, hosts={**p.hosts, "x": "https://x.example.org"})
    ),
    Mistake("a file's host gets the key", "fal", lambda p: replace(p, hosts={**p.hosts, **p.cdns}, cdns={})),
    Mistake("the prompt beside its place", "openai", moved("prompt")),
    Mistake("a field is forgotten", "luma", every_endpoint(lambda e: replace(e, fields={}))),
    Mistake("files elsewhere", "luma", files(path="outputs[].url")),
    Mistake("only the first file's place", "replicate", files(path="output.0")),
    Mistake("hex read as base64", "minimax", files(form="base64")),
    Mistake("base64 read as an address", "openai", files(form="url")),
    Mistake("the answer read as JSON", "elevenlabs", files(form="url", path="audio")),
    Mistake("what is refused is delivered", "ideogram", files(blocked=None)),
    Mistake("what is delivered is refused", "ideogram", files(blocked=Blocked("data[].is_image_safe", (True,)))),
    Mistake("refusals on 200 are answers", "pixverse", table(refusal=None)),
    Mistake("answers on 200 are refusals", "pixverse", lambda p: replace(p, refusal=replace(p.refusal, ok=(1,)))),
    Mistake("credits for cents", "bfl", lambda p: replace(p, charge=replace(p.charge, usd="0.1"))),
    Mistake("the charge is elsewhere", "recraft", lambda p: replace(p, charge=replace(p.charge, path="cost"))),
    Mistake("what was charged is not read", "runway", table(charge=None)),
    Mistake("a server error buys nothing", "runway", table(never_accepted=frozenset({503}))),
    Mistake("a replay that is none", "runway", table(idempotency="replay")),
    Mistake("no key that replays", "comfy", table(idempotency_header=None)),
    Mistake("another replay header", "comfy", table(idempotency_header="X-Idempotency-Key")),
    Mistake("the answer is taken for the result", "bfl", table(poll=None)),
    Mistake("nothing is uploaded", "ltx", table(upload=None)),
    Mistake("a step less", "fal", table(follow=())),
    Mistake("not wrapped", "replicate", table(input_path="")),
    Mistake("wrapped elsewhere", "replicate", table(input_path="inputs")),
    Mistake("JSON for a form", "stability", every_endpoint(lambda e: replace(e, encoding="json"))),
    Mistake("nothing fixed", "dashscope", without_fixed()),
    Mistake("a field more", "deepgram", fixed("model", "aura")),
    Mistake("results live for ever", "bfl", table(result_ttl_s=None)),
    Mistake("more at once than allowed", "ltx", table(concurrency=200)),
    Mistake("failures are free", "runway", table(bills_failures=False)),
    Mistake("no source", "vidu", table(docs="somewhere")),
    Mistake("a task that is none", "vidu", lambda p: replace(p, tasks={**p.tasks, "text-to-smell": Endpoint()})),
    Mistake(
        "a field that is none",
        "vidu",
        lambda p: replace(
            p, tasks={name: replace(e, fields={**e.fields, "mood": "mood"}) for name, e in p.tasks.items()}
        ),
    ),
)


# ------------------------------------------------------------------------------------------- mistakes in what runs them


def swapped(owner: Any, name: str, wrong: Callable[..., Any]) -> Callable[[], Any]:
    """The function `name`, given the right one first."""
    right = getattr(owner, name)

    def exchanged(*given: Any, **more: Any) -> Any:
        return wrong(right, *given, **more)

    return lambda: patch.object(owner, name, exchanged)


def _accepts(_right: Any, *given: Any) -> Submission:
    return Submission("accepted", dict(given[2]))


def _no_retry_after(_right: Any, _headers: Any) -> None:
    return None


def _guesses(right: Any, provider: Any, body: Any, *rest: Any, **more: Any) -> Reading:
    try:
        return right(provider, body, *rest, **more)
    except Exception:  # noqa: BLE001
        return Reading(State.RUNNING, body=body)


def _refusal_for_all(right: Any, *given: Any) -> Submission:
    submission = right(*given)
    return replace(submission, outcome="rejected") if submission.outcome == "unknown" else submission


def _unknown_for_all(right: Any, *given: Any) -> Submission:
    submission = right(*given)
    return replace(submission, outcome="unknown") if submission.outcome == "rejected" else submission


async def _twice(right: Any, self: Any, *given: Any, **more: Any) -> Any:
    await right(self, *given, **more)
    return await right(self, *given, **more)


async def _signs_all(_right: Any, self: Any, backend: Any, request: Any) -> Any:
    del self
    secret = backend.secret
    key = backend.provider.auth.template.format(key=secret.reveal() if secret else "")
    return replace(request, headers={**request.headers, backend.provider.auth.header: key})


async def _signs_none(_right: Any, _self: Any, _backend: Any, request: Any) -> Any:
    return request


async def _half_a_result(right: Any, self: Any, *given: Any, **more: Any) -> Any:
    delivery = await right(self, *given, **more)
    return delivery and replace(delivery, files=delivery.files[:0] or delivery.files[:1], facts={})


async def _no_charge(right: Any, self: Any, *given: Any, **more: Any) -> Any:
    delivery = await right(self, *given, **more)
    return delivery and replace(delivery, charged_usd=None, reported={})


def _no_query(right: Any, provider: Any, call: Call, *given: Any, **more: Any) -> Any:
    request = right(provider, call, *given, **more)
    return replace(request, url=request.url.partition("?")[0])


def _no_headers(right: Any, *given: Any, **more: Any) -> Any:
    return replace(right(*given, **more), headers={})


def _wrong_method(right: Any, *given: Any, **more: Any) -> Any:
    request = right(*given, **more)
    return replace(request, method={"PUT": "POST", "DELETE": "POST"}.get(request.method, request.method + "X"))


def _no_fixed(right: Any, provider: Any, endpoint: Any, *given: Any, **more: Any) -> Any:
    return right(provider, replace(endpoint, fixed={}), *given, **more)


def _no_build(right: Any, provider: Any, endpoint: Any, *given: Any, **more: Any) -> Any:
    return right(provider, replace(endpoint, build=lambda _values: {}), *given, **more)


def _floats(right: Any, *given: Any, **more: Any) -> Any:
    value = right(*given, **more)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _uncast(_right: Any, _to: Any, _name: str, value: Any) -> Any:
    return value


def _unkeyed(_right: Any, _provider: Any, request: Any, _key: Any) -> Any:
    return request


def _shown(_right: Any, text: Any, _secrets: Any) -> Any:
    return text


def _no_lists(right: Any, value: Any, path: str) -> Any:
    return right(value, path.replace("[]", ""))


def _nowhere(right: Any, value: Any, path: str) -> Any:
    return right(value, path.partition(" ")[0] + "x")


def _drops_unmapped(right: Any, provider: Any, endpoint: Any, request: Any, **more: Any) -> Any:
    kept = {name: value for name, value in request.values().items() if name in endpoint.fields}

    class Kept:
        def values(self) -> Mapping[str, Any]:
            return kept

        def media(self) -> Any:
            return iter(())

    return right(provider, endpoint, Kept(), **more)


ENGINE: tuple[Mistake, ...] = tuple(
    Mistake(name, provider, patches=swapped(owner, function, wrong))
    for name, provider, owner, function, wrong in (
        ("a refusal is taken", "runway", _wire, "read_submission", _accepts),
        ("what nobody knows was refused", "runway", _wire, "read_submission", _refusal_for_all),
        ("what was refused nobody knows", "runway", _wire, "read_submission", _unknown_for_all),
        ("an unknown word is guessed", "runway", _wire, "read_status", _guesses),
        ("Retry-After is not read", "openai", _wire, "retry_after_s", _no_retry_after),
        ("paid twice", "replicate", engine.Engine, "_pay", _twice),
        ("the key goes everywhere", "runway", Credentials, "signed", _signs_all),
        ("the key goes nowhere", "runway", Credentials, "signed", _signs_none),
        ("the key is shown", "runway", _credentials, "scrub", _shown),
        ("the idempotency key is lost", "comfy", engine, "_keyed", _unkeyed),
        ("facts are lost", "fal", engine.Engine, "result", _half_a_result),
        ("charges are lost", "runway", engine.Engine, "result", _no_charge),
        ("the query is lost", "deepgram", _build, "call_request", _no_query),
        ("headers are lost", "runway", _build, "call_request", _no_headers),
        ("the method is wrong", "runway", _build, "call_request", _wrong_method),
        ("fixed values are lost", "runway", _build, "build_body", _no_fixed),
        ("what is built is lost", "ark", _build, "build_body", _no_build),
        ("a field is dropped in silence", "vidu", _build, "build_body", _drops_unmapped),
        ("True for true", "ideogram", _build, "_text", lambda _right, value: str(value)),
        ("5.0 for 5", "runway", _build, "_plain", _floats),
        ("tables of words are passed over", "minimax", _build, "_cast", _uncast),
        ("ids are not quoted", "replicate", _wire, "quote", lambda _right, text, **_more: text),
        ("codes mean nothing", "fal", _wire, "_kind_of", lambda _right, _kinds, _code: None),
        ("refusals on 200 pass", "minimax", _wire, "refused", lambda _right, _provider, _body: False),
        ("refused outputs pass", "ideogram", _results, "_flags", lambda _right, _files, _body: []),
        ("no file of several", "fal", _results, "_files", lambda right, *given: right(*given)[:0]),
        ("native names are lost", "kling", _results, "_refs", lambda _right, *_given: ()),
        ("lists are passed over", "replicate", _results, "find", _no_lists),
        ("every place is another", "replicate", _wire, "find", _nowhere),
    )
)

MISTAKES = (*TABLES, *ENGINE)


def main() -> int:
    missed = 0
    for mistake in MISTAKES:
        by = noticed_by(mistake)
        missed += by is None
        print(f"{'missed' if by is None else 'noticed':8} {mistake.provider:12} {mistake.name:42} {by or ''}")  # noqa: T201
    print(f"{len(MISTAKES) - missed} of {len(MISTAKES)} noticed")  # noqa: T201
    return missed


if __name__ == "__main__":
    sys.exit(min(main(), 1))
