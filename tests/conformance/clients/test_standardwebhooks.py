"""Standard Webhooks as its own library signs and verifies it (standardwebhooks 1.1.0), and as we do."""

from datetime import UTC, datetime
from importlib import import_module

import pytest

from aggregator.contract import Auth, Call, Provider, State, Status, WebhookRequest
from aggregator.errors import WebhookError
from aggregator.signing import standard_webhooks
from aggregator.webhooks import verify

standardwebhooks = import_module("standardwebhooks")

SECRET = "whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI="
BODY = b'{"id":"1234567890","status":"succeeded","message":"","create_time":1781080778802,"update_time":1781080794151}'
SIGNATURE = "v1,UsKlJP00XoQyOn410NM9xv34sP+Gl0jnOO9Lcpr7NJ4="
"""The vector that Kling publishes."""
TABLE = Provider(
    name="plain",
    docs="",
    checked="2026-11-21",
    base_url="http://plain.example",
    auth=Auth(env=()),
    submit=Call("POST", "/"),
    tasks={},
    webhook=standard_webhooks("hook", "id", status=Status("status", {"succeeded": State.SUCCEEDED})),
)


def ours(headers: dict[str, str], body: bytes, now: float, secret: str = SECRET) -> bool:
    try:
        return verify(TABLE, WebhookRequest("POST", "/", "", headers, body), secrets=[secret], now=now).job_id != ""
    except WebhookError:
        return False


def theirs(headers: dict[str, str], body: bytes, secret: str = SECRET) -> bool:
    try:
        standardwebhooks.Webhook(secret).verify(body.decode(), headers)
    except (standardwebhooks.WebhookVerificationError, ValueError):
        return False
    return True


def signed(body: bytes, at: datetime, secret: str = SECRET) -> dict[str, str]:
    signature = standardwebhooks.Webhook(secret).sign("msg_1", at, body.decode())
    return {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


def test_both_sign_the_published_vector_alike() -> None:
    at = datetime.fromtimestamp(1_781_080_794, UTC)
    assert standardwebhooks.Webhook(SECRET).sign("9876543210", at, BODY.decode()) == SIGNATURE
    headers = {"webhook-id": "9876543210", "webhook-timestamp": "1781080794", "webhook-signature": SIGNATURE}
    assert ours(headers, BODY, at.timestamp())


@pytest.mark.parametrize("body", [b'{"id": "a", "status": "succeeded"}', '{"id": "ü", "more": "\\u00e9"}'.encode()])
def test_what_the_library_signs_is_accepted_by_both(body: bytes) -> None:
    now = datetime.now(UTC)
    assert theirs(signed(body, now), body)
    assert ours(signed(body, now), body, now.timestamp())


def test_both_refuse_the_same() -> None:
    now = datetime.now(UTC)
    right = signed(BODY, now)
    other = "whsec_" + "b3RoZXIgc2VjcmV0"
    changes: list[tuple[dict[str, str], bytes, str]] = [
        ({**right, "webhook-id": "msg_2"}, BODY, SECRET),
        ({**right, "webhook-signature": "v1,AAAA"}, BODY, SECRET),
        ({**right, "webhook-signature": right["webhook-signature"].replace("v1,", "v2,")}, BODY, SECRET),
        ({name: value for name, value in right.items() if name != "webhook-timestamp"}, BODY, SECRET),
        ({**right, "webhook-timestamp": "never"}, BODY, SECRET),
        (signed(BODY, datetime.fromtimestamp(now.timestamp() - 301, UTC)), BODY, SECRET),
        (signed(BODY, datetime.fromtimestamp(now.timestamp() + 302, UTC)), BODY, SECRET),
        (right, BODY + b" ", SECRET),
        (right, BODY, other),
    ]
    for headers, body, secret in changes:
        assert not theirs(headers, body, secret), headers
        assert not ours(headers, body, now.timestamp(), secret), headers


def test_both_accept_one_right_signature_of_several() -> None:
    now = datetime.now(UTC)
    right = signed(BODY, now)
    several = {**right, "webhook-signature": f"v1,AAAA {right['webhook-signature']}"}
    assert theirs(several, BODY)
    assert ours(several, BODY, now.timestamp())


def test_garbage_that_the_library_stumbles_over_is_a_refusal_of_ours() -> None:
    now = datetime.now(UTC)
    for signature, body in (("garbage", BODY), (signed(BODY, now)["webhook-signature"], b"\xff")):
        headers = {**signed(BODY, now), "webhook-signature": signature}
        assert not ours(headers, body, now.timestamp())
