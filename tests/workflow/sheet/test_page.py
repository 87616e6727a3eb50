"""The page: one text that fetches nothing, runs nothing but its own script, and says what is known of every take."""

import base64
import hashlib
import re
from decimal import Decimal
from pathlib import Path

import pytest

from aggregator.workflow.sheet.data import Made, Money, Origin, Sheet, money_of
from aggregator.workflow.sheet.page import Live, page, shown
from aggregator.workflow.sheet.posters import poster_of
from tests.workflow.sheet.sheets import EVIL, Node, clip, picture, read, sheet, sound, step, stored, take


def drawn(of: Sheet, **more: object) -> Node:
    return read(page(of, {file.sha256: poster_of(file) for file in shown(of)}, **more))


@pytest.fixture
def film(tmp_path: Path) -> Sheet:
    """Stills to pick from, a clip made of one, a sound, and a branch that failed."""
    stills = [take(n, picture(tmp_path, color)) for n, color in enumerate(("teal", "navy", "maroon"), 1)]
    shot = take(1, clip(tmp_path), recipe=Made(words="a shot", origins=(Origin(field="image", step="still", take=2),)))
    return sheet(
        step("still", *stills, picked=2, picked_by="person", pick="person"),
        step("shot", shot, needs=("still",), picked=1, task="image-to-video"),
        step("voice", take(1, sound(tmp_path)), task="text-to-speech"),
        step("piece", needs=("shot", "voice"), state="waiting", why="follows from title, which failed"),
        step("title", take(1, problem="refused for what it shows"), state="failed"),
    )


# ----------------------------------------------------------------------------------------------------- nothing fetched


def test_nothing_is_fetched_and_nothing_runs_but_its_own_script(film: Sheet) -> None:
    root = drawn(film)
    for node in root.all():
        for name in ("src", "href", "poster"):
            value = node.attributes.get(name)
            assert value is None or value.startswith(("data:", "#")), (node.name, name, value)
        assert not [name for name in node.attributes if name.startswith("on") or name in ("style", "srcset", "action")]
    [script], [style] = root.all("script"), root.all("style")
    [policy] = [node.attributes["content"] or "" for node in root.all("meta", http_equiv="Content-Security-Policy")]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["connect-src"] == rules["base-uri"] == "'none'"
    assert rules["script-src"] == _hashed(script.text)
    assert rules["style-src"] == _hashed(style.text)
    assert rules["img-src"] == rules["media-src"] == "data:"
    assert "@import" not in style.text
    assert "url(" not in style.text
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script.text)


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_a_served_page_may_ask_its_own_server_and_nobody_else(film: Sheet) -> None:
    media = {file.sha256: f"/media/{file.sha256}" for file in shown(film)}
    root = drawn(film, live=Live(media, version="1", shape="a"))
    policy = root.all("meta", http_equiv="Content-Security-Policy")[0].attributes["content"] or ""
    assert "connect-src 'self'" in policy
    assert "media-src 'self'" in policy
    assert {node.attributes["src"] for node in root.all("video")} <= set(media.values())
    assert [node.text for node in root.all("button", class_="pick")] == ["Pick", "Picked", "Pick"]


@pytest.mark.parametrize(
    "where", ["words", "why", "problem", "model", "warning", "note", "value", "name", "run", "origin"]
)
def test_whatever_somebody_wrote_is_only_words(tmp_path: Path, where: str) -> None:
    file = picture(tmp_path)
    given = {one: EVIL if one == where else "plain" for one in ("words", "why", "problem", "model", "run")}
    origins = (Origin(field="image", name=EVIL if where == "origin" else "in.png"),)
    recipe = Made(words=given["words"], values={"a": EVIL} if where == "value" else {}, origins=origins)
    made = take(
        1,
        file,
        model=given["model"],
        offer=given["model"],
        warnings=(EVIL,) if where == "warning" else (),
        notes=(EVIL,) if where == "note" else (),
    )
    of = sheet(
        step("still", made, recipe=recipe, why=given["why"], carried=(EVIL,) if where == "name" else ()),
        step("other", take(2, problem=given["problem"]), state="failed"),
        run=given["run"],
    )
    evil, harmless = drawn(of), drawn(sheet(step("still", take(1, file)), step("other", take(2, problem="plain"))))
    for name in ("script", "img", "style", "image"):
        assert len(evil.all(name)) == len(harmless.all(name)), name
    assert " ".join(EVIL.split()) in " ".join(evil.text.split())


# -------------------------------------------------------------------------------------------------------- what is said


