"""The memory provider, signing what it calls back with in several ways."""

from dataclasses import replace

from aggregator.contract import Status
from aggregator.signing import hmac_body, jwks_digest, standard_webhooks
from aggregator.testing.memory_tables import PROVIDER

STATES = Status("status", PROVIDER.status.words)  # type: ignore[union-attr]

SIGNING = replace(
    PROVIDER, name="signing", base_url="http://signing.invalid", webhook=standard_webhooks("callback", "id")
)
HOOKED = replace(PROVIDER, name="hooked", base_url="http://hooked.invalid", webhook=standard_webhooks("", "id"))
"""It calls an address that is registered with the account."""
TELLING = replace(
    PROVIDER,
    name="telling",
    base_url="http://telling.invalid",
    webhook=replace(hmac_body("callback", "id", signature="x-signature"), key="order", ask_key="callback_secret"),
)
KEYED = replace(
    PROVIDER,
    name="keyed",
    base_url="http://keyed.invalid",
    webhook=jwks_digest("callback", "id", prefix="x-keyed", who="request-id", keys="/jwks.json", status=STATES),
)
