"""Black Forest Labs: the operations of its OpenAPI document, one for a model, and which are deprecated. Prices are only
told by the answer to an order (`cost`).

Read with the document as github tryAGI/BlackForestLabs@dfc296a keeps it; not compared with a live answer.
"""

from collections.abc import Sequence

from aggregator.discovery.found import Found, FoundOffer
from aggregator.discovery.listed import operations, these
from aggregator.discovery.source import Answer, Source

_OTHERS: Sequence[str] = ("finetune", "delete", "delegated")
"""Operations that train or look after things, and make no picture."""


def _read(answer: Answer) -> Found:
    offers = [
        FoundOffer("bfl", path.removeprefix("/v1/"), title=title, status="deprecated" if over else "active")
        for path, over, title in operations(answer.body)
        if not any(word in path for word in _OTHERS)
    ]
    return Found("bfl", answer.asked, tuple(offers))


SOURCE = Source(
    name="bfl",
    title="Black Forest Labs' OpenAPI document",
    docs="https://docs.bfl.ai",
    checked="2026-11-21",
    read=_read,
    ask=these("/openapi.json"),
    base_url="https://docs.bfl.ai",
    needs_key=False,
)
