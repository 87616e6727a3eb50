"""The names of the billable units, read from `pricing/units.toml`: meters and rates may use no other."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

__all__ = ["units"]


@cache
def units() -> Mapping[str, str]:
    """Each unit with what one of it is."""
    raw = tomllib.loads(files("aggregator").joinpath("pricing/units.toml").read_text(encoding="utf-8"))
    return {name: str(entry["per"]) for name, entry in raw.items()}
