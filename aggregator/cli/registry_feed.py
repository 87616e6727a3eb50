"""`registry keygen`, `build` and `verify`: make a feed of your own, and look at one. Nothing is sent."""

import base64
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from aggregator.backends import provider_tables
from aggregator.cli.registry_feed_view import draw_bundle
from aggregator.cli.session import AsJson, ConfigFile, Directory, Session
from aggregator.cli.show import emit
from aggregator.config import Config
from aggregator.errors import ConfigurationError
from aggregator.pricing.table import PriceTable
from aggregator.registry.bounds import Catalogue, check
from aggregator.registry.bundle import Bundle, catalogue_text, key_bytes, pack, public_text, serial_of, unpack
from aggregator.registry.feed import last_good, own
from aggregator.registry.guards import hold_back, refuse_shrunken
from aggregator.registry.load import laid_over
from aggregator.registry.mapping import mappings_of

__all__ = ["build", "keygen", "verify"]

KEY_VARIABLE = "AGGREGATOR_FEED_KEY"


def keygen(*, as_json: AsJson = False) -> None:
    """Make a pair of keys. The private one signs feeds and belongs into a secret store; the public one is no secret."""
    private = os.urandom(32)
    with Session(as_json=as_json).told():
        keys = {"private": base64.b64encode(private).decode(), "public": public_text(private)}
    if as_json:
        emit(keys)
        return
    typer.echo(f"{KEY_VARIABLE}={keys['private']}")
    typer.echo(f'feed_key = "{keys["public"]}"')
    typer.echo("The first line is the secret of whoever builds; the second belongs under [registry].", err=True)


def build(
    *,
    key_env: Annotated[
        str, typer.Option("--key-env", metavar="NAME", help="The variable that holds the private key.")
    ] = KEY_VARIABLE,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the bundle is written.")] = Path(
        "feed.bundle"
    ),
    days: Annotated[int, typer.Option("--days", min=1, help="It expires after so many days.")] = 30,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a signed feed of the package's data with your own directories over it, for any web server to host."""
    session = Session(config_file=config, as_json=as_json)
    with session.told():
        private = key_bytes(_variable(key_env), key_env)
        now = datetime.now(UTC).replace(microsecond=0)
        before = out.read_bytes() if out.exists() else b""
        data = pack(
            _document(session.config()),
            private,
            serial=max(serial_of(before) + 1, int(now.timestamp())),
            issued_at=now,
            expires_at=now + timedelta(days=days),
        )
        key = public_text(private)
        seen = _seen(data, [key_bytes(key)], session.config(), str(out))
        part = out.with_name(out.name + ".part")
        part.write_bytes(data)
        part.replace(out)
    if as_json:
        emit({**seen.as_json(), "feed_key": key})
    else:
        draw_bundle(str(out), seen.bundle.head, seen.counts(), seen.remarks, key=key)


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A bundle.")],
    *,
    key: Annotated[
        list[str] | None, typer.Option("--key", metavar="KEY", help="A public key, instead of [registry] feed_key.")
    ] = None,
    config: ConfigFile = None,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Look at a feed as a client here would: its signature, what it says, and what would be held back of it."""
    session = Session(config_file=config, directory=directory, as_json=as_json)
    with session.told():
        configured = session.config()
        keys = [key_bytes(one, "--key") for one in key or configured.registry.feed_key]
        if not keys:
            raise ConfigurationError("no public key: give --key, or write [registry] feed_key")
        seen = _seen(_bytes(file), keys, configured, str(file))
    if as_json:
        emit(seen.as_json())
    else:
        draw_bundle(str(file), seen.bundle.head, seen.counts(), seen.remarks)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A bundle, and what a client here would say of it."""

    bundle: Bundle
    catalogue: Catalogue
    remarks: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        rows = self.catalogue.rows
        return {
            "cards": len(rows.cards),
            "offers": len(rows.offers),
            "readings": sum(len(board["readings"]) for board in rows.boards.values()),
            "rates": sum(map(len, self.catalogue.rates.values())),
        }

    def as_json(self) -> dict[str, Any]:
        head = self.bundle.head
        said = {name: getattr(head, name) for name in ("serial", "issued_at", "expires_at", "sha256", "size_bytes")}
        return {**said, "counts": self.counts(), "remarks": self.remarks}


def _seen(data: bytes, keys: list[bytes], config: Config, source: str) -> _Seen:
    tables = provider_tables(config)
    bundle = unpack(data, keys, source=source)
    said = check(bundle.catalogue, tables, source=source)
    now = datetime.now(UTC)
    good = None
    if config.registry.feed is not None:
        good = last_good(config.registry, config.directory.expanduser().absolute(), tables, config.registry.feed_accept)
    used = good.catalogue if good else own()
    remarks = [] if bundle.head.expires_at > now else [f"it expired at {bundle.head.expires_at}"]
    refuse_shrunken(used, said, now.date(), source=source)
    _, held = hold_back(used, said, config.registry.feed_accept)
    remarks += [f"held back here: {one}" for one in held]
    return _Seen(bundle, said, (*remarks, *(f"left out here: {one}" for one in said.left_out)))


def _document(config: Config) -> bytes:
    """Rows of the package and of the user's directories, laid over each other as a client does."""
    paths = [path.expanduser() for path in config.registry.paths]
    rows, _ = laid_over(paths, mappings_of(provider_tables(config)))
    prices = PriceTable.load(paths)
    return catalogue_text(rows, {provider: prices.rows(provider) for provider in prices.providers})


def _variable(name: str) -> str:
    if not os.environ.get(name):
        raise ConfigurationError(f"{name} is not set: it holds the private key that `aggregator registry keygen` made")
    return os.environ[name]


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror or error}") from None
