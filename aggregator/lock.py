"""`aggregator.lock`: which offer each role, task and stage was resolved to, at which rates, with which mapping.

A file for version control: JSON, sorted, a fact a line. It holds no address, no credential and nothing of a machine.
The versions at its top say what it was made from; what is checked are the entries (`aggregator.locking`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

from pydantic import Field

from aggregator._toml import Table
from aggregator.errors import ConfigurationError, LockError

__all__ = ["Entry", "Key", "Lock"]

FORMAT = 1
_DIGEST = r"^[0-9a-f]{12}$"


class Key(NamedTuple):
    """What an entry is for."""

    task: str
    stage: str
    role: str = ""
    """Empty: for calls that name no role."""

    def __str__(self) -> str:
        return " ".join(part for part in self if part)

    @classmethod
    def of(cls, text: str) -> Self:
        """Read back what `str` wrote."""
        return cls(*text.split(" ", 2))


class Entry(Table):
    """What one of them was resolved to."""

    offer: Annotated[str, Field(pattern=r"^[^:\s]+:\S+$")]
    """The pin: `provider:endpoint`."""
    model: str
    mapping: Annotated[str, Field(pattern=_DIGEST)]
    """A digest of what is sent and how the answer is read."""
    takes: dict[str, str]
    """The parameters it takes, each with its limits."""
    rates: dict[str, str]
    """The rate rows that can apply to it on the day, each with its dollars and how they are counted."""
    low_usd: str | None
    """What the typical job of the task was quoted at; `None`: its price was unknown."""
    high_usd: str | None
    configured: Annotated[str, Field(pattern=_DIGEST)]
    """A digest of what the configuration says of it."""


class _File(Table):
    format: int
    aggregator: str
    registry: str
    prices: str
    locked: dict[str, Entry]


@dataclass(frozen=True)
class Lock:
    """All entries, and the versions they were made from."""

    entries: Mapping[Key, Entry]
    aggregator: str
    """The version of this package."""
    registry: str
    """A digest of all cards and offers."""
    prices: str
    """A digest of all rates."""

    @property
    def text(self) -> str:
        """The file: the same entries are the same text."""
        document: dict[str, Any] = {
            "format": FORMAT,
            "aggregator": self.aggregator,
            "registry": self.registry,
            "prices": self.prices,
            "locked": {str(key): self.entries[key].model_dump() for key in sorted(self.entries)},
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file.

        Raises:
            LockError: It is not there, or not a lock.

        """
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise LockError(f"{path}: no such file: `aggregator lock` writes it") from None
        except OSError as error:
            raise LockError(f"{path}: cannot be read: {error.strerror or error}") from None
        except ValueError as error:
            raise LockError(f"{path}: not a lock: {error}; `aggregator lock --upgrade` writes it anew") from None
        if isinstance(document, Mapping) and document.get("format") not in (None, FORMAT):
            raise LockError(f"{path}: a lock of a later version of aggregator: upgrade aggregator")
        try:
            found = _File.read(document, source=str(path), json=True)
            entries = {Key.of(text): entry for text, entry in found.locked.items()}
        except (ConfigurationError, TypeError) as error:
            said = str(error) if isinstance(error, ConfigurationError) else f"{path}: a key is not `task stage [role]`"
            raise LockError(f"{said}; `aggregator lock --upgrade` writes it anew") from None
        return cls(entries, found.aggregator, found.registry, found.prices)
