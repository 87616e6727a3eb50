"""The picture of the steps: boxes beside each other, arrows to the right, large fan-outs as one."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.workflow.sheet.data import Sheet
from aggregator.workflow.sheet.strip import HEIGHT_PX, MAX_ITEMS, WIDTH_PX, placed
from tests.workflow.sheet.sheets import sheet, step


@st.composite
def graphs(draw: st.DrawFn) -> Sheet:
    """Steps, inputs first, some of them items of fan-outs that may need each other."""
    fans = draw(st.lists(st.sampled_from(["shot", "cut", ""]), min_size=1, max_size=24))
    steps = []
    for number, fan in enumerate(fans):
        before = [one.name for one in steps]
        needs = draw(st.lists(st.sampled_from(before), max_size=3, unique=True)) if before else []
        name = f"{fan}.{number}" if fan else f"step-{number}"
        steps.append(step(name, needs=tuple(needs), fan=fan or name))
    return sheet(*steps)


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_boxes_never_cover_each_other_and_arrows_go_right(of: Sheet) -> None:
    strip = placed(of)
    assert sorted(one.name for box in strip.boxes for one in box.steps) == sorted(one.name for one in of.steps)
    for one, other in combinations(strip.boxes, 2):
        assert abs(one.x - other.x) >= WIDTH_PX or abs(one.y - other.y) >= HEIGHT_PX
    for box in strip.boxes:
        assert 0 <= box.x <= strip.width - WIDTH_PX
        assert 0 <= box.y <= strip.height - HEIGHT_PX
    for points in strip.arrows:
        across = [x for x, _ in points]
        assert across == sorted(across)
        for x, y in points[1:-1]:  # it passes between boxes, not through them
            assert not any(box.x < x < box.x + WIDTH_PX and box.y < y < box.y + HEIGHT_PX for box in strip.boxes)


def test_a_chain_is_a_line_and_a_long_way_round_has_room() -> None:
    strip = placed(sheet(step("a"), step("b", needs=("a",)), step("c", needs=("b", "a"))))
    a, b, c = strip.boxes
    assert a.x < b.x < c.x
    assert len(strip.arrows) == 3
    [long] = [points for points in strip.arrows if len(points) == 4]
    assert all(abs(y - (b.y + HEIGHT_PX / 2)) >= HEIGHT_PX / 2 for _, y in long[1:-1])


def test_many_items_are_one_box_with_the_frames_between_them() -> None:
    steps = [step("still")]
    for number in range(1, MAX_ITEMS + 2):
        before = "still" if number == 1 else f"shot.{number - 1}-last"
        steps += [
            step(f"shot.{number}", needs=(before,), fan="shot"),
            step(f"shot.{number}-last", needs=(f"shot.{number}",)),
        ]
    strip = placed(sheet(*steps))
    assert [(box.name, len(box.steps)) for box in strip.boxes] == [("still", 1), ("shot", 2 * (MAX_ITEMS + 1))]
    assert len(strip.arrows) == 1


def test_a_sheet_without_steps_has_an_empty_strip() -> None:
    assert placed(sheet()).boxes == ()
