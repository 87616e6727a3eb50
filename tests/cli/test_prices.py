"""`prices` and what is below it: the page, the picture, history, live prices, own bills, own GPUs."""

import json
import re
import sqlite3
import sys
import tomllib
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from aggregator.discovery import asking
from aggregator.discovery.found import Found, FoundPrice
from aggregator.discovery.source import Source
from aggregator.errors import ProviderError

from .conftest import SMALL, Command

CORE, ULTRA, CREATIVE = (f"stability:{name}" for name in ("generate/core", "generate/ultra", "upscale/creative"))
JOB = ("text-to-video", "--set", "duration_s=5")


def test_the_page_says_everything_a_choice_is_made_by(run: Command) -> None:
    page = run.json("prices", *JOB)
    rows = page["offers"]
    priced = [Decimal(row["quote"]["high_usd"]) for row in rows if row["quote"]["high_usd"] is not None]
    assert priced == sorted(priced)
    assert len(priced) > 20
    assert all(row["quote"]["high_usd"] is None for row in rows[len(priced) :])
    for row in rows[: len(priced)]:
        assert row["age_days"] >= 0
        assert row["price_state"] in ("fresh", "aging", "warn", "stale")
    standing = [row["quality"] for row in rows if row["quality"] is not None]
    assert standing
    assert all(0 < one["low"] <= one["share"] <= one["high"] < 1 for one in standing)
    assert any(row["days_left"] is not None for row in run.json("prices", "text-to-image")["offers"])
    assert page["out"]


