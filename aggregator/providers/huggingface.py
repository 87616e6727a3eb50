"""Hugging Face Inference Providers: a router that relays to its partners, each in a dialect of its own.

The partner's own body goes to `/<partner>/<the partner's path>` with a Hugging Face token; the partner's answer comes
back as it is. Addresses in it are the partner's: the same paths are asked for below the router. Without a dialect the
partner is Hugging Face itself: the answer is the file. Prices are the partner's; failures as the partner bills them.
"""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from aggregator import contract as c
from aggregator.contract import Call, Files, State, To


def _segment(place: int) -> To:
    """A part of the path of the address that fal gives for a job: `…/<owner>/<app>/requests/<id>`."""
    return To("response_url", lambda url: ([""] * 4 + urlsplit(str(url)).path.split("/"))[place])


_SECONDS = (c.Meter("gpu_second", lambda _values: None),)  # known when it has been billed
_COMMON = {"prompt": "prompt", "negative_prompt": "negative_prompt", "seed": "seed"}
_HOSTED = {"prompt": "inputs", "negative_prompt": "parameters.negative_prompt", "seed": "parameters.seed"}
_SIZE, _FAL_SIZE = {"size": "width height"}, {"size": "image_size.width image_size.height"}
_FAL_CODES = c.Codes(("detail[].type", "error_type"), {"content_policy_violation": "content_policy"})
_FAL_JOB: Mapping[str, str | To] = {"id": "request_id", "owner": _segment(-4), "app": _segment(-3)}
_QUEUE = {"IN_QUEUE": State.QUEUED, "IN_PROGRESS": State.RUNNING, "COMPLETED": State.SUCCEEDED}
_DONE = {"succeeded": State.SUCCEEDED, "failed": State.FAILED, "canceled": State.CANCELED, "aborted": State.CANCELED}
_STEPS = {"queued": State.QUEUED, "in_progress": State.RUNNING, "completed": State.SUCCEEDED, "failed": State.FAILED}
_WAVES = {"created": State.QUEUED, "processing": State.RUNNING, "completed": State.SUCCEEDED, "failed": State.FAILED}
_IMAGE, _VIDEO, _CLIP = (Files(path) for path in ("images[].url", "video.url", "outputs.video_url"))
_OUT, _WAVE, _SOUND = Files("output output[]"), Files("data.outputs[]"), Files(form="body")
_B64 = Files("data[].b64_json", "image/png", form="base64")
# Partners' models name their picture differently: where nobody knows the name, it is sent under all of them.
_TWICE = To("image_url image_urls", lambda value: [value, [value]])
_EVERYWHERE = To("image images input_image input_images", lambda value: [value, [value]] * 2)
_FIRST = To("frame_images", lambda value: [{"input_image": value, "frame": "first"}])
_RELAYED: dict[str, tuple[Mapping[str, str | To], Files, c.Json]] = {
    "text-to-image@fal": (_COMMON | _FAL_SIZE, _IMAGE, {}),
    "text-to-image@nscale": ({**_COMMON, "size": To("size", form="{}x{}")}, _B64, {"response_format": "b64_json"}),
    "text-to-image@replicate": (_COMMON | _SIZE, _OUT, {}),
    "text-to-image@together": (_COMMON | _SIZE, _B64, {"response_format": "base64"}),
    "text-to-image@wavespeed": (_COMMON | _SIZE, _WAVE, {}),
    "image-to-image@fal-queue": ({**_COMMON, **_FAL_SIZE, "image": _TWICE}, _IMAGE, {}),
    "image-to-image@replicate": ({**_COMMON, "image": _EVERYWHERE}, _OUT, {}),
    "image-to-image@wavespeed": (_COMMON | {"image": "image"}, _WAVE, {}),
    "text-to-video@fal-queue": (_COMMON, _VIDEO, {}),
    "text-to-video@novita": (_COMMON, Files("video.video_url"), {}),
    "text-to-video@replicate": (_COMMON, _OUT, {}),
    "text-to-video@together-video": (_COMMON | _SIZE, _CLIP, {}),
    "text-to-video@wavespeed": (_COMMON, _WAVE, {}),
    "image-to-video@fal-queue": (_COMMON | {"image": "image_url"}, _VIDEO, {}),
    "image-to-video@together-video": ({**_COMMON, "image": _FIRST}, _CLIP, {}),
    "image-to-video@wavespeed": (_COMMON | {"image": "image"}, _WAVE, {}),
    "text-to-speech@fal": ({"text": "text"}, Files("audio.url"), {}),
    "text-to-speech@replicate": ({"text": "text"}, _OUT, {}),
    "text-to-speech@together-speech": ({"text": "input", "voice": "voice"}, _SOUND, {}),
}


