"""What became of a flat step: what it made, which take goes on, or why there is nothing; what that gives to others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from aggregator.inputs import Media
from aggregator.workflow.conditions import FACTS, asked_about, holds
from aggregator.workflow.content import Given
from aggregator.workflow.graph import Node
from aggregator.workflow.kinds import takes
from aggregator.workflow.model import Ref, refs_in

if TYPE_CHECKING:
    from aggregator.artifact import Result

__all__ = ["Outcome", "Outcomes", "given_to", "is_made", "missing_takes", "passed_on"]

State = Literal["coming", "done", "skipped", "failed", "paused", "blocked"]
"""`coming`: it will be made, and is only expected so far. `paused`: a person has to pick. `blocked`: what it needs
failed, or waits for a person.
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a flat step."""

    node: Node
    state: State
    media: tuple[Media | None, ...] = ()
    """By take; `None`: that one failed."""
    picked: int = 1
    """The take that goes on, from 1."""
    results: "tuple[Result | None, ...]" = ()
    """By take, of what was bought; empty of a local edit."""
    why: str = ""
    error: BaseException | None = None
    cost_usd: Decimal | None = Decimal(0)
    """Of what this start of the run bought; `None`: the price of something is unknown."""
    reused: bool = False
    """It was there already: nothing was made."""

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def goes_on(self) -> bool:
        """Whether there is something for those that follow, now or to come."""
        return self.state in ("coming", "done", "skipped")

    def of(self, take: int | None) -> Media | None:
        """What one take made, or the one that goes on."""
        number = self.picked if take is None else take
        return self.media[number - 1] if number <= len(self.media) else None


Outcomes = Mapping[str, Outcome]


def missing_takes(node: Node, whys: Sequence[object]) -> str:
    """What is said of a step that goes on although takes of it failed, or are unknown; nothing where none did."""
    return f"{len(whys)} of {node.takes} takes failed: {whys[0]}" if whys else ""


def given_to(node: Node, outcomes: Outcomes) -> Given | None:
    """What the steps before give to a step, by how it names them; `None`: something that it needs was skipped."""
    given: dict[str, Media | None] = {}
    for ref in (*refs_in(node.values), *refs_in(node.wanted)):
        given[str(ref)] = outcomes[ref.step].of(ref.take)
    alone = [Ref.of(value) for value in node.values.values()]
    lists = [value for value in node.values.values() if isinstance(value, list)]
    starved = any(ref is not None and given[str(ref)] is None for ref in alone)
    empty = any((refs := list(refs_in(value))) and all(given[str(ref)] is None for ref in refs) for value in lists)
    return None if starved or empty else given


def is_made(node: Node, outcomes: Outcomes) -> bool | None:
    """Whether a step's condition holds; `None`: that shows later. About what was skipped, nothing holds."""
    if node.when is None:
        return True
    asked = [outcomes[name] for name in asked_about(node.when)]
    if any(one.state != "coming" and one.of(None) is None for one in asked):
        return False

    def facts(name: str) -> Mapping[str, Any] | None:
        outcome, media = outcomes[name], outcomes[name].of(None)
        return None if outcome.state == "coming" else {fact: getattr(media, fact) for fact in FACTS}

    return holds(node.when, facts)


def passed_on(node: Node, outcomes: Outcomes, makes: str | None) -> Media | None:
    """What a step that is skipped gives on: its first input of the kind that it would have made (`None`: of any)."""
    for name, kinds in takes(node.task).items():
        ref = Ref.of(node.values.get(name))
        if ref is not None and (makes is None or makes in kinds):
            return outcomes[ref.step].of(ref.take)
    return None
