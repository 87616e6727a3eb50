"""One provider as it is configured here: its table, its credential, its limits, and where the credential may go."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aggregator._http import origin
from aggregator.contract import Call, Endpoint, Provider, SubmitFlow
from aggregator.secret import Secret

__all__ = ["Backend"]


@dataclass(frozen=True, slots=True)
class Backend:
    """A provider as it is configured here: its table, its credential, its limits."""

    provider: Provider
    secret: Secret | None = None
    concurrency: int | None = None
    requests_per_second: float | None = None
    own_host: str = ""
    """The host of the address that the user configured: it may be private, as no other may that an answer names."""
    self_hosted: bool = False
    """A server of the user's own, or this very process."""

    @property
    def account(self) -> str:
        return self.secret.account if self.secret else ""

    def trusts(self, url: str) -> bool:
        """Whether the credential may go there: to the provider's own addresses, `https://*.host` with what is below."""
        at = origin(url)
        return any(_covers(own, at) for own in (self.provider.base_url, *self.provider.hosts.values()))

    def ordering(self, names: Mapping[str, str]) -> Call | SubmitFlow:
        """What one job is ordered with, in its own dialect."""
        provider = self.speaking(names).provider
        endpoint = provider.endpoint(names.get("task", ""), names.get("dialect", "")) or Endpoint()
        return endpoint.submit or provider.submit

    def speaking(self, names: Mapping[str, str]) -> "Backend":
        """The backend in the dialect of one job."""
        dialect = names.get("dialect", "")
        return replace(self, provider=self.provider.spoken(dialect)) if dialect else self


def _covers(own: str, at: str) -> bool:
    """Whether an address of the provider's own covers an origin: it is the same, or below `*.`, over https."""
    if "://*." not in own:
        return bool(own) and origin(own) == at
    return at.startswith("https://") and at.endswith(own.partition("://*")[2]) and ":" not in at[8:]
