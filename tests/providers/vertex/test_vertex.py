"""Vertex: what is sent for each task, how a key becomes a token, and what is made of every answer."""

from importlib import import_module
import base64
import json
import math
from decimal import Decimal
from urllib.parse import parse_qs

import pytest

from aggregator import errors
from aggregator._results import read_result
from aggregator._wire import read_status
from aggregator.backends import provider_table
from aggregator.contract import HttpResponse, State
from aggregator.tasks import Reference
from tests.facts.validate import check_bodies
from tests.providers.harness import PNG, Shop, shortened

NAME = "vertex"
MODEL = "veo-3.1-lite-generate-001"
LITE = {"model": f"vertex:{MODEL}", "duration_s": 4}
PICTURE = {"bytesBase64Encoded": "…", "mimeType": "image/png"}
AT = f"/publishers/google/models/{MODEL}"


def _body(instance, **parameters):
    return {"instances": [instance], "parameters": {"sampleCount": 1, "durationSeconds": 4, **parameters}}


ORDERS = {
    "text": (
        lambda project: project.text_to_video(
            "a fox", aspect_ratio="9:16", resolution="720p", audio=True, seed=0, negative_prompt="rain", fps=24, **LITE
        ),
        _body(
            {"prompt": "a fox"},
            aspectRatio="9:16",
            resolution="720p",
            generateAudio=True,
            seed=0,
            negativePrompt="rain",
            fps=24,
        ),
    ),
    "first and last frame": (
        lambda project: project.image_to_video(PNG, "it runs", last_image=PNG, **LITE),
        _body({"prompt": "it runs", "image": PICTURE, "lastFrame": PICTURE}),
    ),
    "references": (
        lambda project: project.text_to_video(
            "a fox", references=[Reference(image=PNG), Reference(image=PNG, role="style")], **LITE
        ),
        _body(
            {
                "prompt": "a fox",
                "referenceImages": [
                    {"image": PICTURE, "referenceType": "ASSET"},
                    {"image": PICTURE, "referenceType": "STYLE"},
                ],
            }
        ),
    ),
}


@pytest.mark.parametrize("order", ORDERS)
async def test_what_is_sent_and_what_comes_of_it(order: str, shop: Shop) -> None:
    verb, body = ORDERS[order]
    project = await shop.project()
    result = await verb(project)
    bought, *looks = shop.ordered()
    assert (bought.path, shortened(bought.json)) == (f"{AT}:predictLongRunning", body)
    assert bought.headers["authorization"] == f"Bearer {shop.key()}"
    name = f"projects/emulator/locations/us-central1{AT}/operations/{bought.job_id}"
    assert {(one.path, one.body) for one in looks} == {
        (f"{AT}:fetchPredictOperation", json.dumps({"operationName": name}, separators=(",", ":")).encode())
    }
    assert result.artifact.mime_type == "video/mp4"
    assert result.cost.amount_usd == shop.emulator.book.usd == Decimal("0.20")


async def test_a_clip_is_gone_on_with(shop: Shop) -> None:
    project = await shop.project()
    clip = await project.text_to_video("a fox", **LITE)
    await project.extend_video(
        clip, "it sleeps", model="vertex:veo-3.1-generate-001", max_usd="4.00", resolution="720p"
    )
    request = next(one for one in shop.ordered() if "veo-3.1-generate-001:predict" in one.path)
    assert shortened(request.json) == {
        "instances": [{"prompt": "it sleeps", "video": {"bytesBase64Encoded": "…", "mimeType": "video/mp4"}}],
        "parameters": {"sampleCount": 1, "resolution": "720p"},
    }


async def test_music_is_answered_at_once(shop: Shop) -> None:
    project = await shop.project()
    result = await project.text_to_music("a march", negative_prompt="drums", seed=0, model="vertex:lyria-002")
    (request,) = shop.emulator.requests
    assert request.path == "/publishers/google/models/lyria-002:predict"
    assert request.json == {
        "instances": [{"prompt": "a march", "negative_prompt": "drums", "seed": 0}],
        "parameters": {"sample_count": 1},
    }
    assert (result.artifact.mime_type, result.cost.amount_usd) == ("audio/wav", Decimal("0.06"))


REFUSALS = {
    "bad_key": errors.AuthenticationError,
    "permission_denied": errors.AuthenticationError,
    "no_credit": errors.QuotaError,
    "rate_limited": errors.RateLimitError,
    "invalid": errors.InvalidRequestError,
    "moderated_input": errors.ContentPolicyError,
    "not_found": errors.InvalidRequestError,
}
ORDER = ({"instances": [{"prompt": "a fox"}], "parameters": {"durationSeconds": 4}}, MODEL, "text-to-video")


