"""Deliveries: each scheme with a vector made by hand, and everything that may be wrong with one."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.backends import provider_table
from aggregator.contract import Auth, Call, Codes, Endpoint, Provider, State, Status, Webhook, WebhookRequest
from aggregator.errors import ConfigurationError, WebhookError
from aggregator.signing import (
    ed25519_jwks,
    ed25519_public,
    ed25519_sign,
    hmac_auth,
    hmac_body,
    hmac_fields,
    hmac_stamped,
    jwks_digest,
    standard_webhooks,
)
from aggregator.webhooks import Notice, keys_request, verify

NOW = 1_800_000_000
PRIVATE = bytes(range(32))
JWKS = ed25519_jwks({"old": ed25519_public(bytes(32)), "new": ed25519_public(PRIVATE)})
WORDS = {"done": State.SUCCEEDED, "busy": State.RUNNING, "bad": State.FAILED, "off": State.CANCELED}
PLAIN = Provider(
    name="plain",
    docs="",
    checked="2026-11-21",
    base_url="http://plain.example",
    auth=Auth(env=()),
    submit=Call("POST", "/jobs", {"id": "id"}),
    poll=Call("GET", "/jobs/{id}"),
    status=Status("status", WORDS, error="why"),
    codes=Codes(("code",), {"safety": "content_policy"}),
    tasks={"text-to-image": Endpoint()},
)


def provider(webhook: Webhook | None) -> Provider:
    return replace(PLAIN, webhook=webhook)


def delivery(body: Any, **headers: str) -> WebhookRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return WebhookRequest("POST", "/hooks/plain", "job=7&n=%20", names, raw)


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


# ------------------------------------------------------------------------------------------------- Standard Webhooks

KLING_SECRET = "whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI="
KLING_BODY = (
    b'{"id":"1234567890","status":"succeeded","message":"","create_time":1781080778802,"update_time":1781080794151}'
)
KLING_TIME = 1_781_080_794
KLING_SIGNATURE = "v1,UsKlJP00XoQyOn410NM9xv34sP+Gl0jnOO9Lcpr7NJ4="
KLING = provider(
    standard_webhooks("options.callback_url", "id", status=Status("status", {"succeeded": State.SUCCEEDED}))
)


def kling(**changes: Any) -> WebhookRequest:
    headers = {"webhook-id": "9876543210", "webhook-timestamp": str(KLING_TIME), "webhook-signature": KLING_SIGNATURE}
    headers |= {name.replace("_", "-"): value for name, value in changes.items() if name != "body"}
    return delivery(changes.get("body", KLING_BODY), **{k: v for k, v in headers.items() if v is not None})


def test_the_vector_that_kling_publishes_is_accepted() -> None:
    notice = verify(KLING, kling(), secrets=[KLING_SECRET], now=KLING_TIME + 3)
    assert notice.job_id == "1234567890"
    assert notice.reading is not None
    assert notice.reading.state is State.SUCCEEDED
    assert isinstance(notice.body, dict)
    assert notice.body["update_time"] == 1_781_080_794_151
    assert notice.reply == b""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"webhook_id": "9876543211"}, "signature"),
        ({"webhook_timestamp": str(KLING_TIME + 1)}, "signature"),
        ({"body": KLING_BODY.replace(b"succeeded", b"processing")}, "signature"),
        ({"body": KLING_BODY + b" "}, "signature"),
        ({"webhook_signature": "v1,AAAA"}, "signature"),
        ({"webhook_signature": "v1," + base64.b64encode(bytes(32)).decode()}, "signature"),
        ({"webhook_id": None}, "missing"),
        ({"webhook_timestamp": None}, "missing"),
        ({"webhook_signature": None}, "missing"),
        ({"webhook_signature": ""}, "missing"),
        ({"webhook_signature": KLING_SIGNATURE.replace("v1,", "v2,")}, "algorithm"),
        ({"webhook_signature": KLING_SIGNATURE.replace("v1,", "v1a,")}, "algorithm"),
        ({"webhook_signature": "garbage"}, "algorithm"),
        ({"webhook_signature": "v1,not base64"}, "malformed"),
        ({"webhook_signature": "v1,é"}, "malformed"),
        ({"webhook_signature": KLING_SIGNATURE.replace("UsK", "U!sK")}, "malformed"),
        ({"webhook_timestamp": "soon"}, "malformed"),
        ({"webhook_timestamp": "nan"}, "malformed"),
        ({"webhook_timestamp": "-1781080794"}, "malformed"),
        ({"webhook_timestamp": "1" * 400}, "malformed"),
        ({"webhook_timestamp": "١٧٨١٠٨٠٧٩٤"}, "malformed"),
    ],
)
def test_anything_wrong_is_a_refusal_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(WebhookError) as caught:
        verify(KLING, kling(**changes), secrets=[KLING_SECRET], now=KLING_TIME)
    assert (caught.value.reason, caught.value.provider) == (reason, "plain")
    assert KLING_SECRET not in str(caught.value)


@pytest.mark.parametrize(("late", "taken"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_the_time_is_checked_both_ways(late: int, taken: bool) -> None:
    if taken:
        assert verify(KLING, kling(), secrets=[KLING_SECRET], now=KLING_TIME + late).job_id
        return
    with pytest.raises(WebhookError) as caught:
        verify(KLING, kling(), secrets=[KLING_SECRET], now=KLING_TIME + late)
    assert caught.value.reason == "time"


def test_a_secret_may_be_replaced_by_another() -> None:
    other = "whsec_" + base64.b64encode(b"another secret").decode()
    assert verify(KLING, kling(), secrets=[other, KLING_SECRET], now=KLING_TIME).job_id
    both = kling(webhook_signature=f"v1,{base64.b64encode(bytes(32)).decode()} {KLING_SIGNATURE}")
    assert verify(KLING, both, secrets=[KLING_SECRET], now=KLING_TIME).job_id
    with pytest.raises(WebhookError):
        verify(KLING, kling(), secrets=[other], now=KLING_TIME)


@pytest.mark.parametrize("secrets", [[], [""], ["", ""]])
def test_without_a_secret_nothing_is_believed(secrets: list[str]) -> None:
    empty = base64.b64encode(mac(b"", b"9876543210.%d." % KLING_TIME + KLING_BODY)).decode()
    with pytest.raises(ConfigurationError, match="no webhook secret"):
        verify(KLING, kling(webhook_signature=f"v1,{empty}"), secrets=secrets, now=KLING_TIME)


def test_an_empty_secret_signs_nothing() -> None:
    empty = base64.b64encode(mac(b"", b"9876543210.%d." % KLING_TIME + KLING_BODY)).decode()
    with pytest.raises(WebhookError) as caught:
        verify(KLING, kling(webhook_signature=f"v1,{empty}"), secrets=["", KLING_SECRET], now=KLING_TIME)
    assert caught.value.reason == "signature"


def test_a_flood_of_signatures_is_not_tried() -> None:
    wrong = base64.b64encode(bytes(32)).decode()
    flood = " ".join([f"v1,{wrong}"] * 100 + [KLING_SIGNATURE])
    with pytest.raises(WebhookError):
        verify(KLING, kling(webhook_signature=flood), secrets=[KLING_SECRET], now=KLING_TIME)


# ----------------------------------------------------------------------------------------------- schemes with secrets

BFL = provider(hmac_body("webhook_url", "id", signature="x-bfl-signature:sha256"))
ELEVEN = provider(hmac_stamped("", "data.id", header="elevenlabs-signature", version="v0", tolerance_s=1800))
OPENROUTER = provider(
    hmac_stamped("callback_url", "data.id", header="x-openrouter-signature", version="v1", separator=",")
)
PIXVERSE = provider(hmac_fields("", "id", prefix="webhook", reply=b"ok"))
VIDU = provider(hmac_auth("callback_url", "id", access_key="vidu"))


def test_the_digest_of_the_body_alone() -> None:
    body = b'{"id": "a", "status": "done"}'
    signed = delivery(body, x_bfl_signature="sha256=" + mac(b"s3", body).hex())
    assert verify(BFL, signed, secrets=["s3"], now=0).job_id == "a"
    for header, reason in [("sha512=" + mac(b"s3", body).hex(), "missing"), ("sha256=zz", "malformed")]:
        with pytest.raises(WebhookError) as caught:
            verify(BFL, delivery(body, x_bfl_signature=header), secrets=["s3"], now=0)
        assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("table", "name", "version", "separator", "window"),
    [
        (ELEVEN, "elevenlabs_signature", "v0", ".", 1800),
        (OPENROUTER, "x_openrouter_signature", "v1", ",", 300),
    ],
)
def test_time_and_signature_in_one_header(
    table: Provider, name: str, version: str, separator: str, window: int
) -> None:
    body = b'{"data": {"id": "b"}, "status": "done"}'
    right = mac(b"key", f"{NOW}{separator}".encode() + body).hex()
    wrong = mac(b"key", f"{NOW};".encode() + body).hex()
    for header in (
        f"t={NOW},{version}={right}",
        f"t={NOW}, {version}={right}",
        f"t={NOW},{version}={wrong},{version}={right}",
    ):
        assert verify(table, delivery(body, **{name: header}), secrets=["key"], now=NOW + window).job_id == "b"
    for header, reason in [
        (f"t={NOW},{version}={wrong}", "signature"),
        (f"t={NOW + 1},{version}={right}", "signature"),
        (f"t={NOW},v9={right}", "missing"),
        (f"{version}={right}", "missing"),
        (f"t={NOW - window - 1},{version}={right}", "time"),
    ]:
        with pytest.raises(WebhookError) as caught:
            verify(table, delivery(body, **{name: header}), secrets=["key"], now=NOW)
        assert caught.value.reason == reason, header


def test_fields_of_the_body_as_a_query() -> None:
    body = {"status": "done", "id": 41, "url": "https://m.example/a b.mp4", "has_audio": True, "size": 1.5}
    query = "has_audio=true&id=41&size=1.5&status=done&url=https%3A%2F%2Fm.example%2Fa+b.mp4"
    right = base64.b64encode(mac(b"key", f"{NOW}\n{'n' * 32}\n{query}".encode())).decode()
    headers = {"webhook_timestamp": str(NOW), "webhook_nonce": "n" * 32, "webhook_signature": right}
    notice = verify(PIXVERSE, delivery(body, **headers), secrets=["key"], now=NOW)
    assert (notice.job_id, notice.reply) == ("41", b"ok")
    for changed in ({**body, "id": 42}, {**body, "more": 1}):
        with pytest.raises(WebhookError) as caught:
            verify(PIXVERSE, delivery(changed, **headers), secrets=["key"], now=NOW)
        assert caught.value.reason == "signature"
    for raw in (b"[]", b"{", b"", b"\xff"):
        with pytest.raises(WebhookError) as caught:
            verify(PIXVERSE, delivery(raw, **headers), secrets=["key"], now=NOW)
        assert caught.value.reason == "malformed"


def vidu(**changes: str) -> WebhookRequest:
    names = "x-request-nonce;Content-Type"
    text = (
        "POST\n/hooks/plain\njob=7&n=%20\nvidu\nFri, 15 Jan 2027 08:00:00 GMT\nx-request-nonce:n1\n"
        "Content-Type:application/json\n"
    )
    headers = {
        "x_hmac_signature": base64.b64encode(mac(b"api-key", text.encode())).decode(),
        "x_hmac_algorithm": "hmac-sha256",
        "x_hmac_access_key": "vidu",
        "x_hmac_signed_headers": names,
        "date": "Fri, 15 Jan 2027 08:00:00 GMT",
        "x_request_nonce": "n1",
        "content_type": "application/json",
    }
    return delivery({"id": "v", "status": "done"}, **{**headers, **changes})


def test_a_signature_that_leaves_the_body_out_proves_no_state() -> None:
    notice = verify(VIDU, vidu(), secrets=["api-key"], now=NOW)
    assert (notice.job_id, notice.reading) == ("v", None)
    for changes, reason in [
        ({"x_request_nonce": "n2"}, "signature"),
        ({"date": "Fri, 15 Jan 2027 08:00:01 GMT"}, "signature"),
        ({"date": "Fri, 15 Jan 2027 07:00:00 GMT"}, "time"),
        ({"date": "Fri, 99 Jan 2027 07:00:00 GMT"}, "malformed"),
        ({"date": "Mon, 1 Jan 0001 00:00:00 -0000"}, "time"),
        ({"date": "Fri, 15 Jan 99999999999999999999 08:00:00 GMT"}, "malformed"),
        ({"x_hmac_algorithm": "hmac-sha1"}, "algorithm"),
        ({"x_hmac_signed_headers": ""}, "signature"),
    ]:
        with pytest.raises(WebhookError) as caught:
            verify(VIDU, vidu(**changes), secrets=["api-key"], now=NOW)
        assert caught.value.reason == reason, changes
    with pytest.raises(WebhookError):
        verify(VIDU, replace(vidu(), query="job=8"), secrets=["api-key"], now=NOW)


# ------------------------------------------------------------------------------------------------------ published keys

FAL = provider(
    jwks_digest(
        "@query.fal_webhook",
        "request_id",
        prefix="x-fal-webhook",
        who="request-id",
        keys="{rest}/.well-known/jwks.json",
        status=Status("status", {"OK": State.SUCCEEDED, "ERROR": State.FAILED}, error="error"),
    )
)
IDEOGRAM = provider(
    jwks_digest(
        "webhook_url",
        "@headers.x-ideogram-webhook-generation-id",
        prefix="x-ideogram-webhook",
        who="generation-id",
        keys="/v1/.well-known/jwks.json",
    )
)


def fal(
    body: Any, *, who: str = "request_id", prefix: str = "x_fal_webhook", private: bytes = PRIVATE
) -> WebhookRequest:
    raw = json.dumps(body).encode()
    message = f"r1\nu1\n{NOW}\n{hashlib.sha256(raw).hexdigest()}".encode()
    headers = {f"{prefix}_{who}": "r1", f"{prefix}_user_id": "u1", f"{prefix}_timestamp": str(NOW)}
    return delivery(raw, **headers, **{f"{prefix}_signature": ed25519_sign(private, message).hex()})


def test_a_published_key_proves_a_delivery() -> None:
    notice = verify(FAL, fal({"request_id": "r1", "status": "OK", "payload": {}}), now=NOW, jwks=JWKS)
    assert notice.job_id == "r1"
    assert notice.reading is not None
    assert notice.reading.state is State.SUCCEEDED
    notice = verify(FAL, fal({"request_id": "r1", "status": "ERROR", "error": "no"}), now=NOW, jwks=JWKS)
    assert notice.reading is not None
    assert notice.reading.state is State.FAILED
    assert "no" in str(notice.reading.error)


def test_the_job_may_be_named_in_a_header() -> None:
    request = fal({"data": []}, who="generation_id", prefix="x_ideogram_webhook")
    notice = verify(IDEOGRAM, request, now=NOW, jwks=JWKS)
    assert (notice.job_id, notice.reading) == ("r1", None)  # no word for a state: a poll decides


def test_a_key_that_is_not_published_proves_nothing() -> None:
    with pytest.raises(WebhookError) as caught:
        verify(FAL, fal({"request_id": "r1", "status": "OK"}, private=bytes([9] * 32)), now=NOW, jwks=JWKS)
    assert caught.value.reason == "signature"
    right = fal({"request_id": "r1", "status": "OK"})
    for name in right.headers:
        with pytest.raises(WebhookError):
            verify(FAL, replace(right, headers={**right.headers, name: "x"}), now=NOW, jwks=JWKS)
        with pytest.raises(WebhookError) as caught:
            verify(
                FAL, replace(right, headers={k: v for k, v in right.headers.items() if k != name}), now=NOW, jwks=JWKS
            )
        assert caught.value.reason == "missing"
    with pytest.raises(WebhookError) as caught:
        verify(FAL, right, now=NOW, jwks=b'{"keys": [{"kty": "RSA"}]}')
    assert caught.value.reason == "algorithm"
    for document in (b"", b"{}", b"not JSON"):
        with pytest.raises(ConfigurationError):
            verify(FAL, right, now=NOW, jwks=document)


# ------------------------------------------------------------------------------------------------ what a delivery says

UNSIGNED = provider(Webhook("callback_url", "id", challenge="challenge"))
SIGNED = provider(hmac_body("hook", "job.id", signature="x-signature"))


def said(body: Any, table: Provider = SIGNED) -> Notice:
    request = delivery(body)
    signed = replace(request, headers={"x-signature": mac(b"k", request.body).hex()})
    return verify(table, signed, secrets=["k"], now=NOW)


def test_what_nobody_signed_is_a_hint_and_no_state() -> None:
    notice = verify(UNSIGNED, delivery({"id": "a", "status": "done"}), now=NOW)
    assert (notice.job_id, notice.reading) == ("a", None)


def test_a_question_is_answered_with_itself() -> None:
    notice = verify(UNSIGNED, delivery({"challenge": "abc"}), now=NOW)
    assert (notice.job_id, json.loads(notice.reply)) == ("", {"challenge": "abc"})


def test_a_refused_job_is_read_as_a_poll_answer_is() -> None:
    notice = said({"job": {"id": "a"}, "status": "bad", "code": "safety", "why": "unsafe"})
    assert notice.reading is not None
    assert type(notice.reading.error).__name__ == "ContentPolicyError"
    assert said({"job": {"id": "a"}, "status": "off"}).reading.state is State.CANCELED  # type: ignore[union-attr]


@pytest.mark.parametrize("word", ["unheard of", 7, None, {}])
def test_an_unknown_word_is_left_to_a_poll(word: Any) -> None:
    assert said({"job": {"id": "a"}, "status": word}).reading is None


def test_what_is_missing_has_a_meaning_only_where_the_delivery_has_words_of_its_own() -> None:
    polled = replace(SIGNED, status=Status("status", WORDS, missing=State.RUNNING))
    assert said({"job": {"id": "a"}}, polled).reading is None
    own = hmac_body("hook", "job.id", signature="x-signature", status=Status("status", WORDS, missing=State.SUCCEEDED))
    reading = said({"job": {"id": "a"}}, provider(own)).reading
    assert reading is not None
    assert reading.state is State.SUCCEEDED


def test_an_id_is_written_as_the_submit_wrote_it() -> None:
    assert said({"job": {"id": "a/b ü"}}).job_id == "a%2Fb%20%C3%BC"
    assert said({"job": {"id": 12}}).job_id == "12"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"3",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b"{}",
        b'{"job": {"id": {}}}',
        b'{"job": {"id": ".."}}',
    ],
)
def test_a_body_that_says_no_job_is_malformed(body: bytes) -> None:
    with pytest.raises(WebhookError) as caught:
        said(body)
    assert caught.value.reason == "malformed"


def test_a_body_that_is_too_long_is_not_read() -> None:
    with pytest.raises(WebhookError) as caught:
        said(b'{"job": {"id": "a"}, "more": "' + b"x" * 2**20 + b'"}')
    assert caught.value.reason == "malformed"


def test_a_provider_that_does_not_call_back_is_said() -> None:
    with pytest.raises(ConfigurationError, match="does not call back"):
        verify(PLAIN, delivery({}), now=NOW)


@given(
    table=st.sampled_from([KLING, BFL, ELEVEN, OPENROUTER, PIXVERSE, VIDU, FAL, IDEOGRAM]),
    values=st.lists(st.text(max_size=40), min_size=12, max_size=12),
    body=st.binary(max_size=60),
)
def test_nothing_that_is_sent_is_another_exception(table: Provider, values: list[str], body: bytes) -> None:
    names = [
        *vidu().headers,
        *kling().headers,
        *fal({}).headers,
        "x-bfl-signature",
        "elevenlabs-signature",
        "webhook-nonce",
    ]
    request = WebhookRequest("POST", "/", "", dict(zip(names, values * 2, strict=False)), body)
    with pytest.raises(WebhookError):
        verify(table, request, secrets=[KLING_SECRET], now=NOW, jwks=JWKS)


# ------------------------------------------------------------------------------------------ the tables' own entries


def _standard(body: bytes) -> dict[str, str]:
    signature = base64.b64encode(mac(b"key", f"m1.{NOW}.".encode() + body)).decode()
    return {"webhook-id": "m1", "webhook-timestamp": str(NOW), "webhook-signature": f"v1,{signature}"}


def _keyed(prefix: str, who: str) -> Callable[[bytes], dict[str, str]]:
    def signed(body: bytes) -> dict[str, str]:
        message = f"j1\nu1\n{NOW}\n{hashlib.sha256(body).hexdigest()}".encode()
        signature = ed25519_sign(PRIVATE, message).hex()
        names = {who: "j1", "user-id": "u1", "timestamp": str(NOW), "signature": signature}
        return {f"{prefix}-{name}": value for name, value in names.items()}

    return signed


def _pixverse(body: bytes) -> dict[str, str]:
    query = "&".join(f"{name}={value}" for name, value in sorted(json.loads(body).items()))
    signature = base64.b64encode(mac(b"key", f"{NOW}\n{'n' * 32}\n{query}".encode())).decode()
    return {"webhook-timestamp": str(NOW), "webhook-nonce": "n" * 32, "webhook-signature": signature}


def _vidu(_body: bytes) -> dict[str, str]:
    date = "Fri, 15 Jan 2027 08:00:00 GMT"
    text = f"POST\n/hooks/plain\njob=7&n=%20\nvidu\n{date}\nx-request-nonce:n1\n"
    return {
        "x-hmac-signature": base64.b64encode(mac(b"key", text.encode())).decode(),
        "x-hmac-algorithm": "hmac-sha256",
        "x-hmac-access-key": "vidu",
        "x-hmac-signed-headers": "x-request-nonce",
        "x-request-nonce": "n1",
        "date": date,
    }


VENDORS: list[tuple[str, Callable[[bytes], dict[str, str]], dict[str, Any], State | None]] = [
    ("replicate", _standard, {"id": "j1", "status": "succeeded", "output": []}, State.SUCCEEDED),
    ("kling", _standard, {"id": "j1", "status": "failed", "message": "no"}, State.FAILED),
    ("fal", _keyed("x-fal-webhook", "request-id"), {"request_id": "j1", "status": "OK"}, State.SUCCEEDED),
    ("ideogram", _keyed("x-ideogram-webhook", "generation-id"), {"generation_id": "j1", "data": []}, None),
    (
        "bfl",
        lambda body: {"x-bfl-signature": f"sha256={mac(b'key', body).hex()}"},
        {"id": "j1", "status": "Ready", "result": {"sample": "https://x.example/a.png"}},
        State.SUCCEEDED,
    ),
    ("pixverse", _pixverse, {"id": "j1", "status": 1, "size": 3}, State.SUCCEEDED),
    ("vidu", _vidu, {"id": "j1", "state": "success"}, None),
]


@pytest.mark.parametrize(("name", "sign", "body", "state"), VENDORS, ids=[name for name, *_ in VENDORS])
def test_what_a_vendor_signs_is_accepted_by_its_table(
    name: str, sign: Callable[[bytes], dict[str, str]], body: dict[str, Any], state: State | None
) -> None:
    table = provider_table(name)
    raw = json.dumps(body).encode()
    request = WebhookRequest("POST", "/hooks/plain", "job=7&n=%20", sign(raw), raw)
    notice = verify(table, request, secrets=["other", "key"], now=NOW + 250, jwks=JWKS)
    assert notice.job_id == "j1"
    assert (notice.reading.state if notice.reading else None) is state
    assert notice.reply == (b"ok" if name == "pixverse" else b"")
    with pytest.raises(WebhookError):
        verify(table, request, secrets=["other"], now=NOW, jwks=ed25519_jwks({"a": ed25519_public(bytes(32))}))
    if name != "vidu":
        changed = json.dumps({**body, "more": 1}).encode()
        with pytest.raises(WebhookError):
            verify(table, replace(request, body=changed), secrets=["key"], now=NOW, jwks=JWKS)
    if name != "bfl":  # it sends no time
        with pytest.raises(WebhookError) as caught:
            verify(table, request, secrets=["key"], now=NOW + 301, jwks=JWKS)
        assert caught.value.reason == "time"


@pytest.mark.parametrize("name", ["ark", "higgsfield"])
def test_what_a_vendor_does_not_sign_wakes_up_and_proves_nothing(name: str) -> None:
    body = {"id": "j1", "request_id": "j1", "status": "completed"}
    assert verify(provider_table(name), delivery(body), now=NOW).reading is None


def test_minimax_is_answered_with_its_question() -> None:
    notice = verify(provider_table("minimax"), delivery({"challenge": "c1"}), now=NOW)
    assert json.loads(notice.reply) == {"challenge": "c1"}


def test_published_keys_have_an_address_and_go_without_the_credential() -> None:
    asked = {name: keys_request(provider_table(name)) for name in ("fal", "ideogram", "kling", "elevenlabs")}
    addresses = {name: (one.method, one.url, one.trusted) for name, one in asked.items() if one is not None}
    assert addresses == {
        "fal": ("GET", "https://rest.fal.ai/.well-known/jwks.json", False),
        "ideogram": ("GET", "https://api.ideogram.ai/v1/.well-known/jwks.json", False),
    }
