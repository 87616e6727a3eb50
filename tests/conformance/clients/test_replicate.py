"""The official client of Replicate (replicate 1.0.7): the emulator suits it, and we ask for what it asks for.

Normalised, each on purpose:

* `prefer`: the client holds the request open unless told otherwise; here it is told (`wait=False`), as we never do.
* the name of an uploaded file: the client sends the one on disk, we send a piece of the content hash.
* the address of an upload in the order: it differs with every upload.
* headers of the transport, `user-agent` and `accept` (see `tests.conformance.compare`).
"""

import dataclasses
from importlib import import_module
from typing import Any

import pytest

from aggregator.tasks import (
    FrameInterpolation,
    ImageToImage,
    ImageToVideo,
    ImageUpscaling,
    LipSync,
    SpeechToSpeech,
    TextToImage,
    TextToMusic,
    TextToSound,
    TextToSpeech,
    TextToVideo,
    VideoExtension,
    VideoToAudio,
    VideoToVideo,
    VideoUpscaling,
)
from aggregator.testing.emulator import Answer
from tests.conformance.compare import same
from tests.providers.harness import STILL

replicate = import_module("replicate")

from replicate.exceptions import ModelError, ReplicateError  # noqa: E402
from replicate.webhook import Webhooks, WebhookSigningSecret  # noqa: E402

PROVES = {
    "text-to-image": "client",
    "image-to-image": "client",
    "image-upscaling": "client",
    "text-to-video": "client",
    "image-to-video": "client",
    "video-to-video": "client",
    "video-extension": "client",
    "video-upscaling": "client",
    "frame-interpolation": "client",
    "lip-sync": "client",
    "video-to-audio": "client",
    "text-to-speech": "client",
    "speech-to-speech": "client",
    "text-to-sound": "client",
    "text-to-music": "client",
}
PICTURE, FILM, SOUND = (f"https://example.com/a.{kind}" for kind in ("png", "mp4", "wav"))
INTENTS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "text-to-image": (
        TextToImage(prompt="a fox", aspect_ratio="16:9", seed=0, format="png"),
        "black-forest-labs/flux-2-pro",
        {"prompt": "a fox", "aspect_ratio": "16:9", "seed": 0, "output_format": "png"},
    ),
    "image-to-image": (
        ImageToImage(image=PICTURE, prompt="in winter"),
        "black-forest-labs/flux-kontext-pro",
        {"input_image": PICTURE, "prompt": "in winter"},
    ),
    "text-to-video": (
        TextToVideo(prompt="ein Füchslein 🦊", duration_s=8, audio=False),
        "google/veo-3.1",
        {"prompt": "ein Füchslein 🦊", "duration": 8, "generate_audio": False},
    ),
    "image-to-video": (
        ImageToVideo(image=PICTURE, prompt="a fox", duration_s=10, resolution="768p"),
        "minimax/hailuo-2.3",
        {"first_frame_image": PICTURE, "prompt": "a fox", "duration": 10, "resolution": "768p"},
    ),
    "text-to-speech": (
        TextToSpeech(text="Good evening.", voice="Wise_Woman"),
        "minimax/speech-02-hd",
        {"text": "Good evening.", "voice_id": "Wise_Woman"},
    ),
    "text-to-music": (
        TextToMusic(prompt="slow piano", duration_s=30),
        "stability-ai/stable-audio-2.5",
        {"prompt": "slow piano", "duration": 30},
    ),
}


