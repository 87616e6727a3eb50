"""What is to be looked after is listed, with the day as an argument; nothing else is."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from aggregator.pricing.table import PriceTable
from aggregator.registry.audit import Finding, audit
from aggregator.registry.freshness import Fact, State, freshness
from aggregator.registry.load import Registry
from aggregator.registry.quality import Quality
from aggregator.tasks import TASKS
from aggregator.verdicts import Kind, Verdict

DAY = date(2026, 11, 21)
METERS = [{"unit": "video_second", "quantity": "request.duration_s"}]


class Small:
    """Offers of one provider with rates, as few as a question needs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cards: dict[str, Any] = {}
        self.rows: list[dict[str, Any]] = []
        self.rates: list[str] = []
        self.boards: dict[str, Any] = {}

    def add(self, model: str, *, priced: str | None = "2026-11-20", card: Any = (), **row: Any) -> None:
        self.cards[model] = {"maker": "m", "tier": "workhorse", **dict(card)}
        task = {"task": "text-to-video", "checked": "2026-11-20", "meters": METERS, "fields": {"prompt": "prompt"}}
        self.rows.append({"provider": "p", "endpoint": model, "model": model, **task, **row})
        if priced:
            self.rates.append(
                f'[[rate]]\nendpoint = "{model}"\nunit = "video_second"\nusd = "0.1"\nfrom = 2025-01-01\n'
                f'checked = {priced}\nsource = "its price page"\n'
            )

    @property
    def registry(self) -> Registry:
        return Registry(self.cards, {"text-to-video": self.rows}, self.boards)

    @property
    def prices(self) -> PriceTable:
        (self.path / "rates").mkdir(exist_ok=True)
        (self.path / "rates" / "p.toml").write_text("\n".join(self.rates))
        return PriceTable.load([self.path])

    def found(self, *kinds: str, day: date = DAY, own: Any = (), **asked: Any) -> list[Finding]:
        quality = Quality(self.registry, own)
        return [one for one in audit(self.registry, self.prices, quality, day, **asked) if one.kind in kinds]


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(tmp_path)


def subjects(found: list[Finding]) -> list[str]:
    return [one.subject for one in found]


@pytest.mark.parametrize(("days", "kind"), [(7, None), (13, None), (14, "due"), (29, "due"), (30, "stale")])
def test_whether_an_offer_is_still_served_grows_old(small: Small, days: int, kind: str | None) -> None:
    small.add("one", checked=(DAY - timedelta(days)).isoformat())
    found = small.found("due", "stale")
    assert [(one.kind, one.days) for one in found] == ([(kind, days)] if kind else [])


@pytest.mark.parametrize(("days", "said"), [(21, "checked on"), (90, "take it for gone")])
def test_a_preview_grows_old_sooner(small: Small, days: int, said: str) -> None:
    small.add("one", checked=(DAY - timedelta(days)).isoformat(), status="preview")
    [found] = small.found("stale")
    assert said in found.said


def test_a_price_grows_old_by_a_clock_of_its_own(small: Small) -> None:
    small.add("new", priced=(DAY - timedelta(44)).isoformat())
    small.add("older", priced=(DAY - timedelta(45)).isoformat())
    small.add("old", priced=(DAY - timedelta(90)).isoformat())
    assert subjects(small.found("due")) == ["p:older"]
    assert subjects(small.found("stale")) == ["p:old"]


def test_of_several_rates_the_oldest_counts(small: Small) -> None:
    small.add("one")
    dear = small.rates[0].replace("2026-11-20", "2026-01-01").replace("0.1", "0.2")
    small.rates.append(f'{dear}when = {{ resolution = "1080p" }}\n')
    [found] = small.found("stale")
    assert "checked on 2026-01-01" in found.said


def test_a_date_of_retirement_has_a_day_it_was_read_on(small: Small) -> None:
    small.add("one", retires="2027-12-01", retires_checked="2026-10-01")
    [found] = small.found("stale")
    assert "its end on 2027-12-01" in found.said


def test_what_ends_soon_is_told_with_the_days_left_and_who_follows(small: Small) -> None:
    small.add("late", retires=(DAY + timedelta(61)).isoformat())
    small.add("soon", retires=(DAY + timedelta(10)).isoformat(), successor="next")
    small.add("sooner", retires=(DAY + timedelta(3)).isoformat())
    small.add("vague", status="deprecated")
    small.add("over", retires=DAY.isoformat())
    found = small.found("dying")
    assert [(one.subject, one.days) for one in found] == [("p:sooner", 3), ("p:soon", 10), ("p:vague", None)]
    assert "no successor" in found[0].said
    assert "then next" in found[1].said
    assert "p:late" in subjects(small.found("dying", within_days=61))


