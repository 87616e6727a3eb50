"""ElevenLabs: its speech models and what each can do; music, effects and dubbing are not on the list, prices neither.

Read with elevenlabs.io/docs/api-reference/models/list; not compared with a live answer.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aggregator.discovery.found import FoundOffer
from aggregator.discovery.listed import reads_ids, these
from aggregator.discovery.source import Source


def _offer(row: Mapping[str, Any], found: FoundOffer) -> FoundOffer:
    can = {"can_do_text_to_speech": "text-to-speech", "can_do_voice_conversion": "speech-to-speech"}
    tasks = tuple(task for name, task in can.items() if row.get(name) is True)
    return replace(found, tasks=tasks, title=str(row.get("name") or ""))


SOURCE = Source(
    name="elevenlabs",
    title="ElevenLabs' list of models",
    docs="https://elevenlabs.io/docs/api-reference/models/list",
    checked="2026-11-20",
    read=reads_ids("elevenlabs", "elevenlabs", key="model_id", offer=_offer),
    ask=these("/v1/models"),
    provider="elevenlabs",
)
