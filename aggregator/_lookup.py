"""What an answer to a lookup says of an order whose own answer never came. Pure; `aggregator.engine` moves the bytes.

Nothing is guessed: a job of the list that could be the order's and cannot be read makes the whole answer unclear.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import JsonValue

from aggregator._paths import first
from aggregator._wire import capture, parse
from aggregator.contract import Call, HttpResponse, Json, Lookup, Provider
from aggregator.errors import ResponseFormatError

__all__ = ["Listed", "Sought", "by_reference", "is_alike", "read"]

MILLISECONDS = 1e11
"""From here on a number is no time in seconds (that is the year 5138), but in milliseconds."""
NOT_FOUND = 404
CLOCKS_S = 86_400.0
"""By how much a provider's clock may differ from ours, or ours from what it was, where something is to be proved."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What is known of an order whose answer never came."""

    attempt: str
    names: Mapping[str, str]
    """The order's names for templates."""
    body: JsonValue
    """What was sent."""
    from_s: float
    until_s: float
    """When its job can have been made, in seconds since the epoch."""

    @property
    def since_s(self) -> float:
        """From when on jobs are asked for."""
        return self.from_s - CLOCKS_S


@dataclass(frozen=True, slots=True)
class Listed:
    """The jobs that can be the order's, each by its handle, and whether the answer would have shown it."""

    handles: tuple[Mapping[str, str], ...]
    complete: bool
    others: tuple[Mapping[str, str], ...] = ()
    """The jobs with the same contents that were made at another time, if the clocks agree."""


def by_reference(lookup: Lookup) -> bool:
    """Whether the attempt's own id finds the job, rather than what was ordered and when."""
    return bool(lookup.reference) or _uses(lookup, "{attempt}")


def is_alike(lookup: Lookup, one: Sought, other: Sought) -> bool:
    """Whether a job could be of either order: sent within a day, with the same contents as far as a list shows. Less
    than that tells nothing apart, for our clock may have been set between the two.
    """
    near = one.from_s - CLOCKS_S <= other.until_s and other.from_s - CLOCKS_S <= one.until_s
    return near and all(_ordered(one, path) == _ordered(other, path) for path in lookup.equal)


def read(provider: Provider, lookup: Lookup, sought: Sought, response: HttpResponse) -> Listed | None:
    """The jobs of an answer that can be the order's; `None` where that cannot be told."""
    if not lookup.jobs and response.status == NOT_FOUND:
        return Listed((), complete=True)
    whole = parse(response)
    jobs = first(whole, lookup.jobs) if lookup.jobs else [whole]
    if not isinstance(jobs, list):
        return None
    filtered = by_reference(lookup)
    if not filtered and not (lookup.created and any(_ordered(sought, path) is not None for path in lookup.equal)):
        return None  # time alone names no job
    try:
        times = [_seconds(first(job, lookup.created)) for job in jobs] if lookup.created else []
        if filtered:
            within = [True] * len(jobs)
            own = [not lookup.reference or first(job, lookup.reference) == sought.attempt for job in jobs]
        else:
            within = [sought.from_s <= at <= sought.until_s for at in times]
            own = [_carries(lookup, sought, job) for job in jobs]
        found = [
            (_handle(provider, lookup, sought, job), then)
            for job, then, ours in zip(jobs, within, own, strict=True)
            if ours
        ]
    except (ResponseFormatError, LookupError, TypeError, ValueError, OverflowError):
        return None
    asked_for = _uses(lookup, "{attempt}") or _uses(lookup, "{since_s}")
    return Listed(
        tuple(handle for handle, then in found if then),
        complete=asked_for or not jobs or min(times, default=sought.since_s) < sought.since_s,
        others=tuple(handle for handle, then in found if not then),
    )


def _uses(lookup: Lookup, name: str) -> bool:
    if not isinstance(lookup.call, Call):
        return name == "{attempt}"  # a question of several exchanges asks for the one job
    return name in lookup.call.url or name in str(lookup.call.body)


def _handle(provider: Provider, lookup: Lookup, sought: Sought, job: JsonValue) -> dict[str, str]:
    names = {**sought.names, **capture(provider, lookup.capture, job)}
    return {**names, **(lookup.handle(names) if lookup.handle is not None else {})}


def _ordered(sought: Sought, path: str) -> JsonValue:
    """What was sent at a path of `Lookup.equal`."""
    if path.startswith("@names."):
        return sought.names.get(path.removeprefix("@names."))
    if path:
        return first(sought.body, path)
    return _plain(sought.body)


def _plain(body: JsonValue) -> JsonValue:
    """The body without what went elsewhere in the request."""
    if not isinstance(body, dict):
        return body
    plain: Json = {name: value for name, value in body.items() if not name.startswith("@")}
    return plain


def _carries(lookup: Lookup, sought: Sought, job: JsonValue) -> bool:
    return all(_ordered(sought, ours) == first(job, theirs) for ours, theirs in lookup.equal.items())


def _seconds(value: JsonValue) -> float:
    """A time as seconds since the epoch.

    Raises:
        ValueError: It is none that we know.

    """
    if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("no time")  # noqa: TRY004 - what is no time, in whatever form
    number = float(value)
    return number / 1000 if number >= MILLISECONDS else number
