"""Replicate: one model after another, with the schema of its newest version; prices and ends are not said.

Read with replicate.com/docs/reference/http (`models.get`; OpenAPI 1.0.0-a1). Its whole list has tens of thousands of
models, so only those asked about are looked at; one that is not there (404) is gone.
"""

from collections.abc import Sequence
from urllib.parse import quote

from aggregator.discovery.found import Found, FoundOffer
from aggregator.discovery.source import Answer, Source

_AT = "/models/"


def _ask(wanted: Sequence[str], _everything: bool) -> Sequence[str]:  # noqa: FBT001
    return [f"{_AT}{quote(one, safe='/')}" for one in wanted if one.count("/") == 1]


def _read(answer: Answer) -> Found:
    row = answer.body
    if not isinstance(row, dict):
        raise TypeError("no model")
    version = row.get("latest_version")
    schema = version.get("openapi_schema") if isinstance(version, dict) else None
    offer = FoundOffer(
        "replicate",
        f"{row['owner']}/{row['name']}",
        title=str(row.get("description") or "")[:80],
        status="active" if isinstance(version, dict) else None,
        schema={"version": str(version.get("id") or ""), "openapi_schema": schema}
        if isinstance(version, dict)
        else None,
        note="" if schema else "no version that can be run",
    )
    return Found("replicate", answer.asked, (offer,))


SOURCE = Source(
    name="replicate",
    title="Replicate's models",
    docs="https://replicate.com/docs/reference/http#models.get",
    checked="2026-11-21",
    read=_read,
    ask=_ask,
    provider="replicate",
    missing=lambda path: FoundOffer("replicate", path.removeprefix(_AT), status="retired", note="HTTP 404"),
)
