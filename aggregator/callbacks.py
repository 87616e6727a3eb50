"""The addresses that providers are given to call: one for each attempt, with a token that only we can make. Pure.

Who calls on such an address knew it, so that a call there names its attempt even where the provider signs nothing.
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aggregator._paths import first
from aggregator.config import Config, WebhookSettings
from aggregator.contract import Json, Provider, Webhook
from aggregator.errors import ConfigurationError
from aggregator.secret import Secret
from aggregator.signing import hmac_sha256

__all__ = ["Callbacks", "callbacks_of", "tables"]

TOKEN_BYTES = 18
"""144 bits: 24 characters that a URL holds as they are."""
MIN_SECRET_CHARACTERS = 16
MAX_SECRETS = 2
"""Valid at once, while one is replaced by another."""


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What is configured for being called back; without `url` nobody is asked to."""

    url: str = ""
    secrets: tuple[Secret, ...] = ()
    """What signs the addresses: the first one does, each is believed."""
    given: Mapping[str, tuple[Secret, ...]] = field(default_factory=dict)
    """By provider, the secrets that the provider signs with, as the user gave them."""

    @property
    def on(self) -> bool:
        """Whether any provider's delivery could be believed."""
        return bool(self.secrets or self.given)

    def asked(self, provider: Provider, attempt_id: str) -> dict[str, str]:
        """What an order's body says so that its provider calls back, by path; empty: it is not asked to.

        Args:
            provider: The table, in the job's dialect.

        """
        webhook = provider.webhook
        if not self.url or webhook is None or not webhook.ask or not self.believes(provider.name, webhook):
            return {}
        asked = {webhook.ask: self.address(provider.name, attempt_id)}
        if webhook.ask_key:
            asked[webhook.ask_key] = self.order_secrets(provider.name, attempt_id)[0]
        return asked

    def expected(self, provider: Provider, body: Json) -> bool:
        """Whether the provider of an order that was sent with this body will call back."""
        webhook = provider.webhook
        if webhook is None or not self.believes(provider.name, webhook):
            return False
        address = first(body, webhook.ask)
        return isinstance(address, str) and bool(self.url) and address.startswith(f"{self.url}/")

    def believes(self, name: str, webhook: Webhook) -> bool:
        """Whether there is something that proves this provider's deliveries."""
        if webhook.algorithm != "none" and webhook.key == "secret":
            return name in self.given
        return bool(self.secrets)

    def address(self, name: str, attempt_id: str) -> str:
        """Where the provider calls back about one attempt."""
        return f"{self.url}/{name}/{attempt_id}.{_token(self.secrets[0], name, attempt_id)}"

    def path(self, name: str, last: str = "") -> str:
        """The path of an address as its sender sees it, whatever a proxy makes of it on the way."""
        return f"{urlsplit(self.url).path}/{name}" + (f"/{last}" if last else "")

    def attempt(self, name: str, last: str) -> str | None:
        """The attempt that the last part of an address names; `None`: we have not made that address."""
        attempt_id, _, token = last.rpartition(".")
        right = [_token(secret, name, attempt_id) for secret in self.secrets]
        matches = [hmac.compare_digest(one.encode(), token.encode(errors="replace")) for one in right]
        return attempt_id if any(matches) and attempt_id else None

    def order_secrets(self, name: str, attempt_id: str) -> list[str]:
        """What a provider signs with that is told a secret with each order: the first is told, each is believed."""
        return [_mac(secret, "order secret", name, attempt_id).hex() for secret in self.secrets]


def tables(provider: Provider) -> list[Provider]:
    """A provider in each of its dialects that calls back, each way of calling back once."""
    found: list[Provider] = []
    for dialect in ("", *provider.dialects):
        table = provider.spoken(dialect)
        if table.webhook is not None and all(table.webhook is not one.webhook for one in found):
            found.append(table)
    return found


def _token(secret: Secret, name: str, attempt_id: str) -> str:
    return base64.urlsafe_b64encode(_mac(secret, "callback", name, attempt_id)[:TOKEN_BYTES]).decode()


def _mac(secret: Secret, use: str, name: str, attempt_id: str) -> bytes:
    """Bound to its use and to the version of this form, so that none stands for another."""
    return hmac_sha256(secret.reveal().encode(), "\n".join((f"aggregator {use} 1", name, attempt_id)).encode())


def callbacks_of(config: Config, environ: Mapping[str, str]) -> Callbacks:
    """What the configuration says of being called back.

    Raises:
        ConfigurationError: A variable that holds a secret is not set, or holds none that can be used.

    """
    settings: WebhookSettings = config.webhooks
    own = _secrets("[webhooks] secret_env", settings.secret_env, environ)
    if any(len(secret.reveal()) < MIN_SECRET_CHARACTERS for secret in own):
        raise ConfigurationError(
            f"{settings.secret_env}: a secret that signs callback addresses has at least {MIN_SECRET_CHARACTERS} "
            "characters: make one with `openssl rand -hex 32`"
        )
    given = {
        name: _secrets(f"[providers.{name}] webhook_secret_env", provider.webhook_secret_env, environ)
        for name, provider in config.providers.items()
        if provider.webhook_secret_env is not None and provider.enabled
    }
    return Callbacks(settings.url or "", own, given)


def _secrets(where: str, variable: str | None, environ: Mapping[str, str]) -> tuple[Secret, ...]:
    """The secrets in a variable: one, or two with a blank between them."""
    if variable is None:
        return ()
    found = tuple(Secret(text) for text in environ.get(variable, "").split())
    if not found:
        raise ConfigurationError(f"{where} names {variable}, which is not set: put the secret into it")
    if len(found) > MAX_SECRETS:
        raise ConfigurationError(f"{variable} holds {len(found)} secrets: {MAX_SECRETS} at most, with a blank between")
    return found
