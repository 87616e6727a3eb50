"""The ledger against a model of a dozen lines, through whatever order of verbs comes to mind."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from aggregator import ledger
from aggregator.errors import AlreadyReleasedError, AlreadySettledError, BudgetExceededError, ConfigurationError
from tests.ledger.books import Books

PARENTS = {"org": None, "film": "org", "film/one": "film", "spot": "org"}
SHM = Path("/dev/shm")
AMOUNTS = st.integers(0, 400)


@dataclass
class Hold:
    name: str
    amount: int
    settled: int | None = None
    released: bool = False


class Ledger(RuleBasedStateMachine):
    """`holds` is the model: everything else is worked out from it."""

    attempts: Bundle[str] = Bundle("attempts")

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="aggregator-test-", dir=SHM if SHM.is_dir() else None))
        self.books = Books(self.directory / "store.sqlite")
        self.caps: dict[str, int | None] = {"org": 1000, "film": 600, "film/one": 300, "spot": None}
        for name, parent in PARENTS.items():
            self.books.open(name, self.caps[name], parent)
        self.holds: dict[str, Hold] = {}

    def teardown(self) -> None:
        self.books.store.close()
        shutil.rmtree(self.directory)

    def below(self, name: str) -> list[Hold]:
        def within(at: str | None) -> bool:
            return at == name or (at is not None and within(PARENTS[at]))

        return [hold for hold in self.holds.values() if within(hold.name)]

    def figures(self, name: str) -> tuple[int, int, int]:
        holds = self.below(name)
        held = sum(hold.amount for hold in holds if hold.settled is None and not hold.released)
        settled = sum(hold.settled or 0 for hold in holds)
        return held, settled, sum(max(0, (hold.settled or 0) - hold.amount) for hold in holds)

    def fits(self, name: str, amount: int) -> bool:
        at: str | None = name
        while at is not None:
            held, settled, _ = self.figures(at)
            cap = self.caps[at]
            if cap is not None and held + settled + amount > cap:
                return False
            at = PARENTS[at]
        return True

    @rule(target=attempts, name=st.sampled_from(sorted(PARENTS)), amount=AMOUNTS)
    def reserve(self, name: str, amount: int) -> str:
        of = self.books.attempt(name)
        if self.fits(name, amount):
            self.books.reserve(name, amount, of)
            self.holds[of] = Hold(name, amount)
        else:
            try:
                self.books.reserve(name, amount, of)
            except BudgetExceededError:
                return of
            raise AssertionError("it does not fit, and was reserved")
        return of

    @rule(of=attempts)
    def reserve_again(self, of: str) -> None:
        if (hold := self.holds.get(of)) is not None:
            self.books.reserve(hold.name, hold.amount, of)

    @rule(of=attempts, amount=AMOUNTS)
    def settle(self, of: str, amount: int) -> None:
        hold = self.holds.get(of)
        if hold is None:
            return
        try:
            over = self.books.settle(of, amount)
        except AlreadyReleasedError:
            assert hold.released
        except AlreadySettledError:
            assert hold.settled not in (None, amount)
        else:
            assert not hold.released
            assert over == max(0, amount - hold.amount)
            hold.settled = amount

    @rule(of=attempts)
    def release(self, of: str) -> None:
        hold = self.holds.get(of)
        if hold is None:
            return
        try:
            self.books.release(of)
        except AlreadySettledError:
            assert hold.settled is not None
        else:
            hold.released = True

    @rule(name=st.sampled_from(["org", "film", "film/one"]), cap=st.integers(1, 1500))
    def set_cap(self, name: str, cap: int) -> None:
        held, settled, overrun = self.figures(name)
        try:
            self.books.do(lambda c: ledger.set_cap(c, name, cap))
        except ConfigurationError:
            assert held + settled > cap + overrun
        else:
            assert held + settled <= cap + overrun
            self.caps[name] = cap

    @invariant()
    def the_books_are_the_model(self) -> None:
        for name in PARENTS:
            assert self.books.of(name) == self.figures(name)
        self.books.verify()


TestLedger = Ledger.TestCase
TestLedger.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
