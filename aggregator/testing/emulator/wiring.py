"""Leads clients to the emulator: keys, environment, `[providers.<name>]` tables, and a whole `Aggregator`."""

import os
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import urlsplit

from aggregator.clock import Clock
from aggregator.errors import ConfigurationError
from aggregator.testing.emulator.accounts import table, variable
from aggregator.testing.emulator.desk import Desk
from aggregator.testing.emulator.desks import Desks

if TYPE_CHECKING:
    from aggregator.client import Aggregator

__all__ = ["Keys", "client", "environ", "settings"]

OF_THE_CLIENT = ("on_progress", "rng", "clock", "transport", "inline_store")


class Keys(Mapping[str, str]):
    """The keys by provider; asking for one opens its desk."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks

    def __getitem__(self, name: str) -> str:
        try:
            return self._desks[name].key
        except ConfigurationError as error:
            raise KeyError(str(error)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._desks.names)

    def __len__(self) -> int:
        return len(self._desks.names)


def environ(desks: Sequence[Desk]) -> dict[str, str]:
    """Variables and keys of these desks."""
    found = {variable(desk.service, table(desk.service)): desk.key for desk in desks}
    return {name: key for name, key in found.items() if name}


def settings(desk: Desk, place: str | None = None) -> dict[str, Any]:
    """The configuration of one provider. The address ends as the table's own does: `…/v1` stays `…/v1`.

    Args:
        place: Where the table is, if it is not one of the package: `module:NAME`.

    """
    found = table(desk.service, place)
    path = urlsplit(found.base_url).path.rstrip("/") if found is not None else ""
    name = variable(desk.service, found)
    return {"base_url": desk.base + path, **({"api_key_env": name} if name else {})}


@asynccontextmanager
async def client(
    desks: Sequence[Desk], directory: Path, clock: Clock, given: dict[str, Any]
) -> AsyncGenerator["Aggregator", None]:
    """An open client of these desks and of nothing else."""
    from aggregator.client import Aggregator

    options = {"clock": clock, **{name: given.pop(name) for name in OF_THE_CLIENT if name in given}}
    more: Mapping[str, Any] = given.get("providers", {})
    tables = {}
    for desk in desks:
        own = more.get(desk.service.name, {})
        tables[desk.service.name] = {**settings(desk, own.get("table")), **own}
    config = {
        "directory": str(directory),
        "allow_ephemeral": True,
        **given,
        "providers": {**more, **tables},
        "routing": {"allow": list(tables), **given.get("routing", {})},
    }
    named = {desk.key: tables[desk.service.name].get("api_key_env") for desk in desks}
    keys = {name: key for key, name in named.items() if name}
    opening = Aggregator(config, **options)
    with patch.dict(os.environ, keys):  # keys are read while it opens
        await opening.__aenter__()
    async with opened(opening):
        yield opening


@asynccontextmanager
async def opened(opening: "Aggregator") -> AsyncGenerator[None, None]:
    """Close a client that is open already."""
    try:
        yield
    finally:
        await opening.__aexit__(None, None, None)
