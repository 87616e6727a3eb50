"""OpenAI's dialect, as its servers share it: what a request, a job and an answer look like. No table, but what
`openai_compatible` makes one of.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from aggregator import casts
from aggregator import contract as c
from aggregator.errors import UnsupportedFieldError


def attached(values: Mapping[str, Any]) -> c.Json:
    """One picture is the part `image`; several are parts of the name `image[]`, the one to edit first."""
    pictures = casts.pictures(values, "image")
    return {"image[]": pictures} if len(pictures) > 1 else {"image": values["image"]}


def divided(values: Mapping[str, Any]) -> c.Json:
    """LocalAI reads what follows a `|` in the prompt as the negative one: a user's own `|` is written otherwise."""
    prompt, negative = str(values["prompt"]).replace("|", "¦"), values.get("negative_prompt")
    others: list[Any] = [casts.bare(one) for one in casts.pictures(values)]
    return {
        "prompt": f"{prompt}|{negative}" if negative else prompt,
        **({"file": casts.bare(values["image"])} if "image" in values else {}),
        **({"ref_images": others} if others else {}),
    }


def how_long(values: Mapping[str, Any]) -> c.Json:
    """How long a clip is: in frames where their rate is given too, for these models make frames; else in seconds."""
    seconds, fps = values.get("duration_s"), values.get("fps")
    if seconds is None:
        return {} if fps is None else {"fps": fps}
    return {"seconds": f"{seconds:g}"} if fps is None else {"num_frames": round(seconds * fps), "fps": fps}


def adapters(loras: Any) -> str:
    """As text, which a form can hold too; an adapter is named as the server was told of it."""
    return json.dumps([{"name": one["weights"], "scale": one["scale"]} for one in loras])


def adapter(loras: Any) -> Any:
    """vLLM-Omni's one adapter, by its name there, which is where it finds it: a folder, or a repository."""
    if len(loras) != 1:
        raise UnsupportedFieldError(f"loras: vLLM-Omni applies one at a time, not {len(loras)}")
    return {"name": loras[0]["weights"], "path": loras[0]["weights"], "scale": loras[0]["scale"]}


def formats(listed: str) -> c.To:
    """The sounds that a server makes: any other word is refused here, where it would be ignored there."""
    return c.To("response_format", values={word: word for word in listed.split()})


def post(url: str, **capture: str) -> c.Call:
    bytes_wanted = {"accept": "application/octet-stream"} if "audio" in url or "sound" in url else {}
    return c.Call("POST", url, capture=capture, headers=bytes_wanted, read_s=600)


Fields = Mapping[str, str | c.To]
Tasks = Mapping[str, c.Endpoint]
MODEL: c.Json = {"model": "{endpoint}"}
BASE64: c.Json = {**MODEL, "response_format": "b64_json"}
SIZE = c.To("size", form="{}x{}")
SHAPE: Fields = {"prompt": "prompt", "size": SIZE}
CLIP: Fields = {**SHAPE, "duration_s": c.To("seconds", form="{:g}")}
IMAGE: Fields = {**SHAPE, "format": "output_format"}
EDITED: Fields = {**IMAGE, "image": c.BUILD, "references": c.BUILD}
SEEDED: Fields = {"seed": "seed", "negative_prompt": "negative_prompt"}
ADAPTED: Fields = {**SEEDED, "loras": c.To("lora", adapter)}
ADAPTED_FORM: Fields = {**SEEDED, "loras": c.To("lora", lambda loras: json.dumps(adapter(loras)))}
PIPED: Fields = {**SEEDED, "loras": c.To("lora", adapters)}
SPOKEN: Fields = {"text": "input", "voice": "voice", "speed": "speed", "format": "response_format"}
BUSY = (c.Meter("gpu_second", casts.unknown, reported="inference_time_s"),)
PICTURE = c.Files("data[].b64_json", "image/png", form="base64")
FILM = c.Files(mime_type="video/mp4", url="/videos/{id}/content")


def clip(fields: Fields, url: str = "/videos") -> c.Endpoint:
    """A clip of OpenAI's own."""
    how: Any = {"submit": post(url, id="id"), "encoding": "multipart", "dialect": "videos"}
    return c.Endpoint({**CLIP, **fields}, MODEL, files=FILM, **how)


