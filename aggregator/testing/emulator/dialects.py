"""The servers that speak OpenAI's dialect, and what each does in its own way: for the service that plays them all.

vllm-omni 0.30.0, sglang 0.5.23, hao-ai-lab/FastVideo@2f3d407, mudler/LocalAI@82c191a, remsky/Kokoro-FastAPI@26eec06,
speaches-ai/speaches@02ca270, matatonic/openedai-speech@31f0335, devnen/Chatterbox-TTS-Server@68213e7,
travisvn/chatterbox-tts-api@a5f4661; read 2026-11-21. `diffusers` is `aggregator serve-diffusers`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from aggregator.testing.emulator.answers import Answer, RefusedError

__all__ = ["OPENAI", "SERVERS", "SOUND_TYPES", "Server", "refuse", "server_of"]

SOUND_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
CHARACTERS = 4096


@dataclass(frozen=True)
class Server:
    """What one of the servers does in its own way."""

    errors: Literal["openai", "detail", "nested", "twice nested", "flat"] = "openai"
    forms_only: bool = False
    """A clip is not ordered as JSON."""
    forgets: bool = False
    """What is deleted is made all the same."""
    keeps: bool = False
    """What is canceled stays and says so; a key that comes again is answered with the job it ordered."""
    failed: int = 200
    """With what HTTP status a job is shown that failed."""
    expires: bool = True
    """Whether it says until when a clip is kept."""
    names_prompt: bool = True
    running: str = "in_progress"
    picture: str = "png"
    sounds: Mapping[str, str] = field(default_factory=lambda: SOUND_TYPES)
    """Each format, as it is announced; the first is what comes unasked."""
    only: str = ""
    """What comes whatever is asked for."""
    streams: bool = False
    """Unless it is told not to."""
    voice: str = ""
    """How the name of a voice ends."""
    characters: int = CHARACTERS


def sounds(listed: str, **announced: str) -> dict[str, str]:
    return {word: announced.get(word, SOUND_TYPES[word]) for word in listed.split()}


OPENAI = Server()
SERVERS = {
    "vllm-omni": Server(forms_only=True, failed=500, sounds=sounds("wav pcm flac mp3 opus")),
    "diffusers": Server(keeps=True, sounds=sounds("wav flac")),
    "sglang": Server("detail", forgets=True, names_prompt=False, picture="jpeg"),
    "fastvideo": Server("detail", forgets=True, expires=False, names_prompt=False, running="queued"),
    "localai": Server(sounds=sounds("wav mp3 aac flac opus")),
    "kokoro": Server("nested", streams=True),
    "speaches": Server("detail", sounds=sounds("mp3 wav flac opus aac pcm")),
    "openedai": Server(
        "flat",
        sounds=sounds("mp3 opus aac flac wav pcm", opus="audio/ogg;codec=opus", flac="audio/x-flac")
        | {"pcm": "audio/pcm;rate=22050"},
    ),
    "chatterbox": Server("detail", sounds=sounds("wav opus mp3"), voice=".wav"),
    "chatterbox_api": Server("twice nested", only="wav", characters=3000),
}


def server_of(name: Any) -> Server:
    """Which server a model is on, by the first part of its name."""
    return SERVERS.get(str(name).partition("/")[0], OPENAI)


def refuse(server: Server, message: str, status: int = 400) -> NoReturn:
    """End with an error as this server words it."""
    said: dict[str, Any] = {"message": message, "type": "invalid_request_error"}
    body = {
        "openai": {"error": {**said, "param": None, "code": status}},
        "detail": {"detail": message},
        "nested": {"detail": {**said, "error": "validation_error"}},
        "twice nested": {"detail": {"error": said}},
        "flat": {**said, "code": None, "param": None},
    }[server.errors]
    raise RefusedError(Answer(status, body))
