"""Taking in tables: a card for each model, an offer for each endpoint, a line for each reading, and nothing twice."""

import csv
import io
from datetime import date
from pathlib import Path

import pytest

from aggregator.registry import intake
from aggregator.registry.boards import board_of
from aggregator.registry.load import Registry
from aggregator.registry.rows import check_references
from aggregator.registry.schema import read_directory

SAMPLES = Path(__file__).parent / "samples"


def table(name, more=""):
    return list(csv.DictReader(io.StringIO((SAMPLES / name).read_text() + more)))


def run(root: Path, *arguments: str) -> int:
    into = root / "into"
    into.mkdir(exist_ok=True)
    given = [str(SAMPLES / "catalogue.csv"), "--quality", str(SAMPLES / "quality.csv"), "--into", str(into)]
    return intake.main([*given, *arguments])


@pytest.fixture
def written(tmp_path):
    assert run(tmp_path, "--write") == 0
    return tmp_path / "into"


def test_without_write_it_only_says_what_it_would_do(tmp_path, capsys):
    assert run(tmp_path) == 0
    out = capsys.readouterr().out
    assert not any((tmp_path / "into").iterdir())
    assert "models/fox-2.toml\n" in out
    assert "left out: owl at replicate (owls/owl) for text-to-image: nobody confirmed it\n" in out
    assert "left out: owl at fal (owls/smell) for smell-to-image: no task of ours is called so\n" in out
    assert out.endswith("9 files, 2 lines left out\n")


def test_a_second_run_writes_nothing_and_what_people_changed_stays(tmp_path, written, capsys):
    card = written / "models" / "fox-2.toml"
    card.write_text(card.read_text().replace("workhorse", "hero"))
    before = {file: file.read_bytes() for file in written.rglob("*.*")}
    assert run(tmp_path, "--write") == 0
    assert capsys.readouterr().out.endswith("\n0 files, 2 lines left out\n")
    assert {file: file.read_bytes() for file in written.rglob("*.*")} == before


def test_what_is_written_is_a_registry(written):
    rows = read_directory(written)
    check_references(rows)
    assert set(rows.cards) == {"fox-2", "fox-1", "owl"}
    assert set(rows.offers) == {
        ("fal", "fox/v2", "text-to-video"),
        ("fal", "fox/v2", "image-to-video"),
        ("gemini", "fox-1", "text-to-video"),
        ("comfy", "owl-fast", "text-to-image"),
    }


def test_a_card_has_its_facts_and_the_hosts_without_a_table(written):
    fox = Registry.load([written]).card("fox-2")
    assert (fox.maker, fox.tier, fox.family, fox.released) == ("fox-labs", "workhorse", "fox", date(2026, 2, 5))
    assert (fox.license, fox.checked, fox.source) == ("closed", date(2026, 11, 1), "llms.txt; docs; venice pages")
    (venice,) = fox.hosts
    assert (venice.provider, venice.endpoint, venice.checked) == ("venice", "fox (id approximate)", date(2026, 11, 1))
    assert venice.note == "with margin"
    (unnamed,) = Registry.load([written]).card("owl").hosts
    assert (unnamed.provider, unnamed.endpoint) == ("openai", "(id not found)")
    (weights,) = Registry.load([written]).card("owl").weights
    assert (weights.repository, weights.license) == ("owls/owl-7b", "Apache-2.0")


def test_a_model_that_ended_everywhere_is_retired(written):
    fox = Registry.load([written]).card("fox-1")
    assert (fox.status, fox.retired) == ("retired", date(2026, 6, 30))


def test_an_offer_says_what_is_known_and_guesses_nothing(written):
    offers = {(offer.id, offer.task): offer for offer in Registry.load([written]).all_offers()}
    fal = offers["fal:fox/v2", "text-to-video"]
    assert fal.unmapped
    assert not fal.mapping.fields
    assert fal.limits["duration_s"].values == (5, 10)
    assert fal.limits["resolution"].values == ("720p", "1080p")
    assert "aspect_ratio" not in fal.limits, "'auto' is no shape: the list is not taken at all"
    other = offers["fal:fox/v2", "image-to-video"]
    assert (other.limits["duration_s"].min, other.limits["duration_s"].max) == (3, 15)
    assert fal.checked == date(2026, 7, 1), "of two days the older one"
    gone = offers["gemini:fox-1", "text-to-video"]
    assert (gone.status, gone.retires, gone.successor) == ("retired", date(2026, 6, 30), "fox-2")
    assert gone.note == "ended early. The successor is our inference"
    assert "Owl (Fast)" in offers["comfy:owl-fast", "text-to-image"].note


def test_an_offer_that_is_there_by_another_name_is_not_taken_twice(tmp_path, written):
    file = written / "offers" / "fal" / "fox-v2.toml"
    file.write_text(file.read_text().replace('"fox/v2"', '"den/v2"\naliases = ["fox/v2"]'))
    file = written / "offers" / "gemini" / "fox-1.toml"
    file.write_text(file.read_text().replace('endpoint = "fox-1"', 'endpoint = "fox-001"'))
    known = read_directory(written)
    assert intake.taken(table("catalogue.csv"), [], known, ["fal", "gemini", "comfy"]).files == {}


def test_readings_become_lines_of_their_boards(written):
    boards = read_directory(written).boards
    arena = board_of("lmarena/text-to-video", boards["lmarena/text-to-video"])
    assert (arena.kind, arena.unit, arena.task) == ("arena", "elo", "text-to-video")
    found = {reading.name: reading for reading in arena.readings}
    assert (found["fox-2-hd"].model, found["fox-2-hd"].ci95, found["fox-2-hd"].votes) == ("fox-2", 10, 5537)
    assert (found["badger-1"].model, found["badger-1"].score) == ("", 1350.5)
    assert (found["badger-1"].confidence, found["badger-1"].note) == ("preliminary", "preliminary")
    assert (found["fox"].model, found["fox"].score) == ("fox-1", 1100)
    assert (found["fox (rank 4)"].model, found["fox (rank 4)"].note) == (
        "",
        "the source gives this name twice on this day",
    )
    claims = board_of("den-voices", boards["den-voices"])
    assert (claims.readings, claims.kind) == ((), "vendor")
    assert [(claim.model, claim.rank, claim.score, claim.as_of) for claim in claims.claims] == [("owl", 1, None, None)]


def test_new_readings_are_added_to_what_a_board_said(tmp_path, written):
    before = (written / "boards" / "lmarena" / "text-to-video.csv").read_text().splitlines()
    more = "LMArena (arena.ai) text-to-video,text-to-video,fox-2,fox-2-hd,1390,Elo,,1,,2026-04-19,mirror,confirmed,\n"
    found = intake.taken(
        table("catalogue.csv"), table("quality.csv", more), read_directory(written), ["fal", "gemini", "comfy"]
    )
    assert list(found.files) == ["boards/lmarena/text-to-video.csv"]
    after = found.files["boards/lmarena/text-to-video.csv"].splitlines()
    assert after[:-1] == before
    assert after[-1].startswith("fox-2,fox-2-hd,1390,2026-04-19,")


@pytest.mark.parametrize(
    ("text", "reason"),
    [("a,b\n", "line 1: there is no column 'model_id'"), (None, "cannot be read: ")],
)
def test_a_table_that_cannot_be_read_is_named(tmp_path, capsys, text, reason):
    file = tmp_path / "catalogue.csv"
    if text is not None:
        file.write_text(text)
    assert intake.main([str(file), "--into", str(tmp_path / "into")]) == 1
    assert capsys.readouterr().err.startswith(f"{file}: {reason}")