@pytest.mark.parametrize("columns", [80, 140])
def test_the_page_fits_the_screen(run: Command, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = run("prices", *JOB).out
    table = shown.partition("quality: of 100")[0].splitlines()
    assert max(map(len, table)) <= columns
    header = table[1]
    assert header.split()[:7] == ["price", "quality", "time", "checked", "ends", "in", "tier"]
    assert header.endswith("offer") == (columns == 140)
    assert " stale" in shown
    assert "no rate for video_second" in shown
    assert shown.count("no key") == 1  # for all that have none, on one line


HISTORY = """
[[rate]]
endpoint = "generate/core"
unit = "image"
usd = "0.04"
from = 2026-01-10
[[rate]]
endpoint = "generate/core"
unit = "image"
usd = "0.03"
from = 2026-06-01
[[rate]]
endpoint = "generate/ultra"
unit = "image"
usd = "0.09"
from = 2026-02-01
"""


@pytest.fixture
def history(tmp_path: Path) -> None:
    """Prices of two offers, one of which fell."""
    (tmp_path / "own/rates").mkdir(parents=True)
    (tmp_path / "own/rates/stability.toml").write_text(HISTORY)
    (tmp_path / "aggregator.toml").write_text('[registry]\npaths = ["own"]\n')


@pytest.mark.usefixtures("history")
def test_what_a_job_cost_on_a_past_day(run: Command) -> None:
    def cost(*on: str) -> tuple[str | None, str | None]:
        rows = run.json("prices", "text-to-image", *on)["offers"]
        (row,) = (row for row in rows if row["offer"] == CORE)
        return row["quote"]["high_usd"], row["first_known"]

    assert cost() == ("0.03", None)
    assert cost("--on", "2026-06-01") == ("0.03", None)
    assert cost("--on", "2026-03-15") == ("0.04", None)
    assert cost("--on", "2026-01-09") == (None, "2026-01-10")
    shown = run("prices", "text-to-image", "--on", "2026-01-09").out
    assert "This text-to-image, as of 2026-01-09" in shown
    assert re.search(r"no rate for image on 2026-01-09; known later for \d+ of \d+, from 2026-01-10 on", shown)


@pytest.mark.usefixtures("history")
def test_rises_and_falls_since_a_day(run: Command) -> None:
    found = run.json("prices", "--since", "2026-01-20")["changes"]
    fell = next(one for one in found if one["offer"] == CORE)
    assert (fell["before_usd"], fell["after_usd"], fell["percent"]) == ("0.04", "0.03", "-25.0")
    new = next(one for one in found if one["offer"] == ULTRA)
    assert (new["before_usd"], new["percent"]) == (None, None)
    known = [Decimal(one["percent"]) for one in found if one["percent"] is not None]
    assert known == sorted(known, reverse=True)
    shown = run("prices", "--since", "2026-01-20").out
    assert re.search(r"▼ +-25 % +\$0\.04 +\$0\.03 +image +2026-06-01", shown)
    assert "Not known before" in shown
    between = run.json("prices", "text-to-image", "--since", "2026-01-20", "--on", "2026-05-01")
    assert {one["offer"]: one["after_usd"] for one in between["changes"]}.items() >= {(ULTRA, "0.09")}
    assert CORE not in {one["offer"] for one in between["changes"]}
    assert "the earlier day" in run("prices", "--since", "2999-01-01", code=1).err
    run("prices", code=2)


def test_the_picture_is_drawn(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "aggregator.toml").write_text('[roles]\nshot = "seedance-2.0"\n')
    run("prices", *JOB, "--plot", "page.png")
    with Image.open(tmp_path / "page.png") as picture:
        assert picture.size == (1440, 896)
        assert picture.getpixel((2, 2))[3] == 0  # the ground is transparent: it reads on white and on black
        inks = {pixel[:3] for _, pixel in picture.convert("RGBA").getcolors(2**24) if pixel[3] == 255}
    assert {(0x2F, 0x8F, 0x6B), (0xC8, 0x68, 0x2F)} <= inks  # the front, and the user's own
    run("prices", *JOB, "--plot", "page.svg")
    drawn = (tmp_path / "page.svg").read_text()
    assert "seedance-2.0 (shot)" in drawn
    assert "name a .png" in run("prices", *JOB, "--plot", "page.gif", code=1).err
    assert "nothing to draw" in run("prices", "text-to-sound", "--plot", "page.png", code=1).err
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert 'pip install "aggregator[plot]"' in run("prices", *JOB, "--plot", "page.png", code=1).err


# ---------------------------------------------------------------------------------------------------------- live prices


def live(usd: str, endpoint: str) -> FoundPrice:
    return FoundPrice("stability", endpoint.partition(":")[2], "image", Decimal(usd), f"{usd} an image")


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What each source answers; another one fails."""
    found: dict[str, object] = {}

    async def ask(_engine: object, _backend: object, source: Source, **_wanted: object) -> Found:
        prices = found.get(source.name)
        if not isinstance(prices, tuple):
            raise ProviderError(f"{source.title} cannot be reached")
        return Found(source.name, datetime.now(UTC).date(), prices=prices)

    monkeypatch.setattr(asking, "ask", ask)
    return found


def test_live_prices_are_shown_and_written_only_where_asked(
    run: Command, answers: dict[str, object], tmp_path: Path
) -> None:
    answers["litellm"] = (live("0.03", CORE), live("0.06", CREATIVE))
    found = run.json("prices", "refresh", "--source", "litellm")
    assert {one["offer"]: one["kind"] for one in found["verdicts"]} == {CORE: "same", CREATIVE: "held"}
    shown = run("prices", "refresh", "--source", "litellm").out
    assert "Held back: 1" in shown
    assert "exactly 0.1 times as much, as if a decimal point had slipped" in shown
    assert list(tmp_path.iterdir()) == []
    found = run.json("prices", "refresh", "--source", "litellm", "--write", "mine", "--accept", CREATIVE)
    assert found["written"] == ["mine/rates/stability.toml"]
    rows = tomllib.loads((tmp_path / "mine/rates/stability.toml").read_text())["rate"]
    assert [row["usd"] for row in rows] == ["0.60", "0.06"]  # the history comes along
    (tmp_path / "aggregator.toml").write_text('[registry]\npaths = ["mine"]\n')
    page = run.json("prices", "image-upscaling")["offers"]
    assert next(row["quote"]["high_usd"] for row in page if row["offer"] == CREATIVE) == "0.06"


def test_a_source_that_cannot_be_asked_is_said(run: Command, answers: dict[str, object]) -> None:
    answers["litellm"] = (live("0.03", CORE),)
    found = run.json("prices", "refresh")
    assert "cannot be reached" in found["refused"]["openrouter"]
    assert "FAL_KEY" in found["refused"]["fal"]
    assert [one["offer"] for one in found["verdicts"]] == [CORE]
    assert "cannot be reached" in run("prices", "refresh").out
    assert "did you mean 'litellm'" in run("prices", "refresh", "--source", "litelm", code=1).err


# ------------------------------------------------------------------------------------------------------------ own bills


def test_bills_that_are_not_as_quoted_propose_a_row(run: Command, tmp_path: Path) -> None:
    assert run.json("prices", "drift") == []
    assert "No provider has reported" in run("prices", "drift").out
    for prompt in "abc":
        run("generate", "text-to-image", prompt, *SMALL)
    assert run.json("prices", "drift") == []
    (fine,) = run.json("prices", "drift", "--all")
    assert (fine["offer"], fine["n"], fine["ratio"], fine["proposed"]) == ("local:animatic-draft", 3, "1.0000", None)
    with sqlite3.connect(tmp_path / ".aggregator/store.sqlite") as store:  # as if the quotes had been lower
        for name, text in store.execute("SELECT id, plan FROM attempt").fetchall():
            plan = json.loads(text)
            for end in ("low_usd", "high_usd"):
                plan["quote"][end] = str(Decimal(plan["quote"][end]) / 2)
            store.execute("UPDATE attempt SET plan = ? WHERE id = ?", (json.dumps(plan), name))
    store.close()
    (found,) = run.json("prices", "drift")
    assert (found["n"], found["ratio"], found["drifts"]) == (3, "2.0000", True)
    (row,) = tomllib.loads(found["proposed"])["rate"]
    old = next(
        row["quote"]["lines"][0]["rate_usd"]
        for row in run.json("prices", "text-to-image", "--local", *SMALL[1:])["offers"]
        if row["offer"] == "local:animatic-draft"
    )
    assert (row["endpoint"], Decimal(row["usd"])) == ("animatic-draft", Decimal(old) * 2)
    assert "bills are 2.000 of their quotes" in run("prices", "drift").out
    page = run("prices", "text-to-image", "--local", *SMALL[1:]).out
    assert "! local:animatic-draft: bills are 100 % above their quotes (median of 3)" in page
    speeds = {row["offer"]: row["speed"] for row in run.json("prices", "text-to-image", *SMALL[1:])["offers"]}
    assert speeds["local:animatic-draft"]["n"] == pytest.approx(3, abs=0.01)


# ------------------------------------------------------------------------------------------------------------- own GPUs

RIG = """
model = "wan-2.2-a14b"
endpoint = "me/rig"
task = "text-to-video"
dialect = "version"
version = "0123456789"
checked = 2026-11-21
fields = { prompt = "prompt", duration_s = "duration" }
limits = { duration_s = { min = 1, max = 10 } }
compute = { gpu = "H100 80 GB", per = "request.duration_s", seconds = ["8", "12"], source = "our own runs" }
"""
BREAK_EVEN = ("prices", "break-even", *JOB, "--self-hosted", "replicate:me/rig", "--against", "dashscope:wan2.6-t2v")


@pytest.fixture
def rig(tmp_path: Path) -> Path:
    """A directory with an offer on own GPUs."""
    (tmp_path / "own/offers/replicate").mkdir(parents=True)
    file = tmp_path / "own/offers/replicate/rig.toml"
    file.write_text(RIG)
    (tmp_path / "aggregator.toml").write_text(
        '[providers.replicate]\nusd_per_gpu_hour = "1.80"\n[registry]\npaths = ["own"]\n'
    )
    return file


def test_own_gpus_are_on_the_page_as_an_estimate(run: Command, rig: Path) -> None:
    row = next(row for row in run.json("prices", *JOB)["offers"] if row["offer"] == "replicate:me/rig")
    quote = row["quote"]
    assert (Decimal(quote["low_usd"]), Decimal(quote["high_usd"]), quote["basis"]) == (
        Decimal("0.02"),
        Decimal("0.03"),
        "estimate",
    )
    assert row["age_days"] == 0


def test_from_which_volume_own_gpus_win(run: Command, rig: Path) -> None:
    found = run.json(*BREAK_EVEN)
    assert (found["basis"], found["gpu_seconds"]) == ("estimate", ["40", "60"])
    assert {Decimal(end) for end in found["seller_usd"]} == {Decimal("0.5")}
    assert found["first_win_jobs_a_day"] == 87  # 43.20 USD a day against 0.50 a job
    assert found["jobs_a_day_of_those"] == 720
    assert "Your own win from 87 jobs a day (2610 a month)." in run(*BREAK_EVEN).out
    dearer = run.json(*BREAK_EVEN, "--usd-per-gpu-hour", "3.60", "--utilisation", "1")
    assert (dearer["first_win_jobs_a_day"], dearer["jobs_a_day_of_those"]) == (173, 1440)
    assert "never win" in run(*BREAK_EVEN, "--usd-per-gpu-hour", "30").out


def test_what_break_even_needs_is_said(run: Command, rig: Path) -> None:
    assert "did you mean replicate:me/rig" in run(*BREAK_EVEN[:6], "replicate:me/ri", *BREAK_EVEN[7:], code=1).err
    run(*BREAK_EVEN, "--utilisation", "1.5", code=2)
    (rig.parents[3] / "aggregator.toml").write_text('[registry]\npaths = ["own"]\n')
    assert "usd_per_gpu_hour" in run(*BREAK_EVEN, code=1).err
    rig.write_text(RIG[: RIG.index("compute")])
    assert "how many GPU-seconds" in run(*BREAK_EVEN, code=1).err


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ('seconds = ["12", "8"]', "the fewest and the most"),
        ('seconds = ["8", "12"], per = "request.frames"', "compute: text-to-video has no quantity 'frames'"),
        ("seconds = [8, 12]", "compute.seconds"),
    ],
)
def test_a_malformed_compute_is_refused(run: Command, rig: Path, row: str, why: str) -> None:
    per = "" if "per" in row else 'per = "1", '
    rig.write_text(RIG[: RIG.index("compute")] + f'compute = {{ gpu = "H100", {per}{row}, source = "x" }}\n')
    assert why in run("prices", *JOB, code=1).err
