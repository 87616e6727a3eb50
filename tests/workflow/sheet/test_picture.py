"""The picture: a tile for each take, the picked one marked, whatever there is to show."""

from pathlib import Path

import pytest
from PIL import Image

from aggregator.workflow.sheet import picture as pictures
from aggregator.workflow.sheet.data import Sheet
from aggregator.workflow.sheet.page import shown
from aggregator.workflow.sheet.picture import ACCENT, GAP_PX, MARGIN_PX, picture
from aggregator.workflow.sheet.posters import poster_of
from tests.workflow.sheet import sheets
from tests.workflow.sheet.sheets import clip, sheet, sound, step, take


def drawn(of: Sheet) -> Image.Image:
    return picture(of, {file.sha256: poster_of(file) for file in shown(of)})


def colors(of: Image.Image) -> set[tuple[int, int, int]]:
    found = of.getcolors(maxcolors=2**24)
    assert found is not None
    return {color for count, color in found if count > 20}


def test_every_take_is_a_tile_and_the_picked_one_is_marked(tmp_path: Path) -> None:
    takes = [take(n, sheets.picture(tmp_path, color)) for n, color in enumerate(("teal", "navy"), 1)]
    rest = (
        step("shot", take(1, clip(tmp_path))),
        step("voice", take(1, sound(tmp_path))),
        step("piece", state="waiting"),
    )
    unpicked, picked = (drawn(sheet(step("still", *takes, picked=one), *rest)) for one in (None, 2))
    assert unpicked.size == picked.size == (2 * MARGIN_PX + 4 * 288 + 3 * GAP_PX, picked.height)
    assert {(0, 128, 128), (0, 0, 128)} <= colors(picked)
    assert ACCENT in colors(picked)
    assert ACCENT not in colors(unpicked)


def test_more_takes_make_smaller_tiles_and_beyond_the_most_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = sheets.picture(tmp_path)
    few, many = (sheet(*(step(f"s{n}", take(1, file)) for n in range(count))) for count in (10, 120))
    assert drawn(many).width < 120 / 10 * drawn(few).width
    monkeypatch.setattr(pictures, "MAX_TILES", 10)
    assert drawn(many).size == drawn(few).size


def test_a_sheet_of_nothing_is_a_title() -> None:
    assert drawn(sheet()).height < 200
