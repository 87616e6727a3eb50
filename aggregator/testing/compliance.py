"""What every provider must hold, generated from what its table claims: inherit it for a table of your own.

```python
class TestMine(ProviderCompliance):
    provider = PROVIDER
    recording = Path(__file__).with_name("recording.json")     # `aggregator.testing.record` writes one
```

Groups: `table` (the table makes sense), `pins` (its addresses, words and codes are those that were written down),
`recording` (both directions of every exchange), `ends` (every word and every code), `errors`, `money`, `refusal`,
`trust`, `time`. Nothing is sent anywhere.
"""

import asyncio
import json
import pickle
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import FrozenInstanceError, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from aggregator import _wire, errors
from aggregator._http import SendError
from aggregator._wire import BY_HTTP_STATUS, ERROR_CLASSES
from aggregator.backend import Backend
from aggregator.contract import BUILD, Call, Dialect, HttpResponse, Provider
from aggregator.registry.cards import Offer
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.registry.units import units
from aggregator.secret import Secret
from aggregator.tasks import TASKS, request_from_json
from aggregator.testing.driving import Composed, Driven, backend_at, composed, drive, ends_of, engine_over
from aggregator.testing.inputs import sample_files
from aggregator.testing.pins import pins_of, spoken
from aggregator.testing.questions import (
    all_captured,
    bends_nothing,
    captured,
    code_means,
    meanings,
    means,
    reachable,
    unknown_word,
)
from aggregator.testing.recording import Exchange, Prompter, Recording

if TYPE_CHECKING:
    import pytest

__all__ = ["Case", "ProviderCompliance", "cases"]

KEY = "canary-key-3f9a1c"
HOSTILE = "https://evil.example.org"
REFUSALS = (400, 401, 403, 404, 405, 410, 413, 415, 422, 429, 451)
AMBIGUOUS = (408, 409, 425, 499, 500, 502, 503, 504, 529)


@dataclass(frozen=True)
class Case:
    """One question, with a name that says which group it is of."""

    name: str
    ask: Callable[[], Awaitable[None] | None]

    def __call__(self) -> None:
        answer = self.ask()
        if answer is not None:
            asyncio.run(_awaited(answer))


async def _awaited(answer: Awaitable[None]) -> None:
    await answer


class ProviderCompliance:
    """Inherit it, name the table and its recording, and every case is a test of yours."""

    provider: ClassVar[Provider]
    recording: ClassVar[Path]
    registry: ClassVar[tuple[Path, ...]] = ()
    """Directories with the cards and offers of models that the package does not know."""

    def pytest_generate_tests(self, metafunc: "pytest.Metafunc") -> None:
        found = list(cases(self.provider, Recording.read(self.recording), self.registry))
        metafunc.parametrize("case", found, ids=[case.name for case in found])

    def test(self, case: Case) -> None:
        case()


def cases(provider: Provider, recording: Recording, registry: tuple[Path, ...] = ()) -> Iterator[Case]:
    """Every case there is for a table."""
    suite = _Suite(provider, recording, registry)
    yield from suite.table()
    yield from suite.pins()
    yield from suite.recorded()
    yield from suite.ends()
    yield from suite.broken()
    yield from suite.trust()
    yield from suite.order()


# ---------------------------------------------------------------------------------------------------------- the suite


