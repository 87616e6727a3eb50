"""What a server in memory writes down of a job, what becomes of it, and what may go wrong on the line to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

__all__ = ["JUDGING", "LATE_S", "PNG", "STATUSES", "UNANSWERED", "UNSENT", "Ending", "Fate", "Fault", "Kind", "Order"]

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)

Fault = Literal[
    "never_arrives",  # nothing leaves this machine: nobody listens,
    "dns",  # the name is not known,
    "tls",  # or the certificate is somebody else's
    "drop_before",  # the line is cut before the request is taken
    "drop_after",  # and after it
    "hang_before",  # no answer ever comes, and the request is not taken
    "hang_after",  # or it is
    "arrives_late",  # it is taken, some time after the line was cut
    "half_header",  # it is taken, and the answer breaks off in its first line
    "truncated",  # or within its body
    "no_id",  # it is taken, and the answer does not say as what
    "duplicate_id",  # or names a job that somebody has
    "500_before",
    "500_after",
    "502_before",
    "502_after",
    "503_before",
    "503_after",
    "504_before",
    "504_after",
    "408_before",
    "408_after",
    "425",
    "429",  # not taken, with Retry-After
    "429_bare",
    "400",
    "401",
    "402",
    "403",
    "404",
    "409",
    "422",  # the request is malformed
    "451",  # refused on content
    "odd_word",  # a status that is not in the table
    "aborted",  # nor is this one
    "backwards",  # the status goes back to where it was
    "no_url",  # a success without a file
    "expired",  # the address of a file holds no more: the next look brings another
    "gone",  # and no other one either
    "cut",  # a file breaks off
    "short",  # or lacks its end
    "empty",
    "page",  # or is something else
    "encoded",  # or compressed, which nobody asked for
    "slow",  # or arrives in drops
]
"""What may become of one exchange."""

Kind = Literal["submit", "poll", "lookup", "cancel", "upload", "file"]

_BROKEN, _BUSY, _LATE = ("internal", "something broke"), ("unavailable", "not now"), ("timeout", "too slow")
STATUSES: Mapping[str, tuple[int, str, str]] = {
    **{f"500_{when}": (500, *_BROKEN) for when in ("before", "after")},
    **{f"502_{when}": (502, *_BROKEN) for when in ("before", "after")},
    **{f"503_{when}": (503, *_BUSY) for when in ("before", "after")},
    **{f"504_{when}": (504, *_LATE) for when in ("before", "after")},
    **{f"408_{when}": (408, *_LATE) for when in ("before", "after")},
    "425": (425, "too_early", "send it again later"),
    "429": (429, "rate_limit", "too many requests"),
    "429_bare": (429, "rate_limit", "too many requests"),
    "400": (400, "invalid", "the prompt is malformed"),
    "401": (401, "authentication", "who are you"),
    "402": (402, "quota", "no credit"),
    "403": (403, "authentication", "not for you"),
    "404": (404, "not_found", "no such thing"),
    "409": (409, "in_flight", "a request with this key is under way"),
    "422": (422, "invalid", "the prompt is malformed"),
    "451": (422, "moderated", "the prompt is refused"),
}
UNSENT = ("never_arrives", "dns", "tls")
UNANSWERED = ("drop_after", "half_header", "hang_after")
LATE_S = 10.0
"""How much later a request may arrive than its sender gave it up."""
JUDGING = ("400", "422", "451")
"""Refusals of the request itself: a request that was taken under its key gets its first answer instead."""
Ending = Literal["succeeded", "failed_free", "failed_billed", "failed_unclear", "moderated", "canceled"]


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one job that was taken."""

    service_s: float = 20.0
    end: Ending = "succeeded"
    images: str = "1"
    """What is counted and billed, whatever was ordered."""
    forgets_after_s: float | None = None
    """From then on the job is not known any more."""
    appears_after_s: float = 0.0
    """Until then the job is not known yet, to a poll or a lookup."""
    billed_at: Literal["accept", "success"] = "accept"


@dataclass(slots=True)
class Order:
    """One entry of the server's book: a request that was taken."""

    id: str
    provider: str
    endpoint: str
    attempt: str
    prompt: str
    at: float
    fate: Fate
    usd: Decimal
    seed: int = 7
    callback: str = ""
    addresses: int = 0
    """How often the address of its file was renewed."""
    canceled: bool = False
    asked_for: bool = False
    """Whether somebody has asked about it: then its id is somebody's."""

    def state(self, now: float) -> str:
        if self.canceled:
            return "canceled"
        passed = now - self.at
        if passed < self.fate.service_s:
            return "queued" if passed < self.fate.service_s / 4 else "running"
        return "failed" if self.fate.end.startswith(("failed", "moderated")) else self.fate.end

    def known(self, now: float) -> bool:
        """Whether the server speaks of it."""
        passed, ends = now - self.at, self.fate.forgets_after_s
        return passed >= self.fate.appears_after_s and (ends is None or passed <= ends)

    def charged_usd(self, now: float) -> Decimal:
        """What it is billed with by now: from the moment it is taken or made; given back where a failure is free."""
        state = self.state(now)
        if state == "succeeded":
            return self.usd * Decimal(self.fate.images)
        if state == "failed" and self.fate.end == "failed_billed":
            return self.usd
        early = self.fate.billed_at == "accept" and state in ("queued", "running")
        return self.usd if early else Decimal(0)

    @property
    def file(self) -> bytes:
        return PNG + self.id.encode()
