"""The official client of Hugging Face (huggingface_hub 2.4.0): the emulator suits it, and we ask for what it asks for.

Normalised, each on purpose:

* which partner serves a model: the client asks the Hub before each call, for us it is in the offer.
* below any other name than the router's own, the client asks for a job of fal's without `/fal-ai` before the path.
* Together's and Wavespeed's jobs, and fal's, are looked at with the headers of the order (`content-type` among them).
* a picture at an address is sent as the address, a local one as a data URI: by both.
* parameters that we have no word for (`num_inference_steps`, `guidance_scale`) are not used.
* `x-…` headers about the client, headers of the transport, `user-agent` (see `tests.conformance.compare`).
"""

import dataclasses
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from aggregator.tasks import ImageToImage, ImageToVideo, TextToImage, TextToSpeech, TextToVideo
from tests.conformance.compare import same
from tests.providers.harness import STILL

huggingface_hub = import_module("huggingface_hub")

from huggingface_hub import InferenceClient, constants  # noqa: E402
from huggingface_hub.errors import HfHubHTTPError  # noqa: E402
from huggingface_hub.inference._providers import PROVIDERS, _common, fal_ai, hf_inference, together, wavespeed  # noqa: E402
from huggingface_hub.utils import _detect_agent  # noqa: E402

PROVES = {
    "text-to-image": "client",
    "image-to-image": "client",
    "text-to-video": "client",
    "image-to-video": "client",
    "text-to-speech": "client",
}
PICTURE = "https://example.com/a.png"
OF_THE_CLIENT = ["x-*"]


