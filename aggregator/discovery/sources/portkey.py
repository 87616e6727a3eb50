"""Portkey's public price file of fal: what a picture costs, in cents. What it has by quality and size is left out:
nobody says which of its sizes stands for which of ours. Another public file, trusted as little as litellm's.

Read with github Portkey-AI/models@2c37002 pricing/fal-ai.json.
"""

from collections.abc import Mapping
from decimal import Decimal

from aggregator.discovery.found import Found, FoundPrice
from aggregator.discovery.listed import these
from aggregator.discovery.source import Answer, Source, usd

_CENTS = Decimal(100)


def _read(answer: Answer) -> Found:
    if not isinstance(answer.body, Mapping) or "default" not in answer.body:
        raise TypeError("no table of models")
    prices, left_out = [], []
    for endpoint, row in answer.body.items():
        if not isinstance(row, Mapping) or "pricing_config" not in row:
            continue  # what the wire adds of its own: status and headers
        images = row["pricing_config"]["pay_as_you_go"].get("image")
        if images is None:
            continue
        tables = images.get("default", {})
        cents = usd(tables["default"]["price"]) if len(images) == len(tables) == 1 else None
        if not cents:
            left_out.append(f"{endpoint}: by quality and size")
        else:
            prices.append(FoundPrice("fal", str(endpoint), "image", cents / _CENTS, f"{cents} cents an image"))
    if not prices:
        raise TypeError("no price of a picture")
    return Found("portkey", answer.asked, prices=tuple(prices), left_out=tuple(left_out))


SOURCE = Source(
    name="portkey",
    title="Portkey's price file",
    docs="https://github.com/Portkey-AI/models",
    checked="2026-11-21",
    read=_read,
    ask=these("/Portkey-AI/models/main/pricing/fal-ai.json"),
    base_url="https://raw.githubusercontent.com",
    needs_key=False,
)
