"""What to write to use the engine that was found behind an address: its provider's table, and an offer for each model.

An offer is proposed where the model's name is that of weights some card knows: what those take is the offer's then.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from aggregator.discovery.engines import Recognised, Served
from aggregator.registry.cards import Card, Weights
from aggregator.registry.load import Registry
from aggregator.registry.writing import toml_text

__all__ = ["Proposed", "proposed"]

_PROMPTED = frozenset({"vllm_omni", "sglang", "fastvideo"})
"""Servers that refuse a picture without words."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """What to write for one engine."""

    found: Recognised
    provider: str
    configuration: str
    """For `aggregator.toml`."""
    offers: Mapping[str, str]
    """By file below a registry directory, its text."""
    unknown: tuple[str, ...]
    """Models that are served and that no card has weights of."""

    def as_json(self) -> dict[str, Any]:
        engine = self.found.engine
        return {
            "address": self.found.address,
            "engine": engine.name,
            "version": self.found.version,
            "provider": self.provider,
            "dialect": engine.dialect,
            "models": [{"name": one.name, "tasks": list(one.tasks)} for one in self.found.models],
            "configuration": self.configuration,
            "offers": dict(self.offers),
            "unknown": list(self.unknown),
            "note": engine.note,
        }


def proposed(found: Recognised, registry: Registry, today: date) -> Proposed:
    """The provider's table and the offers."""
    engine = found.engine
    offers, unknown = {}, []
    for served in found.models:
        match = _weights_of(served.name, registry)
        if match is None:
            unknown.append(served.name)
            continue
        card, repository = match
        tasks = _tasks(served, card, repository)
        slug = re.sub(r"[^a-z0-9.]+", "-", served.name.lower()).strip("-.")
        row = {
            "weights": card.id,
            "endpoint": served.name,
            "task": tasks[0] if len(tasks) == 1 else None,
            "checked": today,
            "dialect": engine.dialect or None,
            "source": f"{engine.name} {found.version or ''}".strip() + f" at {found.address}",
        }
        several = {"tasks": {task: _of_task(engine.dialect, task) for task in tasks}} if len(tasks) > 1 else {}
        one = _of_task(engine.dialect, tasks[0]) if len(tasks) == 1 else {}
        offers[f"offers/{engine.provider}/{slug}.toml"] = toml_text({**row, **one, **several})
    configuration = f'[providers.{engine.provider}]\nbase_url = "{found.base_url}"\n'
    return Proposed(found, engine.provider, configuration, offers, tuple(unknown))


def _of_task(dialect: str, task: str) -> dict[str, Any]:
    return {"required": ["prompt"]} if task == "image-to-video" and dialect in _PROMPTED else {}


def _tasks(served: Served, card: Card, repository: str) -> list[str]:
    """What the server says, as far as the weights are for it; else what they are for."""
    own = [task for one in card.weights if one.repository == repository for task in one.tasks]
    both = [task for task in served.tasks if task in own]
    return both or list(dict.fromkeys(own))


def _weights_of(name: str, registry: Registry) -> tuple[Card, str] | None:
    """The card, and which of its weights, by the name of a repository; its owner may be left out, or be a folder."""
    last = _bare(name)
    every = [(card, one) for card in registry.cards.values() for one in card.weights]
    exact = [(card, one.repository) for card, one in every if one.repository.casefold() == name.casefold()]
    alike = [(card, one.repository) for card, one in every if _is(last, card, one)]
    return next(iter([*exact, *alike]), None)


def _is(last: str, card: Card, weights: Weights) -> bool:
    return last in (_bare(weights.repository), card.id, *card.aliases)


def _bare(name: str) -> str:
    return name.casefold().rstrip("/").rpartition("/")[2].removesuffix("-diffusers")
