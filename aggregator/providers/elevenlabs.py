"""ElevenLabs: speech, voice changing, sound effects and music, each the answer itself; dubbing, which is waited for.

Options of the sound's form are in the query, the voice is in the path. Errors have three shapes: `code`, an older one
with `status` only, and a list of what is wrong with the fields. No key makes a request idempotent; answers do not say
what they cost. Without a voice, that of the vendor's first example speaks. `pcm` is not asked for: no program can tell
what bare samples are.
"""

from collections.abc import Mapping
from typing import Any

from aggregator import contract as c

_SPOKEN = c.To("@query.output_format", values={"mp3": "mp3_44100_128", "wav": "wav_24000", "opus": "opus_48000_128"})
_COMPOSED = c.To("@query.output_format", values={"mp3": "mp3_44100_128", "opus": "opus_48000_128"})
_Fields = Mapping[str, str | c.To]


def _language(value: Any) -> str:
    """`pt-BR` as `pt`: two letters are taken, the accent is the voice's."""
    return str(value).replace("_", "-").partition("-")[0].lower()


def _milliseconds(value: Any) -> int:
    return round(float(value) * 1000)


def _sound(path: str, fields: _Fields, unit: str, quantity: str, **fixed: str) -> c.Endpoint:
    """What goes in as a file makes the request a form."""
    return c.Endpoint(
        fields,
        {"model_id": "{endpoint}", "@query.output_format": "mp3_44100_128", **fixed},
        files=c.Files(form="body", mime_type="audio/mpeg"),
        meters=(c.Meter(unit, quantity),),
        submit=c.Call("POST", f"/v1/{path}", read_s=600.0),  # a song of ten minutes is one answer
        encoding="multipart" if {"audio", "video"} & fields.keys() else "json",
    )


_SAID = {"text": "text", "voice": "@path.voice", "speed": "voice_settings.speed", "seed": "seed"}
_SPEECH: _Fields = {**_SAID, "language": c.To("language_code", _language), "format": _SPOKEN}
_CHANGED: _Fields = {"audio": "audio", "voice": "@path.voice", "format": _SPOKEN}
_EFFECT: _Fields = {"prompt": "text", "duration_s": "duration_seconds", "format": _SPOKEN}
_SONG: _Fields = {"prompt": "prompt", "duration_s": c.To("music_length_ms", _milliseconds), "format": _COMPOSED}
_SCORE: _Fields = {"video": "videos", "prompt": "description"}
_DUB = c.words(queued="queued", running="preparing dubbing", succeeded="dubbed", failed="failed")
_NARRATOR = {"@path.voice": "JBFqnCBsd6RMkjVDRZzb"}

PROVIDER = c.Provider(
    name="elevenlabs",
    docs="https://elevenlabs.io/docs/api-reference",
    checked="2026-11-21",
    base_url="https://api.elevenlabs.io",
    auth=c.Auth(env=("ELEVENLABS_API_KEY",), header="xi-api-key", template="{key}"),
    submit=c.Call("POST", "/v1/text-to-speech/{voice}", read_s=600.0),
    probe=c.Call("GET", "/v1/models"),
    free={
        "models": c.Call("GET", "/v1/models"),
        "voices": c.Call("GET", "/v2/voices?page_size=100"),
        "balance": c.Call("GET", "/v1/user/subscription"),
    },
    codes=c.Codes(
        ("detail.code", "detail.status"),
        c.kinds(
            authentication="invalid_api_key missing_permissions only_for_creator+",
            quota="quota_exceeded",
            rate_limit="rate_limit_exceeded concurrent_limit_exceeded too_many_concurrent_requests system_busy",
            invalid_request="max_character_limit_exceeded invalid_parameters voice_not_found",
            content_policy="bad_prompt bad_composition_plan",
        ),
    ),
    error_message=("detail.message", "detail[].msg", "detail"),
    request_id_header="request-id",
    inputs={"": c.Input(accepts=("part",), max_bytes=None)},
    concurrency=2,  # the free plan's; the others have 3 to 15
    dialects={
        "dubbing": {
            "submit": c.Call("POST", "/v1/dubbing", capture={"id": "dubbing_id"}),
            "poll": c.Call("GET", "/v1/dubbing/{id}"),
            "follow": (
                c.Follow(c.Call("GET", "/v1/dubbing/{id}/audio/{language}"), {"language": "target_languages[]"}),
            ),
            "cancel": c.Call("DELETE", "/v1/dubbing/{id}"),
            "status": c.Status("status", _DUB, error="error"),
        }
    },
    tasks={
        "text-to-speech": _sound(
            "text-to-speech/{voice}", _SPEECH, "kilo_character", "request.kilo_characters", **_NARRATOR
        ),
        "speech-to-speech": _sound(
            "voice-changer/{voice}", _CHANGED, "input_audio_second", "request.input_audio_seconds"
        ),
        "speech-to-speech@dubbing": c.Endpoint(
            {"audio": "file", "language": c.To("target_lang", _language)},
            files=c.Files(form="body", mime_type="audio/mpeg"),
            meters=(c.Meter("input_audio_second", "request.input_audio_seconds"),),
            encoding="multipart",
            dialect="dubbing",
        ),
        "text-to-sound": _sound("sound-generation", _EFFECT, "request", "1"),
        "text-to-music": _sound("music", _SONG, "audio_second", "request.duration_s"),
        "video-to-audio": _sound("music/video-to-music", _SCORE, "audio_second", "request.input_video_seconds"),
    },
)
