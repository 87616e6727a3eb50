"""Files that are right, spoilt in named ways: each is refused with its file, its line and a reason."""

import re
from pathlib import Path

import pytest

import aggregator.registry
from aggregator.backends import provider_names, provider_table
from aggregator.errors import ConfigurationError
from aggregator.pricing.table import PriceTable
from aggregator.registry import load
from aggregator.registry.load import Registry, bundled_rows
from aggregator.registry.mapping import mappings_of
from tests.mutated.mutations import BOARD, CARD, OFFER, RATES, spoilt

ROOT = Path(aggregator.registry.__file__).parent
CARDS = sorted(ROOT.glob("models/*.toml"))
OFFERS = sorted(ROOT.glob("offers/*/*.toml"))
BOARDS = sorted(ROOT.glob("boards/**/*.csv"))
PRICES = sorted((ROOT.parent / "pricing" / "rates").glob("*.toml"))
LINE = re.compile(r"\bline (\d+)")


def cases(files, mutations, each, seed):
    texts = [file.read_text(encoding="utf-8") for file in files]
    return [
        pytest.param(files[place], after, id=f"{name}: {files[place].stem}")
        for name, place, after in spoilt(texts, mutations, each, seed)
    ]


@pytest.fixture(scope="module")
def mappings():
    return mappings_of({name: provider_table(name) for name in provider_names()})


@pytest.fixture(autouse=True)
def _parsed_once(monkeypatch, own_rows):
    monkeypatch.setattr(load, "bundled_rows", lambda: own_rows)


@pytest.fixture(scope="module")
def own_rows():
    return bundled_rows()


def changed_line(before: str, after: str) -> int | None:
    """The one line that a mutation wrote otherwise, if it did no more than that."""
    old, new = before.splitlines(), after.splitlines()
    if len(old) != len(new):
        return None
    places = [number for number, (one, other) in enumerate(zip(old, new, strict=True), start=1) if one != other]
    return places[0] if len(places) == 1 and new[places[0] - 1].strip() else None


def judge(error: ConfigurationError, original: Path, file: Path, after: str) -> None:
    said = str(error)
    assert said.startswith(f"{file}: "), said
    line = LINE.search(said)
    assert line, said
    assert 1 <= int(line[1]) <= len(after.splitlines())
    where = changed_line(original.read_text(encoding="utf-8"), after)
    assert where is None or int(line[1]) in (where, where + 1), said  # an unclosed value ends in the line after
    assert len(said) > len(f"{file}: line {line[1]}: ") + 10, "a reason is given"


def refused(root: Path, mappings) -> ConfigurationError:
    before = Registry.bundled().version
    with pytest.raises(ConfigurationError) as error:
        Registry.load([root], mappings=mappings)
    assert Registry.load([], mappings=mappings).version == before
    return error.value


@pytest.mark.parametrize(("original", "after"), cases(CARDS, CARD, 3, "cards"))
def test_a_spoilt_card_is_refused(tmp_path, mappings, original, after):
    file = tmp_path / "models" / original.name
    file.parent.mkdir()
    file.write_text(after, encoding="utf-8")
    judge(refused(tmp_path, mappings), original, file, after)


@pytest.mark.parametrize(("original", "after"), cases(OFFERS, OFFER, 3, "offers"))
def test_a_spoilt_offer_is_refused(tmp_path, mappings, original, after):
    file = tmp_path / "offers" / original.parent.name / original.name
    file.parent.mkdir(parents=True)
    file.write_text(after, encoding="utf-8")
    judge(refused(tmp_path, mappings), original, file, after)


@pytest.mark.parametrize(("original", "after"), cases(BOARDS, BOARD, 3, "boards"))
def test_a_spoilt_board_is_refused(tmp_path, mappings, original, after):
    file = tmp_path / "boards" / original.relative_to(ROOT / "boards")
    file.parent.mkdir(parents=True)
    file.write_text(after, encoding="utf-8")
    (tmp_path / "boards" / "boards.toml").write_text((ROOT / "boards" / "boards.toml").read_text())
    judge(refused(tmp_path, mappings), original, file, after)


@pytest.mark.parametrize(("original", "after"), cases(PRICES, RATES, 3, "rates"))
def test_a_spoilt_rate_is_refused(tmp_path, original, after):
    file = tmp_path / "rates" / original.name
    file.parent.mkdir()
    file.write_text(after, encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        PriceTable.load([tmp_path])
    judge(error.value, original, file, after)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\x80 = 1"])
def test_what_is_no_text_is_refused(tmp_path, mappings, data):
    file = tmp_path / "models" / "x.toml"
    file.parent.mkdir()
    file.write_bytes(data)
    assert "not UTF-8" in str(refused(tmp_path, mappings))