def _endpoint(task: str, fields: Mapping[str, str | To], files: Files, fixed: c.Json) -> c.Endpoint:
    kind = {"image": "image/*", "video": "video/*", "speech": "audio/*"}[task.partition("@")[0].rpartition("-")[2]]
    named = {"model": "{endpoint}"} if task.partition("@")[2].startswith(("nscale", "together")) else {}
    return c.Endpoint(fields, {**named, **fixed}, files=files if files is _B64 else replace(files, mime_type=kind))


PROVIDER = c.Provider(
    name="huggingface",
    docs="https://huggingface.co/docs/inference-providers/index",
    checked="2026-11-21",
    base_url="https://router.huggingface.co",
    hosts={"hub": "https://huggingface.co"},
    auth=c.Auth(env=("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")),
    submit=Call("POST", "/hf-inference/models/{endpoint}"),
    probe=Call("GET", "{hub}/api/whoami-v2"),
    free={"partners": Call("GET", "{hub}/api/models/{endpoint}?expand=inferenceProviderMapping")},
    error_message=("error.message", "error", "detail[].msg", "detail", "message", "@headers.x-error-message"),
    request_id_header="x-request-id",
    dialects={
        "fal": {"submit": Call("POST", "/fal-ai/{endpoint}"), "codes": _FAL_CODES},
        "fal-queue": {
            "submit": Call("POST", "/fal-ai/{endpoint}?_subdomain=queue", capture=_FAL_JOB),
            "poll": Call("GET", "/fal-ai/{owner}/{app}/requests/{id}/status?_subdomain=queue"),
            "follow": (c.Follow(Call("GET", "/fal-ai/{owner}/{app}/requests/{id}?_subdomain=queue")),),
            "status": c.Status("status", _QUEUE, error="error", position="queue_position"),
            "codes": _FAL_CODES,
        },
        "nscale": {"submit": Call("POST", "/nscale/v1/images/generations")},
        "novita": {"submit": Call("POST", "/novita/v3/hf/{endpoint}")},
        "replicate": {
            "submit": Call("POST", "/replicate/v1/models/{endpoint}/predictions", headers={"prefer": "wait"}),
            "input_path": "input",
            "status": c.Status("status", _DONE, error="error"),
            "codes": c.Codes(("error",), {"*E005*": "content_policy", "*flagged as sensitive*": "content_policy"}),
        },
        "together": {"submit": Call("POST", "/together/v1/images/generations")},
        "together-speech": {"submit": Call("POST", "/together/v1/audio/speech")},
        "together-video": {
            "submit": Call("POST", "/together/v2/videos", capture={"id": "id"}),
            "poll": Call("GET", "/together/v2/videos/{id}"),
            "status": c.Status("status", _STEPS, missing=State.QUEUED, error="error.message"),
            "inputs": {"": c.Input(max_bytes=60_000)},
        },
        "wavespeed": {
            "submit": Call("POST", "/wavespeed/api/v3/{endpoint}", capture={"id": "data.id"}),
            "poll": Call("GET", "/wavespeed/api/v3/predictions/{id}/result"),
            "status": c.Status("data.status", _WAVES, error="data.error"),
        },
    },
    tasks={
        "text-to-image": c.Endpoint(
            _HOSTED | {"size": "parameters.width parameters.height"},
            submit=Call("POST", "/hf-inference/models/{endpoint}", headers={"accept": "image/png"}),
            files=replace(_SOUND, mime_type="image/png"),
            meters=_SECONDS,
        ),
        "text-to-speech": c.Endpoint({"text": "inputs"}, files=replace(_SOUND, mime_type="audio/*"), meters=_SECONDS),
        **{task: _endpoint(task, *row) for task, row in _RELAYED.items()},
    },
)
