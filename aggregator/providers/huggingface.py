"""Hugging Face Inference Providers: a router that relays to its partners, each in a dialect of its own.

The partner's own body goes to `/<partner>/<the partner's path>` with a Hugging Face token; the partner's answer comes
back as it is. Addresses in it are the partner's: the same paths are asked for below the router. Without a dialect the
partner is Hugging Face itself: the answer is the file. Prices are the partner's; failures as the partner bills them.
"""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from aggregator import casts
from aggregator import contract as c


def _segment(place: int) -> c.To:
    """A part of the path of the address that fal gives for a job: `…/<owner>/<app>/requests/<id>`."""
    return c.To("response_url", lambda url: ([""] * 4 + urlsplit(str(url)).path.split("/"))[place])


_SECONDS = (c.Meter("gpu_second", casts.unknown),)  # known when it has been billed
_COMMON = {"prompt": "prompt", "negative_prompt": "negative_prompt", "seed": "seed"}
_HOSTED = {"prompt": "inputs", "negative_prompt": "parameters.negative_prompt", "seed": "parameters.seed"}
_SIZE, _FAL_SIZE = {"size": "width height"}, {"size": "image_size.width image_size.height"}
_FAL_CODES = c.Codes(("detail[].type", "error_type"), c.kinds(content_policy="content_policy_violation"))
_FAL_JOB: Mapping[str, str | c.To] = {"id": "request_id", "owner": _segment(-4), "app": _segment(-3)}
_QUEUE = c.words(queued="IN_QUEUE", running="IN_PROGRESS", succeeded="COMPLETED")
_DONE = c.words(succeeded="succeeded", failed="failed", canceled="canceled aborted")
_STEPS = c.words(queued="queued", running="in_progress", succeeded="completed", failed="failed")
_WAVES = c.words(queued="created", running="processing", succeeded="completed", failed="failed")
_IMAGE, _VIDEO, _CLIP = (c.Files(path) for path in ("images[].url", "video.url", "outputs.video_url"))
_OUT, _WAVE, _SOUND = c.Files("output output[]"), c.Files("data.outputs[]"), c.Files(form="body")
_B64 = c.Files("data[].b64_json", "image/png", form="base64")
# Partners' models name their picture differently: where nobody knows the name, it is sent under all of them.
_TWICE = c.To("image_url image_urls", lambda value: [value, [value]])
_EVERYWHERE = c.To("image images input_image input_images", lambda value: [value, [value]] * 2)
_FIRST = c.To("frame_images", lambda value: [{"input_image": value, "frame": "first"}])
_RELAYED: dict[str, tuple[Mapping[str, str | c.To], c.Files, c.Json]] = {
    "text-to-image@fal": (_COMMON | _FAL_SIZE, _IMAGE, {}),
    "text-to-image@nscale": ({**_COMMON, "size": c.To("size", form="{}x{}")}, _B64, {"response_format": "b64_json"}),
    "text-to-image@replicate": (_COMMON | _SIZE, _OUT, {}),
    "text-to-image@together": (_COMMON | _SIZE, _B64, {"response_format": "base64"}),
    "text-to-image@wavespeed": (_COMMON | _SIZE, _WAVE, {}),
    "image-to-image@fal-queue": ({**_COMMON, **_FAL_SIZE, "image": _TWICE}, _IMAGE, {}),
    "image-to-image@replicate": ({**_COMMON, "image": _EVERYWHERE}, _OUT, {}),
    "image-to-image@wavespeed": (_COMMON | {"image": "image"}, _WAVE, {}),
    "text-to-video@fal-queue": (_COMMON, _VIDEO, {}),
    "text-to-video@novita": (_COMMON, c.Files("video.video_url"), {}),
    "text-to-video@replicate": (_COMMON, _OUT, {}),
    "text-to-video@together-video": (_COMMON | _SIZE, _CLIP, {}),
    "text-to-video@wavespeed": (_COMMON, _WAVE, {}),
    "image-to-video@fal-queue": (_COMMON | {"image": "image_url"}, _VIDEO, {}),
    "image-to-video@together-video": ({**_COMMON, "image": _FIRST}, _CLIP, {}),
    "image-to-video@wavespeed": (_COMMON | {"image": "image"}, _WAVE, {}),
    "text-to-speech@fal": ({"text": "text"}, c.Files("audio.url"), {}),
    "text-to-speech@replicate": ({"text": "text"}, _OUT, {}),
    "text-to-speech@together-speech": ({"text": "input", "voice": "voice"}, _SOUND, {}),
}