def test_each_step_says_what_it_is_made_of_and_what_came_of_it(film: Sheet) -> None:
    root = drawn(film)
    rows = {node.attributes["data-step"]: node for node in root.all("section")}
    assert list(rows) == ["still", "shot", "voice", "piece", "title"]
    assert [link.text for link in rows["shot"].all("div", class_="about")[0].all("a")] == ["still", "piece"]
    assert "a shot" in rows["shot"].text
    assert "Waiting: follows from title, which failed" in rows["piece"].text
    assert "refused for what it shows" in rows["title"].text
    [card] = rows["shot"].all("article")
    for said in ("model-1", "$0.04", "seed 7", "64×36", "1.0 s long", "made in 1.5 s", "still #2"):
        assert said in card.text, said
    assert [node.text for node in root.all("span", class_="badge")] == ["picked"]
    assert [node.attributes["data-take"] for node in root.all("article", class_="picked")] == ["2"]


def test_every_place_that_is_linked_is_there_once_and_everything_has_a_name(film: Sheet) -> None:
    root = drawn(film)
    ids = [node.attributes["id"] for node in root.all() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    links = {node.attributes["href"] for node in root.all("a")}
    assert {link for link in links if link} <= {f"#{one}" for one in ids}
    for node in (*root.all("img"), *root.all("video")):
        assert node.attributes.get("alt") or node.attributes.get("aria-label")
    for node in (*root.all("button"), *root.all("input"), *root.all("article"), *root.all("nav")):
        assert node.attributes.get("aria-label") or node.text.strip()
    assert root.all("html")[0].attributes["lang"] == "en"


def test_what_is_unknown_is_never_zero(tmp_path: Path) -> None:
    coming = take(1, is_coming=True, cost_usd=None, held_usd=Decimal("0.05"), job="coming")
    bill = Money(name="prototype", cost_usd=Decimal("0.04"), unknown=1, held_usd=Decimal("0.05"), run="film")
    root = drawn(sheet(step("still", coming, state="running"), bills=(bill,)))
    said = "$0.04 and 1 unknown ($0.05 reserved)"
    assert root.all("dl")[0].all("dd")[0].text == said
    assert "cost unknown" in root.all("article")[0].text
    assert "under way" in root.all("article")[0].text


def test_an_amount_says_whether_anybody_knows_it(tmp_path: Path) -> None:
    bounded = take(1, picture(tmp_path), cost_usd=Decimal("0.50"), is_unpriced=True, took_s=0.02)
    coming = take(1, is_coming=True, cost_usd=None, held_usd=Decimal("0.05"), job="coming")
    steps = (step("smooth", bounded), step("still", coming, state="running"))
    takes = [bounded, coming]
    bills = [money_of(name, takes[:n]) for n, name in enumerate(("one", "both"), 1)]
    root = drawn(sheet(*steps, bills=(*bills, money_of("coming", [coming]))))
    assert [str(bill) for bill in bills] == ["at most $0.50", "at most $0.50 and 1 unknown ($0.05 reserved)"]
    assert str(money_of("coming", [coming])) == "unknown ($0.05 reserved)", "and not $0.00"
    assert "at most $1.00 and 2 unknown" in root.all("dl")[0].text
    smooth, still = root.all("section")
    assert smooth.text.count("at most $0.50") == 2
    assert "made in <0.1 s" in smooth.text
    assert "$0.00" not in still.text


def test_what_the_row_says_is_not_said_again_on_its_cards(tmp_path: Path) -> None:
    recipe = Made(words="a shot", values={"loop": True}, origins=(Origin(field="image", step="still"),))
    failed = take(1, problem="refused for what it shows", recipe=recipe)
    still = step("still", take(1, picture(tmp_path)))
    root = drawn(
        sheet(still, step("shot", failed, needs=("still",), state="failed", why=failed.problem, recipe=recipe))
    )
    _, shot = root.all("section")
    assert (shot.text.count("refused for what it shows"), len(shot.all("a"))) == (1, 1)
    assert "loop true" in shot.text
    board = step("board", take(1, picture(tmp_path)), state="pick", pick="person", why="a person has to pick")
    assert "a person has to pick" not in drawn(sheet(board)).text


def test_draft_and_final_are_added_up(tmp_path: Path) -> None:
    bills = (
        Money(name="prototype", cost_usd=Decimal("0.12"), run="film"),
        Money(name="final", cost_usd=Decimal("1.50"), run="film@final"),
    )
    lines = drawn(sheet(step("still", take(1, picture(tmp_path))), bills=bills)).all("dl")[0]
    told = [(node.all("dt")[0].text, node.all("dd")[0].text) for node in lines.all("div")]
    assert told == [("prototype", "$0.12"), ("final", "+ $1.50"), ("together", "$1.62")]


def test_long_words_are_folded_and_said_once(tmp_path: Path) -> None:
    words = "a lighthouse " * 40
    recipe = Made(words=words)
    takes = [take(n, picture(tmp_path, color), recipe=recipe) for n, color in enumerate(("teal", "navy"), 1)]
    [row] = drawn(sheet(step("still", *takes, recipe=recipe))).all("section")
    [folded] = row.all("details")
    assert folded.all("p")[0].text == words
    assert len(folded.all("summary")[0].text) < len(words)


# ---------------------------------------------------------------------------------------------------------------- files


def test_files_are_in_the_page_the_smallest_first_and_of_others_a_still_and_a_link(tmp_path: Path) -> None:
    small, large = picture(tmp_path), clip(tmp_path, size=(640, 360))
    of = sheet(step("still", take(1, small)), step("shot", take(1, large)))
    assert small.size_bytes is not None
    root = drawn(of, inline_bytes=small.size_bytes)
    assert not root.all("video")
    [still, frame] = root.all("img")
    assert still.attributes["src"] == f"data:image/png;base64,{base64.b64encode(small.path.read_bytes()).decode()}"
    assert (frame.attributes["src"] or "").startswith("data:image/jpeg;base64,")
    [link] = root.all("a", class_="file")
    assert link.attributes["href"] == large.path.as_uri()
    assert len(drawn(of).all("video")) == 1


def test_a_file_that_several_takes_have_takes_its_room_each_time(tmp_path: Path) -> None:
    file = clip(tmp_path)
    assert file.size_bytes is not None
    of = sheet(step("still", take(1, file)), step("shot", take(1, file)))
    assert not drawn(of, inline_bytes=2 * file.size_bytes - 1).all("video")
    assert len(drawn(of, inline_bytes=2 * file.size_bytes).all("video")) == 2


def test_a_file_that_nobody_can_read_is_still_a_card(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    [card] = drawn(sheet(step("still", take(1, stored(broken, "image/png"))))).all("article")
    assert card.all("img")


def test_a_sound_has_a_shape_and_a_clip_waits_until_it_is_asked(film: Sheet) -> None:
    root = drawn(film)
    [video], [audio] = root.all("video"), root.all("audio")
    assert (video.attributes["preload"], audio.attributes["preload"]) == ("none", "none")
    assert {"muted", "loop", "playsinline"} <= set(video.attributes)
    [wave] = root.all("svg", class_="wave")
    assert (wave.all("path")[0].attributes["d"] or "").count("M") > 10


def test_the_strip_has_every_step_with_its_state(film: Sheet) -> None:
    [strip] = drawn(film).all("nav")
    assert [link.attributes["href"] for link in strip.all("a")] == [f"#step-{one.name}" for one in film.steps]
    assert [dot.attributes["class"] for dot in strip.all("circle")] == [f"dot {one.state}" for one in film.steps]
    assert len(strip.all("image")) == 2  # pictures of the still and of the shot


# -------------------------------------------------------------------------------------------------------------- fan-out


def test_items_of_a_fan_out_share_a_row_and_what_is_the_same_of_all_is_said_once(tmp_path: Path) -> None:
    file = picture(tmp_path)
    warnings = ("references (anna) left out",)
    items = [
        step(
            f"shot.{n}",
            take(1, file, warnings=warnings, recipe=Made(words=f"shot {n}")),
            fan="shot",
            recipe=Made(words=f"shot {n}", values={"duration_s": 2, "camera": f"pan-{n}"}),
            carried=("anna",),
        )
        for n in (1, 2)
    ]
    lost = step("shot.3", fan="shot", state="waiting", why="not begun", recipe=Made(words="shot 3"), carried=("anna",))
    root = drawn(sheet(step("still", take(1, file)), *items, step("cut", needs=("shot.1",)), lost))
    assert [row.attributes["data-step"] for row in root.all("section")] == ["still", "shot", "cut"]
    row = root.all("section")[1]
    [about] = row.all("div", class_="about")
    assert "shot" in about.all("h2")[0].text
    assert "×3" in about.text
    assert "1 waiting" in about.all("span", class_="chip")[0].text
    assert about.text.count("anna") == 2  # carried, and the warning
    cards = row.all("li")
    assert [card.attributes["id"] for card in cards] == ["step-shot.1", "step-shot.2", "step-shot.3"]
    assert [card.all("h3")[0].all("span")[0].attributes["class"] for card in cards] == ["chip made"] * 2 + [
        "chip waiting"
    ]
    for number, card in enumerate(cards, 1):
        assert card.text.count(f"shot {number}") == 1
        assert "anna" not in card.text
    assert "pan-1" in cards[0].text
    assert [link.text for link in cards[0].all("a")] == ["cut"]
    assert "Waiting: not begun" in cards[2].text


def test_items_that_somebody_picks_from_have_a_row_each(tmp_path: Path) -> None:
    file = picture(tmp_path)
    items = [step(f"shot.{n}", take(1, file), take(2, file), fan="shot") for n in (1, 2)]
    assert [row.attributes["id"] for row in drawn(sheet(*items)).all("section")] == ["step-shot.1", "step-shot.2"]


def test_of_many_ways_on_the_first_are_shown_and_the_rest_is_counted(tmp_path: Path) -> None:
    file = picture(tmp_path)
    items = [step(f"shot.{n}", take(1, file), fan="shot", needs=("still",)) for n in range(200)]
    [into] = drawn(sheet(step("still", take(1, file)), *items)).all("section")[0].all("p", class_="links")
    assert len(into.all("a")) == 12
    assert into.text.endswith("and 188 more")
