"""What is asked of a table alone: that it is complete, and that each word and code in it is read as it says. Pure."""

from collections.abc import Iterator
from contextlib import suppress
from string import Formatter
from typing import Any

from aggregator import _build, _wire
from aggregator._paths import place
from aggregator._wire import ERROR_CLASSES
from aggregator.contract import Call, Json, Provider, State, Status
from aggregator.errors import ResponseFormatError
from aggregator.testing.pins import spoken

__all__ = ["all_captured", "bends_nothing", "captured", "code_means", "meanings", "means", "reachable", "unknown_word"]

ALWAYS_KNOWN = frozenset({"model", "endpoint", "version", "task", "dialect", "nonce", "attempt"})


def _templates(call: Call) -> Iterator[str]:
    texts = [call.url, *call.headers.values()]
    for text in texts:
        yield from (name for _, name, _, _ in Formatter().parse(text) if name)


def _answer_with(path: str, value: Any) -> Json:
    """The smallest answer that has a value at a path."""
    body: Json = {}
    parts = path.partition(" ")[0].split(".")
    inner: Any = value
    for part in reversed(parts):
        if part.isdigit():
            inner = [None] * int(part) + [inner]
        elif part.endswith("[]"):
            inner = {part[:-2]: [inner]} if part != "[]" else [inner]
        else:
            inner = {part: inner}
    body.update(inner if isinstance(inner, dict) else {"": inner})
    return body


def _word_value(word: str) -> Any:
    return {"true": True, "false": False}.get(word, int(word) if word.isdigit() else word)


def reachable(table: Provider) -> None:
    """What is polled has words, and one of them means success."""
    if table.poll is None:
        return
    assert table.status is not None, "what is polled needs words"
    states = {*table.status.words.values(), table.status.missing}
    assert State.SUCCEEDED in states, "no word means success"
    assert table.status.words, "no words"


def all_captured(provider: Provider) -> set[str]:
    """Every name that an answer to an order may leave in the handle."""
    own = [table.submit for table in spoken(provider).values()]
    calls = [*own, *(endpoint.submit for endpoint in provider.tasks.values())]
    return {name for call in calls if isinstance(call, Call) for name in call.capture}


def captured(table: Provider) -> None:
    """Every name in a template is known by the time it is filled."""
    known = ALWAYS_KNOWN | set(table.hosts) | set(table.cdns) | all_captured(table)
    if not isinstance(table.submit, Call):
        return  # a flow names what it knows itself
    calls = [call for call in (table.poll, table.stream, table.cancel) if isinstance(call, Call)]
    for call in calls:
        assert set(_templates(call)) <= known, f"{call.url}: {set(_templates(call)) - known} is never captured"
    for stage in table.follow:
        known |= set(stage.needs)
        assert set(_templates(stage.call)) <= known, f"{stage.call.url}: something is never captured"
    if table.probe is not None:
        allowed = {"nonce"} | set(table.hosts) | set(table.cdns)
        assert set(_templates(table.probe)) <= allowed, f"{table.probe.url}: a probe knows no job"


def bends_nothing(table: Provider) -> None:
    """An id that an answer names stays one piece of a path."""
    for call in (table.submit, *(endpoint.submit for endpoint in table.tasks.values())):
        if not isinstance(call, Call) or table.poll is None or not call.capture:
            continue
        names = dict.fromkeys((*ALWAYS_KNOWN, *all_captured(table)), "x")
        for name, target in call.capture.items():
            answer = _answer_with(target if isinstance(target, str) else target.path, "a/../b?c=d")
            with suppress(ResponseFormatError):  # not taken at all
                names |= _wire.capture(table, {name: target}, answer)
        poll = table.poll
        url = (_build.call_request(table, poll, names) if isinstance(poll, Call) else next(poll(names))).url
        assert "a/../b" not in url, f"{url} is not where the table leads"
        assert "c=d" not in url, f"{url} asks for more than the table does"


def meanings(table: Provider) -> None:
    """Every code means one of our errors, and there is a place to look for it."""
    wrong = {code: kind for code, kind in table.codes.kinds.items() if kind not in ERROR_CLASSES}
    assert not wrong, f"{wrong} mean nothing"
    assert not table.codes.kinds or table.codes.paths, "codes without a place where they are"


def unknown_word(table: Provider, status: Status) -> None:
    """A word that is not in the table is never guessed."""
    if status.path == "@status":
        body: Json = {"@status": "299"}
    else:
        body = _answer_with(status.path, "a-word-of-tomorrow")
    try:
        reading = _wire.read_status(table, body, status)
    except ResponseFormatError:
        return
    raise AssertionError(f"an unknown word became {reading.state}")


def means(table: Provider, status: Status, word: str) -> None:
    """A word is read as the state it stands for, with an error where the job has failed."""
    body: Json = {"@status": word} if status.path == "@status" else _answer_with(status.path, _word_value(word))
    reading = _wire.read_status(table, body, status)
    wanted = status.words[word]
    assert reading.state is wanted or (wanted is State.FAILED and reading.state is State.CANCELED)
    if wanted in (State.FAILED, State.CANCELED):
        assert reading.error is not None
        assert reading.error.accepted is True
        assert reading.state.is_terminal
    else:
        assert reading.error is None


def code_means(table: Provider, code: str) -> None:
    """A code is found at each of its places, and means what the table says."""
    shown = code.replace("*", "x")
    for path in table.codes.paths:
        body: Json = {}
        if path.startswith("@headers."):
            body = {"@headers": {path.removeprefix("@headers."): shown}}
        elif path == "@status":
            body = {"@status": shown}
        elif "[]" in path or " " in path:
            body = _answer_with(path, _word_value(shown))
        else:
            place(body, path, _word_value(shown))
        found, kind = _wire.code_of(table, body)
        if kind == table.codes.kinds[code]:
            return
        assert kind is not None or found is not None
    raise AssertionError(f"{code} is read as nothing")
