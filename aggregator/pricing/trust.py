"""Whose word counts for a price: the seller's own endpoint before its page, resellers after both, public files last."""

import re
from enum import IntEnum

from aggregator.pricing.table import Rate

__all__ = ["Trust", "trust_in", "trust_of"]


class Trust(IntEnum):
    """How far a source is believed about a price; a higher one is never overruled by a lower one."""

    CATALOGUE = 1
    """A public file that others keep: slow to remove, and sometimes wrong by a unit."""
    RESELLER = 2
    """A seller, about what another one charges."""
    PAGE = 3
    """The seller's own page, document or published matrix."""
    ENDPOINT = 4
    """The seller's own answer to a program that asks for its prices."""
    OWN = 5
    """Written by the user: a contract nobody else knows."""


_CATALOGUES = ("litellm", "portkey", "genai-prices", "genai_prices", "models.dev", "tokencost")
_PAGES = ("kling",)
"""Sources that read a document of the seller's, where others of its name read an endpoint."""
_ASKED = re.compile(r"(?P<source>[\w.-]+), asked \d{4}-\d\d-\d\d")


def trust_in(source: str, provider: str) -> Trust:
    """How far a source of live prices is believed about one provider's."""
    if source.startswith(_CATALOGUES):
        return Trust.CATALOGUE
    if source != provider:
        return Trust.RESELLER
    return Trust.PAGE if source in _PAGES else Trust.ENDPOINT


def trust_of(rate: Rate) -> Trust:
    """How far a row of the table is believed: by the words of its source, since a row is written by people too."""
    if not rate.source:
        return Trust.OWN
    if asked := _ASKED.match(rate.source):
        return trust_in(asked["source"], rate.provider)
    named = [part.strip().lower() for part in re.split(r"[;,]", rate.source) if part.strip()]
    return Trust.CATALOGUE if all(part.startswith(_CATALOGUES) for part in named) else Trust.PAGE
