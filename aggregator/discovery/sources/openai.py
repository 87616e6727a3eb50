"""OpenAI: the day each model ends (`shutdown_date`); prices and abilities are not said.

Read with platform.openai.com/docs/api-reference/models (`shutdown_date`, 2026); not compared with a live answer. The
list is what the account may use, so a model that is missing is not taken for gone.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aggregator.discovery.found import FoundOffer
from aggregator.discovery.listed import reads_ids, these
from aggregator.discovery.source import Source, day, day_of_seconds


def _offer(row: Mapping[str, Any], found: FoundOffer) -> FoundOffer:
    return replace(found, released=day_of_seconds(row.get("created")), retires=day(row.get("shutdown_date")))


SOURCE = Source(
    name="openai",
    title="OpenAI's list of models",
    docs="https://platform.openai.com/docs/api-reference/models/list",
    checked="2026-11-20",
    read=reads_ids("openai", "openai", "data", offer=_offer),
    ask=these("/models"),
    provider="openai",
)
