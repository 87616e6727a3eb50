"""Stability: the operations of its OpenAPI document, and which are deprecated; prices are on a page for people.

Read with platform.stability.ai/docs/api-reference; not compared with a live answer. Our endpoints are the ends of its
paths (`generate/core`); models that are named in the body (`sd3.5-large`) are not told apart there.
"""

import re

from aggregator.discovery.found import Found, FoundOffer
from aggregator.discovery.listed import operations, these
from aggregator.discovery.source import Answer, Source

_BELOW = re.compile(r"^/v\w+/(?:stable-image|audio|3d)/")


def _read(answer: Answer) -> Found:
    offers = [
        FoundOffer("stability", _BELOW.sub("", path), title=title, status="deprecated" if over else "active")
        for path, over, title in operations(answer.body)
        if _BELOW.match(path)
    ]
    return Found("stability", answer.asked, tuple(offers))


SOURCE = Source(
    name="stability",
    title="Stability's OpenAPI document",
    docs="https://platform.stability.ai/docs/api-reference",
    checked="2026-11-20",
    read=_read,
    ask=these("/v2alpha/openapi"),
    provider="stability",
    needs_key=False,
)