@pytest.fixture
def url(emulator: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The client knows its hosts by constants, and waits for whole seconds."""
    url: str = emulator.url("huggingface")
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "INFERENCE_PROXY_TEMPLATE", f"{url}/{{provider}}")
    for module, name in (
        (fal_ai, "_POLLING_INTERVAL"),
        (wavespeed, "_POLLING_INTERVAL"),
        (together, "_VIDEO_POLLING_INTERVAL"),
    ):
        monkeypatch.setattr(module, name, 0.005)
    for task in ("text-to-image", "text-to-speech"):
        monkeypatch.setattr(PROVIDERS["hf-inference"][task], "base_url", f"{url}/hf-inference")
    monkeypatch.setattr(constants, "AGENT_HARNESSES_PATH", str(tmp_path / "harnesses.json"), raising=True)
    monkeypatch.setattr(_detect_agent, "_registry", None)
    _common._fetch_inference_provider_mapping.cache_clear()
    hf_inference._check_supported_task.cache_clear()
    return url


def client(emulator: Any, partner: str, **given: Any) -> Any:
    return InferenceClient(provider=partner, api_key=emulator.keys["huggingface"], **given)


INTENTS: dict[str, tuple[str, Any, Any, str]] = {
    "fal-ai, a picture": (
        "fal-ai",
        lambda c: c.text_to_image("a fox", model="black-forest-labs/FLUX.1-dev", width=640, height=480, seed=0),
        TextToImage(prompt="a fox", size=(640, 480), seed=0),
        "fal-ai/flux/dev",
    ),
    "fal-ai, an edit": (
        "fal-ai",
        lambda c: c.image_to_image(PICTURE, prompt="a fox", model="black-forest-labs/FLUX.2-klein-9B"),
        ImageToImage(image=PICTURE, prompt="a fox"),
        "fal-ai/flux-2/klein/9b/edit",
    ),
    "fal-ai, a clip": (
        "fal-ai",
        lambda c: c.text_to_video("a fox", model="Wan-AI/Wan2.2-TI2V-5B", seed=3),
        TextToVideo(prompt="a fox", seed=3),
        "fal-ai/wan/v2.2-5b/text-to-video",
    ),
    "replicate, a picture": (
        "replicate",
        lambda c: c.text_to_image("a fox", model="black-forest-labs/FLUX.1-dev", seed=0),
        TextToImage(prompt="a fox", seed=0),
        "black-forest-labs/flux-dev",
    ),
    "replicate, an edit": (
        "replicate",
        lambda c: c.image_to_image(PICTURE, prompt="a fox", model="black-forest-labs/FLUX.2-klein-9B"),
        ImageToImage(image=PICTURE, prompt="a fox"),
        "black-forest-labs/flux-2-klein-9b",
    ),
    "replicate, a clip": (
        "replicate",
        lambda c: c.text_to_video("a fox", model="Wan-AI/Wan2.2-TI2V-5B"),
        TextToVideo(prompt="a fox"),
        "wan-video/wan-2.2-5b-fast",
    ),
    "nscale, a picture": (
        "nscale",
        lambda c: c.text_to_image("a fox", model="black-forest-labs/FLUX.1-schnell", width=640, height=480),
        TextToImage(prompt="a fox", size=(640, 480)),
        "black-forest-labs/FLUX.1-schnell",
    ),
    "wavespeed, a picture": (
        "wavespeed",
        lambda c: c.text_to_image("a fox", model="black-forest-labs/FLUX.1-dev", negative_prompt="dogs"),
        TextToImage(prompt="a fox", negative_prompt="dogs"),
        "wavespeed-ai/flux-dev",
    ),
    "wavespeed, an edit": (
        "wavespeed",
        lambda c: c.image_to_image(PICTURE, prompt="a fox", model="black-forest-labs/FLUX.2-dev"),
        ImageToImage(image=PICTURE, prompt="a fox"),
        "wavespeed-ai/flux-2-dev/edit",
    ),
    "wavespeed, a clip": (
        "wavespeed",
        lambda c: c.text_to_video("a fox", model="larryvrh/MiniMax-H3-Turbo-Lora"),
        TextToVideo(prompt="a fox"),
        "wavespeed-ai/minimax-h3/text-to-video-lora",
    ),
    "hf-inference, a picture": (
        "hf-inference",
        lambda c: c.text_to_image(
            "a fox", model="stabilityai/stable-diffusion-3-medium-diffusers", width=640, height=480, seed=0
        ),
        TextToImage(prompt="a fox", size=(640, 480), seed=0),
        "stabilityai/stable-diffusion-3-medium-diffusers",
    ),
}


@pytest.mark.parametrize("intent", INTENTS)
async def test_the_client_is_served_and_asks_what_we_ask(
    intent: str, url: str, emulator: Any, ours: Any, bought: Any
) -> None:
    partner, call, request, endpoint = INTENTS[intent]
    made = call(client(emulator, partner))
    assert len(made) if isinstance(made, bytes) else made.size
    (theirs,) = bought("huggingface")
    (mine,) = await ours("huggingface", request, model=f"huggingface:{endpoint}")
    assert same(mine, theirs, ignore_headers=OF_THE_CLIENT) == []
    assert mine.headers.get("accept") == "image/png" or partner != "hf-inference"


CLIP, FRAME = TextToVideo(prompt="a fox"), ImageToVideo(image=PICTURE, prompt="a fox")
YES = TextToSpeech(text="Yes.")
OF_USERS: dict[str, tuple[Any, Any, str, str]] = {
    "together, a picture": (
        lambda c: c.text_to_image("a fox", model="black-forest-labs/FLUX.1-schnell"),
        TextToImage(prompt="a fox"),
        "together",
        "",
    ),
    "together, a clip": (
        lambda c: c.text_to_video("a fox", model="Wan-AI/Wan2.2-TI2V-5B"),
        CLIP,
        "together-video",
        "",
    ),
    "together, a clip from a picture": (
        lambda c: c.image_to_video(PICTURE, prompt="a fox", model="Wan-AI/Wan2.2-I2V-A14B"),
        FRAME,
        "together-video",
        "",
    ),
    "together, speech": (
        lambda c: c.text_to_speech("Yes.", model="hexgrad/Kokoro-82M", extra_body={"voice": "af"}),
        TextToSpeech(text="Yes.", voice="af"),
        "together-speech",
        "",
    ),
    "fal-ai, a clip from a picture": (
        lambda c: c.image_to_video(PICTURE, prompt="a fox", model="Wan-AI/Wan2.2-I2V-A14B"),
        FRAME,
        "fal-queue",
        "fal-ai/wan/v2.2-a14b/image-to-video",
    ),
    "fal-ai, speech": (
        lambda c: c.text_to_speech("Yes.", model="hexgrad/Kokoro-82M"),
        YES,
        "fal",
        "fal-ai/kokoro/american-english",
    ),
    "wavespeed, a clip from a picture": (
        lambda c: c.image_to_video(PICTURE, prompt="a fox", model="Wan-AI/Wan2.2-I2V-A14B"),
        FRAME,
        "wavespeed",
        "wavespeed-ai/wan-2.2/image-to-video",
    ),
    "novita, a clip": (
        lambda c: c.text_to_video("a fox", model="Wan-AI/Wan2.2-TI2V-5B"),
        CLIP,
        "novita",
        "wan-t2v",
    ),
    "hf-inference, speech": (
        lambda c: c.text_to_speech("Yes.", model="hexgrad/Kokoro-82M"),
        YES,
        "",
        "hexgrad/Kokoro-82M",
    ),
}
"""Of these the package has no offer: the row is a user's own. Together has the model in the body."""


@pytest.mark.parametrize("intent", OF_USERS)
async def test_a_users_own_row_asks_for_what_the_client_asks_for(
    intent: str, url: str, emulator: Any, ours: Any, bought: Any, row: Any
) -> None:
    call, request, dialect, endpoint = OF_USERS[intent]
    partner = intent.partition(",")[0]
    made = call(client(emulator, partner))
    assert len(made) if isinstance(made, bytes) else made.size
    (theirs,) = bought("huggingface")
    more = f'dialect = "{dialect}"' if dialect else ""
    mine = row("huggingface", endpoint or theirs.json["model"], request.task, more)
    (order,) = await ours("huggingface", request, **mine)
    nothing = {"parameters": {}} if partner == "hf-inference" else {}  # the client's way to say nothing
    assert same(order, theirs, ignore_headers=OF_THE_CLIENT, they_add=nothing) == []


async def test_a_local_picture_is_sent_alike(url: str, emulator: Any, ours: Any, bought: Any) -> None:
    client(emulator, "fal-ai").image_to_image(STILL, prompt="a fox", model="black-forest-labs/FLUX.2-klein-9B")
    (theirs,) = bought("huggingface")
    request = ImageToImage(image=STILL, prompt="a fox")
    (mine,) = await ours("huggingface", request, model="huggingface:fal-ai/flux-2/klein/9b/edit")
    assert same(mine, theirs, ignore_headers=OF_THE_CLIENT) == []


async def test_jobs_are_looked_at_alike(url: str, emulator: Any, ours: Any) -> None:
    for partner, model, endpoint in (
        ("fal-ai", "Wan-AI/Wan2.2-TI2V-5B", "fal-ai/wan/v2.2-5b/text-to-video"),
        ("wavespeed", "larryvrh/MiniMax-H3-Turbo-Lora", "wavespeed-ai/minimax-h3/text-to-video-lora"),
    ):
        client(emulator, partner).text_to_video("a fox", model=model)
        theirs = [one for one in emulator.requests if one.method == "GET" and "/requests/" in one.path + "/requests/"]
        start = len(emulator.requests)
        await ours("huggingface", TextToVideo(prompt="a fox"), model=f"huggingface:{endpoint}")
        looks = [one for one in emulator.requests[start:] if one.method == "GET"]
        before = f"/{partner}" if partner == "fal-ai" else ""
        last, their_last = looks[-1], theirs[-1]
        assert _anonymous(last) == before + _anonymous(their_last)
        headers = {name: text for name, text in their_last.headers.items() if name != "content-type"}
        ended = dataclasses.replace(their_last, path=last.path, headers=headers)
        assert same(last, ended, ignore_headers=OF_THE_CLIENT) == []


def _anonymous(one: Any) -> str:
    """The path without the job's id."""
    return "/".join("…" if len(part) == 32 else part for part in one.path.split("/"))


async def test_an_organisation_is_billed_alike(url: str, emulator: Any, ours: Any, bought: Any) -> None:
    client(emulator, "wavespeed", bill_to="acme").text_to_image("a fox", model="black-forest-labs/FLUX.1-dev")
    (theirs,) = bought("huggingface")
    (mine,) = await ours(
        "huggingface",
        TextToImage(prompt="a fox"),
        model="huggingface:wavespeed-ai/flux-dev",
        provider_options={"huggingface": {"@headers.x-hf-bill-to": "acme"}},
    )
    assert mine.headers["x-hf-bill-to"] == theirs.headers["x-hf-bill-to"] == "acme"


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("bad_key", 401),
        ("no_credit", 402),
        ("forbidden", 403),
        ("not_found", 404),
        ("invalid", 400),
        ("rate_limited", 429),
        ("moderated_input", 422),
    ],
)
def test_the_client_reads_every_error(fault: str, status: int, url: str, emulator: Any) -> None:
    emulator.script("huggingface", fault)
    with pytest.raises(HfHubHTTPError) as caught:
        client(emulator, "fal-ai").text_to_image("a fox", model="black-forest-labs/FLUX.1-dev")
    assert caught.value.response.status_code == status


@pytest.mark.parametrize(
    ("partner", "model", "kind"),
    [
        ("together", "Wan-AI/Wan2.2-TI2V-5B", RuntimeError),
        ("wavespeed", "larryvrh/MiniMax-H3-Turbo-Lora", ValueError),
        ("replicate", "Wan-AI/Wan2.2-TI2V-5B", TimeoutError),
    ],
)
def test_the_client_sees_a_failed_job(partner: str, model: str, kind: Any, url: str, emulator: Any) -> None:
    emulator.script("huggingface", "failed")
    with pytest.raises(kind):
        client(emulator, partner).text_to_video("a fox", model=model)


def test_the_client_knows_itself(url: str, emulator: Any) -> None:
    assert huggingface_hub.HfApi(token=emulator.keys["huggingface"]).whoami()["name"] == "emulator"
    assert emulator.requests[-1].path == "/api/whoami-v2"
