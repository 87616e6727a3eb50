"""The primitives against other implementations, and what happens without the optional package."""

import hashlib
import hmac
import json
import sys

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from aggregator import signing
from aggregator.errors import ConfigurationError

CLAIMS = {
    "iss": "someone@project.example",
    "aud": "https://oauth.example/token",
    "iat": 1_800_000_000,
    "exp": 1_800_003_600,
}
PEM, PKCS8, PLAIN = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()


@pytest.fixture(scope="module")
def rsa_key():
    return rsa.generate_private_key(65537, 2048)


def test_hmac_is_that_of_the_published_case() -> None:
    """RFC 4231, test case 2."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert signing.hmac_sha256(b"Jefe", b"what do ya want for nothing?").hex() == expected


def test_ed25519_is_that_of_the_published_case() -> None:
    """RFC 8032, section 7.1, test 2."""
    private = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert signing.ed25519_public(private) == public
    assert signing.ed25519_sign(private, b"\x72") == signature
    assert signing.ed25519_verify(public, signature, b"\x72")
    assert not signing.ed25519_verify(public, signature, b"\x73")
    assert not signing.ed25519_verify(public, signature[:-1], b"\x72")
    assert not signing.ed25519_verify(public[:-1], signature, b"\x72")


def test_a_published_key_is_read_back() -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    assert signing.public_keys(signing.ed25519_jwks({"one": public})) == (public,)
    assert json.loads(signing.ed25519_jwks({"one": public}))["keys"][0]["kid"] == "one"


def test_keys_of_other_kinds_are_passed_over() -> None:
    entries = [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}, {"kty": "OKP", "crv": "X25519", "x": "A" * 43}, "text", None]
    entries += [{"kty": "OKP", "crv": "Ed25519", "x": "c2hvcnQ"}, {"kty": "OKP", "crv": "Ed25519"}]
    assert signing.public_keys(json.dumps({"keys": entries}).encode()) == ()


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"{}", b"null", b'{"keys": 1}', b'{"keys": "x"}', b"\xff", b"[" * 100_000]
)
def test_what_is_no_key_document_is_a_value_error(document: bytes) -> None:
    with pytest.raises(ValueError):
        signing.public_keys(document)


def test_another_library_accepts_our_hs256_token() -> None:
    token = signing.jwt_hs256(CLAIMS, "a secret of at least thirty-two bytes")
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    options = {"verify_exp": False, "verify_iat": False}
    read = jwt.decode(
        token, "a secret of at least thirty-two bytes", ["HS256"], options, audience=CLAIMS["aud"], issuer=CLAIMS["iss"]
    )
    assert read == CLAIMS
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, "another secret of more than 32 bytes", ["HS256"], options, audience=CLAIMS["aud"])


def test_another_library_accepts_our_rs256_token(rsa_key) -> None:
    pem = rsa_key.private_bytes(PEM, PKCS8, PLAIN).decode()
    token = signing.jwt_rs256(CLAIMS, pem, key_id="k1")
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    options = {"verify_exp": False, "verify_iat": False}
    assert jwt.decode(token, rsa_key.public_key(), ["RS256"], options, audience=CLAIMS["aud"]) == CLAIMS
    assert "kid" not in jwt.get_unverified_header(signing.jwt_rs256(CLAIMS, pem))


def test_a_key_that_is_none_is_said_without_showing_it(rsa_key) -> None:
    elliptic = ec.generate_private_key(ec.SECP256R1()).private_bytes(PEM, PKCS8, PLAIN).decode()
    locked = rsa_key.private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(b"x")).decode()
    for text in ("no key at all", elliptic, locked):
        with pytest.raises(ConfigurationError, match="private_key") as caught:
            signing.jwt_rs256(CLAIMS, text)
        assert text not in str(caught.value)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "cryptography"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(ConfigurationError, match=r"aggregator\[signing\]"):
        signing.ed25519_verify(b"x" * 32, b"y" * 64, b"")
    with pytest.raises(ConfigurationError, match=r"aggregator\[signing\]"):
        signing.jwt_rs256(CLAIMS, "key")
    assert signing.jwt_hs256(CLAIMS, "x")  # needs nothing


def test_a_secret_of_standard_webhooks() -> None:
    assert signing.whsec("whsec_dGVzdA==") == b"test"
    assert signing.whsec(" whsec_dGVzdA==\n") == b"test"
    assert signing.whsec("test") == b"test"
    with pytest.raises(ConfigurationError, match="base64") as caught:
        signing.whsec("whsec_not base64!")
    assert "not base64!" not in str(caught.value)


def test_the_standard_library_agrees_on_tokens() -> None:
    head, claims, signature = signing.jwt_hs256({"a": 1}, "s").split(".")
    expected = hmac.new(b"s", f"{head}.{claims}".encode(), hashlib.sha256).digest()
    assert signature == signing.unpadded(expected)
    assert "=" not in signing.unpadded(b"1") + signing.unpadded(b"22")
