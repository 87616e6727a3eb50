"""What a source is, how it is asked, and how its answers are taken apart. Each source has a file in `sources/`."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any

from aggregator._wire import parse
from aggregator.backend import Backend
from aggregator.contract import Auth, Call, Provider
from aggregator.discovery.found import Found, FoundOffer
from aggregator.engine import Engine
from aggregator.errors import ConfigurationError, ProviderError, ResponseFormatError

__all__ = ["Answer", "Source", "ask", "backend_of", "day", "day_of_seconds", "rows", "usd", "words"]

NOT_FOUND = 404
MAX_PAGES = 200
"""A list that goes on longer than this is an answer of another form."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a source."""

    path: str
    """What was asked, as `Source.ask` wrote it."""
    asked: date
    text: str
    body: Any = None
    """The answer as JSON; `None` where it is none."""


@dataclass(frozen=True, slots=True)
class Source:
    """A place that says by machine what there is. A table, and one pure function that reads an answer."""

    name: str
    title: str
    docs: str
    checked: str
    """The day the form of its answers was last compared with `docs`."""
    read: Callable[[Answer], Found]
    """Raises `LookupError`, `TypeError` or `ValueError` for an answer of another form: then nothing is proposed."""
    ask: Callable[[Sequence[str], bool], Iterable[str]]
    """The paths to ask for: given the endpoints one wants to know about, and whether the whole list is wanted too."""
    more: Callable[[Answer], str] = field(default=lambda _answer: "")
    """The path of the next page; empty: there is none."""
    provider: str = ""
    """The provider whose address and key it is asked with; empty: it has its own."""
    base_url: str = ""
    host: str = ""
    """The name of the address in the provider's `hosts`, where it is not its `base_url`."""
    auth: Auth = field(default_factory=lambda: Auth(env=()))
    needs_key: bool = True
    by_endpoint: bool = True
    """Whether what one wants to know about is named by our endpoints; if not, by names that a person gives."""
    headers: Mapping[str, str] = field(default_factory=dict)
    whole: tuple[str, ...] = ()
    """The providers whose whole list it is, where everything is asked for."""
    missing: Callable[[str], FoundOffer] | None = None
    """What an answer of 404 to a path says; `None`: it says that the source is not where it was."""


def backend_of(
    source: Source, tables: Mapping[str, Provider], backends: Mapping[str, Backend], environ: Mapping[str, str]
) -> Backend:
    """Where a source is asked, and with what.

    Raises:
        ConfigurationError: It needs a key, and none is set.

    """
    from aggregator.secret import Secret

    if source.provider:
        table = tables[source.provider]
        found = backends.get(source.provider)
        names = table.auth.env
    else:
        table = _table(source)
        key = next((environ[name] for name in source.auth.env if environ.get(name)), None)
        found = Backend(table, Secret(key)) if key else None
        names = source.auth.env
    if found is not None:
        return found
    if source.needs_key and names:
        raise ConfigurationError(f"asking {source.title} needs a key: set {' or '.join(names)}")
    return Backend(table)


def _table(source: Source) -> Provider:
    """A source that is no provider of ours, as one that sells nothing."""
    nothing = Call("GET", "/")
    return Provider(source.name, source.docs, source.checked, source.base_url, source.auth, nothing, tasks={})


async def ask(
    engine: Engine,
    backend: Backend,
    source: Source,
    *,
    today: date,
    wanted: Sequence[str] = (),
    everything: bool = True,
) -> Found:
    """Ask a source, page after page, and put together what it said.

    Args:
        wanted: Endpoints to ask about one by one, where that is how it is asked.
        everything: The whole list too, where it has one.

    Raises:
        ProviderError: It cannot be reached, refuses, or answers in another form. Nothing of it is believed then.

    """
    found = Found(source.name, today, whole=source.whole if everything else ())
    for first in source.ask(wanted, everything):
        path, pages = first, 0
        while path:
            pages += 1
            if pages > MAX_PAGES:
                raise _another_form(source, f"more than {MAX_PAGES} pages")
            try:
                answer = await _page(engine, backend, source, path, today)
            except ProviderError as error:
                if source.missing is None or error.status_code != NOT_FOUND:
                    raise
                found += Found(source.name, today, (source.missing(path),))
                break
            try:
                found += source.read(answer)
                path = source.more(answer)
            except (LookupError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
                raise _another_form(source, f"{type(error).__name__}: {error}") from None
    return found


async def _page(engine: Engine, backend: Backend, source: Source, path: str, today: date) -> Answer:
    at = path if "://" in path or not source.host else f"{{{source.host}}}{path}"
    call = Call("GET", _literal(at, source.host), headers=source.headers)
    response = await engine.answer(backend, call, {}, doing=f"asking {source.title}")
    text = response.body.decode("utf-8", errors="replace")
    try:
        body = parse(response) if text.lstrip()[:1] in ("{", "[") else None
    except ValueError:
        body = None
    return Answer(path, today, text, body)


def _literal(path: str, host: str) -> str:
    """A path in which braces are braces, but for the host's name."""
    name = f"{{{host}}}"
    begins = bool(host) and path.startswith(name)
    rest = path.removeprefix(name) if begins else path
    return (name if begins else "") + rest.replace("{", "%7B").replace("}", "%7D")


def _another_form(source: Source, why: str) -> ResponseFormatError:
    return ResponseFormatError(
        f"{source.title} answered in another form than {source.docs} says ({why[:200]}). Nothing of it is proposed",
        provider=source.name,
    )


# ------------------------------------------------------------------------------------------------ reading its answers


def rows(body: Any, *path: str) -> Iterator[Mapping[str, Any]]:
    """The objects of the list at a path.

    Raises:
        LookupError, TypeError: There is no such list: the whole answer is of another form.

    """
    for name in path:
        body = body[name]
    if not isinstance(body, list):
        raise TypeError(f"no list at {'.'.join(path) or 'the top'}")
    for row in body:
        if not isinstance(row, Mapping):
            raise TypeError(f"{json.dumps(row)[:60]} in the list at {'.'.join(path) or 'the top'}")
        yield row


def words(value: Any) -> tuple[str, ...]:
    """The texts of a list; of anything else, none."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def usd(value: Any) -> Decimal | None:
    """An amount as it is written, never by way of a float; `None`: it is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, float) and not isfinite(value):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def day(value: Any) -> date | None:
    """The day a text begins with."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def day_of_seconds(value: Any) -> date | None:
    """The day of a time in seconds since the epoch; zero says nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2**40:
        return None
    try:
        return datetime.fromtimestamp(value, UTC).date()
    except (OverflowError, OSError, ValueError):
        return None
