"""Google Gemini: the ids there are, with their methods; ends and prices are on pages for people only.

Read with ai.google.dev/api/models (`models.list`); not compared with a live answer.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from aggregator.discovery.found import FoundOffer
from aggregator.discovery.listed import reads_ids, these
from aggregator.discovery.source import Answer, Source, words

_LIST = "/v1beta/models?pageSize=1000"


def _offer(row: Mapping[str, Any], found: FoundOffer) -> FoundOffer:
    endpoint = found.endpoint.removeprefix("models/")
    preview = "preview" in endpoint or "-exp" in endpoint
    methods = ", ".join(words(row.get("supportedGenerationMethods")))
    title = str(row.get("displayName") or "")
    return replace(found, endpoint=endpoint, title=title, note=methods, status="preview" if preview else "active")


def _more(answer: Answer) -> str:
    token = answer.body.get("nextPageToken") if isinstance(answer.body, Mapping) else None
    return f"{_LIST}&pageToken={quote(str(token), safe='')}" if token else ""


SOURCE = Source(
    name="gemini",
    title="Google's list of Gemini models",
    docs="https://ai.google.dev/api/models",
    checked="2026-11-20",
    read=reads_ids("gemini", "gemini", "models", key="name", offer=_offer),
    ask=these(_LIST),
    more=_more,
    provider="gemini",
)
