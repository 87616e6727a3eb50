"""Amazon Bedrock: which models of pictures, clips and speech it serves, since when, and the days on which they become
legacy and end. It is no provider of ours: the same models end there on days of their own. Prices are not said.

Read with docs.aws.amazon.com/bedrock/latest/APIReference (ListFoundationModels, FoundationModelLifecycle). Asked in one
region with an API key of Bedrock's, which that page allows for this call; not compared with a live answer.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from aggregator.contract import Auth
from aggregator.discovery.found import FoundOffer
from aggregator.discovery.listed import reads_ids, these
from aggregator.discovery.source import Source, day, day_of_seconds
from aggregator.registry.cards import Stage

_MADE = frozenset({"IMAGE", "VIDEO", "SPEECH", "AUDIO"})
_STAGES: Mapping[Any, Stage] = {"ACTIVE": "active", "LEGACY": "deprecated"}


def _when(value: Any) -> date | None:
    """A timestamp is written as text or as seconds: the page does not say which."""
    return day(value) or day_of_seconds(value)


def _offer(row: Mapping[str, Any], found: FoundOffer) -> FoundOffer | None:
    made = row.get("outputModalities")
    if not isinstance(made, list) or not _MADE & {item for item in made if isinstance(item, str)}:
        return None
    life = row.get("modelLifecycle")
    life = life if isinstance(life, Mapping) else {}
    return replace(
        found,
        title=str(row.get("modelName") or ""),
        status=_STAGES.get(life.get("status")),
        released=_when(life.get("startOfLifeTime")),
        deprecated=_when(life.get("legacyTime")),
        retires=_when(life.get("endOfLifeTime")),
    )


SOURCE = Source(
    name="bedrock",
    title="Bedrock's list of models",
    docs="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html",
    checked="2026-11-21",
    read=reads_ids("bedrock", "aws-bedrock", "modelSummaries", key="modelId", offer=_offer),
    ask=these("/foundation-models"),
    base_url="https://bedrock.us-east-1.amazonaws.com",
    auth=Auth(env=("AWS_BEARER_TOKEN_BEDROCK",)),
)
