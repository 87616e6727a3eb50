"""google-genai 3.4.0 against Vertex AI: it is content with the emulator, and asks for what we ask for.

Not compared: the client's own headers (`x-goog-api-client`, `user-agent`).
"""

import time
from importlib import import_module
from typing import Any

import pytest

from aggregator.tasks import ImageToVideo, Reference, TextToVideo, VideoExtension
from aggregator.testing.emulator import Emulator, media
from tests.conformance.compare import same
from tests.providers.harness import PNG

genai = import_module("google.genai")
credentials = import_module("google.auth.credentials")
errors, types = import_module("google.genai.errors"), import_module("google.genai.types")

PROVES = {"text-to-video": "client", "image-to-video": "client", "video-extension": "client"}
LITE, FULL = "veo-3.1-lite-generate-001", "veo-3.1-generate-001"
AT = "/v1/projects/p/locations/us-central1"
FILM = media.render(
    "video/mp4", width=64, height=36, duration_s=1, fps=8, audio=False, rate_hz=8000, channels=1, seed=1
)


class Token(credentials.Credentials):
    """An access token that does not end."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token

    expired, valid = False, True

    def refresh(self, request: Any) -> None:
        raise AssertionError("nothing to refresh")


def client(emulator: Emulator, key: str | None = None) -> Any:
    options = types.HttpOptions(
        base_url=emulator.url("vertex"), api_version="v1", retry_options=types.HttpRetryOptions(attempts=1)
    )
    token = Token(key or emulator.keys["vertex"])
    return genai.Client(vertexai=True, project="p", location="us-central1", credentials=token, http_options=options)


def _film(c: Any, model: str = LITE, *, config: dict[str, Any] | None = None, **source: Any) -> Any:
    told = types.GenerateVideosConfig(number_of_videos=1, **(config or {}))
    return c.models.generate_videos(model=model, source=types.GenerateVideosSource(**source), config=told)


def _picture() -> Any:
    return types.Image(image_bytes=PNG, mime_type="image/png")


def _reference(kind: str) -> Any:
    return types.VideoGenerationReferenceImage(image=_picture(), reference_type=kind)


INTENTS = {
    "text": (
        TextToVideo(
            prompt="a fox",
            aspect_ratio="9:16",
            resolution="720p",
            duration_s=4,
            audio=True,
            seed=3,
            negative_prompt="rain",
            fps=24,
        ),
        LITE,
        lambda c: _film(
            c,
            prompt="a fox",
            config={
                "aspect_ratio": "9:16",
                "resolution": "720p",
                "duration_seconds": 4,
                "generate_audio": True,
                "seed": 3,
                "negative_prompt": "rain",
                "fps": 24,
            },
        ),
    ),
    "first and last frame": (
        ImageToVideo(image=PNG, prompt="it runs", last_image=PNG, duration_s=4),
        LITE,
        lambda c: _film(
            c, prompt="it runs", image=_picture(), config={"last_frame": _picture(), "duration_seconds": 4}
        ),
    ),
    "references": (
        TextToVideo(
            prompt="a fox", references=(Reference(image=PNG), Reference(image=PNG, role="style")), duration_s=4
        ),
        LITE,
        lambda c: _film(
            c,
            prompt="a fox",
            config={"reference_images": [_reference("ASSET"), _reference("STYLE")], "duration_seconds": 4},
        ),
    ),
    "extension": (
        VideoExtension(video=FILM, prompt="it sleeps"),
        FULL,
        lambda c: _film(c, FULL, prompt="it sleeps", video=types.Video(video_bytes=FILM, mime_type="video/mp4")),
    ),
}


@pytest.mark.parametrize("intent", INTENTS)
async def test_our_order_is_the_clients(intent: str, emulator: Emulator, ours: Any, bought: Any) -> None:
    request, model, call = INTENTS[intent]
    settings = {"providers": {"vertex": {"base_url": emulator.url("vertex") + AT}}}
    (mine,) = await ours("vertex", request, model=f"vertex:{model}", settings=settings)
    call(client(emulator))
    (theirs,) = bought("vertex")
    assert same(mine, theirs, ignore_headers=["x-goog-api-client"]) == []


async def test_our_look_is_the_clients(emulator: Emulator, ours: Any) -> None:
    settings = {"providers": {"vertex": {"base_url": emulator.url("vertex") + AT}}}
    await ours("vertex", INTENTS["text"][0], model=f"vertex:{LITE}", settings=settings)
    mine = emulator.requests[-1]
    c = client(emulator)
    operation = INTENTS["text"][2](c)
    c.operations.get(operation)
    theirs = emulator.requests[-1]
    found = same(mine, theirs, ignore_headers=["x-goog-api-client"], ignore_body=["operationName"])
    assert found == []
    assert theirs.json["operationName"] == operation.name
    assert mine.json["operationName"].rpartition("/")[0] == operation.name.rpartition("/")[0]


def _ended(c: Any, operation: Any) -> Any:
    while not operation.done:
        time.sleep(0.01)
        operation = c.operations.get(operation)
    return operation


@pytest.mark.parametrize("intent", INTENTS)
def test_the_client_gets_its_clip(intent: str, emulator: Emulator) -> None:
    c = client(emulator)
    (made,) = _ended(c, INTENTS[intent][2](c)).response.generated_videos
    assert made.video.video_bytes[4:8] == b"ftyp"


def test_the_client_reads_what_the_filter_refused(emulator: Emulator) -> None:
    emulator.script("vertex", "moderated_output")
    c = client(emulator)
    answer = _ended(c, INTENTS["text"][2](c)).response
    assert (answer.generated_videos, answer.rai_media_filtered_count) == (None, 1)
    assert "usage guidelines" in answer.rai_media_filtered_reasons[0]


def test_the_client_reads_a_failure(emulator: Emulator) -> None:
    emulator.script("vertex", "failed")
    c = client(emulator)
    assert _ended(c, INTENTS["text"][2](c)).error["code"] == 13


FAULTS = {
    "bad_key": 401,
    "permission_denied": 403,
    "no_credit": 400,
    "rate_limited": 429,
    "invalid": 400,
    "moderated_input": 400,
    "not_found": 404,
    "internal": 500,
    "unavailable": 503,
    "unavailable_listed": 503,
    "deadline_exceeded": 504,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_client_reads_every_error(fault: str, emulator: Emulator) -> None:
    emulator.script("vertex", fault)
    with pytest.raises(errors.APIError) as caught:
        INTENTS["text"][2](client(emulator))
    assert caught.value.code == FAULTS[fault]


def test_a_wrong_token_is_refused(emulator: Emulator) -> None:
    with pytest.raises(errors.ClientError):
        INTENTS["text"][2](client(emulator, "wrong"))