@pytest.fixture
def client(emulator: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("REPLICATE_POLL_INTERVAL", "0.005")
    return replicate.Client(api_token=emulator.keys["replicate"], base_url=emulator.url("replicate"))


@pytest.mark.parametrize("task", INTENTS)
async def test_the_client_is_served_and_asks_what_we_ask(
    task: str, client: Any, emulator: Any, ours: Any, bought: Any
) -> None:
    request, model, given = INTENTS[task]
    prediction = client.predictions.create(model=model, input=given, wait=False)
    assert prediction.status == "starting"
    prediction.wait()
    assert prediction.status == "succeeded"
    output = prediction.output if isinstance(prediction.output, list) else [prediction.output]
    assert all("/files/" in url for url in output)
    (theirs,) = bought("replicate")
    (mine,) = await ours("replicate", request, model=f"replicate:{model}")
    assert same(mine, theirs) == []


OF_USERS: dict[str, tuple[Any, str, dict[str, Any], str]] = {
    "video-to-video": (
        VideoToVideo(video=FILM, prompt="in winter"),
        "acme/video-painter",
        {"video": FILM, "prompt": "in winter"},
        '{ video = "video", prompt = "prompt" }',
    ),
    "video-extension": (
        VideoExtension(video=FILM, prompt="it sleeps", duration_s=4),
        "acme/video-more",
        {"video": FILM, "prompt": "it sleeps", "seconds": 4},
        '{ video = "video", prompt = "prompt", duration_s = "seconds" }',
    ),
    "video-upscaling": (
        VideoUpscaling(video=FILM, factor=2),
        "acme/video-larger",
        {"video_path": FILM, "scale": 2},
        '{ video = "video_path", factor = "scale" }',
    ),
    "frame-interpolation": (
        FrameInterpolation(video=FILM, fps=48),
        "acme/video-smoother",
        {"video": FILM, "target_fps": 48},
        '{ video = "video", fps = "target_fps" }',
    ),
    "lip-sync": (
        LipSync(video=FILM, audio=SOUND),
        "acme/lip-sync",
        {"face": FILM, "audio": SOUND},
        '{ video = "face", audio = "audio" }',
    ),
    "video-to-audio": (
        VideoToAudio(video=FILM, prompt="steps"),
        "acme/mmaudio",
        {"video": FILM, "prompt": "steps"},
        '{ video = "video", prompt = "prompt" }',
    ),
    "speech-to-speech": (
        SpeechToSpeech(audio=SOUND, voice="anna"),
        "acme/voice-changer",
        {"source": SOUND, "voice": "anna"},
        '{ audio = "source", voice = "voice" }',
    ),
    "text-to-sound": (
        TextToSound(prompt="a door", duration_s=2),
        "acme/sound",
        {"prompt": "a door", "duration": 2},
        '{ prompt = "prompt", duration_s = "duration" }',
    ),
}
"""Of these tasks the package has no offer: the row is a user's own."""


@pytest.mark.parametrize("task", OF_USERS)
async def test_a_users_own_row_asks_for_what_the_client_asks_for(
    task: str, client: Any, ours: Any, bought: Any, row: Any
) -> None:
    request, model, given, fields = OF_USERS[task]
    prediction = client.predictions.create(model=model, input=given, wait=False)
    prediction.wait()
    assert prediction.status == "succeeded"
    assert "/files/" in prediction.output
    (theirs,) = bought("replicate")
    (mine,) = await ours("replicate", request, **row("replicate", model, task, f"fields = {fields}"))
    assert same(mine, theirs) == []


async def test_a_version_is_ordered_alike(client: Any, ours: Any, bought: Any) -> None:
    version = "f121d640bd286e1fdc67f9799164c1d5be36ff74576ee11c803ae5b665dd46aa"
    client.predictions.create(version=version, input={"image": PICTURE, "scale": 2}).wait()
    (theirs,) = bought("replicate")
    (mine,) = await ours(
        "replicate", ImageUpscaling(image=PICTURE, factor=2), model="replicate:nightmareai/real-esrgan"
    )
    assert same(mine, theirs) == []


def test_the_client_orders_from_a_deployment_at_our_address(client: Any, bought: Any) -> None:
    client.deployments.predictions.create("acme/portrait", input={"prompt": "a fox"}).wait()
    assert bought("replicate")[0].path == "/v1/deployments/acme/portrait/predictions"


async def test_a_file_is_uploaded_and_looked_at_alike(client: Any, emulator: Any, ours: Any, bought: Any) -> None:
    with STILL.open("rb") as file:
        prediction = client.predictions.create(
            model="minimax/hailuo-02", input={"prompt": "a fox", "first_frame_image": file}, wait=False
        )
    prediction.reload()
    upload, submit, look = emulator.requests
    bought("replicate")
    start = len(emulator.requests)
    await ours("replicate", ImageToVideo(image=STILL, prompt="a fox"), model="replicate:minimax/hailuo-02")
    our_upload, our_submit, our_look, *_ = emulator.requests[start:]
    assert same(our_upload, upload, ignore_filenames=True) == []
    assert same(our_submit, submit, ignore_body=["input.first_frame_image"]) == []
    assert same(dataclasses.replace(our_look, path=look.path), look) == []
    assert our_look.path == f"/v1/predictions/{our_submit.job_id}"


async def test_cancel_is_asked_alike(client: Any, emulator: Any) -> None:
    prediction = client.predictions.create(model="google/veo-3.1", input={"prompt": "a fox"}, wait=False)
    prediction.cancel()
    assert prediction.status == "canceled"
    cancel = emulator.requests[-1]
    assert (cancel.method, cancel.path, cancel.body) == ("POST", f"/v1/predictions/{prediction.id}/cancel", b"")


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("bad_key", 401),
        ("no_credit", 402),
        ("not_found", 404),
        ("invalid", 422),
        ("rate_limited", 429),
        ("unavailable", 503),
    ],
)
def test_the_client_reads_every_error(fault: str, status: int, client: Any, emulator: Any) -> None:
    emulator.script("replicate", fault)
    with pytest.raises(ReplicateError) as caught:
        client.predictions.create(model="google/veo-3.1", input={"prompt": "a fox"})
    assert caught.value.status == status
    assert caught.value.detail


