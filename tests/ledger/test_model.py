"""The ledger against a model of a few lines, through whatever order of verbs comes to mind, on both databases.

`LEDGER_EXAMPLES` and `LEDGER_STEPS` say how many and how long: `LEDGER_EXAMPLES=2000 LEDGER_STEPS=50` takes its time.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from aggregator.errors import AlreadyReleasedError, AlreadySettledError, BudgetExceededError, ConfigurationError
from aggregator.periods import PERIODS, Window, window_of
from aggregator.store.database import Store
from tests.ledger.books import Books

PARENTS = {"org": None, "film": "org", "film/one": "film", "spot": "org"}
SHM = Path("/dev/shm")
DAY = 86_400_000
AMOUNTS = st.integers(0, 60) | st.integers(0, 400)
CAPS = st.integers(1, 1500)
NAMES = st.sampled_from(sorted(PARENTS))
PROVIDERS = st.sampled_from(["runway", "fal"])
RUNS = st.sampled_from(["cut", "trailer"])
STEPS = ("still", "shot", "sound")
MARKS = st.tuples(RUNS, st.sampled_from(STEPS))
Figures = tuple[int, int, int]


@dataclass
class Hold:
    """A purchase: what was reserved and, once it is over, everything it was said to cost, in order."""

    name: str
    amount: int
    at: int
    rate: Fraction | None
    charges: list[int] = field(default_factory=list)
    released: bool = False

    @property
    def resolved(self) -> bool:
        return self.released or bool(self.charges)

    @property
    def charge(self) -> int:
        return self.charges[-1] if self.charges else 0

    def figures(self, in_credits: bool = False) -> Figures:
        """What it adds to the books of an account: reserved, settled, overrun."""
        rate = (self.rate or Fraction(1)) if in_credits else Fraction(1)
        held = ceil(self.amount / rate)
        if not self.resolved:
            return held, 0, 0
        charges = [round(charge / rate) for charge in self.charges]
        covered = min([0 if self.released else held, *charges[:1]])
        over, last = 0, covered
        for charge in charges:  # what comes on top was covered by nothing; what goes, goes from that first
            over, last = max(0, over + charge - last), charge
        return 0, last if charges else 0, over


@dataclass(frozen=True)
class Mark:
    """What is kept for a step of a run."""

    name: str
    amount: int
    at: int


class Ledger(RuleBasedStateMachine):
    """`holds` and `marks` are the model: everything else is worked out from them."""

    attempts: Bundle[str] = Bundle("attempts")
    fresh: ClassVar[Callable[[ExitStack], Books]]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.books = type(self).fresh(self.stack)
        self.books.at = 100 * DAY
        self.caps: dict[str, int | None] = {"org": 1000, "film": 600, "film/one": 300, "spot": None}
        self.each: dict[tuple[str, str], int] = {("org", "month"): 900, ("film", "day"): 500}
        for name, parent in PARENTS.items():
            periods = {period: cap for (of, period), cap in self.each.items() if of == name}
            self.books.open(name, self.caps[name], parent, **periods)
        self.windows: dict[str, tuple[str, Window]] = {}
        self.books.credits("runway", "3")
        self.rate = Fraction(3)
        self.warned: dict[str, int] = {}
        self.holds: dict[str, Hold] = {}
        self.marks: dict[tuple[str, str], Mark] = {}
        for run in ("cut", "trailer"):
            self.books.run(run, "film")

    def teardown(self) -> None:
        self.stack.close()

    # -------------------------------------------------------------------------------------------------------- model

    def above(self, name: str | None) -> Iterator[str]:
        while name is not None:
            yield name
            name = PARENTS[name]

    def figures(self, name: str, window: Window | None = None) -> Figures:
        """The books of an account, or of a period of it."""
        credit = name == "credits:runway"
        parts = [
            hold.figures(credit)
            for hold in self.holds.values()
            if (hold.rate is not None if credit else name in self.above(hold.name))
            and (window is None or window.from_at <= hold.at < window.until_at)
        ]
        kept = 0 if credit else self.kept(name, window)
        return kept + sum(part[0] for part in parts), sum(part[1] for part in parts), sum(part[2] for part in parts)

    def kept(self, name: str, window: Window | None = None) -> int:
        """What is earmarked on an account and below it, or in a period of it."""
        return sum(
            mark.amount
            for mark in self.marks.values()
            if name in self.above(mark.name) and (window is None or window.from_at <= mark.at < window.until_at)
        )

    def base(self, key: str) -> tuple[str, Window | None]:
        return self.windows.get(key, (key, None))

    def touched(self, hold: Hold | Mark) -> list[str]:
        """Every account and open period that a hold or an earmark is part of."""
        in_credits = isinstance(hold, Hold) and hold.rate is not None
        bases = [*self.above(hold.name), *(["credits:runway"] if in_credits else [])]
        within = [
            key
            for key, (name, window) in self.windows.items()
            if name in bases and window.from_at <= hold.at < window.until_at
        ]
        return [*bases, *within]

    def let_go(self, keys: Iterable[tuple[str, str]]) -> dict[str, int]:
        """Take earmarks away; what that gives back on each account and open period."""
        back: dict[str, int] = {}
        for key in [key for key in keys if key in self.marks]:
            mark = self.marks.pop(key)
            for name in self.touched(mark):
                back[name] = back.get(name, 0) + mark.amount
        return back

    def opened(self, hold: Hold | Mark) -> bool:
        """Open the periods that a hold needs; whether all of them can be."""
        for name in self.touched(hold):
            for period in PERIODS:
                window = window_of(period, hold.at)
                key = f"{name}@{period}/{window.label}"
                if (name, period) in self.each and key not in self.windows:
                    held, settled, over = self.figures(name, window)
                    if held + settled > self.each[name, period] + over:
                        return False
                    self.windows[key], self.caps[key] = (name, window), self.each[name, period]
        return True

    def fits(self, hold: Hold | Mark, back: dict[str, int]) -> bool:
        """Whether it may be reserved: against the caps alone, whatever was overrun before; but what comes back where
        it comes back is room that it has already.
        """
        for key in self.touched(hold):
            name, window = self.base(key)
            held, settled, _ = self.figures(name, window)
            needed = hold.amount if isinstance(hold, Mark) else hold.figures(name == "credits:runway")[0]
            cap = None if needed <= back.get(key, -1) else self.caps.get(key)
            if cap is not None and held + settled + needed > cap:
                return False
        return True

    def told(self, keys: Iterable[str]) -> list[tuple[str, int]]:
        """The thresholds that are passed for the first time."""
        found = []
        for key in keys:
            held, settled, _ = self.figures(*self.base(key))
            for percent in (80, 100):
                cap = self.caps.get(key)
                if cap and (held + settled) * 100 >= percent * cap and percent > self.warned.get(key, 0):
                    found.append((key, percent))
        self.warned.update(dict(found))
        return sorted(found)

    # -------------------------------------------------------------------------------------------------------- verbs

    @initialize(target=attempts, name=NAMES, amount=st.integers(0, 60), provider=PROVIDERS)
    def begin(self, name: str, amount: int, provider: str) -> Any:
        """There is something to go on with from the start."""
        return self.reserve(name, amount, provider)

    @rule(target=attempts, name=NAMES, amount=AMOUNTS, provider=PROVIDERS, mark=st.none() | MARKS)
    def reserve(self, name: str, amount: int, provider: str, mark: tuple[str, str] | None = None) -> Any:
        of = self.books.attempt(name)
        hold = Hold(name, amount, self.books.at, self.rate if provider == "runway" else None)
        before = dict(self.windows), dict(self.marks)
        back = self.let_go([mark] if mark else [])
        if self.opened(hold) and self.fits(hold, back):
            self.books.reserve(name, amount, of, provider=provider, earmark=mark)
            self.holds[of] = hold
            assert sorted(self.books.crossed()) == self.told({*self.touched(hold), *back})
        else:
            self.windows, self.marks = before  # a refusal leaves no trace
            try:
                self.books.reserve(name, amount, of, provider=provider, earmark=mark)
            except BudgetExceededError:
                return multiple()  # there is nothing to go on with
            raise AssertionError("it does not fit, and was reserved")
        return of

    @rule(of=attempts, mark=st.none() | MARKS)
    def reserve_again(self, of: str, mark: tuple[str, str] | None) -> None:
        hold = self.holds[of]
        self.books.reserve(hold.name, hold.amount, of, earmark=mark)
        assert (self.books.moved.held, self.books.crossed()) == (0, [])

    @rule(target=attempts, run=RUNS, step=st.sampled_from(STEPS), share=st.sampled_from([50, 100]), provider=PROVIDERS)
    def reserve_what_is_earmarked(self, run: str, step: str, share: int, provider: str) -> Any:
        """At most that much, on the same account: on its day, and in periods that count it, dollars cannot fail."""
        mark = self.marks.get((run, step))
        if mark is None:
            return multiple()
        counted = mark.at // DAY == self.books.at // DAY and all(
            f"{name}@{period}/{window_of(period, mark.at).label}" in self.windows  # type: ignore[arg-type]
            for name, period in self.each
            if name in self.above(mark.name)
        )
        of = self.reserve(mark.name, mark.amount * share // 100, provider, (run, step))
        in_credits = provider == "runway" and self.caps.get("credits:runway") is not None
        assert isinstance(of, str) or in_credits or not counted
        return of

    @rule(run=RUNS, name=NAMES, steps=st.dictionaries(st.sampled_from(STEPS), AMOUNTS))
    def earmark(self, run: str, name: str, steps: dict[str, int]) -> None:
        """Plan a run, or plan it anew: all of it or nothing."""
        before = dict(self.windows), dict(self.marks)
        new = Mark(name, sum(steps.values()), self.books.at)
        was = {key: mark for key, mark in self.marks.items() if key[0] == run}
        then = {(run, step): Mark(name, amount, self.books.at) for step, amount in steps.items()}
        if self.on_days(was) == self.on_days(then):
            self.books.earmark(name, run, **steps)
            assert (self.books.moved.held, self.books.crossed()) == (0, [])
            return
        back = self.let_go(was)
        if not steps or (self.opened(new) and self.fits(new, back)):
            self.marks |= then
            self.books.earmark(name, run, **steps)
            assert self.books.moved.held == new.amount - sum(mark.amount for mark in was.values())
            assert sorted(self.books.crossed()) == self.told({*(self.touched(new) if steps else []), *back})
            return
        self.windows, self.marks = before
        with pytest.raises(BudgetExceededError) as refused:
            self.books.earmark(name, run, **steps)
        assert refused.value.quote_usd == Decimal(new.amount).scaleb(-6)

    @rule(run=RUNS, step=st.sampled_from(STEPS), amount=AMOUNTS)
    def change_a_step(self, run: str, step: str, amount: int) -> None:
        """Of what is planned already, on the same account."""
        was = {key[1]: mark for key, mark in self.marks.items() if key[0] == run}
        for name in {mark.name for mark in was.values()}:
            self.earmark(run, name, {**{of: mark.amount for of, mark in was.items()}, step: amount})

    @staticmethod
    def on_days(marks: dict[tuple[str, str], Mark]) -> dict[tuple[str, str], Mark]:
        return {key: replace(mark, at=mark.at // DAY) for key, mark in marks.items()}

    @rule(run=RUNS, steps=st.sets(st.sampled_from(STEPS)))
    def unmark(self, run: str, steps: set[str]) -> None:
        """Some steps, or all of them."""
        wanted = [key for key in self.marks if key[0] == run and key[1] in (steps or STEPS)]
        amount = sum(self.marks[key].amount for key in wanted)
        self.let_go(wanted)
        self.books.unmark(run, *steps)
        assert (self.books.moved.held, self.books.crossed()) == (-amount, [])

    @rule(of=attempts, amount=AMOUNTS)
    def settle(self, of: str, amount: int) -> None:
        hold = self.holds[of]
        try:
            over = self.books.settle(of, amount)
        except AlreadyReleasedError:
            assert hold.released
        except AlreadySettledError:
            assert hold.charges[0] != amount
        else:
            assert not hold.released
            assert over == max(0, amount - hold.amount)
            if not hold.charges:
                hold.charges.append(amount)
                assert sorted(self.books.crossed()) == self.told(self.touched(hold))

    @rule(of=attempts)
    def release(self, of: str) -> None:
        hold = self.holds[of]
        try:
            self.books.release(of)
        except AlreadySettledError:
            assert hold.charges
            assert not hold.released
        else:
            hold.released = True

    @rule(of=attempts, amount=AMOUNTS)
    def adjust(self, of: str, amount: int) -> None:
        hold = self.holds[of]
        if not hold.resolved:
            self.settle(of, hold.amount)
        change = amount - hold.charge
        assert self.books.adjust(of, amount) == change
        if change:
            hold.charges.append(amount)
            assert sorted(self.books.crossed()) == self.told(self.touched(hold))

    # ------------------------------------------------------------------------------------------------ what else changes

    @rule(days=st.sampled_from([-20, -1, 0, 1, 1, 6, 31]))
    def time_goes_on(self, days: int) -> None:
        """Or back: a clock may be set."""
        self.books.at = max(0, self.books.at + days * DAY)

    @rule(name=st.sampled_from(["org", "film", "film/one"]), cap=CAPS)
    def set_cap(self, name: str, cap: int) -> None:
        held, settled, overrun = self.figures(name)
        try:
            self.books.set_cap(name, cap)
        except ConfigurationError:
            assert held + settled > cap + overrun
        else:
            assert held + settled <= cap + overrun
            self.changed(name, cap)

    @rule(name=NAMES, period=st.sampled_from(PERIODS), cap=CAPS)
    def set_cap_of_a_period(self, name: str, period: str, cap: int) -> None:
        window = window_of(period, self.books.at)  # type: ignore[arg-type]
        held, settled, overrun = self.figures(name, window)
        try:
            self.books.set_cap(name, cap, period)
        except ConfigurationError:
            assert held + settled > cap + overrun
        else:
            assert held + settled <= cap + overrun
            self.each[name, period] = cap
            key = f"{name}@{period}/{window.label}"
            self.windows[key] = (name, window)
            self.changed(key, cap)

    @rule(usd=st.sampled_from(["0.5", "1", "3"]), cap=st.none() | CAPS)
    def credits_cost(self, usd: str, cap: int | None) -> None:
        """A rate for what is reserved from now on."""
        held, settled, overrun = self.figures("credits:runway")
        try:
            self.books.credits("runway", usd, cap)
        except ConfigurationError:
            assert cap is not None
            assert held + settled > cap + overrun
        else:
            self.rate = Fraction(usd)
            if cap is not None:
                assert held + settled <= cap + overrun
                self.changed("credits:runway", cap)

    def changed(self, key: str, cap: int) -> None:
        if self.caps.get(key) != cap:
            self.caps[key] = cap
            self.warned[key] = 0

    # -------------------------------------------------------------------------------------------------------- always

    @invariant()
    def the_books_are_the_model(self) -> None:
        accounts = self.books.accounts()
        accounts.pop("provider:runway", None)
        accounts.pop("provider:fal", None)
        known = [*PARENTS, "credits:runway", *self.windows]
        assert accounts == {key: self.figures(*self.base(key)) for key in known}
        self.books.verify()

    @invariant()
    def the_report_is_the_books(self) -> None:
        held, settled, overrun = (Decimal(figure).scaleb(-6) for figure in self.figures("org"))
        spend = self.books.spend("org", by=("project", "day"))
        assert (spend.held_usd, spend.settled_usd, spend.overrun_usd) == (held, settled, overrun)
        assert spend.earmarked_usd == Decimal(self.kept("org")).scaleb(-6)
        assert sum(line.held_usd for line in spend.lines) == held - spend.earmarked_usd
        assert sum(line.settled_usd for line in spend.lines) == settled


def on_sqlite(stack: ExitStack) -> Books:
    directory = tempfile.mkdtemp(prefix="aggregator-test-", dir=SHM if SHM.is_dir() else None)
    stack.callback(shutil.rmtree, directory)
    books = Books(Path(directory) / "store.sqlite")
    stack.callback(books.store.close)
    return books


class OnSQLite(Ledger):
    fresh = staticmethod(on_sqlite)


class OnPostgreSQL(Ledger):
    store: ClassVar[Store]

    @staticmethod
    def fresh(stack: ExitStack) -> Books:
        del stack
        books = Books(OnPostgreSQL.store)
        books.empty()
        return books


@pytest.fixture
def _store(on_postgres: Store) -> None:
    OnPostgreSQL.store = on_postgres


TestOnSQLite = OnSQLite.TestCase
TestOnPostgreSQL = pytest.mark.usefixtures("_store")(OnPostgreSQL.TestCase)
TestOnSQLite.settings = TestOnPostgreSQL.settings = settings(
    max_examples=int(os.environ.get("LEDGER_EXAMPLES", "10")),
    stateful_step_count=int(os.environ.get("LEDGER_STEPS", "25")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
