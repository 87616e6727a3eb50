"""Hugging Face: which host serves a model through the router, under which id, and whether it is live; no prices.

Read with huggingface.co/docs/hub/api (`expand[]=inferenceProviderMapping`), which answers with an object by host or a
list, as the age of the server will have it: both are read. Not compared with a live answer. It is asked by the names
of models on the Hub, which our offers do not hold.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from aggregator.discovery.found import Found, FoundOffer
from aggregator.discovery.source import Answer, Source
from aggregator.registry.cards import Stage

_AT = "/api/models/"
_STATUS: Mapping[str, Stage] = {"live": "active", "staging": "preview"}


def _ask(wanted: Sequence[str], _everything: bool) -> Iterator[str]:  # noqa: FBT001
    return (f"{_AT}{quote(name, safe='/')}?expand[]=inferenceProviderMapping" for name in wanted if "/" in name)


def _read(answer: Answer) -> Found:
    row = answer.body
    if not isinstance(row, Mapping) or not isinstance(row.get("id"), str):
        raise TypeError("no model")
    mapping = row.get("inferenceProviderMapping")
    hosts: list[tuple[str, Any]] = []
    if isinstance(mapping, Mapping):
        hosts = [(str(name), one) for name, one in mapping.items()]
    elif isinstance(mapping, list):
        hosts = [(str(one.get("provider")), one) for one in mapping if isinstance(one, Mapping)]
    offers = [
        FoundOffer(
            "huggingface",
            str(one.get("providerId") or row["id"]),
            (str(one["task"]),) if one.get("task") else (),
            title=str(row["id"]),
            status=_STATUS.get(str(one.get("status"))),
            note=f"at {host}" + (", status error" if one.get("status") == "error" else ""),
        )
        for host, one in hosts
        if isinstance(one, Mapping)
    ]
    return Found("huggingface", answer.asked, tuple(offers))


SOURCE = Source(
    name="huggingface",
    title="Hugging Face's mapping of hosts",
    docs="https://huggingface.co/docs/inference-providers/hub-api",
    checked="2026-11-20",
    read=_read,
    ask=_ask,
    provider="huggingface",
    host="hub",
    needs_key=False,
    by_endpoint=False,
    missing=lambda path: FoundOffer("huggingface", path.removeprefix(_AT).partition("?")[0], status="retired"),
)