def film(fields: Fields, *, form: bool = True) -> c.Endpoint:
    """A clip of a diffusion server, which says in the end what it made, and how long that took. All of them refuse a
    clip from a picture that has no prompt: `required = ["prompt"]` in an offer says so before they are asked.
    """
    how = clip(fields)
    timed = {**SHAPE, **SEEDED, "duration_s": c.BUILD, "fps": c.BUILD, **fields}
    facts = {name: name for name in ("num_frames", "fps", "duration_s")}
    return replace(
        how, fields=timed, build=how_long, facts=facts, meters=BUSY, encoding="multipart" if form else "json"
    )


def piped(fields: Fields) -> c.Endpoint:
    """A clip of `serve-diffusers`, which finds the frames for the seconds itself and says which seed it had."""
    timed = {"duration_s": c.To("seconds", form="{:g}"), "fps": "fps", **PIPED, **fields}
    made = film(timed)
    return replace(made, build=None, facts={**made.facts, "seed": "seed"})


def heard(fields: Fields) -> c.Endpoint:
    """A sound of `serve-diffusers`: the file itself, with what is known of it in the head of the answer."""
    length: Fields = {"duration_s": "audio_length", "format": formats("wav flac")}
    made = sound({"prompt": "input", **length, **SEEDED, **fields}, "audio/wav", "/audio/generate")
    busy = (replace(BUSY[0], reported="@headers.x-inference-time-s"),)
    return replace(made, meters=busy, facts={"seed": "@headers.x-seed"})


def draw(fields: Fields, url: str = "/images/generations") -> c.Endpoint:
    return c.Endpoint(fields, BASE64, files=PICTURE, submit=post(url))


def edit(fields: Fields) -> c.Endpoint:
    return c.Endpoint(fields, BASE64, attached, PICTURE, submit=post("/images/edits"), encoding="multipart")


def sound(fields: Fields, mime: str = "audio/mpeg", url: str = "/audio/speech", **fixed: Any) -> c.Endpoint:
    return c.Endpoint(fields, fixed or MODEL, files=c.Files(mime_type=mime, form="body"), submit=post(url))


# --------------------------------------------------------------------------------------------------- clips are jobs

WORDS = c.words(queued="queued", running="in_progress", succeeded="completed", failed="failed")
FORGETFUL: c.Dialect = {
    "submit": post("/videos", id="id"),
    "poll": c.Call("GET", "/videos/{id}"),
    "status": c.Status("status", WORDS, error="error.message", progress="progress", progress_of=100.0),
}
"""DELETE takes the record away and the work goes on: nothing to cancel with. The list does not say what was ordered:
nothing to find an order by."""
LISTED = c.Lookup(
    c.Call("GET", "/videos?limit=100&order=desc"),
    "data",
    created="created_at",
    equal={"model": "model", "prompt": "prompt"},
)
JOBS: c.Dialect = {**FORGETFUL, "lookup": LISTED}
STOPPED: c.Dialect = {**JOBS, "believes_body": True, "cancel": c.Call("DELETE", "/videos/{id}")}
"""A failed job answers its poll with an HTTP error and the job as its body; DELETE stops what waits and what runs."""

REPLAYED: c.Dialect = {
    "idempotency": "replay",
    "idempotency_header": "Idempotency-Key",
    "idempotency_ttl_s": 86_400,
    "result_ttl_s": 86_400,
}
KEPT: c.Dialect = {
    **FORGETFUL,
    **REPLAYED,
    "status": replace(FORGETFUL["status"] or c.Status("", {}), words={**WORDS, **c.words(canceled="canceled")}),
    "cancel": c.Call("POST", "/videos/{id}/cancel"),
}
"""A key that comes again is answered with its job; what is canceled stays, and says so."""


def spoken_by(server: str, jobs: c.Dialect, tasks: Tasks) -> tuple[dict[str, c.Dialect], dict[str, c.Endpoint]]:
    """The dialects and tasks of one server. What it answers at once beside its jobs is a dialect of its own, to which
    those tasks lead by themselves: an offer names the server.
    """
    at_once = f"{server}_sync" if "poll" in jobs else server
    spoken = {task: replace(one, dialect=server if one.dialect else at_once) for task, one in tasks.items()}
    named = {f"{task}@{name}": one for task, one in spoken.items() for name in {server, one.dialect}}
    words = jobs if at_once == server else {name: one for name, one in jobs.items() if name in REPLAYED}
    return {server: jobs, at_once: cast("c.Dialect", words)}, named
