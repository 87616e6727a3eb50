"""Published prices without a row: each is named with its reason (`left_out.toml`), and the reason holds."""

import tomllib
from pathlib import Path

import pytest

from aggregator.backends import provider_names, provider_table
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of

FIGURES = tomllib.loads((Path(__file__).parent / "left_out.toml").read_text(encoding="utf-8"))["figure"]
HERE = {"no-offer", "other-site", "not-counted", "not-taken", "unconfirmed", "between"}


@pytest.fixture(scope="module")
def offered():
    tables = {name: provider_table(name) for name in provider_names()}
    offers = Registry.bundled(mappings=mappings_of(tables)).all_offers()
    return {(offer.provider, offer.endpoint): offer for offer in offers}


@pytest.mark.parametrize("figure", FIGURES, ids=[f"{one['provider']}: {one['what'][:40]}" for one in FIGURES])
def test_a_price_that_was_left_out_has_a_reason_that_holds(figure, offered):
    assert figure["source"]
    assert "wire/" not in figure["source"]
    if figure["why"] == "other-seller":
        assert figure["provider"] not in provider_names(), "it is a provider now: enter its rates"
        return
    assert figure["why"] in HERE
    assert figure["provider"] in provider_names()
    names = [(figure["provider"], name) for name in figure.get("endpoint", ())]
    if figure["why"] == "no-offer":
        assert names or figure["note"]
        assert [name for name in names if name in offered] == [], "it is offered now: enter its rate"
    elif figure["why"] == "not-taken":
        (limits,) = (offered[name].limits for name in names)
        taken = [limits[field].values for field in ("resolution", "size") if field in figure]
        wanted = [figure[field] for field in ("resolution", "size") if field in figure]
        assert all(taken)
        assert wanted[0] not in map(_plain, taken[0]), "it is taken now: enter its rate"
    else:
        assert not names
        assert figure["why"] != "not-counted" or figure["note"]


def _plain(value):
    return list(value) if isinstance(value, tuple) else value
