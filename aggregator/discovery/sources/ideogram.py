"""Ideogram: the operations of its OpenAPI document, and which are deprecated; prices are told by a dry run only.

Read with developer.ideogram.ai (openapi.json); not compared with a live answer.
"""

from aggregator.discovery.found import Found, FoundOffer
from aggregator.discovery.listed import operations, these
from aggregator.discovery.source import Answer, Source


def _read(answer: Answer) -> Found:
    offers = [
        FoundOffer("ideogram", path.strip("/"), title=title, status="deprecated" if over else "active")
        for path, over, title in operations(answer.body)
    ]
    return Found("ideogram", answer.asked, tuple(offers))


SOURCE = Source(
    name="ideogram",
    title="Ideogram's OpenAPI document",
    docs="https://developer.ideogram.ai",
    checked="2026-11-20",
    read=_read,
    ask=these("/openapi.json"),
    provider="ideogram",
    needs_key=False,
)
