"""What a workflow function holds in its hands: what a step will make. It can be handed on, and asked nothing yet."""

from typing import Any, NoReturn

from aggregator.errors import RequestError
from aggregator.inputs import Media
from aggregator.tasks import Request
from aggregator.workflow.conditions import FACTS
from aggregator.workflow.content import symbolic
from aggregator.workflow.model import Ref

__all__ = ["Condition", "Fact", "Handle"]


def _unknown_yet(what: object) -> NoReturn:
    raise RequestError(
        f"{what} is not known while the steps are written down: nothing has been made. For a step that depends on it "
        "write when=still.width < 1024, for a choice among takes pick=…"
    )


class Condition(str):
    """What `when` takes; nothing that `if` could ask."""

    __slots__ = ()

    def __bool__(self) -> bool:  # noqa: PLE0304  it never returns
        _unknown_yet(f"whether {self}")


class Fact:
    """What is asked of what a step will make (`still.width`). Compared with something it is a condition for `when`."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, words: str) -> None:
        self._words = words

    def __repr__(self) -> str:
        return self._words

    def __bool__(self) -> bool:  # noqa: PLE0304  it never returns
        _unknown_yet(self._words)

    def __lt__(self, other: float) -> Condition:
        return Condition(f"{self._words} < {other}")

    def __le__(self, other: float) -> Condition:
        return Condition(f"{self._words} <= {other}")

    def __gt__(self, other: float) -> Condition:
        return Condition(f"{self._words} > {other}")

    def __ge__(self, other: float) -> Condition:
        return Condition(f"{self._words} >= {other}")

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]
        return Condition(f"{self._words} == {other}")

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]
        return Condition(f"{self._words} != {other}")


class Handle:
    """What a step will make: an input of those that follow. `width`, `height`, `duration_s`, `fps` and `size_bytes` of
    it may stand in a condition.
    """

    width: Fact
    height: Fact
    duration_s: Fact
    fps: Fact
    size_bytes: Fact

    def __init__(self, name: str, request: Request, take: int | None = None) -> None:
        self.name = name
        self._request = request
        self._take = take

    @property
    def ref(self) -> str:
        """How it is named in the values of a step."""
        return str(Ref(self.name, self._take))

    def take(self, number: int) -> "Handle":
        """One take of it, whichever is picked; the first is 1."""
        return Handle(self.name, self._request, number)

    def as_media(self) -> Media:
        """As an input: its file is not there yet."""
        return symbolic(self.name, self._take, self._request)

    def __repr__(self) -> str:
        return f"<what {self.ref.removeprefix('@')} will make>"

    def __getattr__(self, name: str) -> Any:
        if name in FACTS:
            return Fact(f"@{self.name}.{name}")
        if name.startswith("_"):
            raise AttributeError(name)
        raise RequestError(
            f"{self!r} has no {name!r}: nothing has been made yet; what may be asked of it, in a condition: "
            f"{', '.join(FACTS)}"
        )

    def __getitem__(self, number: object) -> NoReturn:
        raise RequestError(f"{self!r} is what goes on, one file: take(1), take(2) … of it are its takes")

    def _refused(self, *_: object) -> NoReturn:
        _unknown_yet(repr(self))

    __bool__ = __int__ = __float__ = __index__ = __str__ = __len__ = __iter__ = __contains__ = _refused
    __lt__ = __le__ = __gt__ = __ge__ = __format__ = _refused
