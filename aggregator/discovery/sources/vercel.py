"""Vercel AI Gateway: which ids a large reseller still sells. It is no provider of ours: a sign of life.

Read with vercel.com/docs/ai-gateway (`GET /v1/models`, OpenAI's form, with a `type`); not compared with a live answer.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aggregator.discovery.found import FoundOffer
from aggregator.discovery.listed import reads_ids, these
from aggregator.discovery.source import Source, day_of_seconds


def _offer(row: Mapping[str, Any], found: FoundOffer) -> FoundOffer | None:
    if row.get("type") in ("language", "embedding", "reranking"):
        return None
    return replace(found, title=str(row.get("name") or ""), released=day_of_seconds(row.get("created")))


SOURCE = Source(
    name="vercel",
    title="Vercel AI Gateway's list of models",
    docs="https://vercel.com/docs/ai-gateway",
    checked="2026-11-20",
    read=reads_ids("vercel", "vercel", "data", offer=_offer),
    ask=these("/v1/models"),
    base_url="https://ai-gateway.vercel.sh",
    needs_key=False,
)
