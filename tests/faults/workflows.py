"""Three workflows as a product has them: keyed scripts, which are run again after a crash until they end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aggregator import Aggregator
from aggregator.errors import AggregatorError, WorkflowError
from aggregator.tasks import ImageToVideo
from aggregator.testing.inputs import sample_files
from tests.faults.shop import BROKEN, FastClock, Offer

__all__ = ["WORKFLOWS", "Workflow", "program"]


@dataclass
class Ends:
    """What each step of a script came to."""

    made: list[str] = field(default_factory=list)
    """The hashes of the files."""
    errors: list[list[Any]] = field(default_factory=list)
    """Name, what is known of the order, text."""

    async def of(self, call: Awaitable[Any]) -> Any:
        """The result of a step, or `None` if it has none."""
        try:
            result = await call
        except AggregatorError as error:
            results = error.results if isinstance(error, WorkflowError) else []
            cause = error.__cause__ or error
            self.errors.append([type(cause).__name__, getattr(cause, "accepted", "-"), str(cause)])
        else:
            results = result if isinstance(result, list) else [result]
        self.made += [one.artifact.sha256 for one in results]
        return results[0] if results else None


async def chain(p: Any, ends: Ends) -> None:
    """A picture, an edit of it, and a voice."""
    still = await ends.of(p.text_to_image("a lighthouse", key="still"))
    if still is not None:
        await ends.of(p.image_to_image(still, "at night", key="night"))
    await ends.of(p.text_to_speech("the light goes round", key="voice"))


async def takes(p: Any, ends: Ends) -> None:
    """Three clips from one picture of the user's, side by side."""
    picture = next(path for path in sample_files().values() if path.suffix == ".png")
    await ends.of(p.takes(ImageToVideo(image=picture, prompt="the waves move"), 3, key="clip"))


async def promotion(p: Any, ends: Ends) -> None:
    """A draft whose first offer always fails, so that the second one makes it; then the same on the final stage."""
    draft = await ends.of(p.text_to_image("a fox", key="draft"))
    if draft is not None:
        await ends.of(p.promote(draft))


@dataclass(frozen=True)
class Workflow:
    """A script, what it may buy, and what it may spend."""

    script: Callable[[Any, Ends], Awaitable[None]]
    offers: dict[str, Offer]
    budget_usd: str
    """Enough for the script, and not for one more step of it."""
    made: int
    """How many files it makes."""


PICTURES = ("text-to-image", "image-to-image")
WORKFLOWS = {
    "chain": Workflow(
        chain, {"picture": Offer("0.04", PICTURES), "voice": Offer("0.03", ("text-to-speech",))}, "0.13", 3
    ),
    "takes": Workflow(takes, {"clip": Offer("0.30", ("image-to-video",))}, "1.10", 3),
    "promotion": Workflow(
        promotion,
        {
            BROKEN: Offer("0.02", PICTURES),
            "second": Offer("0.04", PICTURES),
            "grand": Offer("0.50", PICTURES, "hero"),
        },
        "0.55",
        2,
    ),
}


async def program(name: str, settings: dict[str, Any], clock: FastClock, *, resume: bool) -> dict[str, Any]:
    """One life of a workflow, or of whoever finishes what was begun; what it said."""
    workflow = WORKFLOWS[name]
    async with Aggregator(settings, clock=clock) as agg, agg.project("film", budget_usd=workflow.budget_usd) as p:
        if resume:
            return {job: str(end) for job, end in (await agg.resume()).items()}
        ends = Ends()
        await workflow.script(p, ends)
    return {"made": ends.made, "errors": ends.errors}
