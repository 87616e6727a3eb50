"""The OpenAI dialect at an address of your own: `/images`, `/videos`, `/audio/speech` below `base_url`.

Many servers and relays speak it, though OpenAI's own videos API is gone, and each a little differently: an offer names
its server in `dialect` (`_SERVERS` has them all; without one it is OpenAI's own). There are no offers: write the card
of what your server runs, with `endpoint` as its model name, and put what it takes besides into `fields` and `fixed`
(`num_inference_steps`). `base_url` ends in `/v1`, but for LocalAI, where it is the server's own address. A key is only
sent if the configuration names its variable in `api_key_env`.
"""

from collections.abc import Mapping
from dataclasses import replace

from aggregator import casts
from aggregator import contract as c
from aggregator.providers import _openai as o

_OMNI: o.Fields = {**o.ADAPTED_FORM, "aspect_ratio": "aspect_ratio", "audio": "generate_sound"}
_OMNI_SOUNDS = o.formats("wav pcm flac mp3 opus")
_OMNI_SPOKEN: o.Fields = {**o.SPOKEN, "prompt": "instructions", "language": "language", "seed": "seed"}
_DIVIDED: o.Fields = {"prompt": c.BUILD, "negative_prompt": c.BUILD, "size": o.SIZE, "seed": "seed"}
_AT_ONCE: o.Fields = {**o.SHAPE, **o.SEEDED, "size": c.To("width height"), "duration_s": c.BUILD, "fps": c.BUILD}
_FRAMES: o.Fields = {"image": c.To("start_image", casts.bare), "last_image": c.To("end_image", casts.bare)}
_AT_ONCE_FILM = replace(o.PICTURE, mime_type="video/mp4")
_NOISE = o.sound({"prompt": "text", "duration_s": "duration_seconds"}, "audio/wav", "/v1/sound-generation")
_NOISE = replace(_NOISE, fixed={"model_id": "{endpoint}"})
_KOKORO_LANGUAGES = dict(
    pair.split("=")
    for pair in "en=a en-US=a en-GB=b es=e fr=f hi=h it=i ja=j pt=p pt-BR=p zh=z".split()  # noqa: SIM905
)

