"""What is ordered and what becomes of it: `Order`, and the `Job` whose state is a question of the time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from aggregator.testing.emulator import media

__all__ = ["Job", "JobState", "Kind", "Order", "order"]

Kind = Literal["image", "video", "audio"]
JobState = Literal["queued", "running", "succeeded", "failed", "canceled"]
QUEUE_PLACES = 3
"""A job that waits sees itself move up from this place less one to 0."""
BACK = (0.3, 0.6)
"""Of the work of a job that goes backwards, the part in which it waits again."""
SIZES: dict[Kind, tuple[int, int]] = {"image": (1024, 1024), "video": (1280, 720), "audio": (0, 0)}
DURATIONS_S: dict[Kind, float] = {"image": 0.0, "video": 5.0, "audio": 1.0}
MIME_TYPES: dict[Kind, str] = {"image": "image/png", "video": "video/mp4", "audio": "audio/wav"}


@dataclass(frozen=True, slots=True)
class Order:
    """What a job makes: so many files of this kind, size and length, and what the vendor asks for all of them."""

    kind: Kind
    width: int
    height: int
    duration_s: float
    fps: float
    count: int
    audio: bool
    text: str
    usd: Decimal | None
    mime: str
    rate_hz: int
    channels: int


def order(
    kind: Kind,
    *,
    width: int | None = None,
    height: int | None = None,
    duration_s: float | None = None,
    fps: float = 24,
    count: int = 1,
    audio: bool = False,
    text: str = "",
    usd: str | Decimal | None = None,
    mime: str | None = None,
    rate_hz: int = 24_000,
    channels: int = 1,
) -> Order:
    """Say what a job makes; what the vendor leaves open has a usual value. `usd`: `None` where no price is known."""
    usual = SIZES[kind]
    return Order(
        kind=kind,
        width=int(width or usual[0]),
        height=int(height or usual[1]),
        duration_s=float(duration_s or DURATIONS_S[kind]),
        fps=float(fps),
        count=int(count),
        audio=audio,
        text=text,
        usd=None if usd is None else Decimal(usd),
        mime=mime or MIME_TYPES[kind],
        rate_hz=rate_hz,
        channels=channels,
    )


@dataclass(slots=True, eq=False)
class Job:
    """One purchase. It is a matter of the clock how far it is, until it is finished or canceled by hand."""

    id: str
    order: Order
    now: Callable[[], float] = field(repr=False)
    created: float
    queued_s: float
    running_s: float
    ending: Literal["succeeded", "failed", "canceled"] = "succeeded"
    moderated: bool = False
    """With the state `failed`: it was stopped for what its output shows."""
    detail: str = ""
    """The vendor's word for what went wrong, where the test scripted one (`failed:SAFETY`)."""
    expired: bool = False
    """Whether its files are gone."""
    oddity: str = ""
    """What is odd about it, of `fates.LATER`."""
    urls: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    """What the service wants to remember of it."""
    seed: int = 0
    _ended: tuple[float, JobState] | None = None

    @property
    def state(self) -> JobState:
        if self._ended is not None:
            return self._ended[1]
        now = self.now()  # compared as `change_s` compares it, or a clock that waits for it could stand still
        if now < self.started:
            return "queued"
        if self.oddity == "backwards" and BACK[0] <= (now - self.started) / (self.running_s or 1.0) < BACK[1]:
            return "queued"
        return "running" if now < self.ended else self.ending

    @property
    def is_known(self) -> bool:
        """Whether its maker finds it when it is asked about it."""
        passed = self.now() - self.created
        too_early = self.oddity == "late" and passed < self.queued_s
        return not too_early and not (self.oddity == "forgotten" and passed >= self.queued_s + self.running_s / 2)

    @property
    def is_over(self) -> bool:
        return self.state in ("succeeded", "failed", "canceled")

    @property
    def fraction(self) -> float:
        """How much of the work is done, 0 to 1."""
        if self.state in ("queued", "running"):
            done = (self.now() - self.created - self.queued_s) / (self.running_s or 1.0)
            return min(1.0, max(0.0, done))
        return 1.0 if self.state == "succeeded" else 0.0

    @property
    def position(self) -> int:
        """How many are before it; 0 once it runs."""
        if self.state != "queued":
            return 0
        return max(0, int(QUEUE_PLACES * (1 - (self.now() - self.created) / self.queued_s)))

    @property
    def started(self) -> float:
        """When it left the queue, or will."""
        return self.created + self.queued_s

    @property
    def ended(self) -> float:
        """When it was over, or will be."""
        return self._ended[0] if self._ended is not None else self.started + self.running_s

    @property
    def change_s(self) -> float:
        """How long until it begins or ends, if nobody stops it before; 0 once it is over."""
        now = self.now()
        return max(0.0, next((at for at in (self.started, self.ended) if at > now), now) - now)

    @property
    def mime(self) -> str:
        return self.order.mime

    @property
    def usd(self) -> Decimal | None:
        return self.order.usd

    @property
    def contents(self) -> list[bytes]:
        """Its files, made when they are first asked for."""
        return [self.content(index) for index in range(self.order.count)]

    def content(self, index: int) -> bytes:
        """One of its files."""
        of = self.order
        return media.render(
            of.mime,
            width=of.width,
            height=of.height,
            duration_s=of.duration_s,
            fps=of.fps,
            audio=of.audio,
            rate_hz=of.rate_hz,
            channels=of.channels,
            seed=self.seed + index,
        )

    def finish(self) -> None:
        """Let it end at once, as it was to end: for answers that are the result."""
        if self._ended is None:
            self._ended = (self.now(), self.ending)

    def cancel(self) -> bool:
        """Stop it; `False`: it was over already."""
        if self.is_over:
            return False
        self._ended = (self.now(), "canceled")
        return True
