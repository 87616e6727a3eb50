"""Comfy Router: the ids of its models; prices are in a table for people.

Read with PyPI comfy-sdk 0.5.0 (`models.list`) and docs.comfy.org/router-openapi.yaml; not compared with a live answer.
"""

from collections.abc import Mapping
from urllib.parse import quote

from aggregator.discovery.listed import reads_ids, these
from aggregator.discovery.source import Answer, Source

_LIST = "/v2/models?limit=100"


def _more(answer: Answer) -> str:
    more = isinstance(answer.body, Mapping) and answer.body.get("has_more") and answer.body.get("next_cursor")
    return f"{_LIST}&cursor={quote(str(more), safe='')}" if more else ""


SOURCE = Source(
    name="comfy",
    title="Comfy Router's list of models",
    docs="https://docs.comfy.org/router-openapi.yaml",
    checked="2026-11-20",
    read=reads_ids("comfy", "comfy", "data"),
    ask=these(_LIST),
    more=_more,
    provider="comfy",
    whole=("comfy",),
)
