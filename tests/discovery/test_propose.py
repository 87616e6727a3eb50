"""What was found against what is known: proposals, and what is not believed; and what is written of them."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from aggregator.discovery.accept import write
from aggregator.discovery.found import Found, FoundOffer, FoundReading
from aggregator.discovery.propose import KINDS, Proposal, Proposals, propose
from aggregator.errors import RequestError
from aggregator.registry.boards import COLUMNS
from aggregator.registry.load import Registry
from aggregator.registry.schema import Rows
from aggregator.registry.writing import toml_text

DAY = date(2026, 11, 21)
CARD = {"model": {"maker": "somebody", "tier": "workhorse"}}
BOARD = "mine/text-to-image"


def offer_file(root: Path, endpoint: str, **values: Any) -> None:
    file = root / "offers" / "seller" / f"{endpoint.replace('/', '-')}.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    row = {"model": "model-of-mine", "endpoint": endpoint, "task": "text-to-image", "checked": date(2026, 9, 1)}
    file.write_text(toml_text({**row, "source": "a page", **values}))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Five live offers of one seller, one of them renamed once, and one that is over."""
    root = tmp_path / "mine"
    (root / "models").mkdir(parents=True)
    (root / "models" / "model-of-mine.toml").write_text(toml_text(CARD))
    for name in ("old/one", "old/two", "old/three", "old/four"):
        offer_file(root, name)
    offer_file(root, "old/five", aliases=["older/five"], retires=date(2027, 1, 6))
    offer_file(root, "old/over", retires=date(2026, 6, 1))
    (root / "boards" / "mine").mkdir(parents=True)
    about = {"title": "Mine", "task": "text-to-image", "kind": "arena", "unit": "elo"}
    (root / "boards" / "boards.toml").write_text(f'["{BOARD}"]\n{toml_text(about)}')
    (root / "boards" / "mine" / "text-to-image.csv").write_text(
        f"{','.join(COLUMNS)}\nmodel-of-mine,mine-v1,1200,2026-09-01,10,1,5000,a page,,\n"
    )
    return root


def registry(*paths: Path) -> Registry:
    """These directories and nothing of the package's own."""
    return Registry.load(paths, base=Rows())


def found(*offers: FoundOffer, whole: bool = True, **rest: Any) -> Found:
    return Found("seller", DAY, offers, whole=("seller",) if whole else (), **rest)


def listed(*endpoints: str, **values: Any) -> list[FoundOffer]:
    return [FoundOffer("seller", one, ("text-to-image",), status="active", **values) for one in endpoints]


ALL = ("old/one", "old/two", "old/three", "old/four", "old/five")


def proposed(root: Path, *offers: FoundOffer, **rest: Any) -> Proposals:
    return propose(registry(root), [found(*offers, **rest)], DAY)


def kinds(found: Proposals) -> list[tuple[str, str]]:
    return [(one.kind, one.subject) for one in found.proposals]


def test_what_is_as_it_was_proposes_nothing(root: Path):
    result = proposed(root, *listed(*ALL))
    assert result.proposals == ()
    assert result.warnings == ()


def test_what_a_whole_list_does_not_name_is_gone(root: Path):
    assert kinds(proposed(root, *listed(*ALL[1:]))) == [("gone", "seller:old/one")]
    assert kinds(proposed(root, *listed(*ALL[1:]), whole=False)) == []


def test_a_list_that_shrank_by_half_proposes_no_ends_and_says_so(root: Path):
    result = proposed(root, *listed("old/one", "old/two"))
    assert result.proposals == ()
    assert "names 2 of 5 live offers of seller" in result.warnings[0]
    assert kinds(proposed(root, *listed("old/one", "old/two", "old/three"))) == [
        ("gone", "seller:old/five"),
        ("gone", "seller:old/four"),
    ]


def test_an_older_name_is_the_same_offer(root: Path):
    assert kinds(proposed(root, *listed(*ALL[:4], "older/five"))) == []


