"""`registry discover http://host:port`: which engine answers there, what it serves, and what to write to use it."""

import asyncio
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from aggregator.cli.show import heading, say, shown_path
from aggregator.discovery.address import Proposed, proposed
from aggregator.discovery.engines import Recognised, recognised
from aggregator.errors import RequestError
from aggregator.registry.load import Registry

__all__ = ["draw_engines", "engines_at", "look", "write_offers"]


async def look(addresses: Sequence[str]) -> list[Recognised | RequestError]:
    """What is behind each address, or why that is not known; all at once."""
    from aggregator._http import HttpxTransport

    transport = HttpxTransport()

    async def one(address: str) -> Recognised | RequestError:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            return RequestError(f"{address!r}: write an address such as http://127.0.0.1:8188, without a password")
        try:
            return await recognised(address, transport, host=parts.hostname)
        except RequestError as error:
            return error

    try:
        return list(await asyncio.gather(*map(one, addresses)))
    finally:
        await transport.aclose()


def engines_at(addresses: Sequence[str], registry: Registry, today: date) -> list[Proposed]:
    """What to write for each.

    Raises:
        RequestError: Nothing answers at one of them, or nothing that is known.

    """
    found = asyncio.run(look(addresses))
    for one in found:
        if isinstance(one, RequestError):
            raise one
    return [proposed(one, registry, today) for one in found if isinstance(one, Recognised)]


def write_offers(engines: Sequence[Proposed], into: Path, *, overwrite: bool) -> list[Path]:
    """Write the offers below a registry directory.

    Raises:
        RequestError: A file is there already: nothing was written.

    """
    texts = {into / name: text for one in engines for name, text in one.offers.items()}
    there = [file for file in texts if file.exists()]
    if there and not overwrite:
        raise RequestError(f"{there[0]} is there already: nothing was written; --overwrite replaces it")
    for file, text in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return list(texts)


def draw_engines(on: Console, engines: Sequence[Proposed], files: Sequence[Path]) -> None:
    """Draw it all."""
    for one in engines:
        engine = one.found.engine
        named = f"{engine.name} {one.found.version or '(it does not say which version)'}"
        on.print(heading(named, dim=one.found.address))
        names = [served.name for served in one.found.models]
        say(on, f"serves {', '.join(names)}" if names else "does not say what it serves", indent=2)
        if engine.note:
            say(on, f"note: {engine.note}", indent=2)
        for name in one.unknown:
            say(on, f"no card has the weights of {name}: write one, and an offer with its fields", indent=2)
        on.print()
        say(on, "for aggregator.toml:", indent=2)
        say(on, one.configuration.rstrip(), indent=4)
        for file, text in one.offers.items():
            say(on, f"{file}:", indent=2)
            say(on, text.rstrip(), indent=4)
    for path in files:
        say(on, f"written: {shown_path(path)}")
    if not files and any(one.offers for one in engines):
        say(on, "to write the offers: --accept new --write DIR")