_SERVERS: Mapping[str, tuple[c.Dialect, o.Tasks]] = {
    # vllm-omni 0.30.0. Clips are ordered by form alone: JSON is refused. Sound is WAV unless asked otherwise.
    "vllm_omni": (
        o.STOPPED,
        {
            "text-to-video": o.film(_OMNI),
            "image-to-video": o.film({**_OMNI, "image": "input_reference"}),
            "text-to-image": o.draw({**o.IMAGE, **o.ADAPTED}),
            "image-to-image": o.edit({**o.EDITED, **o.ADAPTED_FORM, "strength": "strength"}),
            "text-to-speech": o.sound({**_OMNI_SPOKEN, "format": _OMNI_SOUNDS}, "audio/wav"),
            "text-to-sound": o.sound(
                {"prompt": "input", **o.SEEDED, "duration_s": "audio_length", "format": _OMNI_SOUNDS},
                "audio/wav",
                "/audio/generate",
            ),
        },
    ),
    # `aggregator serve-diffusers`. What its pipeline's call takes goes into `fields` or `fixed` by its name there.
    "diffusers": (
        o.KEPT,
        {
            "text-to-video": o.piped({}),
            "image-to-video": o.piped({"image": "input_reference"}),
            "text-to-image": replace(o.draw({**o.IMAGE, **o.PIPED}), facts={"seed": "seed"}, meters=o.BUSY),
            "image-to-image": replace(
                o.edit({**o.EDITED, **o.PIPED, "mask": "mask", "strength": "strength"}),
                facts={"seed": "seed"},
                meters=o.BUSY,
            ),
            "text-to-sound": o.heard({}),
            "text-to-music": o.heard({"lyrics": "lyrics"}),
        },
    ),
    # sglang 0.5.23. A picture is JPEG unless asked otherwise. While it warms up it keeps every question waiting.
    "sglang": (
        o.FORGETFUL,
        {
            "text-to-video": o.film({}, form=False),
            "image-to-video": o.film({"image": "input_reference"}),
            "text-to-image": o.draw({**o.IMAGE, **o.SEEDED}),
            "image-to-image": o.edit({**o.EDITED, **o.SEEDED, "mask": "mask"}),
        },
    ),
    # hao-ai-lab/FastVideo@2f3d407. Its own seed is always 1024: send one. It never says that a job runs.
    "fastvideo": (
        o.FORGETFUL,
        {
            "text-to-video": o.film({}, form=False),
            "image-to-video": o.film({"image": "input_reference"}),
            "text-to-image": o.draw({**o.IMAGE, **o.SEEDED}, "/images"),
            "image-to-image": o.edit({**o.EDITED, **o.SEEDED}),
        },
    ),
    # mudler/LocalAI@82c191a. Everything is answered at once, clips too.
    "localai": (
        {"inputs": {"": c.Input(("url", "data"), None)}},
        {
            "text-to-image": replace(o.draw(_DIVIDED), build=o.divided),
            "image-to-image": replace(o.draw({**_DIVIDED, "image": c.BUILD, "references": c.BUILD}), build=o.divided),
            "text-to-video": replace(o.draw(_AT_ONCE, "/video"), build=o.how_long, files=_AT_ONCE_FILM),
            "image-to-video": replace(o.draw({**_AT_ONCE, **_FRAMES}, "/video"), build=o.how_long, files=_AT_ONCE_FILM),
            "text-to-speech": o.sound({**o.SPOKEN, "prompt": "instructions", "language": "language"}, "audio/wav"),
            "text-to-sound": _NOISE,
            "text-to-music": _NOISE,
        },
    ),
    # remsky/Kokoro-FastAPI@26eec06. It streams unless told not to, and then a failure is a shorter file.
    "kokoro": (
        {},
        {
            "text-to-speech": o.sound(
                {**o.SPOKEN, "language": c.To("lang_code", values=_KOKORO_LANGUAGES)}, model="{endpoint}", stream=False
            )
        },
    ),
    # speaches-ai/speaches@02ca270.
    "speaches": ({}, {"text-to-speech": o.sound(o.SPOKEN)}),
    # matatonic/openedai-speech@31f0335: `tts-1` is Piper, `tts-1-hd` is XTTS.
    "openedai": ({}, {"text-to-speech": o.sound(o.SPOKEN)}),
    # devnen/Chatterbox-TTS-Server@68213e7. A voice is the name of a file in its folders.
    "chatterbox": (
        {},
        {
            "text-to-speech": o.sound(
                {**o.SPOKEN, "format": o.formats("wav opus mp3"), "language": "language", "seed": "seed"}, "audio/wav"
            )
        },
    ),
    # travisvn/chatterbox-tts-api@a5f4661. It makes WAV whatever it is asked for, and ignores `speed`.
    "chatterbox_api": (
        {},
        {"text-to-speech": o.sound({"text": "input", "voice": "voice", "format": o.formats("wav")}, "audio/wav")},
    ),
}


_NAMED = [o.spoken_by(server, *words) for server, words in _SERVERS.items()]

PROVIDER = c.Provider(
    name="openai_compatible",
    docs="https://developers.openai.com/api/reference/resources/videos",
    checked="2026-11-21",
    base_url="",
    auth=c.Auth(env=()),
    submit=o.post("/images/generations"),
    probe=c.Call("GET", "/models"),
    free={"models": c.Call("GET", "/models")},
    codes=c.Codes(
        ("error.code", "error.type"),
        c.kinds(
            authentication="invalid_api_key",
            quota="insufficient_quota",
            rate_limit="rate_limit_exceeded",
            content_policy="moderation_blocked content_policy_violation",
        ),
    ),
    # Self-hosted servers have several error bodies: OpenAI's, FastAPI's `detail`, a bare text.
    error_message=(
        *("error.message", "detail.message", "detail.error.message", "detail[].msg", "detail", "message", "error"),
    ),
    request_id_header="x-request-id",
    inputs={"": c.Input(("part",), None)},
    dialects={"videos": o.JOBS, **{name: words for found, _ in _NAMED for name, words in found.items()}},
    tasks={
        "text-to-image": o.draw(o.IMAGE),
        "image-to-image": o.edit({**o.EDITED, "mask": "mask"}),
        "text-to-video": o.clip({}),
        "image-to-video": o.clip({"image": "input_reference"}),
        "video-to-video": o.clip({"video": "video"}, "/videos/edits"),
        "video-extension": o.clip({"video": "video"}, "/videos/extensions"),
        "text-to-speech": o.sound({**o.SPOKEN, "prompt": "instructions"}),
        **{name: endpoint for _, found in _NAMED for name, endpoint in found.items()},
    },
)