def test_the_same_name_under_another_owner_is_a_rename(root: Path):
    result = proposed(root, *listed(*ALL[1:], "new/one"))
    assert kinds(result) == [("renamed", "seller:old/one")]
    assert result.proposals[0].change == {"endpoint": "new/one"}


def test_two_that_could_be_it_are_no_rename(root: Path):
    result = proposed(root, *listed(*ALL[1:], "new/one", "newer/one"))
    assert [kind for kind, _ in kinds(result)] == ["gone", "new", "new"]


@pytest.mark.parametrize(
    ("offer", "expected"),
    [
        ({"status": "retired", "note": "HTTP 404"}, ("gone", "is not there any more (HTTP 404)")),
        ({"status": "deprecated"}, ("deprecated", "is listed as deprecated")),
        ({"retires": date(2027, 2, 1)}, ("date", "ends on 2027-02-01")),
    ],
)
def test_what_a_source_says_of_one(root: Path, offer: dict[str, Any], expected: tuple[str, str]):
    said = replace(listed("old/one")[0], **offer)
    (one,) = proposed(root, said, whole=False).proposals
    assert (one.kind, one.said) == expected


def test_a_date_that_moved_says_how_far_and_keeps_the_old_one(root: Path):
    (one,) = proposed(root, *listed("old/five", retires=date(2026, 12, 6)), whole=False).proposals
    assert one.said == "ends on 2026-12-06, not on 2027-01-06: 31 days earlier"
    assert one.change["retires_was"] == (date(2027, 1, 6),)
    (later,) = proposed(root, *listed("old/five", retires=date(2027, 1, 7)), whole=False).proposals
    assert later.said.endswith("1 days later")


def test_what_was_over_and_is_listed_again_is_back(root: Path):
    assert kinds(proposed(root, *listed("old/over"), whole=False)) == [("back", "seller:old/over")]


def test_only_the_seller_itself_proposes_new_offers(root: Path):
    offer = listed("new/six")[0]
    assert kinds(proposed(root, offer, whole=False)) == [("new", "seller:new/six")]
    other = Found("a-catalogue", DAY, (offer,))
    assert propose(registry(root), [other], DAY).proposals == ()
    assert kinds(proposed(root, replace(offer, tasks=()), whole=False)) == []
    assert kinds(proposed(root, replace(offer, status="deprecated"), whole=False)) == []


def reading(name: str = "mine-v1", **values: Any) -> FoundReading:
    given = {"board": BOARD, "name": name, "score": 1215.0, "as_of": DAY, "plus": 9.0, "minus": 11.0, "votes": 6000}
    return FoundReading(**{**given, **values})


def test_what_two_sources_say_of_one_day_is_proposed_once(root: Path):
    both = [Found(name, DAY, readings=(reading(), reading())) for name in ("copy", "first-hand")]
    assert [one.source for one in propose(registry(root), both, DAY).proposals] == ["copy"]


def test_younger_readings_are_proposed_with_the_card_they_were_of(root: Path):
    result = proposed(root, whole=False, readings=(reading(), reading("stranger"), reading(as_of=date(2026, 9, 1))))
    assert [(one.kind, one.model) for one in result.proposals] == [("reading", "model-of-mine"), ("reading", "")]


def test_a_board_nobody_knows_is_told_once(root: Path):
    result = proposed(root, whole=False, readings=(reading(board="x"), reading("other", board="x")))
    assert result.proposals == ()
    assert result.warnings == ("seller: 2 readings of x, which is no board of ours",)


def test_what_could_not_be_read_and_who_is_no_seller_of_ours_is_told(root: Path):
    result = proposed(root, FoundOffer("stranger", "x"), whole=False, left_out=("a: no id", "b: no id"))
    assert result.warnings == (
        "seller: left out a: no id and 1 more",
        "seller lists 1 models of stranger, of whom there is no offer here: a sign of life only",
    )


def test_the_most_urgent_come_first(root: Path):
    result = proposed(
        root,
        *listed("old/two", "old/three", "old/four", "new/six"),
        *listed("old/five", retires=date(2026, 12, 6)),
        readings=(reading(),),
    )
    assert [one.kind for one in result.proposals] == ["gone", "date", "new", "reading"]
    assert [one.kind for one in result.of(["new", "gone"])] == ["gone", "new"]


