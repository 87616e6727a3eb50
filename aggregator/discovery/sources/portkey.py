"""Portkey's public price files: what a picture costs, in cents. What it has by quality and size is left out: nobody
says which of its sizes stands for which of ours. More public files, trusted as little as litellm's.

Read with github Portkey-AI/models@f654307: of its files these four name pictures of our providers at one price.
Together's alone stand there in dollars (FLUX.1.1 pro at 0.04, beside 4 in fal's file): read so until they are mended;
then all of them move a hundredfold at once, and are held back.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from aggregator.discovery.found import Found, FoundPrice
from aggregator.discovery.listed import these
from aggregator.discovery.source import Answer, Source, usd

_AT = "/Portkey-AI/models/main/pricing/"
_CENTS, _DOLLARS = Decimal(100), Decimal(1)
_FILES = {
    "fal-ai.json": ("fal", _CENTS),
    "stability-ai.json": ("stability", _CENTS),
    "byteplus.json": ("ark", _CENTS),
    "together-ai.json": ("together", _DOLLARS),
}
"""Each with our provider, and how many of its units are a dollar."""
_STABILITY = {"ultra": "generate/ultra", "core": "generate/core"}
"""Its names of Stability's endpoints, where they are not theirs."""


def _read(answer: Answer) -> Found:
    provider, in_usd = _FILES[answer.path.removeprefix(_AT)]
    if not isinstance(answer.body, Mapping) or "default" not in answer.body:
        raise TypeError("no table of models")
    prices, left_out = [], []
    for name, row in answer.body.items():
        if name == "default" or not isinstance(row, Mapping) or "pricing_config" not in row:
            continue  # what the wire adds of its own: status and headers
        said = row["pricing_config"]["pay_as_you_go"]
        if not said.get("image") and "generated_images" not in said.get("additional_units", {}):
            continue
        amount = _amount(said)
        if not amount:
            left_out.append(f"{name}: by quality and size")
            continue
        endpoint = _STABILITY.get(str(name), str(name)) if provider == "stability" else str(name)
        word = "cents" if in_usd == _CENTS else "dollars"
        prices.append(FoundPrice(provider, endpoint, "image", amount / in_usd, f"{amount} {word} an image"))
    if not prices:
        raise TypeError("no price of a picture")
    return Found("portkey", answer.asked, prices=tuple(prices), left_out=tuple(left_out))


def _amount(said: Mapping[str, Any]) -> Decimal | None:
    """What a picture costs, where it costs the same in every quality and size."""
    if images := said.get("image"):
        tables = images.get("default", {})
        return usd(tables["default"]["price"]) if len(images) == len(tables) == 1 else None
    return usd(said["additional_units"]["generated_images"]["price"])


SOURCE = Source(
    name="portkey",
    title="Portkey's price files",
    docs="https://github.com/Portkey-AI/models",
    checked="2026-11-22",
    read=_read,
    ask=these(*(_AT + file for file in _FILES)),
    base_url="https://raw.githubusercontent.com",
    needs_key=False,
)
