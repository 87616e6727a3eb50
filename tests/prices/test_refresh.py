"""Live prices against the table: who is believed, what is held back, what is refused."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from aggregator.discovery.found import Found, FoundPrice
from aggregator.discovery.sources.litellm import STABILITY
from aggregator.errors import PricingError
from aggregator.pricing.append import append
from aggregator.pricing.refresh import refresh
from aggregator.pricing.rows import read_rates
from aggregator.pricing.table import PriceTable
from aggregator.pricing.trust import Trust, trust_in, trust_of

from .conftest import TODAY, an_offer, rate_text

PAGE = 'source = "p.example/pricing"\nchecked = 2026-10-01'


def price(usd, endpoint="e", unit="video_second", **values):
    return FoundPrice("p", endpoint, unit, Decimal(usd), f"{usd} per {unit}", **values)


def said(*prices, source="p"):
    return Found(source, TODAY, prices=prices)


def kinds(table, *found, offers=None, **options):
    result = refresh(table, offers or [an_offer()], found, TODAY, **options)
    return {f"{verdict.source} {verdict.price.usd}": verdict.kind for verdict in result.verdicts}


def test_the_sellers_own_endpoint_changes_a_row_of_its_page(prices):
    table = prices(rate_text("0.10", more=PAGE))
    assert kinds(table, said(price("0.10"))) == {"p 0.10": "same"}
    result = refresh(table, [an_offer()], [said(price("0.12"))], TODAY)
    (verdict,) = result.accepted
    assert (verdict.kind, verdict.rate.usd, verdict.rate.starts) == ("changed", Decimal("0.12"), TODAY)
    assert verdict.rate.source == "p, asked 2026-11-21: 0.12 per video_second"


@pytest.mark.parametrize(
    ("usd", "why"), [("0.21", "2.1 times"), ("0.04", "0.4 times"), ("0.01", "a decimal point"), ("0", "free")]
)
def test_what_moves_too_far_is_held_back_and_said(prices, usd, why):
    table = prices(rate_text("0.10", more=PAGE))
    (verdict,) = refresh(table, [an_offer()], [said(price(usd))], TODAY).verdicts
    assert verdict.kind == "held"
    assert why in verdict.why
    assert "the table has 0.10 from 2026-01-01" in verdict.why
    assert kinds(table, said(price(usd)), accept={"p:e"}) == {f"p {usd}": "changed"}


def test_a_less_trusted_source_never_changes_a_row(prices):
    table = prices(rate_text("0.10", more=PAGE))
    assert kinds(table, said(price("0.11"), source="openrouter")) == {"openrouter 0.11": "disagrees"}
    assert kinds(table, said(price("0.11"), source="litellm")) == {"litellm 0.11": "disagrees"}
    from_file = prices(rate_text("0.10", more='source = "litellm 1.109.1 price file; Portkey-AI/models 2026-05"'))
    assert kinds(from_file, said(price("0.11"), source="litellm")) == {"litellm 0.11": "changed"}
    own = prices(rate_text("0.10"))
    assert kinds(own, said(price("0.11"))) == {"p 0.11": "disagrees"}


def test_sources_that_disagree_are_shown_and_never_averaged(prices):
    table = prices(rate_text("0.10", more=PAGE))
    found = refresh(table, [an_offer()], [said(price("0.12")), said(price("0.14"), source="litellm")], TODAY)
    assert {verdict.source: verdict.kind for verdict in found.verdicts} == {"p": "changed", "litellm": "disagrees"}
    assert [str(verdict.rate.usd) for verdict in found.accepted] == ["0.12"]
    assert "p, which is trusted more, says 0.12" in found.of("disagrees")[0].why
    equals = kinds(table, said(price("0.12"), source="a"), said(price("0.13"), source="b"))
    assert equals == {"a 0.12": "disagrees", "b 0.13": "disagrees"}


def test_a_price_nobody_knew_is_taken_from_a_seller_and_not_from_a_file(prices):
    table = prices(rate_text("1", unit="request"))
    assert kinds(table, said(price("0.12"))) == {"p 0.12": "new"}
    assert kinds(table, said(price("0.12"), source="litellm")) == {"litellm 0.12": "held"}


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (price("1", unit=None), "no unit of ours is meant by"),
        (price("1", unit="image"), "billed by video_second, not by image"),
        (price("1", endpoint="gone"), "no offer of ours is there"),
        (price("-1"), "no price"),
        (price("1", as_of=date(2027, 1, 1)), "still to come"),
    ],
)
def test_what_cannot_be_booked_by_is_refused(prices, one, why):
    (verdict,) = refresh(prices(rate_text()), [an_offer()], [said(one)], TODAY).verdicts
    assert (verdict.kind, why in verdict.why) == ("refused", True)


def test_a_figure_without_conditions_changes_no_row_that_has_some(prices):
    table = prices(
        rate_text("0.20", more=f"when = {{ audio = false }}\n{PAGE}"),
        rate_text("0.40", more=f"when = {{ audio = true }}\n{PAGE}"),
    )
    assert kinds(table, said(price("0.40"))) == {"p 0.40": "same"}
    assert kinds(table, said(price("0.30"))) == {"p 0.30": "disagrees"}
    assert kinds(table, said(price("0.30", when={"audio": (True,)}))) == {"p 0.30": "changed"}


def test_older_news_change_nothing(prices):
    table = prices(rate_text("0.10", more=PAGE))
    assert kinds(table, said(price("0.12", as_of=date(2026, 9, 1)))) == {"p 0.12": "disagrees"}


def test_a_source_that_shrank_is_refused_whole(prices):
    names = [f"e{n}" for n in range(10)]
    written = 'source = "p, asked 2026-10-01: 0.10"\nchecked = 2026-10-01'
    table = prices(*(rate_text("0.10", scope=f'endpoint = "{name}"', more=written) for name in names))
    offers = [an_offer(name) for name in names]
    few = refresh(table, offers, [said(*(price("0.11", name) for name in names[:7]))], TODAY)
    assert few.verdicts == ()
    assert few.refused == {"p": "it names 7 of the 10 offers it named before: nothing of it was taken"}
    assert len(refresh(table, offers, [said(*(price("0.11", name) for name in names[:8]))], TODAY).accepted) == 8
    assert refresh(table, offers, [said()], TODAY).refused == {
        "p": "it names 0 of the 10 offers it named before: nothing of it was taken"
    }
    assert refresh(prices(rate_text()), [an_offer()], [said()], TODAY).refused == {"p": "it names no price at all"}


# -------------------------------------------------------------------------------------------- the catalogue's mistakes


def stability(*, trusted: bool):
    """The catalogue's Stability rows against the table; or as if they were the maker's own word."""
    table = PriceTable.bundled()
    rows = json.loads((Path(__file__).parent / "data/litellm-stability.json").read_text())["rows"]
    found = [
        FoundPrice("stability", STABILITY.get(name, name), "image", Decimal(row["output_cost_per_image"]), name)
        for key, row in rows.items()
        if (name := key.removeprefix("stability/"))
    ]
    ours = {rate.name for rate in table.rates("stability") if rate.unit == "image"}
    offers = [an_offer(endpoint, "stability", "image", "1") for endpoint in ours]
    source = "stability" if trusted else "litellm"
    return refresh(table, offers, [Found(source, TODAY, prices=tuple(found))], TODAY), len(rows), ours


@pytest.mark.parametrize("trusted", [True, False])
def test_a_catalogue_that_is_ten_times_too_low_is_caught_there_and_nowhere_else(trusted):
    """Whatever is thought of the catalogue: it has a tenth of the maker's price for every edit, upscaling and control,
    and the right one for all that it says of making pictures.
    """
    found, listed, ours = stability(trusted=trusted)
    assert listed == 23
    caught = {verdict.price.endpoint: verdict.why for verdict in found.of("held")}
    assert {"edit/inpaint", "upscale/creative"} <= set(caught)
    assert set(caught) == {endpoint for endpoint in ours if endpoint.startswith(("edit/", "upscale/", "control/"))}
    assert all("exactly 0.1 times as much, as if a decimal point had slipped" in why for why in caught.values())
    right = {"generate/ultra", "generate/core", "sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium"}
    assert {verdict.price.endpoint for verdict in found.of("same")} == right
    assert {verdict.why for verdict in found.of("refused")} == {"no offer of ours is there"}
    assert found.accepted == found.of("disagrees") == ()


# ------------------------------------------------------------------------------------------------------ what is written


def test_accepted_rows_are_appended_and_take_the_history_along(prices, tmp_path):
    table = prices(
        rate_text("0.20", more=f"when = {{ audio = false }}\n{PAGE}"),
        rate_text(
            "0.40",
            more=f'when = {{ audio = true, characters = {{ up_to = 200 }} }}\nstep = "5"\nnote = "a \\"b\\""\n{PAGE}',
        ),
        rate_text("0.90", more=PAGE, unit="request"),
    )
    changed = refresh(table, [an_offer()], [said(price("0.25", when={"audio": (False,)}))], TODAY)
    mine = tmp_path / "mine"
    (file,) = append(table, [verdict.rate for verdict in changed.accepted], mine)
    assert file == mine / "rates/p.toml"
    again = PriceTable((read_rates(mine / "rates"),))
    rows = again.rows_for(an_offer(), "video_second", TODAY)
    assert sorted(str(row.usd) for row in rows) == ["0.20", "0.25", "0.40"]
    old = {row.id: row for row in table.rates("p")}
    assert all(replace(row) == old[row.id] for row in rows if row.id in old)
    assert [str(row.usd) for row in again.rows_for(an_offer(), "video_second", date(2026, 11, 20))].count("0.25") == 0


def test_what_stands_in_the_file_stays_and_a_second_run_adds_nothing(prices, tmp_path):
    table = prices(rate_text("0.20", more=PAGE))
    new = refresh(table, [an_offer()], [said(price("0.25"))], TODAY).accepted[0].rate
    mine = tmp_path / "mine"
    (mine / "rates").mkdir(parents=True)
    (mine / "rates/p.toml").write_text("# my words\n\n" + rate_text("7", scope='endpoint = "other"'))
    (file,) = append(table, [new], mine)
    text = file.read_text()
    assert text.startswith("# my words\n")
    assert append(table, [new], mine) == []
    assert file.read_text() == text
    with pytest.raises(PricingError, match="edit it by hand"):
        append(table, [replace(new, usd=Decimal("0.26"))], mine)


def test_who_is_believed():
    assert trust_in("fal", "fal") is Trust.ENDPOINT
    assert trust_in("fal", "kling") is Trust.RESELLER
    assert trust_in("kling", "kling") is Trust.PAGE
    assert trust_in("litellm", "fal") is Trust.CATALOGUE
    sources = {
        "litellm 1.109.1 price file; Portkey-AI/models 2026-05": Trust.CATALOGUE,
        "fal.ai/pricing 2026-09-20 (litellm 1.109.1: 0.039)": Trust.PAGE,
        "litellm, asked 2026-11-21: 0.1": Trust.CATALOGUE,
        "p, asked 2026-11-21: 0.1": Trust.ENDPOINT,
        "": Trust.OWN,
    }
    rate = next(iter(PriceTable.bundled().rates("fal")))
    for source, trust in sources.items():
        assert trust_of(replace(rate, provider="p", source=source)) is trust
    assert Trust.ENDPOINT > Trust.PAGE > Trust.RESELLER > Trust.CATALOGUE
