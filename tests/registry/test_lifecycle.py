"""Where an offer is in its life: dates win over the written status."""

from datetime import date

import pytest

from aggregator.registry.cards import Offer
from aggregator.registry.load import Registry

DAY = date(2026, 11, 20)


def offer(**values):
    return Offer(provider="p", endpoint="e", model="m", task="text-to-image", checked=DAY, **values)


@pytest.mark.parametrize(
    ("values", "stage"),
    [
        ({}, "active"),
        ({"status": "preview"}, "preview"),
        ({"status": "announced"}, "announced"),
        ({"status": "announced", "released": date(2026, 11, 21)}, "announced"),
        ({"status": "announced", "released": date(2026, 11, 20)}, "active"),
        ({"deprecated": date(2026, 11, 21)}, "active"),
        ({"deprecated": date(2026, 11, 20)}, "deprecated"),
        ({"status": "deprecated"}, "deprecated"),
        ({"deprecated": date(2026, 1, 1), "retires": date(2026, 11, 21)}, "deprecated"),
        ({"retires": date(2026, 11, 20)}, "retired"),
        ({"status": "retired"}, "retired"),
    ],
)
def test_stage(values, stage):
    assert offer(**values).stage(DAY) == stage


def test_a_real_offer_is_retired_from_its_day_on():
    imagen = next(one for one in Registry.bundled().offers("text-to-image") if one.model == "imagen-4")
    assert imagen.stage(DAY) == "retired"
    assert imagen.successor == "gemini-2.5-flash-image"
