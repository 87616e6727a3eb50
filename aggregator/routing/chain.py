"""A chain: requests, of which later ones take what earlier ones make. Nothing is sent; it is priced and fitted as data
(`aggregator.routing.chain_quote`, `chain_fit`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any, Self

from pydantic import JsonValue

from aggregator.errors import RequestError
from aggregator.inputs import Media
from aggregator.tasks import Request, request_from_json

__all__ = ["DEADLINE_S", "ChainStep", "check_steps"]

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
    deadline_s: float = DEADLINE_S

    def output(self, **facts: Any) -> Media:
        """What the step will make, as an input of a later one.

        Args:
            facts: What it will be like (`mime_type`, `width`, `height`, `duration_s`, `fps`, `size_bytes`), where the
            request does not say: later steps are priced by it.

        """
        values = self.request.values()
        width, height = values.get("size") or (None, None)
        expected = {
            "mime_type": _mime_type(self.request.task),
            "width": width,
            "height": height,
            "duration_s": _duration_s(self.request),
            "fps": values.get("fps"),
        }
        mark = sha256(f"{STEP}{self.name}".encode()).hexdigest()
        return Media(sha256=mark, job_id=f"{STEP}{self.name}", **{**expected, **facts})

    @property
    def takes(self) -> tuple[str, ...]:
        """The steps whose outputs go in."""
        jobs = (media.job_id for _, media in self.request.media())
        return tuple(dict.fromkeys(job.removeprefix(STEP) for job in jobs if job is not None and job.startswith(STEP)))

    def as_json(self) -> dict[str, JsonValue]:
        """The step as plain data; its inputs must be stored, addresses, or outputs of other steps."""
        rest: dict[str, JsonValue] = {
            one.name: getattr(self, one.name)
            for one in fields(self)
            if one.name not in ("name", "request") and getattr(self, one.name) != one.default
        }
        return {"name": self.name, "request": self.request.as_json(), **rest}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read back what `as_json` wrote."""
        return cls(**{**value, "request": request_from_json(value["request"])})


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
