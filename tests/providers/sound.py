"""A client with one provider of sound in the emulator: what it sends, what it makes of the answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aggregator import Project
from aggregator._wire import error_of
from aggregator.artifact import Result
from aggregator.backends import provider_table
from aggregator.contract import HttpResponse, Provider
from aggregator.errors import ProviderError
from aggregator.registry.cards import Offer
from aggregator.registry.load import Registry
from aggregator.tasks import SpeechToSpeech, TextToMusic, TextToSound, TextToSpeech, VideoToAudio
from aggregator.testing.emulator import Emulator, LeapingClock
from aggregator.testing.emulator.catalogue import load_service
from aggregator.testing.emulator.media import render
from aggregator.testing.emulator.recorder import Recorded
from aggregator.testing.emulator.service import Answer

VOICES = {"elevenlabs": "abc123", "cartesia": "e07c00bc-4134-4eae-9ea4-1a55fb45746b"}
DETAIL = "text is required"
NOVEMBER = 1_795_219_200.0
"""2026-11-21: after the first day of every rate."""


@dataclass
class Studio:
    """One provider, one project with a large budget, inputs on disk."""

    name: str
    emulator: Emulator
    project: Project
    clip: Path
    film: Path

    async def make(self, request: Any, model: str, **options: Any) -> tuple[Result, Recorded]:
        """Order, and see what was sent last."""
        result = await self.project.generate(request, model=model, max_usd="2", **options)
        return result, self.emulator.requests[-1]

    def key(self) -> str:
        return self.emulator.keys[self.name]

    def of(self, offer: Offer) -> Any:
        """The plainest request that an offer serves."""
        match offer.task:
            case "text-to-speech":
                return TextToSpeech(text="Good morning.")
            case "speech-to-speech":
                return SpeechToSpeech(audio=self.clip, voice=VOICES[self.name])
            case "text-to-sound":
                return TextToSound(prompt="a door", duration_s=1)
            case "text-to-music":
                return TextToMusic(prompt="a tune", duration_s=3)
            case _:
                return VideoToAudio(video=self.film)


@asynccontextmanager
async def studio(name: str, directory: Path) -> AsyncIterator[Studio]:
    clip, film = directory / "clip.wav", directory / "film.mp4"
    clip.write_bytes(render("audio/wav", duration_s=0.4))
    film.write_bytes(render("video/mp4", width=64, height=64, duration_s=1.0))
    with Emulator(seed=7, clock=LeapingClock(NOVEMBER)) as emulator:
        async with (
            emulator.aggregator(directory / "store", name) as agg,
            agg.project("sound", budget_usd="1000") as project,
        ):
            yield Studio(name, emulator, project, clip, film)


def offers_of(name: str) -> list[Offer]:
    found = [offer for offer in Registry.bundled().all_offers() if offer.provider == name]
    assert found
    return found


def faults_of(name: str) -> dict[str, Answer]:
    """Every error the emulator knows of the provider, in the vendor's words."""
    made = load_service(name).faults.items()
    return {fault: said if isinstance(said, Answer) else said(DETAIL) for fault, said in made}


def meaning(provider: Provider, said: Answer) -> ProviderError:
    """What our table makes of one of the vendor's errors."""
    content = said.content(lambda _s: None)
    assert isinstance(content, bytes)
    headers = {"content-type": said.mime_type, **said.headers}
    return error_of(provider, HttpResponse(said.status, headers, content), accepted=False, doing="submitting")


def free_paths(name: str) -> list[str]:
    """Where the calls go that cost nothing."""
    table = provider_table(name)
    calls = [*([table.probe] if table.probe else []), *table.free.values()]
    return [urlsplit(call.url).path for call in calls]
