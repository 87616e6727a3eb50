"""Being told instead of asking: whether a delivery is the provider's own, and what it says. Pure.

Keys are arguments: nothing is fetched here. Whatever is wrong with a delivery is one `WebhookError`, never another
exception: anybody can send one.
"""

import base64
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from email.utils import parsedate_to_datetime

from pydantic import JsonValue

from aggregator import signing
from aggregator._build import call_request
from aggregator._paths import first
from aggregator._wire import Reading, capture, parse, read_status
from aggregator.contract import Call, HttpRequest, HttpResponse, Provider, Webhook, WebhookRequest
from aggregator.errors import ConfigurationError, ResponseFormatError, WebhookError

__all__ = ["Notice", "keys_request", "verify"]

MAX_BODY_BYTES = 2**20
MAX_SIGNATURES = 16
MAX_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Notice:
    """What a delivery says that was found to be the provider's own."""

    job_id: str
    """As the job's handle holds it; empty for a question that only wants `reply`."""
    body: JsonValue
    reading: Reading | None = None
    """The job's state. `None`: ask the provider, for the delivery does not prove it, or says it in an unknown word."""
    reply: bytes = b""
    """What the answer's body must be."""
    handle: Mapping[str, str] = field(default_factory=dict)
    """What else of the job's handle it holds, where what is known of the order was given."""


def keys_request(provider: Provider) -> HttpRequest | None:
    """What fetches the published keys, for whoever keeps them (for a day at most); `None`: the proof is a secret."""
    webhook = provider.webhook
    if webhook is None or webhook.algorithm != "ed25519":
        return None
    return replace(call_request(provider, Call("GET", webhook.key), {}), trusted=False)


def verify(
    provider: Provider,
    request: WebhookRequest,
    *,
    secrets: Sequence[str] = (),
    now: float,
    jwks: bytes = b"",
    names: Mapping[str, str] | None = None,
) -> Notice:
    """Read a delivery, if it is the provider's own and of this time.

    Args:
        provider: The table, in the job's dialect.
        request: The delivery, with the raw bytes of its body.
        secrets: What may have signed it: two at a time while one is replaced by another. Where the table says
            `api_key`, the credential.
        now: Seconds since the epoch.
        jwks: The document at the table's key address, where the signatures are Ed25519.
        names: What is known of the order (`endpoint`, …), where the address named it.

    Raises:
        WebhookError: It is not to be believed; `reason` says why.
        ConfigurationError: The provider does not call back, or the key that would prove a delivery was not given.

    """
    webhook = provider.webhook
    if webhook is None:
        raise ConfigurationError(f"{provider.name} does not call back")
    try:
        _check(webhook, request, secrets, now, jwks)
        return _read(provider, webhook, request, names)
    except WebhookError as error:
        error.provider = provider.name
        raise
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError, ResponseFormatError) as error:
        raise WebhookError(f"the delivery is malformed: {error}", reason="malformed", provider=provider.name) from None


# ----------------------------------------------------------------------------------------------------------- checking


def _check(webhook: Webhook, request: WebhookRequest, secrets: Sequence[str], now: float, jwks: bytes) -> None:
    if len(request.body) > MAX_BODY_BYTES:
        raise WebhookError(f"the delivery has more than {MAX_BODY_BYTES} bytes", reason="malformed")
    if webhook.algorithm == "none":
        return
    if webhook.timestamp:
        _check_time(signing.read_header(request, webhook.timestamp), now, webhook.tolerance_s)
    held = signing.read_headers(request, webhook.signature)
    texts = [one for text in held for one in webhook.read(text)] if webhook.read else held
    signatures = [_decoded(one, webhook.encoding) for one in texts[:MAX_SIGNATURES]]
    message = webhook.message(request) if webhook.message else request.body
    ours = _ed25519(signatures, message, jwks) if webhook.algorithm == "ed25519" else _hmac(webhook, secrets, message)
    if not _any_equal(signatures, ours):
        raise WebhookError("no signature of the delivery is right", reason="signature")


def _check_time(text: str, now: float, tolerance_s: float) -> None:
    if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS:
        sent = float(text)
    else:
        date = parsedate_to_datetime(text)
        sent = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    if abs(now - sent) > tolerance_s:
        raise WebhookError(f"the delivery was signed {now - sent:.0f} s ago", reason="time")


def _decoded(text: str, encoding: str) -> bytes:
    return bytes.fromhex(text) if encoding == "hex" else base64.b64decode(text, validate=True)


def _hmac(webhook: Webhook, secrets: Sequence[str], message: bytes) -> list[bytes]:
    """What the signature would be, by each secret."""
    if not any(secrets):
        raise ConfigurationError("no webhook secret is given: no delivery can be believed")
    keys = [webhook.secret(one) if webhook.secret else one.encode() for one in secrets if one]
    if not all(keys):
        raise ConfigurationError("a webhook secret is empty: with it anybody could sign")
    return [signing.hmac_sha256(key, message) for key in keys]


def _ed25519(signatures: Iterable[bytes], message: bytes, jwks: bytes) -> list[bytes]:
    """The signatures that one of the published keys made."""
    if not jwks:
        raise ConfigurationError("no published keys are given: no delivery can be believed")
    try:
        keys = signing.public_keys(jwks)
    except ValueError as error:
        raise ConfigurationError(f"the published keys cannot be read: {error}") from None
    if not keys:
        raise WebhookError("none of the published keys is an Ed25519 key", reason="algorithm")
    return [one for one in signatures if any(signing.ed25519_verify(key, one, message) for key in keys)]


def _any_equal(theirs: Iterable[bytes], ours: Iterable[bytes]) -> bool:
    """Compared in constant time, every one with every other."""
    right = list(ours)
    return any(hmac.compare_digest(one, other) for one in theirs for other in right)


# ------------------------------------------------------------------------------------------------------------ reading


def _read(
    provider: Provider, webhook: Webhook, request: WebhookRequest, names: Mapping[str, str] | None = None
) -> Notice:
    body = parse(HttpResponse(200, request.headers, request.body))
    if not isinstance(body, dict):
        raise ValueError("its body is not an object")  # noqa: TRY004 - the delivery is malformed, not an argument
    if webhook.challenge and (question := body.get(webhook.challenge)) is not None:
        return Notice("", body, reply=json.dumps({webhook.challenge: question}).encode())
    job_id = capture(provider, {"id": webhook.id}, body)["id"]
    believed = webhook.algorithm != "none" and webhook.covers_body
    reading = _reading(provider, webhook, body) if believed else None
    handle = {} if names is None or webhook.handle is None else webhook.handle({**names, "id": job_id})
    return Notice(job_id, body, reading, webhook.reply, handle)


def _reading(provider: Provider, webhook: Webhook, body: JsonValue) -> Reading | None:
    status = webhook.status or provider.status
    if status is None or (webhook.status is None and first(body, status.path) is None):
        return None  # what a poll answer leaves out says nothing here
    try:
        return read_status(provider, body, status)
    except ResponseFormatError:
        return None
