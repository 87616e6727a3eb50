"""Cartesia: speech and voice changing; the answer is the sound itself.

Every request names the version of the API it was written for; the errors of this one are JSON with an `error_code` that
may be null. No key makes a request idempotent; costs are not in the answers. Without a voice, that of the vendor's
first example speaks. Bare samples (`pcm`) are not asked for: no program can tell what they are.
"""

from collections.abc import Mapping
from typing import Any

from aggregator import contract as c

_WAV: c.Json = {"container": "wav", "encoding": "pcm_s16le", "sample_rate": 44_100}
_FORMAT = c.To(c.BUILD, values={"wav": _WAV, "mp3": {"container": "mp3", "sample_rate": 44_100, "bit_rate": 128_000}})
_SOUND = c.Files(form="body", mime_type="audio/wav")


def _body(values: Mapping[str, Any]) -> c.Json:
    """Each form of the sound has keys of its own, so one takes the other's place as a whole."""
    return {"output_format": values.get("format", _WAV)}


PROVIDER = c.Provider(
    name="cartesia",
    docs="https://docs.cartesia.ai/api-reference/tts/bytes",
    checked="2026-11-21",
    base_url="https://api.cartesia.ai",
    auth=c.Auth(env=("CARTESIA_API_KEY",)),
    headers={"Cartesia-Version": "2026-08-14"},
    submit=c.Call("POST", "/tts/bytes", read_s=300.0),
    probe=c.Call("GET", "/voices?limit=1"),
    free={"voices": c.Call("GET", "/voices?limit=100")},
    codes=c.Codes(("error_code",), c.kinds(rate_limit="concurrency_limited")),
    error_message=("message", "title"),
    inputs={"": c.Input(accepts=("part",), max_bytes=None)},
    tasks={
        "text-to-speech": c.Endpoint(
            fields={
                "text": "transcript",
                "voice": "voice",
                "language": "locale",
                "speed": "generation_config.speed",
                "format": _FORMAT,
            },
            fixed={"model_id": "{endpoint}", "voice": "e07c00bc-4134-4eae-9ea4-1a55fb45746b"},
            build=_body,
            files=_SOUND,
            meters=(c.Meter("kilo_character", "request.kilo_characters"),),
        ),
        "speech-to-speech": c.Endpoint(
            submit=c.Call("POST", "/voice-changer/bytes", read_s=300.0),
            encoding="multipart",
            fields={"audio": "clip", "voice": "voice.id", "format": _FORMAT},
            build=_body,
            files=_SOUND,
            meters=(c.Meter("input_audio_second", "request.input_audio_seconds"),),
        ),
    },
)
