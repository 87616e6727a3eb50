"""Signatures: what proves that a delivery is a provider's own, and the tokens that we sign ourselves.

Pure functions, and the usual schemes as one-line `Webhook` entries of a provider's table. HMAC and HS256 need nothing;
Ed25519 and RS256 need the extra `signing`.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus

from aggregator.contract import Status, Webhook, WebhookRequest
from aggregator.errors import ConfigurationError, WebhookError

__all__ = [
    "ed25519_jwks",
    "ed25519_public",
    "ed25519_sign",
    "ed25519_verify",
    "hmac_auth",
    "hmac_body",
    "hmac_fields",
    "hmac_sha256",
    "hmac_stamped",
    "jwks_digest",
    "jwt_hs256",
    "jwt_rs256",
    "public_keys",
    "read_header",
    "read_headers",
    "standard_webhooks",
    "unpadded",
    "whsec",
]

ED25519_KEY_BYTES = 32


# --------------------------------------------------------------------------------------------------------- primitives


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """The HMAC's 32 bytes."""
    return hmac.new(key, message, hashlib.sha256).digest()


def ed25519_verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the private half of `public` signed the message."""
    keys = _ed25519()
    from cryptography.exceptions import InvalidSignature

    try:
        keys.Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):  # ValueError: no point of the curve, so nobody's key
        return False
    return True


def ed25519_sign(private: bytes, message: bytes) -> bytes:
    """The signature of whoever holds the 32 private bytes; for tests and emulators."""
    signature: bytes = _ed25519().Ed25519PrivateKey.from_private_bytes(private).sign(message)
    return signature


def ed25519_public(private: bytes) -> bytes:
    """The public half of 32 private bytes."""
    public: bytes = _ed25519().Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    return public


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise _needs_extra("Ed25519 signatures") from None
    return ed25519


def _needs_extra(what: str) -> ConfigurationError:
    return ConfigurationError(f"{what} need the package cryptography: pip install 'aggregator[signing]'")


def unpadded(value: bytes) -> str:
    """Base64 as JSON Web Tokens and Keys write it: URL-safe, without the padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def public_keys(jwks: bytes) -> tuple[bytes, ...]:
    """The Ed25519 keys of a JWKS document, in its order; others in it are passed over.

    Raises:
        ValueError: It is not a JWKS document.

    """
    try:
        entries = json.loads(jwks)["keys"]
    except (TypeError, KeyError, RecursionError):
        raise ValueError("not a JWKS document") from None
    if not isinstance(entries, list):
        raise ValueError("not a JWKS document")  # noqa: TRY004 - a document is malformed, not an argument
    texts = [str(one.get("x", "")) for one in entries if isinstance(one, dict) and one.get("crv") == "Ed25519"]
    keys = (base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)) for text in texts)
    return tuple(key for key in keys if len(key) == ED25519_KEY_BYTES)


