"""Several servers of one kind, side by side, as one provider: each is an account of its own.

The address is part of the account, so that everything that is kept by account is kept by server: jobs in flight,
throttling, rests, and where a job was submitted, which is where it is followed, by any process.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aggregator.backend import Backend
from aggregator.contract import Dialect, Provider

__all__ = ["Replica", "address_of", "at_address", "of_replicas", "replicas"]


@dataclass(frozen=True, slots=True)
class Replica(Backend):
    """One of the servers."""

    others: tuple["Replica", ...] = ()
    """Of the first one, the rest."""

    @property
    def account(self) -> str:
        return f"{self.secret.account if self.secret else ''}@{self.provider.base_url}"


def replicas(backend: Backend) -> tuple[Backend, ...]:
    """All servers of a provider, by what is configured for it; one, mostly."""
    return (backend, *backend.others) if isinstance(backend, Replica) else (backend,)


def of_replicas(several: Sequence[Replica]) -> Replica:
    """One backend that stands for all of them."""
    return replace(several[0], others=tuple(several[1:]))


def at_address(provider: Provider, base: str) -> Provider:
    """The provider at an address of the user's own, which speaks for all of the provider's: one server, or a relay."""
    hosts, cdns = dict.fromkeys(provider.hosts, base), dict.fromkeys(provider.cdns, base)
    dialects = {
        name: Dialect(**{**words, "base_url": base}) if "base_url" in words else words
        for name, words in provider.dialects.items()
    }
    return replace(provider, base_url=base, hosts=hosts, cdns=cdns, dialects=dialects)


def address_of(account_ref: str) -> str:
    """The server that an account is of; empty where there is only one."""
    return account_ref.partition("@")[2]