@pytest.mark.parametrize("fault", REFUSALS)
async def test_a_refusal_is_certain_and_of_its_class(fault: str, shop: Shop) -> None:
    await shop.refused(fault, REFUSALS[fault])


@pytest.mark.parametrize("fault", ["internal", "unavailable", "unavailable_listed", "deadline_exceeded"])
async def test_a_server_error_leaves_it_open_whether_it_was_taken(fault: str, shop: Shop) -> None:
    await shop.refused(fault, errors.UnavailableError, "unknown")


@pytest.mark.parametrize(
    ("fate", "error", "held"),
    [
        ("moderated_output", errors.ContentPolicyError, False),  # filtered in a successful answer: not charged
        ("failed:3", errors.ContentPolicyError, False),
        ("failed", errors.JobFailedError, True),
    ],
)
async def test_a_bad_end(fate: str, error: type[Exception], held: bool, shop: Shop) -> None:
    project = await shop.project()
    shop.emulator.script(NAME, fate)
    with pytest.raises(error) as caught:
        await project.text_to_video("a fox", **LITE)
    assert caught.value.accepted is True
    spend = await project.spend()
    assert (spend.settled_usd, spend.held_usd > 0) == (0, held)


def test_each_word() -> None:
    table = provider_table("vertex")
    bodies = (
        {"name": "x"},
        {"done": False},
        {"done": True, "response": {}},
        {"done": True, "error": {"message": "no"}},
    )
    states = [read_status(table, body).state for body in bodies]
    assert states == [State.RUNNING, State.RUNNING, State.SUCCEEDED, State.FAILED]


def test_a_done_operation_without_a_clip_is_no_success() -> None:
    table = provider_table("vertex")
    with pytest.raises(errors.ResponseFormatError):
        read_result(table, table.endpoint("text-to-video"), {"done": True, "response": {}}, {})


def _account(uri: str | None = None) -> tuple[str, object]:
    serialization = import_module("cryptography.hazmat.primitives.serialization")
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    account = {"client_email": "us@example.iam.gserviceaccount.com", "private_key": pem, "private_key_id": "7"}
    return json.dumps({**account, **({"token_uri": uri} if uri else {})}), key.public_key()


def test_an_access_token_is_used_as_it_is() -> None:
    flow = provider_table("vertex").auth.token("ya29.token", 0.0)
    with pytest.raises(StopIteration) as end:
        next(flow)
    assert end.value.value == ("ya29.token", math.inf)


def test_a_service_account_is_exchanged_for_an_hour() -> None:
    account, public = _account()
    flow = provider_table("vertex").auth.token(account, 1_000_000.5)
    request = next(flow)
    assert (request.method, request.url, request.trusted) == ("POST", "https://oauth2.googleapis.com/token", False)
    form = parse_qs(request.content.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    head, claims, signature = form["assertion"][0].split(".")
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    read = [base64.urlsafe_b64decode(part + "==") for part in (head, claims, signature)]
    public.verify(read[2], f"{head}.{claims}".encode(), PKCS1v15(), SHA256())
    assert json.loads(read[0]) == {"alg": "RS256", "typ": "JWT", "kid": "7"}
    assert json.loads(read[1]) == {
        "iss": "us@example.iam.gserviceaccount.com",
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "aud": "https://oauth2.googleapis.com/token",
        "iat": 1_000_000,
        "exp": 1_003_600,
    }
    answer = HttpResponse(200, {}, json.dumps({"access_token": "t", "expires_in": 3599}).encode())
    with pytest.raises(StopIteration) as end:
        flow.send(answer)
    assert end.value.value == ("t", 1_003_599.5)


async def test_the_token_is_what_is_sent(shop: Shop) -> None:
    from dataclasses import replace

    from aggregator.secret import Secret

    account, _ = _account(f"{shop.emulator.url('vertex')}/token")
    shop.backend = replace(shop.backend, secret=Secret(account))
    for _ in range(2):
        said = await shop.order()
        assert said.outcome == "accepted"
    paths = [one.path for one in shop.ordered()]
    assert paths == ["/token", f"{AT}:predictLongRunning", f"{AT}:predictLongRunning"]  # exchanged once
    assert "authorization" not in shop.ordered()[0].headers
    assert b"PRIVATE" not in shop.ordered()[0].body


async def test_the_key_is_tried_by_a_call_that_costs_nothing(shop: Shop) -> None:
    assert await shop.engine.probe(shop.backend) == "the key works"
    assert [one.path for one in shop.emulator.requests] == ["/models"]


def test_there_is_no_address_until_one_is_configured() -> None:
    assert provider_table("vertex").base_url == ""


def test_every_body_is_what_the_vendor_takes() -> None:
    check_bodies("vertex", offers=8)