def _endpoint(task: str, fields: Mapping[str, str | c.To], files: c.Files, fixed: c.Json) -> c.Endpoint:
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
    submit=c.Call("POST", "/hf-inference/models/{endpoint}"),
    probe=c.Call("GET", "{hub}/api/whoami-v2"),
    free={"partners": c.Call("GET", "{hub}/api/models/{endpoint}?expand=inferenceProviderMapping")},
    error_message=("error.message", "error", "detail[].msg", "detail", "message", "@headers.x-error-message"),
    request_id_header="x-request-id",
    dialects={
        "fal": {"submit": c.Call("POST", "/fal-ai/{endpoint}"), "codes": _FAL_CODES},
        "fal-queue": {
            "submit": c.Call("POST", "/fal-ai/{endpoint}?_subdomain=queue", capture=_FAL_JOB),
            "poll": c.Call("GET", "/fal-ai/{owner}/{app}/requests/{id}/status?_subdomain=queue"),
            "follow": (c.Follow(c.Call("GET", "/fal-ai/{owner}/{app}/requests/{id}?_subdomain=queue")),),
            "status": c.Status("status", _QUEUE, error="error", position="queue_position"),
            "codes": _FAL_CODES,
        },
        "nscale": {"submit": c.Call("POST", "/nscale/v1/images/generations")},
        "novita": {"submit": c.Call("POST", "/novita/v3/hf/{endpoint}")},
        "replicate": {
            "submit": c.Call("POST", "/replicate/v1/models/{endpoint}/predictions", headers={"prefer": "wait"}),
            "input_path": "input",
            "status": c.Status("status", _DONE, error="error"),
            "codes": c.Codes(
                ("error",), {**c.kinds(content_policy="*E005*"), "*flagged as sensitive*": "content_policy"}
            ),
        },
        "together": {"submit": c.Call("POST", "/together/v1/images/generations")},
        "together-speech": {"submit": c.Call("POST", "/together/v1/audio/speech")},
        "together-video": {
            "submit": c.Call("POST", "/together/v2/videos", capture={"id": "id"}),
            "poll": c.Call("GET", "/together/v2/videos/{id}"),
            "status": c.Status("status", _STEPS, missing=c.State.QUEUED, error="error.message"),
            "inputs": {"": c.Input(max_bytes=60_000)},
        },
        "wavespeed": {
            "submit": c.Call("POST", "/wavespeed/api/v3/{endpoint}", capture={"id": "data.id"}),
            "poll": c.Call("GET", "/wavespeed/api/v3/predictions/{id}/result"),
            "status": c.Status("data.status", _WAVES, error="data.error"),
        },
    },
    tasks={
        "text-to-image": c.Endpoint(
            _HOSTED | {"size": "parameters.width parameters.height"},
            submit=c.Call("POST", "/hf-inference/models/{endpoint}", headers={"accept": "image/png"}),
            files=replace(_SOUND, mime_type="image/png"),
            meters=_SECONDS,
        ),
        "text-to-speech": c.Endpoint({"text": "inputs"}, files=replace(_SOUND, mime_type="audio/*"), meters=_SECONDS),
        **{task: _endpoint(task, *row) for task, row in _RELAYED.items()},
    },
)
