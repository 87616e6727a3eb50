"""`aggregator sheet`: a page and a picture of a run, and what is said of them."""

from pathlib import Path

from PIL import Image

from tests.cli.conftest import Command

FLOW = """
[steps.still]
task = "text-to-image"
prompt = "a lighthouse"
size = "128x72"
takes = 2
pick = "person"
"""


def paused(run: Command) -> None:
    Path("film.toml").write_text(FLOW)
    run("run", "film.toml", "--local", code=3)


def test_a_page_and_a_picture_are_written(run: Command) -> None:
    paused(run)
    ended = run("sheet", "film", "--local", "-o", "sheets/film.html", "--png", "film.png")
    assert "film: 1 steps, 2 takes" in ended.out
    assert "Waits for a pick: still. To pick on the page: aggregator sheet film --serve" in ended.out
    assert Path("sheets/film.html").read_text().startswith("<!doctype html>")
    with Image.open("film.png") as drawn:
        assert drawn.width > 1000
    assert not Path("film.html").exists()


def test_without_a_name_the_page_is_named_after_the_run(run: Command) -> None:
    paused(run)
    document = run.json("sheet", "film", "--local")
    assert document["files"] == {"html": str(Path("film.html").absolute())}
    assert (document["waiting"], len(document["steps"][0]["takes"])) == (["still"], 2)
    assert "html" not in run.json("sheet", "film", "--local", "--png", "film.png")["files"]


def test_what_cannot_be_done_is_said(run: Command) -> None:
    paused(run)
    assert "did you mean 'film'?" in run("sheet", "flim", "--local", code=1).err
    assert "--serve writes no file" in run("sheet", "film", "--local", "--serve", "-o", "x.html", code=2).err
    Path("taken").write_text("")
    assert "cannot be written" in run("sheet", "film", "--local", "-o", "taken/film.html", code=1).err