@pytest.mark.parametrize("fate", ["failed", "moderated_output"])
def test_the_client_sees_a_failed_job(fate: str, client: Any, emulator: Any) -> None:
    emulator.script("replicate", fate)
    with pytest.raises(ModelError) as caught:
        client.run("google/veo-3.1", input={"prompt": "a fox"}, wait=False)
    assert ("E005" in str(caught.value)) is (fate == "moderated_output")


def test_the_client_reads_the_progress_in_the_logs(client: Any, emulator: Any) -> None:
    prediction = client.predictions.create(model="google/veo-3.1", input={"prompt": "a fox"}, wait=False)
    prediction.wait()
    assert prediction.progress.percentage == 1.0


def test_the_client_waits_in_the_request(client: Any) -> None:
    output = client.run("black-forest-labs/flux-schnell", input={"prompt": "a fox"}, use_file_output=False)
    assert output[0].startswith("http")


def test_the_client_finds_models_files_and_itself(client: Any) -> None:
    assert client.models.get("google/veo-3.1").owner == "google"
    assert client.accounts.current().username == "emulator"
    file = client.files.create(STILL)
    assert client.files.get(file.id).size == STILL.stat().st_size
    assert [one.id for one in client.files.list()] == [file.id]
    assert client.files.delete(file.id)


async def test_the_client_believes_our_emulators_deliveries(client: Any, emulator: Any) -> None:
    prediction = client.predictions.create(model="google/veo-3.1", input={"prompt": "a fox"}, wait=False)
    prediction.wait()
    desk = emulator.desk("replicate")
    said = desk.service.hook(desk.jobs[prediction.id], "", desk.world)
    secret = WebhookSigningSecret(key=client.webhooks.default.secret().key)
    Webhooks.validate(headers=dict(said.headers), body=said.body.decode(), secret=secret, tolerance=300)


def test_a_webhook_is_asked_for_where_our_table_says(client: Any, bought: Any) -> None:
    from aggregator.providers.replicate import PROVIDER

    hook = "https://example.com/hook?a=1"
    client.predictions.create(model="google/veo-3.1", input={"prompt": "a fox"}, webhook=hook, wait=False)
    assert PROVIDER.webhook is not None
    assert PROVIDER.webhook.ask == "webhook"
    assert bought("replicate")[0].json == {"input": {"prompt": "a fox"}, "webhook": hook}


def test_an_aborted_job_is_a_word_the_client_does_not_know(client: Any, emulator: Any) -> None:
    prediction = client.predictions.create(model="google/veo-3.1", input={"prompt": "a fox"}, wait=False)
    emulator.disturb("replicate", Answer(200, {"id": prediction.id, "status": "aborted"}), on="GET /v1/predictions/*")
    with pytest.raises(Exception, match="status"):
        prediction.reload()
