"""Which providers there are, and which of them can be used here: tables, configuration and environment put together."""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import urlsplit

from aggregator.backend import Backend
from aggregator.config import Config, NoKey, ProviderSettings, nearest
from aggregator.contract import Provider
from aggregator.errors import ConfigurationError
from aggregator.replicas import Replica, at_address, of_replicas
from aggregator.secret import Secret

__all__ = ["SWITCHED_OFF", "backends_of", "provider_names", "provider_table", "provider_tables"]

ENTRY_POINTS = "aggregator.providers"
"""Packages add a provider under this entry point group: name = "module:PROVIDER"."""
SWITCHED_OFF = "switched off in the configuration"


def provider_names() -> tuple[str, ...]:
    """Every provider there is a table for: the package's own, and those that other packages bring."""
    own = (module.name for module in pkgutil.iter_modules([str(Path(__file__).with_name("providers"))]))
    return tuple(sorted({*(name for name in own if not name.startswith("_")), *_brought()}))


@cache
def _brought() -> Mapping[str, str]:
    """Name and place of the tables that other packages bring: looking through what is installed takes a while."""
    return {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}


def provider_table(name: str, place: str | None = None) -> Provider:
    """The table of one provider; `place` is where the configuration says it is, `module:NAME`. A table that is found
    there may have another name of its own: two servers of one kind are two providers.
    """
    named = place is not None
    place = place or _brought().get(name)
    if place is None and name not in provider_names():
        close = nearest(name, provider_names())
        raise ConfigurationError(
            f"there is no provider {name!r}{'; did you mean ' + ' or '.join(close) + '?' if close else ''} "
            "`aggregator doctor` lists those there are; for a table of your own write "
            f'[providers.{name}] table = "module:PROVIDER"'
        )
    module, _, attribute = (place or f"aggregator.providers.{name}:PROVIDER").partition(":")
    try:
        table = getattr(importlib.import_module(module), attribute or "PROVIDER")
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"providers.{name}: no table at {place!r} ({error})") from None
    if not isinstance(table, Provider) or not (named or table.name == name):
        raise ConfigurationError(f"providers.{name}: {place} is not a Provider whose name is {name!r}")
    return table if table.name == name else replace(table, name=name)


def provider_tables(config: Config) -> dict[str, Provider]:
    """Every table, with the addresses that the configuration gives."""
    names = sorted({*provider_names(), *config.providers})
    return {name: _placed(name, config.providers.get(name)) for name in names}


def _placed(name: str, settings: ProviderSettings | None) -> Provider:
    provider = provider_table(name, settings.table if settings else None)
    if settings is not None and settings.api_key_header is not None:
        header, _, template = settings.api_key_header.partition(":")
        provider = replace(provider, auth=replace(provider.auth, header=header.lower(), template=template.strip()))
    bases = settings.addresses if settings else ()
    return at_address(provider, bases[0]) if bases else provider


def _is_own(name: str, settings: ProviderSettings) -> bool:
    """Whether it is a server of the user's own: its table has no address, or one of this very process."""
    if settings.self_hosted is not None:
        return settings.self_hosted
    known = settings.table is not None or name in provider_names()
    base = provider_table(name, settings.table).base_url if known else ""
    return not base or (urlsplit(base).hostname or "").endswith(".invalid")


def backends_of(
    config: Config, tables: Mapping[str, Provider], environ: Mapping[str, str]
) -> tuple[dict[str, Backend], dict[str, str]]:
    """The providers that can be used, and why the others cannot."""
    usable: dict[str, Backend] = {}
    not_usable: dict[str, str] = {}
    for name, provider in tables.items():
        settings = config.providers.get(name)
        wanted = (settings.api_key_env,) if settings and settings.api_key_env else provider.auth.env
        key = next((environ[variable] for variable in wanted if environ.get(variable)), None)
        if settings is not None and not settings.enabled:
            not_usable[name] = SWITCHED_OFF
        elif not provider.base_url:
            not_usable[name] = f'no address: write [providers.{name}] base_url = "https://…"'
        elif wanted and key is None:
            not_usable[name] = NoKey(f"no key: set {' or '.join(wanted)}")
        elif settings is None and not wanted:
            not_usable[name] = f"not configured: write [providers.{name}] into aggregator.toml"
        else:
            settings = settings or ProviderSettings()
            usable[name] = _backend(provider, settings, Secret(key) if key else None, own=_is_own(name, settings))
    return usable, not_usable


def _backend(provider: Provider, settings: ProviderSettings, secret: Secret | None, *, own: bool) -> Backend:
    bases = settings.addresses
    one = Backend(
        provider,
        secret,
        settings.concurrency or provider.concurrency,
        settings.requests_per_second or provider.requests_per_second,
        own_host=_host(bases[0]) if bases else "",
        self_hosted=own,
    )
    if len(bases) < 2:  # noqa: PLR2004
        return one
    limits = one.concurrency, one.requests_per_second
    return of_replicas(
        [Replica(at_address(provider, base), secret, *limits, _host(base), self_hosted=own) for base in bases]
    )


def _host(base: str) -> str:
    return urlsplit(base).hostname or ""