# ------------------------------------------------------------------------------------------------------------ writing


def written(root: Path, into: Path, result: Proposals, *only: str) -> tuple[list[Path], list[str]]:
    return write(result.of(only or KINDS), registry(root), into, DAY)


def test_what_is_accepted_is_an_ordinary_file_and_counts(root: Path, tmp_path: Path):
    into = tmp_path / "accepted"
    result = proposed(root, *listed(*ALL[1:4]), *listed("old/five", retires=date(2026, 12, 6)))
    written(root, into, result)
    after = {
        offer.endpoint: offer for offer in registry(root, into).offers("text-to-image") if offer.provider == "seller"
    }
    assert after["old/one"].stage(DAY) == "retired"
    assert after["old/one"].stage(DAY - timedelta(days=1)) == "deprecated"
    assert after["old/five"].retires == date(2026, 12, 6)
    assert after["old/five"].retires_was == (date(2027, 1, 6),)
    assert after["old/five"].source == "a page; seller, asked 2026-11-21"
    assert after["old/five"].checked == DAY
    assert propose(registry(root, into), [found(*listed(*ALL[1:]), whole=False)], DAY).of(["date"]) == ()


def test_a_rename_keeps_the_old_name_with_its_successor(root: Path, tmp_path: Path):
    into = tmp_path / "accepted"
    written(root, into, proposed(root, *listed(*ALL[1:], "new/one")))
    after = {
        offer.endpoint: offer for offer in registry(root, into).offers("text-to-image") if offer.provider == "seller"
    }
    assert after["new/one"].stage(DAY) == "active"
    assert (after["old/one"].stage(DAY), after["old/one"].successor) == ("retired", "seller:new/one")


def test_what_is_back_is_active_again(root: Path, tmp_path: Path):
    into = tmp_path / "accepted"
    written(root, into, proposed(root, *listed("old/over"), whole=False))
    after = next(one for one in registry(root, into).offers("text-to-image") if one.endpoint == "old/over")
    assert after.stage(DAY) == "active"


def test_only_what_was_accepted_is_written_and_new_ones_are_a_command(root: Path, tmp_path: Path):
    into = tmp_path / "accepted"
    result = proposed(root, *listed(*ALL[1:], "new/six"))
    files, todo = written(root, into, result, "new")
    assert files == []
    assert todo == ["aggregator registry import seller new/six --model MODEL --maker MAKER"]
    assert not into.exists()


def test_what_is_there_is_not_written_over_unasked(root: Path, tmp_path: Path):
    into = tmp_path / "accepted"
    gone = proposed(root, *listed(*ALL[1:])).of(["gone"])
    files, _ = write(gone, registry(root), into, DAY)
    files[0].write_text("mine")
    with pytest.raises(RequestError, match="is there already"):
        write(gone, registry(root), into, DAY)
    assert files[0].read_text() == "mine"
    write(gone, registry(root), into, DAY, overwrite=True)
    assert files[0].read_text() != "mine"


def test_readings_are_appended_and_load(root: Path, tmp_path: Path):
    into = tmp_path / "accepted"
    written(root, into, proposed(root, whole=False, readings=(reading(),)))
    written(root, into, proposed(root, whole=False, readings=(reading("other", score=1100.5),)))
    board = registry(root, into).boards[BOARD]
    assert [(one.name, one.score, one.as_of, one.ci95) for one in board.readings] == [
        ("mine-v1", 1200, date(2026, 9, 1), 10),
        ("mine-v1", 1215, DAY, 10),
        ("other", 1100.5, DAY, 10),
    ]
    assert board.readings[1].model == "model-of-mine"


def test_a_proposal_is_data(root: Path):
    (one,) = proposed(root, *listed(*ALL[1:])).proposals
    assert isinstance(one, Proposal)
    assert one.as_json()["change"] == {"status": "retired", "retires": "2026-11-21", "retires_checked": "2026-11-21"}
