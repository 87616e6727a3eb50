"""What a person sees while jobs run: one line a job, redrawn in a terminal, plain lines where there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from aggregator.cli.show import seconds
from aggregator.job import AttemptState, Progress

__all__ = ["REDRAWS_PER_SECOND", "WORDS", "Board", "bar"]

S = AttemptState
BAR_CELLS = 12
COLUMNS = (1, 5, 15, 14, 9, BAR_CELLS + 5, 6)
REDRAWS_PER_SECOND = 12
WORDS = {
    S.PLANNED: "planned",
    S.RESERVED: "money reserved",
    S.SUBMITTING: "sending",
    S.SUBMITTED: "in the queue",
    S.SUCCEEDED: "fetching",
    S.FETCHING: "fetching",
    S.RECONCILING: "looking for it",
    S.STORED: "done",
}
_BAD = frozenset({S.FAILED, S.REFUSED, S.CANCELED, S.UNKNOWN, S.LOST})


@dataclass(slots=True)
class Line:
    """One job on the board."""

    name: str
    task: str = ""
    news: Progress | None = None
    began: float = 0.0
    took_s: float | None = None

    def ended(self) -> bool:
        """Whether there is nothing more to come."""
        return self.news is not None and (self.news.state is S.STORED or self.news.state in _BAD)

    def state(self) -> str:
        """The state in words."""
        if self.news is None:
            return "waiting"
        if self.news.reused:
            return "reused, $0.00"
        place = f", {self.news.position} ahead" if self.news.position else ""
        return WORDS.get(self.news.state, self.news.state.value) + place


class Board:
    """Give `tell` to a client as `on_progress`, and use it with `with` while jobs run."""

    def __init__(self, console: Console, *, steps: Mapping[str, str] | None = None) -> None:
        """Show the jobs with these keys (key to task), in this order; without them, every job there is news of."""
        self._console = console
        self._open = steps is None
        self.lines = {key: Line(key, task) for key, task in (steps or {}).items()}
        self._spinner = Spinner("dots", style="cyan")
        self._live = Live(
            console=console,
            get_renderable=self.__rich__,
            refresh_per_second=REDRAWS_PER_SECOND,
            auto_refresh=console.is_terminal,
        )

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def tell(self, news: Progress) -> None:
        """Take one piece of news in."""
        line = self.lines.get(news.key)
        if line is None and self._open:
            line = self.lines[news.key] = Line(_name(news))
        if line is None or line.ended():
            return
        changed = line.news is None or line.news.state is not news.state
        if line.news is None:
            line.began = monotonic()
        line.task, line.news = news.task, news
        if line.ended() and not news.reused:
            line.took_s = news.elapsed_s
        if changed and not self._console.is_terminal and (line.ended() or news.state is S.RUNNING):
            self._console.print(_plain(line), soft_wrap=True)

    def __rich__(self) -> Table:
        grid = Table.grid(padding=(0, 1))
        for least in COLUMNS:  # the same in every board, so that boards below each other line up
            grid.add_column(min_width=least, no_wrap=True, overflow="ellipsis")
        grid.columns[-1].justify = "right"
        for line in self.lines.values():
            grid.add_row(*self._cells(line))
        return grid

    def _cells(self, line: Line) -> tuple[RenderableType, ...]:
        news = line.news
        if news is None:
            return Text("·", "dim"), Text(line.name, "dim"), Text(line.task, "dim"), "", "", Text("waiting", "dim"), ""
        elapsed = line.took_s if line.ended() else monotonic() - line.began
        mark: RenderableType = self._spinner
        if line.ended():
            mark = Text("✗", "red") if news.state in _BAD else Text("✓", "green")
        return (
            mark,
            Text(line.name, "bold"),
            news.task,
            Text(news.model, "cyan"),
            news.stage,
            _activity(line),
            Text(seconds(elapsed), "dim"),
        )


def _activity(line: Line) -> RenderableType:
    """A bar while it runs, words before and after."""
    news = line.news
    if news is None or news.state is not S.RUNNING:
        return Text(line.state(), "red" if news and news.state in _BAD else "")
    return bar(news.fraction)


def bar(fraction: float | None) -> RenderableType:
    """How much is done; `None`: nobody knows."""
    row = Table.grid(padding=(0, 1))
    row.add_row(
        ProgressBar(
            total=1.0,
            completed=fraction or 0.0,
            width=BAR_CELLS,
            pulse=fraction is None,
            complete_style="cyan",
            pulse_style="cyan",
        ),
        "" if fraction is None else f"{fraction:4.0%}",
    )
    return row


def _name(news: Progress) -> str:
    """A job without a key of its own goes by nothing a person would know."""
    return news.task.rpartition("-")[2] if news.key.startswith("job:") else news.key


def _plain(line: Line) -> str:
    assert line.news is not None
    took = f" in {seconds(line.took_s)}" if line.took_s is not None else ""
    return f"{line.name}: {line.news.task} by {line.news.model} ({line.news.stage}): {line.state()}{took}"
