"""The last good feed on disk: the signed bundle as it came, and beside it the prices that were in use with it.

Both are written whole or not at all. The bundle is verified again whenever it is read; the prices only ever hold rows
of it back, and losing them means that the package's own are held against it instead.
"""

import hashlib
import json
import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aggregator.registry.bounds import Catalogue
from aggregator.registry.bundle import serial_of

__all__ = ["Kept"]

_PART_TTL_S = 86_400.0
"""How old a half-written file of a process that died must be before it is removed."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the last good bundle of one feed is."""

    bundle: Path
    prices: Path

    @classmethod
    def of(cls, directory: Path, feed: str) -> "Kept":
        """Below the client's directory, by the feed's address: another feed does not find it."""
        where = feed if "://" in feed else str(Path(feed).absolute())
        name = hashlib.sha256(where.encode()).hexdigest()[:16]
        return cls(directory / "feed" / f"{name}.bundle", directory / "feed" / f"{name}.json")

    def read(self) -> bytes | None:
        """The bundle's bytes, which are still to be verified."""
        try:
            return self.bundle.read_bytes()
        except OSError:
            return None

    def read_prices(self) -> dict[str, Any]:
        """What was in use: `etag`, `rates`, and what is metered of each offer. Empty where that cannot be read."""
        try:
            found = json.loads(self.prices.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def asked(self) -> float | None:
        """When it was last found to be current, in seconds since the epoch."""
        try:
            return self.bundle.stat().st_mtime
        except OSError:
            return None

    def still_current(self, now_s: float) -> None:
        with suppress(OSError):
            os.utime(self.bundle, (now_s, now_s))

    def write(self, data: bytes, etag: str, catalogue: Catalogue, now_s: float) -> None:
        """Keep a bundle. The bundle first: prices that are older than it hold back what they held back before."""
        self.bundle.parent.mkdir(parents=True, exist_ok=True)
        for part in self.bundle.parent.glob("*.part"):
            with suppress(OSError):
                if part.stat().st_mtime < time.time() - _PART_TTL_S:
                    part.unlink()
        metered = {
            "\n".join(key): {name: row[name] for name in ("meters", "compute") if name in row}
            for key, row in catalogue.rows.offers.items()
        }
        if serial_of(self.read() or b"") > serial_of(data):
            return  # another process has a newer one
        _write(self.bundle, data)
        self.still_current(now_s)
        _write(self.prices, json.dumps({"etag": etag, "rates": catalogue.rates, "metered": metered}).encode())


def _write(file: Path, data: bytes) -> None:
    """Whole or not at all, whenever the process or the machine dies."""
    part = file.with_name(f"{file.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
