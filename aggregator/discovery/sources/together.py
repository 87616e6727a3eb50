"""Together: the ids of its models by type; its prices there are those of text.

Read with docs.together.ai/reference/models-1: a plain list, or one under `data`; not compared with a live answer.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aggregator.discovery.found import Found, FoundOffer
from aggregator.discovery.listed import reads_ids, these
from aggregator.discovery.source import Answer, Source, day_of_seconds

_TASKS = {"image": ("text-to-image",), "video": ("text-to-video",), "audio": ("text-to-speech",)}


def _offer(row: Mapping[str, Any], found: FoundOffer) -> FoundOffer | None:
    kind = str(row.get("type") or "")
    if kind not in _TASKS:
        return None
    title = str(row.get("display_name") or "")
    return replace(found, tasks=_TASKS[kind], title=title, released=day_of_seconds(row.get("created")))


def _read(answer: Answer) -> Found:
    path = () if isinstance(answer.body, list) else ("data",)
    return reads_ids("together", "together", *path, offer=_offer)(answer)


SOURCE = Source(
    name="together",
    title="Together's list of models",
    docs="https://docs.together.ai/reference/models-1",
    checked="2026-11-20",
    read=_read,
    ask=these("/v1/models"),
    provider="together",
    whole=("together",),
)
