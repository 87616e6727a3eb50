"""Gemini: clips and music through interactions that are polled, pictures and speech through one synchronous call.

A finished clip is a file that may still be in the making: two waits. Refusals of pictures and speech come on HTTP 200,
in `finishReason` or `blockReason`. An earlier clip is gone on with by the id of its interaction. Whether a refused or
failed request is billed is not documented.
"""

from collections.abc import Mapping
from typing import Any

from aggregator import casts
from aggregator import contract as c
from aggregator.signing import standard_webhooks

_Fields = Mapping[str, str | c.To]
_CONTENT = "SAFETY PROHIBITED_CONTENT RECITATION BLOCKLIST JAILBREAK MODEL_ARMOR SPII"
_REFUSED = f"{_CONTENT} IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION"
_BROKEN = "CONTINUATION IMAGE_OTHER LANGUAGE MALFORMED_RESPONSE MAX_TOKENS NO_IMAGE OTHER PUP_LIMITED_DISABLED"
_ENDING = "candidates[].finishReason promptFeedback.blockReason"
_TOLD = "errors[].message steps[].error.message"
_FRAMES = ("image", "last_image")
_PICTURE_TOKENS = 2240
"""Of one picture at the highest `media_resolution` (ai.google.dev/gemini-api/docs/media-resolution)."""
_ASKED: c.Json = {"model": "{endpoint}", "background": True}
_FILMED: c.Json = {**_ASKED, "response_format": {"type": "video", "delivery": "uri"}}
_SUNG: c.Json = {**_ASKED, "response_format": {"type": "audio"}}
_SHOT = {"aspect_ratio": "response_format.aspect_ratio", "resolution": "response_format.resolution"}
_LENGTH = {"duration_s": c.To("response_format.duration", form="{:g}s")}
_CLIP = c.Files(url="/v1/files/{file}:download?alt=media", mime_type="video/mp4")
_OWN = {"interaction": "{id}"}
_SECONDS = c.Meter("video_second", "request.duration_s")
_EARLIER = c.Input(("ref:interaction", "data"), max_bytes=70 * 2**20)  # 100 MB a request
_SIZES = c.To("generationConfig.imageConfig.imageSize", values={"512p": "512", "1k": "1K", "2k": "2K", "4k": "4K"})
_SHAPE: _Fields = {"aspect_ratio": "generationConfig.imageConfig.aspectRatio", "resolution": _SIZES}
_SPEECH = "generationConfig.speechConfig"
_SPOKEN = {"voice": f"{_SPEECH}.voiceConfig.voice", "language": f"{_SPEECH}.languageCode"}
_HEARD = (  # the most tokens that may go in and come out (litellm 1.109.1)
    c.Meter("input_token", lambda _: ("0", "8192"), "usageMetadata.promptTokenCount"),
    c.Meter("output_token", lambda _: ("0", "16384"), "usageMetadata.candidatesTokenCount"),
)
_SOUNDS = c.To("response_format.mime_type", values={"mp3": "audio/mp3", "wav": "audio/wav"})
_SONG: _Fields = {"prompt": c.BUILD, "format": _SOUNDS, "seed": "generation_config.seed"}
_TRACK = c.Files("steps[].content[].data", "audio/mpeg", "base64", "steps[].content[].mime_type")


def _bare(text: object, mime: str) -> c.Json:
    """A data URI taken apart; the one API writes `mimeType`, the other `mime_type`."""
    head, _, data = str(text).partition(";base64,")
    return {mime: head.removeprefix("data:"), "data": data}


def _contents(values: Mapping[str, Any]) -> c.Json:
    """Pictures, then what is to be made of them; or a text to be said, with how."""
    style = {"speechMetadata": {"style": values["prompt"]}} if "text" in values and "prompt" in values else {}
    said = {"text": values.get("text", values.get("prompt")), **style}
    parts: list[Any] = [{"inlineData": _bare(text, "mimeType")} for text in casts.pictures(values, *_FRAMES)]
    return {"contents": [{"role": "user", "parts": [*parts, said]}]}


def _read(values: Mapping[str, Any]) -> tuple[str, str]:
    """At most a token for each byte of the words, and what the page has at most for a picture."""
    pictures = ("image" in values) + len(values.get("references", ()))
    return "1", str(len(str(values.get("prompt", "")).encode()) + pictures * _PICTURE_TOKENS)


def _turn(values: Mapping[str, Any]) -> c.Json:
    """One turn of a conversation. A clip that is no data URI is the id of the interaction that made it."""
    clip = str(values.get("video", "data:"))
    shown = [("video", clip)] if "video" in values and clip.startswith("data:") else []
    shown += [("image", text) for text in casts.pictures(values, *_FRAMES)]
    content: list[Any] = [{"type": kind, **_bare(text, "mime_type")} for kind, text in shown]
    content += [{"type": "text", "text": values["prompt"]}] if "prompt" in values else []
    earlier: c.Json = {} if clip.startswith("data:") else {"previous_interaction_id": clip}
    guided: c.Json = {"generation_config": {"video_config": {"task": "reference_to_video"}}}
    alone = "references" in values and "video" not in values
    return {"input": [{"type": "user_input", "content": content}], **earlier, **(guided if alone else {})}