def test_the_day_is_an_argument(small: Small) -> None:
    small.add("one", retires="2027-03-01")
    assert small.found("dying") == []
    assert [one.days for one in small.found("dying", day=date(2027, 2, 1))] == [28]
    assert audit(small.registry, small.prices, Quality(small.registry), date(2027, 3, 1)) == []


def test_superseded_is_what_has_a_successor_that_can_be_had(small: Small) -> None:
    small.add("old", card={"successor": "new"})
    small.add("orphan", card={"successor": "never-offered"})
    small.add("new")
    [found] = small.found("superseded")
    assert (found.subject, found.said) == ("p:old", "by new")


def test_unpriced_is_what_has_no_rate_for_what_it_bills(small: Small) -> None:
    small.add("dark", priced=None)
    small.add("odd", priced=None, meters=[])
    small.add("known")
    assert [(one.subject, one.said) for one in small.found("unpriced")] == [
        ("p:dark", "no rate per video_second"),
        ("p:odd", "nobody says what is billed"),
    ]


def test_unproved_is_a_model_that_neither_a_board_nor_you_have_seen(small: Small) -> None:
    for model in ("read", "judged", "nobody"):
        small.add(model)
    small.boards["b"] = {"title": "b", "task": "text-to-video", "kind": "arena", "unit": "elo", "readings": []}
    small.boards["b"]["readings"].append(["read", "read", 1300, "2026-11-01"])
    own = [Verdict(DAY, "text-to-video", "text-to-video", "up", "judged")]
    assert subjects(small.found("unproved", own=own)) == ["nobody"]


def test_redirected_is_what_is_known_to_answer_with_another_model_or_was_seen_to(small: Small) -> None:
    small.add("known", serves="other", serves_from="2026-11-01")
    small.add("later", serves="other", serves_from="2026-12-01")
    small.add("seen")
    found = small.found("redirected", redirected=[("p:seen", "another")])
    assert [(one.subject, one.said) for one in found] == [
        ("p:known", "other is served in place of known"),
        ("p:seen", "another answered here in place of seen"),
    ]


def test_unmapped_is_what_nobody_knows_how_to_ask_for_and_no_more_is_said_of_its_price(small: Small) -> None:
    small.add("one", priced=None, unmapped="its schema was not read")
    [found] = small.found("unmapped", "unpriced")
    assert (found.kind, found.said) == ("unmapped", "its schema was not read")


def test_a_task_whose_boards_are_old_is_stale_once(small: Small) -> None:
    for board, day in (("b/new", "2026-09-01"), ("b/old", "2026-01-01")):
        of = {"title": board, "task": "text-to-video", "kind": "arena", "unit": "elo"}
        small.boards[board] = {**of, "readings": [["x", "x", 1300, day]]}
    [found] = small.found("stale")
    assert (found.subject, found.days) == ("b/new", 81)
    assert "39% still hold" in found.said
    assert small.found("stale", day=date(2026, 10, 1)) == []


def test_stand_ins_are_nobodys_business(small: Small) -> None:
    small.add("one", checked="2025-01-01", priced=None, card={"is_stand_in": True})
    assert audit(small.registry, small.prices, Quality(small.registry), DAY) == []


def test_the_bundled_registry_can_be_audited() -> None:
    registry = Registry.bundled()
    found = audit(registry, PriceTable.bundled(), Quality(registry), DAY)
    assert len(found) == len(set(found))
    assert {"openai:gpt-image-1.5"} <= {one.subject for one in found if one.kind == "dying"}


def test_the_rules_make_sense() -> None:
    rules = freshness()
    shares = [rules.quality.floor, rules.quality.votes_unknown, *rules.quality.confidence.values()]
    assert all(0 < share <= 1 for share in shares)
    assert {"arena", "best", "benchmark", "vendor"} <= rules.half_life_days.keys()
    for by_task in (*rules.half_life_days.values(), rules.drift_elo):
        assert by_task.keys() - {"other"} <= TASKS.keys()
        assert all(value > 0 for value in by_task.values())
        assert "other" in by_task
    assert rules.own.counts.keys() == set(get_args(Kind))
    assert rules.facts.keys() == set(get_args(Fact))


def test_every_fact_only_grows_older() -> None:
    rules = freshness()
    for fact, ages in rules.facts.items():
        states = [rules.state(fact, DAY - timedelta(days), DAY) for days in range(500)]
        order = [get_args(State).index(state) for state in states]
        assert order == sorted(order), fact
        assert (states[ages.fresh], states[ages.warn]) == ("fresh", "warn")
