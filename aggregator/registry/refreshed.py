"""What a refresh of the feed brought: which bundle, how much of it is new, and what was held back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aggregator.registry.bounds import Catalogue
from aggregator.registry.bundle import Head
from aggregator.registry.guards import Held

__all__ = ["Good", "Refreshed", "brought", "unchanged"]


@dataclass(frozen=True, slots=True)
class Good:
    """A bundle that was taken: what it says, less what was held back."""

    head: Head
    catalogue: Catalogue
    held: tuple[Held, ...] = ()
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh brought."""

    changed: bool
    """Whether there was a newer feed."""
    serial: int
    issued_at: datetime
    expires_at: datetime
    counts: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    """Of `cards`, `offers`, `readings` and `rates`: how many are new, changed and gone."""
    held: tuple[Held, ...] = ()
    """Rows that are not used yet, each with the reason."""
    left_out: tuple[str, ...] = ()
    """What is of no use here."""


def brought(before: Catalogue, good: Good) -> Refreshed:
    """What is different now."""
    old, new = _parts(before), _parts(good.catalogue)
    return _of(good, counts={kind: _count(old[kind], new[kind]) for kind in new})


def unchanged(good: Good) -> Refreshed:
    """It is the one in use."""
    return _of(good, counts={})


def _of(good: Good, counts: Mapping[str, tuple[int, int, int]]) -> Refreshed:
    head = good.head
    return Refreshed(
        changed=bool(counts),
        serial=head.serial,
        issued_at=head.issued_at,
        expires_at=head.expires_at,
        counts=counts,
        held=good.held,
        left_out=good.catalogue.left_out,
    )


def _parts(catalogue: Catalogue) -> dict[str, dict[Any, Any]]:
    readings = {(name, row[3], row[1]): row for name, said in catalogue.rows.boards.items() for row in said["readings"]}
    rates = {
        (name, *(str(row.get(word)) for word in ("endpoint", "model", "task", "unit", "from", "when"))): row
        for name, rows in catalogue.rates.items()
        for row in rows
    }
    return {"cards": catalogue.rows.cards, "offers": catalogue.rows.offers, "readings": readings, "rates": rates}


def _count(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> tuple[int, int, int]:
    """How many are new, changed and gone."""
    both = old.keys() & new.keys()
    return len(new.keys() - both), sum(old[key] != new[key] for key in both), len(old.keys() - both)
