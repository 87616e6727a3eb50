"""Every provider's table against every row of the retry taxonomy: engine, runner, ledger and journal as they are, over
the provider's emulator in process, in virtual time.

`python -m tests.providers.taxonomy [--all] [provider …]` prints each row, with its tables and its paid requests;
`--all` tries every row at each path and dialect, not only those that could end otherwise there.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from aggregator.backends import provider_names
from tests.providers.taxonomy.rows import ROWS, Ends, Row
from tests.providers.taxonomy.shapes import Shape, expected, way
from tests.providers.taxonomy.shop import Outcome, shop


@dataclass(frozen=True)
class Case:
    """One event at one shape of a table, with what should have become of it and what has."""

    shape: Shape
    row: Row
    ends: Ends
    outcome: Outcome

    @property
    def wrong(self) -> list[str]:
        """What is not as it should be."""
        found, ends = self.outcome, self.ends
        said = []
        if ends.posts is not None and found.posts != ends.posts:
            said.append(f"{found.posts} paid requests, not {ends.posts}")
        if found.state not in ends.state:
            said.append(f"{found.state}, not {' or '.join(ends.state)}")
        if ends.answered and found.answered not in ends.answered:
            said.append(f"a cancel said {found.answered}, not {' or '.join(ends.answered)}")
        if ends.money is not None and found.money != ends.money:
            said.append(f"money {found.money}, not {ends.money}")
        if found.other != ends.other:
            said.append("another offer was tried" if found.other else "no other offer was tried")
        if found.booked > 1:
            said.append(f"{found.booked} jobs were taken")
        return said

    def __str__(self) -> str:
        return (
            f"{self.shape.name}: {self.row.kind}, {self.row.name}: {'; '.join(self.wrong)} [{self.outcome.said[:200]}]"
        )


def cases(name: str, rows: tuple[Row, ...] = ROWS) -> Iterator[Case]:
    """Every row at a provider's table, and those that ask for it at each way to order there; rows of exchanges that the
    table does not have are left out.
    """
    with shop(name) as found:
        tried: set[Any] = set()
        for shape in found.shapes():
            for row in rows:
                at = way(shape, row)
                if not at or (row, str(at)) in tried:
                    continue
                outcome = found.play(shape, row)
                if outcome.struck or row.kind == "job":
                    tried.add((row, str(at)))
                    yield Case(shape, row, expected(shape, row), outcome)


NAMES = provider_names()


def main(names: list[str]) -> int:
    """Print each row with its tables, its shapes and its paid requests."""
    tables: dict[Row, set[str]] = defaultdict(set)
    posts: dict[Row, Counter[int]] = defaultdict(Counter)
    wrong: list[Case] = []
    everything = [replace(row, everywhere=True) for row in ROWS] if "--all" in names else ROWS
    for name in [one for one in names if one != "--all"] or NAMES:
        for case in cases(name, tuple(everything)):
            tables[case.row].add(name)
            posts[case.row][case.outcome.posts] += 1
            wrong += [case] if case.wrong else []
    print(f"{'exchange':9} {'event':58} {'tables':>6}  paid requests: purchases")  # noqa: T201
    for row in everything:
        counted = ", ".join(f"{count}: {number}" for count, number in sorted(posts[row].items()))
        print(f"{row.kind:9} {row.name:58} {len(tables[row]):6}  {counted}")  # noqa: T201
    for case in wrong:
        print(case)  # noqa: T201
    print(f"{sum(count.total() for count in posts.values())} purchases, {len(wrong)} wrong")  # noqa: T201
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
