"""`lock`: write down what every role, task and stage resolves to; see whether it still does; take what is newer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from aggregator.cli.lock_view import draw_changes, draw_moved, draw_unresolved
from aggregator.cli.session import EXIT_ERROR, AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit, shown_path
from aggregator.client import Aggregator
from aggregator.clock import SystemClock
from aggregator.lock import Entry, Key, Lock
from aggregator.locking import Change, keys, moved, resolve
from aggregator.view import View

__all__ = ["lock"]


def lock(
    *,
    check: Annotated[
        bool, typer.Option("--check", "--frozen", help="Write nothing; end with 1 if anything has moved.")
    ] = False,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Resolve everything anew, and show what changes before it is written.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before writing.")] = False,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Write aggregator.lock: which offer, rates and mapping each role, task and stage resolves to.

    What it holds already stays, unless it has moved. With `frozen = true` a client orders only as it says.
    """
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    known = session.run(_known(session, check=check))
    if check:
        _check(known, as_json=as_json)
        return
    found, left = known.resolved(upgrade=upgrade)
    changes = known.changes(found)
    if as_json:
        emit({"path": str(known.path), **_said(changes), "unresolved": {str(key): why for key, why in left.items()}})
    else:
        draw_changes(console(), changes, shown_path(known.path), len(found.entries))
        draw_unresolved(console(), left)
    asked = upgrade and changes and known.old is not None and not yes and not as_json
    if asked and not typer.confirm("Write it?"):
        raise typer.Exit(EXIT_ERROR)
    if known.old is None or found.text != known.old.text:
        known.path.write_text(found.text, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Known:
    """The lock that is there, and what is known today."""

    path: Path
    old: Lock | None
    view: View
    day: date

    def resolved(self, *, upgrade: bool) -> tuple[Lock, dict[Key, str]]:
        """The lock as it is to be: with `upgrade` all anew, else only what is not in it or has moved."""
        now, left = resolve(self.view, SystemClock(), self.day)
        kept = {key: entry for key, entry in self._holding().items() if key in left or not upgrade}
        lock = Lock({**now.entries, **kept}, now.aggregator, now.registry, now.prices)
        if self.old is not None and lock.entries == self.old.entries:
            lock = self.old  # only versions at the top would change
        return lock, {key: why for key, why in left.items() if key not in kept}

    def _holding(self) -> dict[Key, Entry]:
        """The entries that are still wanted, and have not moved."""
        wanted = set(keys(self.view))
        entries = self.old.entries if self.old is not None else {}
        return {key: entry for key, entry in entries.items() if key in wanted and not self.moved(key)}

    def moved(self, key: Key) -> list[str]:
        assert self.old is not None
        return moved(self.view, key, self.old.entries[key], self.day)

    def changes(self, found: Lock) -> list[Change]:
        """What is not as it was, in the order of the file."""
        old: Mapping[Key, Entry] = self.old.entries if self.old is not None else {}
        return [
            Change.of(self.view, key, old.get(key), found.entries.get(key), self.day)
            for key in sorted(old.keys() | found.entries.keys())
            if old.get(key) != found.entries.get(key)
        ]


async def _known(session: Session, *, check: bool) -> _Known:
    """What a client knows, with the feed and everything: opened as if nothing were locked."""
    config = session.config()
    old = Lock.read(config.lock) if check or config.lock.exists() else None
    async with Aggregator(config.model_copy(update={"frozen": False})) as agg:
        return _Known(config.lock, old, agg.opened.planner.view, datetime.now(UTC).date())


def _check(known: _Known, *, as_json: bool) -> None:
    assert known.old is not None
    found = {key: said for key in sorted(known.old.entries) if (said := known.moved(key))}
    roles = {key.role for key in known.old.entries}
    missing = sorted({key.role for key in keys(known.view)} - roles)
    if as_json:
        emit(
            {
                "path": str(known.path),
                "holds": not found and not missing,
                "moved": {str(key): said for key, said in found.items()},
                "missing": missing,
            }
        )
    else:
        draw_moved(console(), found, missing, shown_path(known.path), len(known.old.entries))
    if found or missing:
        raise typer.Exit(EXIT_ERROR)


def _said(changes: list[Change]) -> dict[str, Any]:
    return {"changes": [change.as_json() for change in changes]}
