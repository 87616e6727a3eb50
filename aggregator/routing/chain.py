"""A chain: requests, of which later ones take what earlier ones make. Nothing is sent; it is priced and fitted as data
(`aggregator.routing.chain_quote`, `chain_fit`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from decimal import Decimal
from hashlib import sha256
from typing import Any, Literal, Self

from pydantic import JsonValue

from aggregator.errors import RequestError
from aggregator.inputs import Media
from aggregator.tasks import Request, request_from_json

__all__ = ["DEADLINE_S", "ChainStep", "check_steps", "made_of"]

DEADLINE_S = 3_600.0
"""When a call ends that says nothing of it (`Options.deadline_s`)."""
STEP = "step:"
"""How the job of an input begins that an earlier step will make."""


@dataclass(frozen=True, slots=True)
class ChainStep:
    """One request of a chain. What an earlier step will make stands in it as that step's `output()`.

    ```python
    still = ChainStep("still", TextToImage(prompt="a harbour at dawn"))
    clip = ChainStep("clip", ImageToVideo(image=still.output(), duration_s=5))
    ```
    """

    name: str
    request: Request
    stage: str | None = None
    """`None`: the project's own, and for `fit` any."""
    role: str | None = None
    model: str | None = None
    """A model or a pinned offer, as for any call: then `fit` has nothing to choose but who offers it."""
    weight: float = 1.0
    """How much the quality of this step counts beside the others', for `fit`."""
    max_usd: Decimal | None = None
    """What it may cost."""
    deadline_s: float = DEADLINE_S
    on_unsupported: Literal["error", "adjust"] = "error"
    provider_options: Mapping[str, Mapping[str, JsonValue]] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    """Steps that have to be over before, though nothing of theirs goes in as it is."""

    def output(self, **facts: Any) -> Media:
        """What the step will make, as an input of a later one.

        Args:
            facts: What it will be like (`mime_type`, `width`, `height`, `duration_s`, `fps`, `size_bytes`), where the
            request does not say: later steps are priced by it.

        """
        return made_of(self.name, self.request, facts)

    @property
    def takes(self) -> tuple[str, ...]:
        """The steps whose outputs go in, and those that have to be over."""
        jobs = (media.job_id for _, media in self.request.media())
        taken = (job.removeprefix(STEP) for job in jobs if job is not None and job.startswith(STEP))
        return tuple(dict.fromkeys([*taken, *self.after]))

    def as_json(self) -> dict[str, JsonValue]:
        """The step as plain data; its inputs must be stored, addresses, or outputs of other steps."""
        rest: dict[str, JsonValue] = {
            one.name: str(value) if isinstance(value := getattr(self, one.name), Decimal) else value
            for one in fields(self)
            if one.name not in ("name", "request") and getattr(self, one.name) != _usual(one)
        }
        return {"name": self.name, "request": self.request.as_json(), **rest}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read back what `as_json` wrote."""
        read: dict[str, Any] = {"request": request_from_json(value["request"]), "after": tuple(value.get("after", ()))}
        if "max_usd" in value:
            read["max_usd"] = Decimal(value["max_usd"])
        return cls(**{**value, **read})


def _usual(one: Field[Any]) -> object:
    return one.default if one.default_factory is MISSING else one.default_factory()


def made_of(name: str, request: Request, facts: Mapping[str, Any]) -> Media:
    """What a request will make, as an input of a later one: an output of the step `name`.

    Args:
        facts: What is known of it beside what the request says.

    """
    values = request.values()
    width, height = values.get("size") or (None, None)
    expected = {
        "mime_type": _mime_type(request.task),
        "width": width,
        "height": height,
        "duration_s": _duration_s(request),
        "fps": values.get("fps"),
    }
    mark = sha256(f"{STEP}{name}".encode()).hexdigest()
    return Media(sha256=mark, job_id=f"{STEP}{name}", **{**expected, **facts})


def _mime_type(task: str) -> str:
    made = task.rpartition("-")[2]
    if made == "image" or task == "image-upscaling":
        return "image/png"
    return "audio/mpeg" if made in ("speech", "music", "sound", "audio") else "video/mp4"


def _duration_s(request: Request) -> float | None:
    """How long the output is, as far as the request says: what it orders, or what goes in."""
    ordered = request.values().get("duration_s")
    given = max((media.duration_s for _, media in request.media() if media.duration_s is not None), default=None)
    if request.task == "video-extension":
        return None if ordered is None or given is None else float(ordered) + given
    return given if ordered is None else float(ordered)


def check_steps(steps: Sequence[ChainStep]) -> None:
    """See that the steps are a chain.

    Raises:
        RequestError: There is none, two have one name, or one takes what no step before it makes.

    """
    if not steps:
        raise RequestError("a chain has at least one step")
    before: set[str] = set()
    for step in steps:
        if step.name in before:
            raise RequestError(f"two steps are named {step.name!r}: give each a name of its own")
        for other in step.takes:
            if other not in before:
                raise RequestError(f"step {step.name!r} takes the output of {other!r}, which no step before it makes")
        before.add(step.name)
