"""Gemini: clips and music through interactions that are polled, pictures and speech through one synchronous call.

A finished clip is a file that may still be in the making: two waits. Refusals of pictures and speech come on HTTP 200,
in `finishReason` or `blockReason`. An earlier clip is gone on with by the id of its interaction. Whether a refused or
failed request is billed is not documented.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from aggregator.contract import BUILD, Auth, Call, Codes, Endpoint, Files, Follow, Input, Meter, Provider, Status, To
from aggregator.contract import State as Is
from aggregator.signing import standard_webhooks

_CONTENT = ("SAFETY", "PROHIBITED_CONTENT", "RECITATION")
_REFUSED = (*_CONTENT, *(f"IMAGE_{word}" for word in _CONTENT), "BLOCKLIST", "JAILBREAK", "MODEL_ARMOR", "SPII")
_BROKEN = ("CONTINUATION", "IMAGE_OTHER", "LANGUAGE", "MALFORMED_RESPONSE", "MAX_TOKENS", "NO_IMAGE", "OTHER")


def _bare(text: object, mime: str) -> dict[str, JsonValue]:
    """A data URI taken apart; the one API writes `mimeType`, the other `mime_type`."""
    head, _, data = str(text).partition(";base64,")
    return {mime: head.removeprefix("data:"), "data": data}


def _pictures(values: Mapping[str, Any]) -> list[object]:
    """In the order in which the models read them: first frame, last frame, references."""
    framed = [values[name] for name in ("image", "last_image") if name in values]
    return framed + [reference["image"] for reference in values.get("references", ())]


def _contents(values: Mapping[str, Any]) -> dict[str, JsonValue]:
    """Pictures, then what is to be made of them; or a text to be said, with how."""
    said: dict[str, JsonValue] = {"text": values.get("text", values.get("prompt"))}
    if "text" in values and "prompt" in values:
        said["speechMetadata"] = {"style": values["prompt"]}
    parts: list[JsonValue] = [{"inlineData": _bare(text, "mimeType")} for text in _pictures(values)]
    return {"contents": [{"role": "user", "parts": [*parts, said]}]}


def _turn(values: Mapping[str, Any]) -> dict[str, JsonValue]:
    """One turn of a conversation. A clip that is no data URI is the id of the interaction that made it."""
    video = str(values.get("video", "data:"))
    media = [("video", video)] if "video" in values and video.startswith("data:") else []
    media += [("image", str(text)) for text in _pictures(values)]
    content: list[JsonValue] = [{"type": kind, **_bare(text, "mime_type")} for kind, text in media]
    content += [{"type": "text", "text": values["prompt"]}] if "prompt" in values else []
    body: dict[str, JsonValue] = {"input": [{"type": "user_input", "content": content}]}
    if not video.startswith("data:"):
        body["previous_interaction_id"] = video
    if "references" in values and "video" not in values:
        body["generation_config"] = {"video_config": {"task": "reference_to_video"}}
    return body


def _clip(task: str, *inputs: str) -> Endpoint:
    """`audio` is written nowhere: every clip has sound."""
    shape = {name: f"response_format.{name}" for name in ("aspect_ratio", "resolution")}
    seconds = {"duration_s": To("response_format.duration", form="{:g}s")}
    form: dict[str, JsonValue] = {"response_format": {"type": "video", "delivery": "uri"}}
    return Endpoint(
        fields={**dict.fromkeys(("prompt", "audio", *inputs), BUILD), **shape, **seconds},
        fixed={"model": "{endpoint}", "background": True, **form, "generation_config.video_config.task": task},
        build=_turn,
        files=Files(url="/v1/files/{file}:download?alt=media", mime_type="video/mp4"),
        meters=(Meter("video_second", "request.duration_s"),),
        refs={"interaction": "{id}"},
        inputs={"video": Input(("ref:interaction", "data"), max_bytes=70 * 2**20)},  # 100 MB a request
    )


def _content(modality: str, mime_type: str, told: str, fields: Mapping[str, str | To], *meters: Meter) -> Endpoint:
    found = "candidates[].content.parts[].inlineData"
    return Endpoint(
        fields={**dict.fromkeys(told.split(), BUILD), **fields, "seed": "generationConfig.seed"},
        fixed={"generationConfig": {"responseModalities": [modality]}},
        build=_contents,
        files=Files(f"{found}.data", mime_type, form="base64", mime_path=f"{found}.mimeType"),
        meters=meters,
        dialect="content",
    )


def _file_id(uri: JsonValue) -> JsonValue:
    """`abc` of `https://…/files/abc:download?alt=media`, and of `files/abc`."""
    return str(uri).rpartition("files/")[2].partition(":")[0].partition("?")[0]


_SIZES = To("generationConfig.imageConfig.imageSize", values={"512p": "512", "1k": "1K", "2k": "2K", "4k": "4K"})
_SHAPE: dict[str, str | To] = {"aspect_ratio": "generationConfig.imageConfig.aspectRatio", "resolution": _SIZES}
_SPEECH = "generationConfig.speechConfig"
_SPOKEN = {"voice": f"{_SPEECH}.voiceConfig.voice", "language": f"{_SPEECH}.languageCode"}
_HEARD = (  # the most tokens that may go in and come out (litellm 1.109.1)
    Meter("input_token", lambda _: ("0", "8192"), "usageMetadata.promptTokenCount"),
    Meter("output_token", lambda _: ("0", "16384"), "usageMetadata.candidatesTokenCount"),
)
_SOUNDS = To("response_format.mime_type", values={"mp3": "audio/mp3", "wav": "audio/wav"})
_SONG = Endpoint(
    fields={"prompt": BUILD, "format": _SOUNDS, "seed": "generation_config.seed"},
    fixed={"model": "{endpoint}", "background": True, "response_format": {"type": "audio"}},
    build=_turn,
    files=Files("steps[].content[].data", "audio/mpeg", form="base64", mime_path="steps[].content[].mime_type"),
    meters=(Meter("request", "1"),),
    dialect="song",
)
_ENDING = "candidates[].finishReason promptFeedback.blockReason"
_TOLD = "errors[].message steps[].error.message"
_ENDED = {"completed": Is.SUCCEEDED, "failed": Is.FAILED, "cancelled": Is.CANCELED}
_STUCK = ("incomplete", "budget_exceeded", "requires_action", "requires_continuation")  # nobody here would answer
_WORDS = {"queued": Is.QUEUED, "in_progress": Is.RUNNING, **_ENDED, **dict.fromkeys(_STUCK, Is.FAILED)}
_READY = Status("state", {"PROCESSING": Is.RUNNING, "ACTIVE": Is.SUCCEEDED, "FAILED": Is.FAILED})
_GENERATE = Call("POST", "/v1/models/{endpoint}:generateContent", read_s=300.0)
_SAID = Status(
    _ENDING, {"STOP": Is.SUCCEEDED, **dict.fromkeys((*_REFUSED, *_BROKEN, "PUP_LIMITED_DISABLED"), Is.FAILED)}
)
_EVENTS = {"interaction.completed": Is.SUCCEEDED, "video.generated": Is.SUCCEEDED, "interaction.failed": Is.FAILED}

PROVIDER = Provider(
    name="gemini",
    docs="https://ai.google.dev/gemini-api/docs/omni",
    checked="2026-11-21",
    base_url="https://generativelanguage.googleapis.com",
    auth=Auth(env=("GEMINI_API_KEY", "GOOGLE_API_KEY"), header="x-goog-api-key", template="{key}"),
    submit=Call("POST", "/v1/interactions", capture={"id": "id"}),
    poll=Call("GET", "/v1/interactions/{id}?stream=false"),
    cancel=Call("POST", "/v1/interactions/{id}/cancel"),
    probe=Call("GET", "/v1/models?pageSize=1"),
    status=Status("status", _WORDS, error=_TOLD),
    follow=(Follow(Call("GET", "/v1/files/{file}"), {"file": To("steps[].content[].uri", cast=_file_id)}, _READY),),
    dialects={
        "song": {"follow": ()},
        "content": {"submit": _GENERATE, "poll": None, "follow": (), "cancel": None, "status": _SAID},
    },
    codes=Codes(
        ("error.details[].reason", "error.status", "error.message", _ENDING, _TOLD),
        {
            **dict.fromkeys(("FAILED_PRECONDITION", "*enable billing*"), "quota"),
            # On HTTP 400, both; the other words say what their HTTP status says.
            **dict.fromkeys(("API_KEY_INVALID", "API key not valid*"), "authentication"),
            # Of interactions no codes are published: their messages name what was violated.
            **dict.fromkeys((*_REFUSED, "*safety*", "*Safety*", "*usage polic*", "*prohibited*"), "content_policy"),
        },
    ),
    error_message=("error.message", _TOLD, _ENDING),
    inputs={"": Input(("data",), max_bytes=20 * 2**20)},
    webhook=standard_webhooks("", "data.id", status=Status("type", _EVENTS)),
    result_ttl_s=2 * 86_400,  # files are kept for 48 hours (ai.google.dev/gemini-api/docs/files)
    tasks={
        "text-to-video": _clip("text_to_video", "references"),
        "image-to-video": _clip("image_to_video", "image", "last_image"),
        "video-to-video": _clip("edit", "video", "references"),
        "video-extension": _clip("extend", "video"),
        "text-to-image": _content("IMAGE", "image/png", "prompt references", _SHAPE, Meter("image", "1")),
        "image-to-image": _content("IMAGE", "image/png", "prompt image references", _SHAPE, Meter("image", "1")),
        "text-to-speech": _content("AUDIO", "audio/wav", "text prompt", _SPOKEN, *_HEARD),
        "text-to-music": _SONG,
    },
)