def _file_id(uri: Any) -> str:
    """`abc` of `https://…/files/abc:download?alt=media`, and of `files/abc`."""
    return str(uri).rpartition("files/")[2].partition(":")[0].partition("?")[0]


def _clip(task: str, *inputs: str) -> c.Endpoint:
    """`audio` is written nowhere: every clip has sound."""
    fields: _Fields = {**dict.fromkeys(("prompt", "audio", *inputs), c.BUILD), **_SHOT, **_LENGTH}
    fixed = {**_FILMED, "generation_config.video_config.task": task}
    return c.Endpoint(fields, fixed, _turn, _CLIP, (_SECONDS,), refs=_OWN, inputs={"video": _EARLIER})


def _content(told: str, fields: _Fields, modality: str, mime_type: str, *meters: c.Meter) -> c.Endpoint:
    found = "candidates[].content.parts[].inlineData"
    files = c.Files(f"{found}.data", mime_type, form="base64", mime_path=f"{found}.mimeType")
    taken = {**dict.fromkeys(told.split(), c.BUILD), **fields, "seed": "generationConfig.seed"}
    fixed: c.Json = {"generationConfig": {"responseModalities": [modality]}}
    return c.Endpoint(taken, fixed, _contents, files, meters, dialect="content")


_STUCK = "incomplete budget_exceeded requires_action requires_continuation"  # nobody here would answer
_WORDS = c.words(
    queued="queued", running="in_progress", succeeded="completed", failed=f"failed {_STUCK}", canceled="cancelled"
)
_READY = c.Status("state", c.words(running="PROCESSING", succeeded="ACTIVE", failed="FAILED"))
_SAID = c.Status(_ENDING, c.words(succeeded="STOP", failed=f"{_REFUSED} {_BROKEN}"))
_EVENTS = c.words(succeeded="interaction.completed video.generated", failed="interaction.failed")
_AT_ONCE: c.Dialect = {"poll": None, "follow": (), "cancel": None}
_GENERATE = c.Call("POST", "/v1/models/{endpoint}:generateContent", read_s=300.0)
_FILE = {"file": c.To("steps[].content[].uri", _file_id)}
_IMAGE = ("IMAGE", "image/png", c.Meter("image", "1"), c.Meter("input_token", _read, "usageMetadata.promptTokenCount"))
# Of interactions no codes are published: their messages name what was violated.
_VIOLATED = f"{_REFUSED} *safety* *Safety* *prohibited*"
_CODES: Mapping[str, c.ErrorKind] = {
    "*enable billing*": "quota",
    "API key not valid*": "authentication",  # on HTTP 400, as API_KEY_INVALID; other words say what their status says
    **c.kinds(authentication="API_KEY_INVALID", quota="FAILED_PRECONDITION", content_policy=_VIOLATED),
    "*usage polic*": "content_policy",
}

PROVIDER = c.Provider(
    name="gemini",
    docs="https://ai.google.dev/gemini-api/docs/omni",
    checked="2026-11-21",
    base_url="https://generativelanguage.googleapis.com",
    auth=c.Auth(env=("GEMINI_API_KEY", "GOOGLE_API_KEY"), header="x-goog-api-key", template="{key}"),
    submit=c.Call("POST", "/v1/interactions", capture={"id": "id"}),
    poll=c.Call("GET", "/v1/interactions/{id}?stream=false"),
    cancel=c.Call("POST", "/v1/interactions/{id}/cancel"),
    probe=c.Call("GET", "/v1/models?pageSize=1"),
    status=c.Status("status", _WORDS, error=_TOLD),
    follow=(c.Follow(c.Call("GET", "/v1/files/{file}"), _FILE, _READY),),
    dialects={"song": {"follow": ()}, "content": {**_AT_ONCE, "submit": _GENERATE, "status": _SAID}},
    codes=c.Codes(("error.details[].reason", "error.status", "error.message", _ENDING, _TOLD), _CODES),
    error_message=("error.message", _TOLD, _ENDING),
    inputs={"": c.Input(("data",), max_bytes=20 * 2**20)},
    webhook=standard_webhooks("", "data.id", status=c.Status("type", _EVENTS)),
    result_ttl_s=2 * 86_400,  # files are kept for 48 hours (ai.google.dev/gemini-api/docs/files)
    served_model="modelVersion model",
    tasks={
        "text-to-video": _clip("text_to_video", "references"),
        "image-to-video": _clip("image_to_video", "image", "last_image"),
        "video-to-video": _clip("edit", "video", "references"),
        "video-extension": _clip("extend", "video"),
        "text-to-image": _content("prompt references", _SHAPE, *_IMAGE),
        "image-to-image": _content("prompt image references", _SHAPE, *_IMAGE),
        "text-to-speech": _content("text prompt", _SPOKEN, "AUDIO", "audio/wav", *_HEARD),
        "text-to-music": c.Endpoint(_SONG, _SUNG, _turn, _TRACK, (c.Meter("request", "1"),), dialect="song"),
    },
)
