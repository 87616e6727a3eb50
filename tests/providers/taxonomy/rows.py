"""The retry taxonomy as data: what goes wrong in which exchange, and what must become of the purchase.

A row is one event of one kind of exchange. `Ends` says what must hold of it for every provider's table; an event after
which nobody knows whether the job was taken (`ambiguous`) ends by what the table declares: `taxonomy.expected`.
"""

from dataclasses import dataclass, replace
from typing import Literal

__all__ = ["ROWS", "Ends", "Fault", "Row"]

Kind = Literal["submit", "poll", "job", "lookup", "download", "upload", "cancel"]
Money = Literal["held", "released", "settled"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of one exchange."""

    what: Literal["unsent", "lost", "answer", "spoiled", "hangs"]
    """Nothing left; it left and no answer came; another answer comes; the true one is spoiled; nothing comes at all."""
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    spoiled: str = ""
    taken: bool = False
    """Whether what was asked for has been done all the same."""


@dataclass(frozen=True, slots=True)
class Ends:
    """What must have become of the purchase; `None`: it is not asked."""

    posts: int | None = 1
    """Paid requests that may have left this machine, all of them together."""
    state: tuple[str, ...] = ("stored",)
    money: Money | None = "settled"
    other: bool = False
    """Whether another offer was tried."""
    answered: tuple[str, ...] = ()
    """What a cancel says of itself."""
    ambiguous: bool = False
    """It ends by what the table declares."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event, how often it befalls the exchange (0: every time), and how it must end."""

    name: str
    kind: Kind
    fault: Fault
    ends: Ends
    times: int = 1
    everywhere: bool = False
    """Tried at each path and dialect of a table, not only at one."""


LEFT = ("succeeded", "fetching")
"""Paid for, and fetched by whoever comes next."""
ENDED = ("stored", "canceled", "failed", "unknown")
UNSENT, LOST = Fault("unsent"), Fault("lost")
TAKEN, HANGS = Fault("lost", taken=True), Fault("hangs", taken=True)
SAFE, AGAIN, REC = Ends(), Ends(posts=2), Ends(ambiguous=True)
FAIL = Ends(state=("refused",), money="released")
NEXT = Ends(state=("refused",), money="released", other=True)
OPEN = Ends(state=("unknown",), money="held")
NOTHING = Ends(posts=0, state=("failed",), money="released")
NOTHING_NEXT = Ends(posts=0, state=("failed",), money="released", other=True)


def said(status: int, *, taken: bool = False, **headers: str) -> Fault:
    """An answer with an error, in nobody's words."""
    return Fault(
        "answer", status, tuple((name.replace("_", "-"), value) for name, value in headers.items()), taken=taken
    )


def spoiled(name: str) -> Fault:
    return Fault("spoiled", spoiled=name, taken=True)


def _submit() -> list[Row]:
    rows = [
        ("nothing left (DNS, connect, TLS, proxy, built wrongly)", UNSENT, SAFE),
        ("write error or time-out, not taken", LOST, REC),
        ("read time-out, reset, server disconnected; taken", TAKEN, REC),
        ("truncated body", spoiled("truncated"), REC),
        ("half a head", spoiled("half_head"), REC),
        ("invalid JSON on 2xx", spoiled("broken_json"), REC),
        ("a page on 2xx", spoiled("page"), REC),
        ("2xx without a job id", spoiled("no_id"), REC),
        ("cut off while sending (cancel, Ctrl-C), taken", HANGS, REC),
        ("cut off while sending (cancel, Ctrl-C), not taken", Fault("hangs"), REC),
        *((f"{status}", said(status), NEXT if status in (404, 410) else FAIL) for status in (400, 404, 405, 410, 413)),
        *((f"{status}", said(status), FAIL) for status in (415, 422)),
        ("409, taken", said(409, taken=True), REC),
        ("409, not taken", said(409), REC),
        *((f"{status}", said(status), NEXT) for status in (401, 402, 403)),
        *((f"{status}, {word}", said(status, taken=taken), REC) for status in (408, 425) for word, taken in BOTH),
        ("429 with Retry-After", said(429, retry_after="7"), AGAIN),
        ("429 without", said(429), AGAIN),
        ("429 with a hint not to retry", said(429, x_should_retry="false"), NEXT),
        ("451", said(451), FAIL),
        *(
            (f"{status}, {word}", said(status, taken=taken), REC)
            for status in (500, 502, 503, 504, 529)
            for word, taken in BOTH
        ),
        ("500 with a hint to retry, taken", said(500, taken=True, x_should_retry="true"), REC),
        ("503 with Retry-After, not taken", said(503, retry_after="7"), REC),
        ("499", said(499), REC),
        ("307, which is not followed", said(307, location="http://elsewhere.invalid/"), REC),
    ]
    return [Row(name, "submit", fault, ends, everywhere=_differs(fault)) for name, fault, ends in rows]


def _differs(fault: Fault) -> bool:
    """Whether it may end otherwise at another path or in another dialect of one table."""
    return (
        fault.what in ("unsent", "lost", "spoiled")
        or fault.status in (401, 409, 422, 429)
        or (fault.taken and fault.status == 500)
    )


BOTH = (("taken", True), ("not taken", False))
BUSY = (408, 425, 429, 500, 502, 503, 504)


def _free(kind: Kind) -> list[Row]:
    """What may be asked again at once, wherever nothing is paid."""
    rows = [
        ("nothing left", UNSENT),
        ("write error or time-out", LOST),
        ("read time-out, reset, server disconnected", TAKEN),
        ("truncated body", spoiled("truncated")),
        *((f"{status}", said(status)) for status in BUSY),
        ("429 with Retry-After", said(429, retry_after="7")),
    ]
    return [Row(name, kind, fault, SAFE) for name, fault in rows]


def _poll() -> list[Row]:
    return [
        *_free("poll"),
        Row("invalid JSON on 2xx", "poll", spoiled("broken_json"), SAFE),
        Row("2xx that says nothing", "poll", spoiled("no_id"), SAFE),
        Row("success without a file", "poll", spoiled("no_url"), SAFE),
        Row("404 right after the submit", "poll", said(404), SAFE),
        Row("404 for good", "poll", said(404), OPEN, times=0),
        Row("unknown status once", "poll", spoiled("odd_word"), SAFE),
        Row("unknown status for good", "poll", spoiled("odd_word"), OPEN, times=0),
        *(Row(f"{status}", "poll", said(status), SAFE) for status in (401, 403)),
        Row("500 for good", "poll", said(500), OPEN, times=0),
    ]


def _jobs() -> list[Row]:
    """What is odd about the job itself: fates of the emulator."""
    fates = (("it is not known at first", "late", SAFE), ("it waits again after it ran", "backwards", SAFE))
    ends = (
        *fates,
        ("it is forgotten in the middle", "forgotten", OPEN),
        ("it costs twice what it should", "overcharged", SAFE),
        ("the first address of its file is gone", "expired_once", SAFE),
    )
    return [Row(name, "job", spoiled(fate), end) for name, fate, end in ends]


def _download() -> list[Row]:
    lost = Ends(state=("lost",))
    return [
        *_free("download"),
        *(Row(f"{status}, then another address", "download", said(status), SAFE) for status in (401, 403, 404, 410)),
        Row("410 for good", "download", said(410), lost, times=0),
        Row("404 for good", "download", said(404), replace(lost, state=(*LEFT, "lost")), times=0),
        Row("500 for good", "download", said(500), Ends(state=LEFT), times=0),
        Row("longer than it is", "download", spoiled("wrong_length"), SAFE),
        Row("an endless archive", "download", spoiled("gzip_bomb"), Ends(state=LEFT), times=0),
        Row("a part for the whole", "download", spoiled("range_lies"), SAFE),
    ]


def _upload() -> list[Row]:
    return [
        *_free("upload"),
        *(Row(f"{status}", "upload", said(status), NOTHING) for status in (400, 413, 415, 422)),
        *(Row(f"{status}", "upload", said(status), NOTHING_NEXT) for status in (401, 403, 404, 410)),
    ]


def _cancel() -> list[Row]:
    """Whatever becomes of the request to stop: nothing is paid again, and the job is followed to its end."""
    heard = Ends(state=ENDED, money=None, answered=("True", "False"))  # some stop only what has not begun
    late, refused = replace(heard, answered=("False",)), replace(heard, answered=("AuthenticationError",))
    others = [(status, late) for status in (400, 404, 409)] + [(status, refused) for status in (401, 403)]
    return [
        *(replace(one, ends=heard) for one in _free("cancel")),
        *(Row(f"{status}", "cancel", said(status), ends) for status, ends in others),
    ]


ROWS: tuple[Row, ...] = (
    *_submit(),
    *_poll(),
    *_jobs(),
    *_free("lookup"),
    Row("401", "lookup", said(401), SAFE),
    Row("404 for good", "lookup", said(404), OPEN, times=0),
    Row("invalid JSON on 2xx", "lookup", spoiled("broken_json"), SAFE),
    Row("500 for good", "lookup", said(500), OPEN, times=0),
    *_download(),
    *_upload(),
    *_cancel(),
)
