"""Whose key it is: the variable in which clients look for it. Providers that share the variable share the account."""

from typing import TYPE_CHECKING

from aggregator.backends import provider_table
from aggregator.errors import ConfigurationError
from aggregator.testing.emulator.service import Service

if TYPE_CHECKING:
    from aggregator.contract import Provider

__all__ = ["table", "variable"]


def table(service: Service, place: str | None = None) -> "Provider | None":
    """The provider's table: the package's, or where it is said to be; `None` for a service without one."""
    try:
        return provider_table(service.name, place)
    except ConfigurationError:
        return None


def variable(service: Service, of: "Provider | None") -> str:
    """The environment variable in which clients look for the key; empty where there is no key."""
    if service.key is None or (of is not None and not of.auth.env):
        return ""
    return of.auth.env[0] if of is not None else f"{service.name.upper()}_API_KEY"
