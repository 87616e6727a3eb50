"""Four workflows as a product has them: keyed scripts and a graph, which are run again after a crash until they end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aggregator import Aggregator
from aggregator.errors import AggregatorError, WorkflowError
from aggregator.tasks import ImageToVideo
from aggregator.testing.inputs import sample_files
from aggregator.workflow import model
from tests.faults.shop import BROKEN, FastClock, Offer

__all__ = ["WORKFLOWS", "Workflow", "program"]


@dataclass
class Ends:
    """What each step of a script came to."""

    made: list[str] = field(default_factory=list)
    """The hashes of the files."""
    errors: list[list[Any]] = field(default_factory=list)
    """Name, what is known of the order, text."""
    outputs: list[str] = field(default_factory=list)
    """The files of the piece, where there is one."""

    async def of(self, call: Awaitable[Any]) -> Any:
        """The result of a step, or `None` if it has none."""
        try:
            result = await call
        except AggregatorError as error:
            results = error.results if isinstance(error, WorkflowError) else []
            self.failed(error.__cause__ or error)
        else:
            results = result if isinstance(result, list) else [result]
        self.made += [one.artifact.sha256 for one in results]
        return results[0] if results else None

    def failed(self, error: BaseException) -> None:
        self.errors.append([type(error).__name__, getattr(error, "accepted", "-"), str(error)])


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


def _step(name: str, task: str, **more: Any) -> model.Step:
    """What is no option of a step is a value of its task."""
    options = {key: more.pop(key) for key in ("each", "takes", "pick", "when") if key in more}
    return model.Step(name=name, task=task, values=more, **options)


GRAPH = model.Workflow(
    name="piece",
    inputs={"titles": False},
    steps=(
        _step("still", "text-to-image", prompt="a lighthouse"),
        _step("board", "image-to-image", image="@still", prompt="a board", takes=3, pick="score:last"),
        _step("look", "resize", picture="@board", width=16),
        _step("shot", "image-to-image", image="@look", prompt="at {item}", each=["dawn", "dusk"]),
        _step("small", "resize", picture="@item", width=8, each="@shot"),
        _step("clip", "image-to-video", image="@shot.1", prompt="the waves move"),
        _step("voice", "text-to-speech", text="the light goes round"),
        _step("twin", "text-to-image", prompt="a lighthouse"),
        _step("later", "image-to-image", image="@twin", prompt="later"),
        _step("last", "image-to-image", image="@later", prompt="at last"),
        _step("titles", "image-to-image", image="@last", prompt="titles", when="{titles}"),
        _step("sheet", "contact-sheet", pictures="@small"),
    ),
)
"""Fourteen flat steps: takes that a function picks from, edits of what was bought and purchases of what was edited, a
fan-out, one content twice, a chain, siblings, and one that is skipped. Ten purchases.
"""


async def graph(p: Any, ends: Ends) -> None:
    """The graph, or what is left to do of it."""
    try:
        run = await p.run(GRAPH, scorers={"last": _last})
    except AggregatorError as error:
        ends.failed(error)
        return
    results = {one.job_id: one for name in run.outcomes for one in run.results(name) if one is not None}
    ends.made += [one.artifact.sha256 for one in results.values()]
    for outcome in run.outcomes.values():
        if outcome.error is not None:
            ends.failed(outcome.error)
    ends.outputs = [str(path) for path in run.outputs.values()]


def _last(result: Any) -> float:
    """The take with the largest hash, whatever it is."""
    return int(result.artifact.sha256[:8], 16)


@dataclass(frozen=True)
class Workflow:
    """A script, what it may buy, and what it may spend."""

    script: Callable[[Any, Ends], Awaitable[None]]
    offers: dict[str, Offer]
    budget_usd: str
    """Enough for the script, and not for one more step of it."""
    costs_usd: str
    """What it costs where nothing goes wrong."""
    made: int
    """How many files it buys."""
    outputs: int = 0
    """How many of what it makes are the piece."""


PICTURES = ("text-to-image", "image-to-image")
WORKFLOWS = {
    "chain": Workflow(
        chain, {"picture": Offer("0.04", PICTURES), "voice": Offer("0.03", ("text-to-speech",))}, "0.13", "0.11", 3
    ),
    "takes": Workflow(takes, {"clip": Offer("0.30", ("image-to-video",))}, "1.10", "0.90", 3),
    "promotion": Workflow(
        promotion,
        {
            BROKEN: Offer("0.02", PICTURES),
            "second": Offer("0.04", PICTURES),
            "grand": Offer("0.50", PICTURES, "hero"),
        },
        "0.55",
        "0.54",
        2,
    ),
    "graph": Workflow(
        graph,
        {
            "picture": Offer("0.04", PICTURES),
            "clip": Offer("0.30", ("image-to-video",)),
            "voice": Offer("0.03", ("text-to-speech",)),
        },
        "0.66",
        "0.65",
        10,
        4,
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
    return vars(ends)
