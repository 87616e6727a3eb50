"""What a person sees while a workflow runs: its steps with the items of fan-outs below them, redrawn in a terminal;
elsewhere a line for each step that is in another state.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from time import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from aggregator.cli.board import REDRAWS_PER_SECOND, WORDS, bar
from aggregator.cli.run_news import RUNNING, THERE, Following, StepNews, grouped
from aggregator.cli.show import ROOMY_COLUMNS, seconds, usd
from aggregator.job import Progress
from aggregator.routing.chain_quote import spoken

if TYPE_CHECKING:
    from aggregator.workflow.events import RunEvent

__all__ = ["MARKS", "Tree", "state_of"]

MARKS = {
    "done": ("✓", "green"),
    "reused": ("=", "green"),
    "skipped": ("-", "dim"),
    "failed": ("✗", "red"),
    "paused": ("?", "yellow"),
    "blocked": ("·", "dim"),
    "waiting": ("·", "dim"),
}
STATES = {"paused": "pick a take", "blocked": "held up", "reused": "there already"}
OLD_NEWS = frozenset({"waiting", "blocked"})
MOST_BELOW = 6
ROWS_BESIDE = 4
"""Lines of a terminal that are not steps: what is below, and room to breathe."""


def state_of(state: str) -> str:
    """A state in words."""
    return STATES.get(state, state)


class Tree:
    """Give `tell` to a run as `on_event` and `hear` to its client as `on_progress`; use it with `with`."""

    def __init__(self, console: Console, *, quiet: bool = False, clock: Callable[[], float] = time) -> None:
        self.following = Following()
        self._console = console
        self._quiet = quiet
        self._drawn = console.is_terminal and not quiet
        self._clock = clock
        self._spinner = Spinner("dots", style="cyan")
        self._live = Live(
            console=console,
            get_renderable=self.__rich__,
            refresh_per_second=REDRAWS_PER_SECOND,
            auto_refresh=self._drawn,
        )

    def __enter__(self) -> Self:
        if self._drawn:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            self._live.transient = kind is None  # the table of what was made takes its place
            self._live.stop()

    def tell(self, event: "RunEvent") -> None:
        """Take an event of the run in."""
        changed = self.following.tell(event)
        if changed is not None and not self._drawn and not self._quiet and changed.state not in OLD_NEWS:
            self._console.print(_plain(changed), soft_wrap=True)

    def hear(self, news: Progress) -> None:
        """Take news of a job in."""
        self.following.hear(news)

    # -------------------------------------------------------------------------------------------------------- drawing

    def __rich__(self) -> RenderableType:
        if self.following.plan is None:
            return Text("looking at what is there", "dim")
        return Group(self._steps(), Text(), self._sum())

    def _steps(self) -> Table:
        roomy = self._console.width >= ROOMY_COLUMNS
        grid = Table.grid(padding=(0, 2 if roomy else 1))
        for least in (1, 10, 16, 17, 8, 6):
            grid.add_column(min_width=least, no_wrap=True, overflow="ellipsis")
        grid.columns[-1].justify = grid.columns[-2].justify = "right"
        if roomy:
            grid.add_column(no_wrap=True, overflow="ellipsis", style="dim")
        groups = grouped(self.following.steps)
        family = {step.name: name for name, of in groups for step in of}
        rows = sum(len(of) + (len(of) > 1) for _, of in groups)
        fold = rows > self._console.height - ROWS_BESIDE
        for name, of in groups:
            for row in [self._row(of[0])] if len(of) == 1 else self._fan(name, of, fold=fold):
                grid.add_row(*row, *([_from(of, family)] if roomy and row[0] != "" else []))
        return grid

    def _fan(self, name: str, of: Sequence[StepNews], *, fold: bool) -> Iterator[tuple[RenderableType, ...]]:
        """The line of a fan-out, and below it its items; those that somebody works on, if there is no room for all."""
        counts = Counter(step.state for step in of)
        state = next((one for one in ("failed", RUNNING, "paused") if counts[one]), of[-1].state)
        items = [step for step in of if step.plan.task == of[0].plan.task]  # not the last frames between them
        there = sum(step.state in THERE for step in items)
        yield (
            self._mark(state),
            Text(name, "bold"),
            Text(of[0].plan.task),
            Text(f"{there} of {len(items)}"),
            Text(),
            Text(),
        )
        shown = [step for step in of if step.state in (RUNNING, "failed", "paused")][:MOST_BELOW] if fold else of
        for at, step in enumerate(shown, 1):
            last = at == len(shown) and len(shown) == len(of)
            mark, own, *rest = self._row(step)
            yield "", Text.assemble(("└ " if last else "├ ", "dim"), mark_text(mark), " ", own), *rest  # type: ignore[arg-type]
        if len(shown) < len(of):
            yield "", Text(f"└ and {len(of) - len(shown)} more", "dim"), Text(), Text(), Text(), Text()

    def _row(self, step: StepNews) -> tuple[RenderableType, ...]:
        takes = f" ×{step.plan.takes}" if step.plan.takes > 1 else ""
        dim = "dim" if step.state in OLD_NEWS else ""
        cost = usd(step.cost_usd) if step.cost_usd != 0 else ""
        took = step.took_s
        if step.state == RUNNING and step.began_s is not None:
            took = self._clock() - step.began_s
        return (
            self._mark(step.state),
            Text(f"{step.name}{takes}", dim or "bold"),
            Text(step.model, "cyan") if step.model else Text(step.plan.task, dim),
            _activity(step),
            Text(cost),
            Text(seconds(took) if took is not None else "", "dim"),
        )

    def _mark(self, state: str) -> RenderableType:
        return self._spinner if state == RUNNING else Text(*MARKS[state])

    def _sum(self) -> Text:
        following, plan = self.following, self.following.plan
        assert plan is not None
        money = "nothing is bought"
        if plan.chain is not None:
            later = " and what shows later" if plan.chain.unpriced else ""
            money = f"{usd(following.spent_usd)} of {plan.chain.priced}{later}"
        return Text.assemble(
            (f"{following.done} of {len(following.steps)} steps", "bold"), f"  {money}", (f"  {self._left()}", "dim")
        )

    def _left(self) -> str:
        following = self.following
        if all(step.ended or step.plan.state == "edit" for step in following.steps.values()):
            return "nothing more to buy"
        left = following.left_s(self._clock())
        return "time left –" if left is None else f"about {spoken(left)} left"


def mark_text(mark: RenderableType) -> Text:
    """A mark within a line."""
    return mark if isinstance(mark, Text) else Text("…", "cyan")


def _activity(step: StepNews) -> RenderableType:
    """A bar while it runs, words before and after."""
    if step.state != RUNNING or not step.jobs:
        words = "" if step.state == "done" else state_of(step.state)
        return Text(words, MARKS[step.state][1] if step.state in MARKS else "")
    if step.plan.takes > 1 and step.takes_done:
        return Text(f"{step.takes_done} of {step.plan.takes} takes")
    if running := step.running:
        known = [news.fraction for news in running if news.fraction is not None]
        return bar(sum(known) / len(known) if known else None)
    news = next((one for one in step.jobs.values() if one is not None), None)
    if news is None:
        return Text("ordered")
    ahead = f", {news.position} ahead" if news.position else ""
    return Text(WORDS.get(news.state, news.state.value) + ahead)


def _from(of: Sequence[StepNews], family: Mapping[str, str]) -> Text:
    own = {step.name for step in of}
    names = dict.fromkeys(family[name] for step in of for name in step.plan.needs if name not in own)
    return Text(f"← {', '.join(names)}" if names else "")


def _plain(step: StepNews) -> str:
    takes = f" ×{step.plan.takes}" if step.plan.takes > 1 else ""
    words = [f"{step.name}{takes}: {state_of(step.state)}"]
    if step.state in (RUNNING, "done"):
        words.append(step.model or step.plan.task)
    if step.cost_usd != 0:
        words.append(usd(step.cost_usd))
    if step.took_s is not None:
        words.append(f"in {seconds(step.took_s)}")
    if step.why and step.state != "paused":
        words.append(step.why)
    return ", ".join(words)