def ed25519_jwks(keys: Mapping[str, bytes]) -> bytes:
    """Public keys by their ids, as the document a provider publishes."""
    shared = {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA"}
    return json.dumps({"keys": [{**shared, "kid": name, "x": unpadded(key)} for name, key in keys.items()]}).encode()


# ------------------------------------------------------------------------------------------------------------- tokens


def jwt_hs256(claims: Mapping[str, Any], secret: str) -> str:
    """A JSON Web Token signed with a secret that both sides hold."""
    signed = _unsigned_token({"alg": "HS256", "typ": "JWT"}, claims)
    return f"{signed}.{unpadded(hmac_sha256(secret.encode(), signed.encode()))}"


def jwt_rs256(claims: Mapping[str, Any], private_key_pem: str, *, key_id: str = "") -> str:
    """A JSON Web Token signed with a private RSA key, as service accounts do.

    Raises:
        ConfigurationError: The extra is missing, or the text is not such a key.

    """
    try:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise _needs_extra("RS256 tokens") from None
    try:
        key = load_pem_private_key(private_key_pem.encode(), password=None)
    except (ValueError, TypeError):
        raise ConfigurationError("the service account's private_key is not an unencrypted PEM key") from None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigurationError("the service account's private_key is not an RSA key")
    signed = _unsigned_token({"alg": "RS256", "typ": "JWT"} | ({"kid": key_id} if key_id else {}), claims)
    return f"{signed}.{unpadded(key.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def _unsigned_token(head: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    return ".".join(unpadded(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))


# ------------------------------------------------------------------------------------ what a delivery's headers say


def read_header(request: WebhookRequest, name: str) -> str:
    """One header, or one `name=value` of several in it (`header:name`)."""
    return read_headers(request, name)[0]


def read_headers(request: WebhookRequest, name: str) -> tuple[str, ...]:
    """The same, where one header may hold several of one name.

    Raises:
        WebhookError: There is none.

    """
    where, _, item = name.partition(":")
    text = request.headers.get(where, "")
    pairs = (pair.strip().partition("=") for pair in text.split(","))
    found = tuple(value for key, _, value in pairs if key == item and value) if item else (text,) * bool(text)
    if not found:
        raise WebhookError(f"the delivery has no {name.replace(':', ' with ')}", reason="missing")
    return found


# ------------------------------------------------------------------------------------------------------------ schemes


def whsec(secret: str) -> bytes:
    """The key's bytes in a secret of Standard Webhooks: base64 after `whsec_`; without the prefix, the text itself."""
    text = secret.strip()
    if not text.startswith("whsec_"):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise ConfigurationError("the webhook secret is not base64 after whsec_") from None


def standard_webhooks(ask: str, job_id: str, *, status: Status | None = None, prefix: str = "webhook") -> Webhook:
    """Standard Webhooks, version 1: HMAC of id, time and body (OpenAI, Replicate, Kling, static hooks of Gemini)."""

    def message(request: WebhookRequest) -> bytes:
        names = (f"{prefix}-id", f"{prefix}-timestamp")
        return b".".join([*(read_header(request, name).encode() for name in names), request.body])

    return Webhook(
        ask,
        job_id,
        status,
        algorithm="hmac-sha256",
        signature=f"{prefix}-signature",
        read=_version_1,
        encoding="base64",
        message=message,
        secret=whsec,
        timestamp=f"{prefix}-timestamp",
        message_id=f"{prefix}-id",
    )


def _version_1(text: str) -> tuple[str, ...]:
    pairs = (one.partition(",") for one in text.split(" "))
    found = tuple(value for version, _, value in pairs if version == "v1")
    if not found:
        raise WebhookError("the delivery has no signature of version v1", reason="algorithm")
    return found


def hmac_body(ask: str, job_id: str, *, signature: str, status: Status | None = None) -> Webhook:
    """The hexadecimal HMAC of the body alone, without a time: what was once sent can be sent again."""
    return Webhook(ask, job_id, status, algorithm="hmac-sha256", signature=signature)


def hmac_stamped(
    ask: str,
    job_id: str,
    *,
    header: str,
    version: str,
    separator: str = ".",
    status: Status | None = None,
    tolerance_s: float = 300.0,
) -> Webhook:
    """One header `t=<time>,<version>=<hex>`: the HMAC of time, separator and body (ElevenLabs; OpenRouter)."""

    def message(request: WebhookRequest) -> bytes:
        return f"{read_header(request, f'{header}:t')}{separator}".encode() + request.body

    return Webhook(
        ask,
        job_id,
        status,
        algorithm="hmac-sha256",
        signature=f"{header}:{version}",
        message=message,
        timestamp=f"{header}:t",
        tolerance_s=tolerance_s,
    )


def jwks_digest(
    ask: str,
    job_id: str,
    *,
    prefix: str,
    who: str,
    keys: str,
    status: Status | None = None,
    handle: Callable[[Mapping[str, str]], Mapping[str, str]] | None = None,
) -> Webhook:
    """Ed25519 over id, user, time and the body's digest, a line each; the keys are published (fal, Ideogram).

    Args:
        prefix: What the four headers begin with.
        who: The end of the first header's name: `request-id`, `generation-id`.
        keys: The address of the JWKS document.

    """

    def message(request: WebhookRequest) -> bytes:
        lines = [read_header(request, f"{prefix}-{name}") for name in (who, "user-id", "timestamp")]
        return "\n".join([*lines, hashlib.sha256(request.body).hexdigest()]).encode()

    return Webhook(
        ask,
        job_id,
        status,
        algorithm="ed25519",
        signature=f"{prefix}-signature",
        message=message,
        handle=handle,
        key=keys,
        timestamp=f"{prefix}-timestamp",
    )


def hmac_auth(ask: str, job_id: str, *, access_key: str, status: Status | None = None) -> Webhook:
    """The request's line, its date and the headers it names, signed with the API key; the body is not (Vidu)."""

    def message(request: WebhookRequest) -> bytes:
        if read_header(request, "x-hmac-algorithm") != "hmac-sha256":
            raise WebhookError("the delivery is not signed with hmac-sha256", reason="algorithm")
        names = [name for name in request.headers.get("x-hmac-signed-headers", "").split(";") if name]
        lines = [request.method.upper(), request.path or "/", request.query, access_key, read_header(request, "date")]
        lines += [f"{name}:{request.headers.get(name.lower(), '')}" for name in names]
        return "".join(f"{line}\n" for line in lines).encode()

    return Webhook(
        ask,
        job_id,
        status,
        algorithm="hmac-sha256",
        signature="x-hmac-signature",
        encoding="base64",
        message=message,
        covers_body=False,
        key="api_key",
        timestamp="date",
    )


def hmac_fields(ask: str, job_id: str, *, prefix: str, reply: bytes = b"", status: Status | None = None) -> Webhook:
    """Time, nonce and the body's fields as a query, a line each (PixVerse).

    The fields are taken in the order of their names and values as JSON writes them: unconfirmed.
    """

    def message(request: WebhookRequest) -> bytes:
        fields = json.loads(request.body)
        if not isinstance(fields, dict):
            raise ValueError("not an object")  # noqa: TRY004 - the delivery is malformed
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
        query = "&".join(f"{quote_plus(name)}={quote_plus(texts[name])}" for name in sorted(texts))
        return "\n".join(
            [read_header(request, f"{prefix}-timestamp"), read_header(request, f"{prefix}-nonce"), query]
        ).encode()

    return Webhook(
        ask,
        job_id,
        status,
        algorithm="hmac-sha256",
        signature=f"{prefix}-signature",
        encoding="base64",
        message=message,
        timestamp=f"{prefix}-timestamp",
        reply=reply,
    )
