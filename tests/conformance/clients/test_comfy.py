"""The official client of Comfy Router (comfy-sdk 0.5.0): it is content with the emulator, and asks for what we ask for.

Not compared: how the client names itself (`comfy-*`, `x-comfy-client*`, `user-agent`) and the value of the idempotency
key, which is chance on both sides; that both send one, and not the same, is checked.
"""

from importlib import import_module

import pytest

from aggregator.tasks import ImageToImage, ImageToVideo, Reference, TextToImage, TextToSpeech, TextToVideo
from aggregator.testing.emulator.services.comfy import SERVICE
from tests.conformance.compare import same

comfy = import_module("comfy_sdk")

PROVES = {
    "text-to-image": "client",
    "image-to-image": "client",
    "text-to-video": "client",
    "image-to-video": "client",
    "text-to-speech": "client",
}

OWN = ("idempotency-key", "comfy-*", "x-comfy-client*")
PICTURE = "https://example.com/still.png"
FLUX = "bfl/flux-2-pro"


@pytest.fixture
def client(emulator, monkeypatch):
    monkeypatch.setenv("COMFY_ROUTER_BASE_URL", emulator.url("comfy"))
    monkeypatch.setenv("COMFY_BASE_URL", emulator.url("comfy"))
    monkeypatch.setenv("COMFY_API_KEY", emulator.keys["comfy"])
    with comfy.Comfy(retry=comfy.NO_RETRY) as opened:
        yield opened


# ------------------------------------------------------------------------------------------ it understands every answer


def test_it_reads_a_result_it_waited_for(client):
    made = client.models.run_detailed(FLUX, {"prompt": "a fox"})
    assert made.output["result"]["sample"].startswith("http")


def test_it_reads_a_queued_request_from_submit_to_result(client):
    handle = client.models.submit(FLUX, {"prompt": "a fox"})
    assert handle.status().status in ("IN_QUEUE", "IN_PROGRESS")
    assert handle.get(timeout=10)["result"]["sample"].startswith("http")
    assert handle.status().is_completed


def test_it_reads_a_result_of_bytes(client):
    turns = [{"text": "hello", "voice_id": "abc"}]
    made = client.models.submit("elevenlabs/eleven_v4", {"inputs": turns}).get(timeout=10)
    assert made.content_type == "audio/mpeg"


def test_it_reads_a_cancel(client):
    handle = client.models.submit("xai/grok-imagine-video-1.5", {"prompt": "a fox", "resolution": "480p"})
    assert handle.cancel().error_type == "cancelled"
    with pytest.raises(comfy.RouterError) as caught:
        handle.get(timeout=10)
    assert caught.value.error_type == "cancelled"


def test_it_reads_a_cancel_that_came_too_late(client):
    handle = client.models.submit(FLUX, {"prompt": "a fox"})
    handle.get(timeout=10)
    with pytest.raises(comfy.RouterError, match="ALREADY_COMPLETED"):
        handle.cancel()


@pytest.mark.parametrize(
    ("fate", "bucket"), [("failed", "provider_error"), ("moderated_output", "content_policy_violation")]
)
def test_it_reads_a_request_that_failed(emulator, client, fate, bucket):
    emulator.script("comfy", fate)
    with pytest.raises(comfy.RouterError) as caught:
        client.models.submit(FLUX, {"prompt": "a fox"}).get(timeout=10)
    assert caught.value.error_type == bucket


def test_it_reads_the_catalog(client):
    listed = {one.id: one for one in client.models.list()}
    assert FLUX in listed
    assert client.models.schema(FLUX).document["openapi"] == "3.0.2"


@pytest.mark.parametrize("fault", SERVICE.faults)
def test_it_reads_every_error(emulator, client, fault):
    emulator.script("comfy", fault)
    with pytest.raises(comfy.RouterError) as caught:
        client.models.submit(FLUX, {"prompt": "a fox"})
    said = SERVICE.faults[fault]
    answer = said("") if callable(said) else said
    assert caught.value.error_type == answer.body["error_type"]


def test_one_key_is_one_purchase(emulator, client):
    first = client.models.submit(FLUX, {"prompt": "a fox"}, idempotency_key="mine")
    again = client.models.submit(FLUX, {"prompt": "a fox"}, idempotency_key="mine")
    assert first.request_id == again.request_id
    assert len(emulator.book) == 1


# --------------------------------------------------------------------------------------------- it asks for what we ask

INTENTS = {
    "picture": (
        TextToImage(prompt="a fox", size=(512, 768), seed=0, format="png"),
        "flux-2-pro",
        FLUX,
        {"prompt": "a fox", "width": 512, "height": 768, "seed": 0, "output_format": "png"},
    ),
    "edit": (
        ImageToImage(prompt="at night", image=PICTURE, references=(Reference(image=PICTURE),), aspect_ratio="3:2"),
        "flux-3-image",
        "bfl/flux-3-image",
        {"prompt": "at night", "images": [PICTURE, PICTURE], "aspect_ratio": "3:2"},
    ),
    "clip": (
        TextToVideo(prompt="a fox", duration_s=4, aspect_ratio="16:9", resolution="480p"),
        "grok-imagine-video-1.5",
        "xai/grok-imagine-video-1.5",
        {"prompt": "a fox", "duration": 4, "aspect_ratio": "16:9", "resolution": "480p"},
    ),
    "clip from a picture": (
        ImageToVideo(prompt="go", image=PICTURE, duration_s=4, resolution="480p"),
        "grok-imagine-video",
        "xai/grok-imagine-video",
        {"prompt": "go", "image": {"url": PICTURE}, "duration": 4, "resolution": "480p"},
    ),
    "speech": (
        TextToSpeech(text="hello", voice="abc", language="en"),
        "eleven-v4",
        "elevenlabs/eleven_v4",
        {"inputs": [{"text": "hello", "voice_id": "abc"}], "language_code": "en"},
    ),
}


@pytest.mark.usefixtures("virtual_clock")
@pytest.mark.parametrize("intent", INTENTS)
async def test_a_purchase(ours, bought, client, intent):
    request, model, name, body = INTENTS[intent]
    (mine,) = await ours("comfy", request, model=model)
    client.models.submit(name, body)
    (other,) = bought("comfy")
    assert same(mine, other, ignore_headers=OWN) == []
    keys = {one.headers["idempotency-key"] for one in (mine, other)}
    assert len(keys) == 2


@pytest.mark.parametrize("intent", INTENTS)
def test_it_completes_what_it_orders(client, intent):
    _, _, name, body = INTENTS[intent]
    handle = client.models.submit(name, body)
    made = handle.get(timeout=10)
    assert handle.status().is_completed
    if intent == "speech":
        assert made.content_type == "audio/mpeg"
    else:
        assert (made["result"]["sample"] if name.startswith("bfl") else made["video"]["url"]).startswith("http")


@pytest.mark.usefixtures("virtual_clock")
async def test_the_looks_and_the_fetch(emulator, ours, client):
    await ours("comfy", TextToImage(prompt="a fox"), model="flux-2-pro")
    mine = [one for one in emulator.requests if one.method == "GET"]
    handle = client.models.submit(FLUX, {"prompt": "a fox"})
    emulator.clock.advance(60)
    handle.get(timeout=10)
    theirs = [one for one in emulator.requests if one.method == "GET"][len(mine) :]
    for ours_is, theirs_is in ((mine[-1], theirs[-1]), (mine[-2], theirs[-2])):
        assert ours_is.route == theirs_is.route
        assert ours_is.headers["authorization"] == theirs_is.headers["authorization"]