class _Suite:
    def __init__(self, provider: Provider, recording: Recording, registry: tuple[Path, ...]) -> None:
        self.provider = provider
        self.recording = recording
        self._paths = registry
        self._offers: list[Offer] | None = None

    # --------------------------------------------------------------------------------------------------------- table

    def table(self) -> Iterator[Case]:
        yield Case("table: it says where its facts are from, and when they were read", self._sources)
        yield Case("table: it is frozen", self._frozen)
        yield Case("table: every task is a known task, with files and a meter", self._tasks)
        yield Case("table: every dialect that is named is there", self._dialects)
        for name, table in spoken(self.provider).items():
            said = f" [{name}]" if name else ""
            yield Case(f"table: what is polled has words, and one of them is success{said}", _bound(reachable, table))
            yield Case(f"table: every name in a template is known by then{said}", _bound(captured, table))
            yield Case(f"table: codes mean something{said}", _bound(meanings, table))

    def _sources(self) -> None:
        assert self.provider.docs.startswith("https://"), "docs: the address of the provider's own documentation"
        year, month, day = self.provider.checked.split("-")
        assert (len(year), len(month), len(day)) == (4, 2, 2)
        assert self.provider.base_url == "" or self.provider.base_url.startswith(("https://", "http://")), "base_url"

    def _frozen(self) -> None:
        for one in fields(self.provider):
            try:
                setattr(self.provider, one.name, None)
            except FrozenInstanceError:
                continue
            raise AssertionError(f"{one.name} can be set")

    def _tasks(self) -> None:
        assert self.provider.tasks, "no tasks"
        for name, endpoint in self.provider.tasks.items():
            task = name.partition("@")[0]
            assert task in TASKS, f"{task} is no task"
            unknown = set(endpoint.fields) - set(TASKS[task].model_fields)
            assert not unknown, f"{name}: {unknown} are no fields of {task}"
            for meter in endpoint.meters:
                assert meter.unit in units(), f"{name}: {meter.unit} is no unit"
            targets = (target if isinstance(target, str) else target.path for target in endpoint.fields.values())
            assert endpoint.build is not None or BUILD not in targets, f"{name}: there is no build"
        for offer in self.offers():
            assert offer.mapping.files is not None, f"{offer.id}: nothing says where its files are"
            assert offer.mapping.meters or offer.note, f"{offer.id}: neither a meter nor a note that says why"

    def _dialects(self) -> None:
        named = {endpoint.dialect for endpoint in self.provider.tasks.values()}
        named |= {name.partition("@")[2] for name in self.provider.tasks}
        missing = named - {""} - set(self.provider.dialects)
        assert not missing, f"{missing} are not in dialects"
        known = {one.name for one in fields(Provider)}
        for name, words in self.provider.dialects.items():
            assert set(words) <= known & set(Dialect.__annotations__), f"{name}: {set(words) - known} cannot be said"

    def offers(self) -> list[Offer]:
        """The offers of this provider that can still be ordered."""
        if self._offers is None:
            registry = Registry.load(self._paths, mappings=mappings_of({self.provider.name: self.provider}))
            self._offers = [
                offer
                for offer in registry.all_offers()
                if offer.provider == self.provider.name and offer.status != "retired" and not offer.unmapped
            ]
        return self._offers

    # ---------------------------------------------------------------------------------------------------------- pins

    def pins(self) -> Iterator[Case]:
        found = pins_of(self.provider)
        for name in sorted({*found, *self.recording.pins}):
            yield Case(f"pins: {name}", _bound(_same_pin, found.get(name), self.recording.pins.get(name)))

    # ------------------------------------------------------------------------------------------------------ recording

    def recorded(self) -> Iterator[Case]:
        have = {case["task"] for case in self.recording.cases if case["ends"].get("files")}
        wanted = {name.partition("@")[0] for name in self.provider.tasks} & {offer.task for offer in self.offers()}
        yield Case("recording: every task that an offer serves was written down", _bound(_all_there, wanted, have))
        for case in self.recording.cases:
            yield Case(f"recording: {case['name']}", _bound(self._replayed, case))

        if self.provider.idempotency != "none":
            yield Case("money: one key is one purchase", self._one_purchase)

    async def _one_purchase(self) -> None:
        """What was written down of the same order under the same key, sent twice."""
        case = next((one for one in self.recording.cases if one.get("again")), None)
        assert case is not None, "no recording shows what a key gets that is sent again: write the recording again"
        order, submissions = self._composed(case), []
        for exchanges in (case["exchanges"], case["again"]):
            prompter = Prompter(*(Exchange.from_json(one) for one in exchanges))
            driven = await drive(engine_over(prompter), self.backend(self.recording.key), order, key=case["name"])
            submissions.append(driven.submission)
        first, again = submissions
        if self.provider.idempotency == "reject":
            assert again.error is not None, "a second order under one key was taken: it pays twice"
            assert again.error.status_code in (409, 422), f"HTTP {again.error.status_code} does not refuse the key"
        else:
            assert again.outcome == "accepted", f"the key that was sent again is {again.outcome}"
            assert again.handle == first.handle, "a second order under one key became another job: it pays twice"

    async def _replayed(self, case: Mapping[str, Any]) -> None:
        order, prompter, driven = await self.replay(case)
        assert not prompter.differences, "\n".join(prompter.differences)
        assert not prompter.left, f"{len(prompter.left)} exchanges that were written down are not asked for any more"
        found = ends_of(driven, order)
        assert found == case["ends"], f"it ends with {found}; written down was {case['ends']}"

    async def replay(self, case: Mapping[str, Any]) -> tuple[Composed, Prompter, Driven]:
        order = self._composed(case)
        prompter = Prompter(*(Exchange.from_json(one) for one in case["exchanges"]))
        driven = await drive(engine_over(prompter), self.backend(self.recording.key), order, key=case["name"])
        return order, prompter, driven

    def _composed(self, case: Mapping[str, Any]) -> Composed:
        request = request_from_json(case["request"])
        account = self.backend(self.recording.key).account
        return composed(self.provider, self._offer(case), request, sample_files(), account)

    def _offer(self, case: Mapping[str, Any]) -> Offer:
        wanted = (case["offer"], case["task"])
        found = next((one for one in self.offers() if (one.id, one.task) == wanted), None)
        assert found is not None, f"{case['offer']} is not offered any more: write the recording again"
        return found

    def backend(self, key: str = KEY) -> Backend:
        found = backend_at(self.provider, self.recording.base_url, key)
        # A server of one's own may want a key too, whose variable only the configuration names.
        return replace(found, secret=Secret(key)) if key is KEY else found

    # ----------------------------------------------------------------------------------------------------------- ends

    def ends(self) -> Iterator[Case]:
        for name, table in spoken(self.provider).items():
            said = f" [{name}]" if name else ""
            stages = [("", table.status), *((f" of step {i + 1}", s.status) for i, s in enumerate(table.follow))]
            for stage, status in stages:
                if status is None:
                    continue
                yield Case(f"ends: an unknown word is never guessed{stage}{said}", _bound(unknown_word, table, status))
                for word in status.words:
                    yield Case(f"ends: {word}{stage}{said}", _bound(means, table, status, word))
            for code in table.codes.kinds:
                yield Case(f"ends: code {code}{said}", _bound(code_means, table, code))

    # --------------------------------------------------------------------------------------------------- errors, money

    def broken(self) -> Iterator[Case]:
        first = next((case for case in self.recording.cases if case["ends"].get("files")), None)
        if first is None:
            return
        for status in REFUSALS:
            yield Case(f"errors: HTTP {status} buys nothing", _bound(self._refused, first, status))
        for status in AMBIGUOUS:
            if status not in self.provider.never_accepted:
                yield Case(f"money: after HTTP {status} nobody knows", _bound(self._unknown, first, _said(status, {})))
        for status in self.provider.never_accepted:
            yield Case(f"money: HTTP {status} buys nothing", _bound(self._refused, first, status))
        broken: dict[str, HttpResponse | SendError] = {
            "a line that is cut": SendError("cut", sent=None),
            "an answer that is cut": HttpResponse(200, {"content-type": "application/json"}, b'{"id": "1'),
            "a page": HttpResponse(200, {"content-type": "text/html"}, b"<html>all is well</html>"),
            "an empty answer": HttpResponse(200, {"content-type": "application/json"}, b""),
        }
        for name, answer in broken.items():
            yield Case(f"money: after {name} nobody knows", _bound(self._unknown, first, answer))
        yield Case("money: what never left buys nothing", _bound(self._never_sent, first))
        yield Case("money: the key that makes a purchase the same is the same", _bound(self._same_key, first))
        yield Case("errors: Retry-After is read", _bound(self._retry_after, first))

    async def _submitted(
        self, case: Mapping[str, Any], answer: HttpResponse | SendError
    ) -> tuple[Driven, Prompter, int]:
        """The recorded purchase with another answer to the one exchange that is paid."""
        order = self._composed(case)
        before = await self._free_steps(case, order)
        prompter = Prompter(*(Exchange.from_json(one) for one in case["exchanges"][:before]), answer)
        driven = await drive(engine_over(prompter), self.backend(self.recording.key), order, key=case["name"])
        return driven, prompter, before

    async def _free_steps(self, case: Mapping[str, Any], order: Composed) -> int:
        """How many exchanges come before the paid one: uploads, tokens, and a purchase's own free steps."""
        counting = _Counting(*(Exchange.from_json(one) for one in case["exchanges"]))
        await drive(engine_over(counting), self.backend(self.recording.key), order, key=case["name"])
        assert counting.paid_at is not None, "nothing was paid for in this recording"
        return counting.paid_at

    async def _refused(self, case: Mapping[str, Any], status: int) -> None:
        driven, prompter, before = await self._submitted(case, _said(status, {"x": "y"}))
        assert driven.submission.outcome == "rejected", f"it is {driven.submission.outcome}"
        assert driven.submission.error is not None
        assert driven.submission.error.accepted is False
        usual = BY_HTTP_STATUS.get(status) or ("invalid_request" if status // 100 == 4 else "unavailable")  # noqa: PLR2004
        own = _wire.code_of(self.provider.spoken(case["dialect"]), {"@status": str(status), "@headers": {}})[1]
        assert type(driven.submission.error) is ERROR_CLASSES[own or usual]
        assert len(prompter.sent) == before + 1, "it was sent again"
        pickle.loads(pickle.dumps(driven.submission.error))  # noqa: S301 - our own

    async def _unknown(self, case: Mapping[str, Any], answer: HttpResponse | SendError) -> None:
        driven, prompter, before = await self._submitted(case, answer)
        submission = driven.submission
        if submission.outcome == "accepted":  # a flow's answer may be empty, and a file may be anything
            assert submission.handle.get("id") or not isinstance(self.provider.submit, Call) or driven.delivery is None
            return
        assert submission.outcome == "unknown", f"it is {submission.outcome}"
        assert submission.error is not None
        assert submission.error.accepted is None
        assert len(prompter.sent) == before + 1, "it was sent again"

    async def _never_sent(self, case: Mapping[str, Any]) -> None:
        driven, _, _ = await self._submitted(case, SendError("refused", sent=False))
        assert driven.submission.outcome == "never_sent"
        assert driven.submission.error is not None
        assert driven.submission.error.accepted is False

    async def _same_key(self, case: Mapping[str, Any]) -> None:
        header = self.provider.idempotency_header
        assert (header is not None) or self.provider.idempotency == "none", "a replay needs the header of the key"
        sent = []
        for _ in range(2):
            _, prompter, _ = await self._submitted(case, SendError("cut", sent=None))
            sent.append(prompter.sent[-1].headers.get(header or "", None))
        assert sent == ([case["name"]] * 2 if header else [None, None])

    async def _retry_after(self, case: Mapping[str, Any]) -> None:
        answer = HttpResponse(429, {"retry-after": "7", "content-type": "application/json"}, b"{}")
        driven, _, _ = await self._submitted(case, answer)
        assert isinstance(driven.submission.error, errors.RateLimitError)
        assert driven.submission.error.retry_after_s == 7.0  # noqa: PLR2004

    # ---------------------------------------------------------------------------------------------------------- trust

    def trust(self) -> Iterator[Case]:
        first = next((case for case in self.recording.cases if case["ends"].get("files")), None)
        if first is None:
            return
        yield Case("trust: the key is sent to the provider's own addresses only", _bound(self._hostile, first))
        yield Case("trust: the key is in no error and in no repr", _bound(self._hidden, first))
        for name, table in spoken(self.provider).items():
            said = f" [{name}]" if name else ""
            yield Case(f"trust: an id of the provider's bends no path{said}", _bound(bends_nothing, table))

    async def _hostile(self, case: Mapping[str, Any]) -> None:
        """Every address in the recorded answers leads elsewhere: whoever asks there asks without the key."""
        text = json.dumps([one["answer"] for one in case["exchanges"]]).replace(_origin_of(self.recording), HOSTILE)
        answers = [Exchange({}, **answer).response for answer in json.loads(text)]
        order = self._composed(case)
        prompter = Prompter(*answers)
        engine = engine_over(prompter)
        driven = await drive(engine, self.backend(), order)
        for file in driven.delivery.files if driven.delivery is not None else ():
            if file.url.startswith(HOSTILE):
                prompter.left.append(_said(404, {}))
                async with engine.download(self.backend(), file.url):
                    pass
        for request in prompter.sent:
            if request.url.startswith(HOSTILE):
                assert KEY not in repr(dict(request.headers)), f"the key went to {request.url}"
                assert not request.trusted

    async def _hidden(self, case: Mapping[str, Any]) -> None:
        echo = {"error": {"message": f"no such key {KEY}", "code": KEY}, "message": KEY, "detail": KEY}
        order = self._composed(case)
        before = await self._free_steps(case, order)
        prompter = Prompter(*(Exchange.from_json(one) for one in case["exchanges"][:before]), _said(401, echo))
        driven = await drive(engine_over(prompter), self.backend(), order)
        assert KEY not in f"{driven.submission!r} {driven.error!s} {driven.error!r} {self.backend()!r}"

    # ------------------------------------------------------------------------------------------------- refusal and time

    def order(self) -> Iterator[Case]:
        first = next((case for case in self.recording.cases if case["ends"].get("files")), None)
        if first is None:
            return
        yield Case("refusal: a field that is not mapped is refused before any call", _bound(self._unmapped, first))
        yield Case("time: a look that is called off leaves nothing running", _bound(self._called_off, first))

    def _unmapped(self, case: Mapping[str, Any]) -> None:
        offer = self._offer(case)
        request = request_from_json(case["request"])
        for name in request.values():
            kept = {key: target for key, target in offer.mapping.fields.items() if key != name}
            try:
                composed(
                    self.provider,
                    replace(offer, mapping=replace(offer.mapping, fields=kept)),
                    request,
                    sample_files(),
                    self.backend(self.recording.key).account,
                )
            except errors.UnsupportedFieldError:
                continue
            raise AssertionError(f"{name} was dropped in silence")

    async def _called_off(self, case: Mapping[str, Any]) -> None:
        hanging = _Hanging()
        engine = engine_over(hanging)
        handle = {"id": "1", **dict.fromkeys(all_captured(self.provider), "x"), "task": case["task"]}
        if self.provider.poll is None:
            return
        handle |= {name: f"{self.recording.base_url}/x" for name in handle if name.endswith("url")}
        task = asyncio.create_task(engine.poll(self.backend(), handle))
        await asyncio.wait([task, asyncio.create_task(hanging.asked.wait())], return_when=asyncio.FIRST_COMPLETED)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert hanging.open == 0


class _Counting(Prompter):
    """Knows which exchange was paid for: the one that went on a connection of its own."""

    paid_at: int | None = None

    async def send(self, request: Any, *, fresh: bool = False, **more: Any) -> HttpResponse:
        if fresh and self.paid_at is None:
            self.paid_at = len(self.sent)
        return await super().send(request, fresh=fresh, **more)


class _Hanging(Prompter):
    """Never answers, and knows how many wait for an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def send(self, request: Any, **_more: Any) -> HttpResponse:
        del request
        self.open += 1
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.open -= 1
        raise AssertionError("unreachable")


# --------------------------------------------------------------------------------------------------------- questions


def _bound(ask: Callable[..., Any], *given: Any) -> Callable[[], Any]:
    return lambda: ask(*given)


def _origin_of(recording: Recording) -> str:
    scheme, _, rest = recording.base_url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _said(status: int, body: Any) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, json.dumps(body).encode())


def _all_there(wanted: set[str], have: set[str]) -> None:
    assert wanted <= have, f"{sorted(wanted - have)} have no recording"


def _same_pin(found: Any, kept: Any) -> None:
    assert found == kept, f"the table says {found}; written down was {kept}"
