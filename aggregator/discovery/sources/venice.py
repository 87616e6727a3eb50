"""Venice: what a reseller sells of image, video and speech. It is no provider of ours: a sign of life of its makers'.

Read with docs.venice.ai/api-reference/endpoint/models/list (`type`, `model_spec.name`, `model_spec.offline`). Its
prices are a reseller's, in tiers whose form was not seen whole, and are not read. Not compared with a live answer.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aggregator.contract import Auth
from aggregator.discovery.found import FoundOffer
from aggregator.discovery.listed import reads_ids, these
from aggregator.discovery.source import Source


def _offer(row: Mapping[str, Any], found: FoundOffer) -> FoundOffer | None:
    about = row.get("model_spec")
    if isinstance(about, Mapping) and about.get("offline") is True:
        return None
    return replace(found, title=str(about.get("name") or "") if isinstance(about, Mapping) else "")


SOURCE = Source(
    name="venice",
    title="Venice's list of models",
    docs="https://docs.venice.ai/api-reference/endpoint/models/list",
    checked="2026-11-20",
    read=reads_ids("venice", "venice", "data", offer=_offer),
    ask=these(*(f"/api/v1/models?type={kind}" for kind in ("image", "video", "tts"))),
    base_url="https://api.venice.ai",
    auth=Auth(env=("VENICE_API_KEY",)),
    needs_key=False,
)
