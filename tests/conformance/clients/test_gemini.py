"""google-genai 3.4.0 against the Gemini API: it is content with the emulator, and asks for what we ask for.

Not compared: the client's own headers (`x-goog-api-client`, `user-agent`), and in `generateContent` the case of keys
(it mixes `imageConfig` and `mime_type` in one body) and the alphabet of base64 (it writes the URL-safe one): the JSON
of protocol buffers takes both.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from aggregator.tasks import ImageToImage, ImageToVideo, Reference, TextToImage, TextToMusic, TextToSpeech, TextToVideo
from aggregator.testing.emulator import Emulator
from aggregator.testing.emulator.recorder import Recorded
from aggregator.testing.emulator.services.gemini import SERVICE
from tests.conformance.compare import same
from tests.providers.harness import PNG

genai = import_module("google.genai")
errors, types = import_module("google.genai.errors"), import_module("google.genai.types")

PROVES = {
    "text-to-video": "client",
    "image-to-video": "client",
    "video-to-video": "client",
    "video-extension": "client",
    "text-to-image": "client",
    "image-to-image": "client",
    "text-to-speech": "client",
    "text-to-music": "client",
}
OMNI, BANANA, SPEAKER, SONG = (
    "gemini-omni-1.1-flash",
    "gemini-nano-banana-2.1",
    "gemini-3.8-flash-tts",
    "lyria-3-clip-preview",
)
IMAGE = {"type": "image", "data": base64.b64encode(PNG).decode(), "mime_type": "image/png"}
FILM = {"type": "video", "delivery": "uri", "duration": "3s", "resolution": "360p"}


def client(emulator: Emulator, key: str | None = None) -> Any:
    options = types.HttpOptions(base_url=emulator.url("gemini"), retry_options=types.HttpRetryOptions(attempts=1))
    return genai.Client(api_key=key or emulator.keys["gemini"], http_options=options)


def _film(c: Any, task: str, *content: Any, **more: Any) -> Any:
    return c.interactions.create(
        model=OMNI,
        input=[*content],
        background=True,
        response_format={**FILM, **more.pop("form", {})},
        generation_config={"video_config": {"task": task}},
        **more,
    )


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


URL_SAFE = str.maketrans("-_", "+/")
SHORT = {"duration_s": 3, "resolution": "360p"}
INTERACTIONS: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "a clip": (
        TextToVideo(prompt="a fox", aspect_ratio="9:16", **SHORT),
        OMNI,
        lambda c: _film(c, "text_to_video", _text("a fox"), form={"aspect_ratio": "9:16"}),
    ),
    "a clip of references": (
        TextToVideo(prompt="a fox", references=(Reference(image=PNG),), **SHORT),
        OMNI,
        lambda c: _film(c, "reference_to_video", IMAGE, _text("a fox")),
    ),
    "first and last frame": (
        ImageToVideo(image=PNG, prompt="it runs", last_image=PNG, **SHORT),
        OMNI,
        lambda c: _film(c, "image_to_video", IMAGE, IMAGE, _text("it runs")),
    ),
    "a song": (
        TextToMusic(prompt="a march", seed=4, format="wav"),
        SONG,
        lambda c: c.interactions.create(
            model=SONG,
            input=[_text("a march")],
            background=True,
            response_format={"type": "audio", "mime_type": "audio/wav"},
            generation_config={"seed": 4},
        ),
    ),
}


@pytest.mark.parametrize("intent", INTERACTIONS)
async def test_our_interaction_is_the_clients(intent: str, emulator: Emulator, ours: Any, bought: Any) -> None:
    request, model, call = INTERACTIONS[intent]
    (mine,) = await ours("gemini", request, model=f"gemini:{model}")
    c = client(emulator)
    assert _ended(c, call(c).id)
    (theirs,) = bought("gemini")
    assert same(mine, theirs, ignore_headers=["x-goog-api-client"]) == []


async def test_our_going_on_with_a_clip_is_the_clients(emulator: Emulator, emulated: Any, bought: Any) -> None:
    bought("gemini")
    async with emulated("gemini") as agg, agg.project("conformance") as project:
        options = {"model": f"gemini:{OMNI}", "max_usd": "9", **SHORT}
        first = await project.text_to_video("a fox", **options)
        await project.extend_video(first, "it sleeps", **options)
        await project.video_to_video(first, "make it blue", **options)
    made, *mine = bought("gemini")
    c = client(emulator)
    longer = _film(c, "extend", _text("it sleeps"), previous_interaction_id=made.job_id)
    bluer = _film(c, "edit", _text("make it blue"), previous_interaction_id=made.job_id)
    assert _ended(c, longer.id)
    assert _ended(c, bluer.id)
    theirs = bought("gemini")
    pairs = zip(mine, theirs, strict=True)
    assert [same(*pair, ignore_headers=["x-goog-api-client"]) for pair in pairs] == [[], []]


async def test_our_looks_are_the_clients(emulator: Emulator, ours: Any, bought: Any) -> None:
    await ours("gemini", INTERACTIONS["a clip"][0], model=f"gemini:{OMNI}")
    looks = [one for one in emulator.requests if one.method == "GET"]
    c = client(emulator)
    made = INTERACTIONS["a clip"][2](c)
    before = len(emulator.requests)
    c.interactions.get(made.id)
    c.files.get(name=f"files/{made.id.removeprefix('v1_')}") if _ended(c, made.id) else None
    theirs = [one for one in emulator.requests[before:] if one.method == "GET"]
    for route in ("/v1/interactions/{id}", "/v1/files/{id}"):
        mine, other = (
            replace(next(one for one in several if one.route == route), path="") for several in (looks, theirs)
        )
        plain = {name: value for name, value in other.headers.items() if name != "content-type"}  # of no body
        assert same(mine, replace(other, headers=plain), ignore_headers=["x-goog-api-client"]) == []
    emulator.script("gemini", "slow")
    c.interactions.cancel(INTERACTIONS["a clip"][2](c).id)
    assert emulator.requests[-1].route == "/v1/interactions/{id}/cancel"


def _ended(c: Any, job_id: str) -> bool:
    while (found := c.interactions.get(job_id)).status in ("queued", "in_progress"):
        pass
    return found.status == "completed"


CONTENT: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "a picture": (
        TextToImage(prompt="a fox", aspect_ratio="16:9", resolution="2k", seed=3),
        BANANA,
        lambda c: c.models.generate_content(
            model=BANANA,
            contents="a fox",
            config=types.GenerateContentConfig(
                response_modalities=["IMAGE"],
                seed=3,
                image_config=types.ImageConfig(aspect_ratio="16:9", image_size="2K"),
            ),
        ),
    ),
    "an edit": (
        ImageToImage(image=PNG, prompt="make it blue"),
        BANANA,
        lambda c: c.models.generate_content(
            model=BANANA,
            contents=[types.Part.from_bytes(data=PNG, mime_type="image/png"), "make it blue"],
            config=types.GenerateContentConfig(response_modalities=["IMAGE"]),
        ),
    ),
    "speech": (
        TextToSpeech(text="Good morning", voice="Puck", language="en-US", prompt="warm", seed=3),
        SPEAKER,
        lambda c: c.models.generate_content(
            model=SPEAKER,
            contents=[
                types.Content(
                    role="user",
                    parts=[types.Part(text="Good morning", speech_metadata=types.SpeechMetadata(style="warm"))],
                )
            ],
            config=types.GenerateContentConfig(
                response_modalities=["AUDIO"],
                seed=3,
                speech_config=types.SpeechConfig(language_code="en-US", voice_config=types.VoiceConfig(voice="Puck")),
            ),
        ),
    ),
}


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        names = {name: name.split("_") for name in value}
        value = {**value, "data": str(value["data"]).translate(URL_SAFE)} if "data" in value else value
        return {first + "".join(map(str.title, rest)): _camel(value[name]) for name, (first, *rest) in names.items()}
    return [_camel(item) for item in value] if isinstance(value, list) else value


def _cased(one: Recorded) -> Recorded:
    return replace(one, body=json.dumps(_camel(one.json)).encode())


@pytest.mark.parametrize("intent", CONTENT)
async def test_our_content_is_the_clients(intent: str, emulator: Emulator, ours: Any, bought: Any) -> None:
    request, model, call = CONTENT[intent]
    (mine,) = await ours("gemini", request, model=f"gemini:{model}")
    call(client(emulator))
    (theirs,) = bought("gemini")
    assert same(_cased(mine), _cased(theirs), ignore_headers=["x-goog-api-client"]) == []


# ------------------------------------------------------------------------------------- the client and the emulator


def test_the_client_gets_its_clip_at_once(emulator: Emulator) -> None:
    c = client(emulator)
    made = c.interactions.create(
        model=OMNI, input="a fox", response_format={"type": "video", "duration": "3s", "resolution": "360p"}
    )
    assert made.status == "completed"
    assert base64.b64decode(made.output_video.data)[4:8] == b"ftyp"


def test_the_client_waits_for_its_clip(emulator: Emulator) -> None:
    c = client(emulator)
    made = INTERACTIONS["a clip"][2](c)
    assert made.status in ("queued", "in_progress")
    assert _ended(c, made.id)
    uri = c.interactions.get(made.id).output_video.uri
    name = f"files/{made.id.removeprefix('v1_')}"
    assert name in uri
    assert [c.files.get(name=name).state.name for _ in range(2)] == ["PROCESSING", "ACTIVE"]
    c.interactions.delete(made.id)


def test_the_client_gets_its_song(emulator: Emulator) -> None:
    c = client(emulator)
    made = c.interactions.create(model=SONG, input="a march")
    assert made.output_audio.mime_type == "audio/mp3"
    assert base64.b64decode(made.output_audio.data)
    assert made.output_text


def test_the_client_stops_its_clip(emulator: Emulator) -> None:
    emulator.script("gemini", "slow")
    c = client(emulator)
    made = INTERACTIONS["a clip"][2](c)
    assert c.interactions.cancel(made.id).status == "cancelled"


@pytest.mark.parametrize("intent", CONTENT)
def test_the_client_gets_its_file(intent: str, emulator: Emulator) -> None:
    answer = CONTENT[intent][2](client(emulator))
    (part,) = answer.candidates[0].content.parts
    assert part.inline_data.data[:4] in (b"\x89PNG", b"RIFF")
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.usage_metadata.candidates_token_count > 0


def test_the_client_reads_a_blocked_picture_and_a_blocked_prompt(emulator: Emulator) -> None:
    emulator.script("gemini", "moderated_output", "moderated_input")
    c = client(emulator)
    answer = CONTENT["a picture"][2](c)
    assert answer.candidates[0].finish_reason == types.FinishReason.IMAGE_SAFETY
    answer = CONTENT["a picture"][2](c)
    assert answer.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT


def test_the_client_registers_a_hook_and_its_deliveries_bear_out(emulator: Emulator) -> None:
    standardwebhooks = import_module("standardwebhooks")
    c = client(emulator)
    hook = c.webhooks.create(uri="http://127.0.0.1:9/hook", name="n", subscribed_events=["interaction.completed"])
    made = c.interactions.create(model=SONG, input="a march")
    desk = emulator.desk("gemini")
    sent = SERVICE.hook(desk.jobs[made.id], hook.uri, desk.world)
    body = standardwebhooks.Webhook(hook.new_signing_secret).verify(sent.body, dict(sent.headers))
    assert body["data"] == {"id": made.id}


FAULTS = {
    "bad_key": 400,
    "unauthenticated": 401,
    "permission_denied": 403,
    "no_credit": 400,
    "rate_limited": 429,
    "invalid": 400,
    "not_found": 404,
    "internal": 500,
    "unavailable": 503,
    "unavailable_listed": 503,
    "deadline_exceeded": 504,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_client_reads_every_error(fault: str, emulator: Emulator) -> None:
    emulator.script("gemini", fault)
    with pytest.raises(errors.APIError) as caught:
        CONTENT["a picture"][2](client(emulator))
    body = emulator.desk("gemini").fault(fault).body
    said = (body[0] if isinstance(body, list) else body)["error"]
    assert (caught.value.code, caught.value.status) == (FAULTS[fault], said["status"])
    assert caught.value.message == said["message"]


@pytest.mark.parametrize("fault", [*set(FAULTS) - {"bad_key"}, "moderated_input"])
def test_the_client_reads_every_error_of_an_interaction(fault: str, emulator: Emulator) -> None:
    emulator.script("gemini", fault)
    c = client(emulator)
    with pytest.raises(Exception, match="Error code") as caught:
        c.interactions.create(model=SONG, input="a march", timeout=5)
    assert caught.value.status_code == FAULTS.get(fault, 400)
    assert set(caught.value.body["error"]) == {"code", "message"}


def test_a_wrong_key_is_refused(emulator: Emulator) -> None:
    with pytest.raises(errors.ClientError):
        CONTENT["a picture"][2](client(emulator, "wrong"))
