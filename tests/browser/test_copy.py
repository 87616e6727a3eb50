"""The page as a file: it opens from disk, fetches nothing, and everything on it plays."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from aggregator import Aggregator
from aggregator.testing.emulator import Emulator
from aggregator.workflow.model import Step, Workflow
from aggregator.workflow.sheet.data import Sheet
from aggregator.workflow.sheet.writing import write_sheet
from tests.browser.conftest import EVIL, Browser

PLAYS = """media => media.videoWidth > 0 && media.currentTime > (media.dataset.from ??= media.currentTime)"""
ALL_PLAY = f"() => [...document.querySelectorAll('video')].every({PLAYS})"


async def written(store: Path, run: str, html: Path) -> Sheet:
    async with Aggregator.local(store) as agg, agg.project("film") as p:
        return await write_sheet(p, run, html=html)


@pytest.fixture
async def page(browser: Browser, filmed: Path, tmp_path: Path) -> Page:
    """The finished film, opened from disk."""
    await written(filmed, "done", tmp_path / "done.html")
    return await browser.open((tmp_path / "done.html").as_uri())


async def test_it_opens_from_disk_and_every_clip_plays(page: Page, browser: Browser) -> None:
    assert await page.locator("video").count() == 4  # two shots, the cut, the piece
    assert await page.locator("article img").count() == 4  # three stills, the last frame between the shots
    assert await page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    await page.get_by_role("button", name="Play all").click()
    await page.wait_for_function(ALL_PLAY)
    await page.get_by_role("button", name="Play all").click()
    await page.wait_for_function("() => [...document.querySelectorAll('video')].every(media => media.paused)")
    assert browser.said == []
    assert {address.partition(":")[0] for address in browser.asked} <= {"file", "data"}
    assert [address for address in browser.asked if address.startswith("file:")] == [page.url.partition("#")[0]]


async def test_what_a_step_is_stays_in_view_beside_its_takes_below_the_header(page: Page) -> None:
    await page.set_viewport_size({"width": 1100, "height": 420})
    await page.evaluate("document.querySelector('#step-still .takes').style.paddingBottom = '900px'")
    await page.evaluate("scrollTo(0, document.querySelector('#step-still').offsetTop + 400)")
    await page.wait_for_function(
        "() => { const top = (what) => document.querySelector(what).getBoundingClientRect();"
        " const gap = top('#step-still .about').top - top('header').bottom; return gap >= 0 && gap < 40; }"
    )


async def test_a_sound_plays_and_stops_at_its_end(page: Page) -> None:
    voice = page.locator("#step-voice article")
    await voice.get_by_role("button", name="Play voice").click()
    await page.wait_for_function("() => document.querySelector('audio').currentTime > 0")
    await page.wait_for_function("() => document.querySelector('audio').ended")
    assert "playing" not in (await voice.get_attribute("class") or "")


async def test_clips_of_a_row_run_together_under_the_pointer(page: Page) -> None:
    running = (
        "() => [...document.querySelectorAll('video')].filter((media) => !media.paused).map((media) => media.ariaLabel)"
    )
    await page.locator("#take-shot\\.1-1").hover()
    await page.wait_for_function(f"() => ({running})().join() === 'shot.1,shot.2'")
    await page.locator("h1").hover()
    await page.wait_for_function(f"() => ({running})().join() === ''")


async def test_what_plays_together_stays_together(page: Page) -> None:
    await page.get_by_role("button", name="Play all").click()
    await page.wait_for_function(ALL_PLAY)
    await page.evaluate("document.querySelector('#step-piece video').currentTime = 1.2")
    apart = """() => {
        const [cut, piece] = ['cut', 'piece'].map((name) => document.querySelector(`#step-${name} video`));
        return !piece.seeking && Math.abs(cut.currentTime - piece.currentTime) < 0.2;
    }"""
    await page.wait_for_function(apart)


async def test_words_of_others_do_nothing(page: Page) -> None:
    assert await page.title() == "done: film"
    assert await page.locator("script").count() == 1
    assert EVIL in (await page.locator("#step-still .words").text_content() or "")


async def test_the_keyboard_leads_everywhere(page: Page) -> None:
    at = "document.activeElement.id"
    await page.keyboard.press("ArrowDown")
    assert await page.evaluate(at) == "take-still-1"
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    assert await page.evaluate(at) == "take-still-3"
    await page.keyboard.press("ArrowRight")
    assert await page.evaluate(at) == "take-still-3"
    await page.keyboard.press("ArrowDown")
    assert await page.evaluate(at) == "take-shot.2-1"  # the nearest
    await page.keyboard.press("Space")
    playing = "() => !document.querySelector('#take-shot\\\\.2-1 video').paused"
    await page.wait_for_function(playing)
    await page.keyboard.press("Space")
    await page.wait_for_function(f"() => !({playing})()")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("2")
    assert await page.evaluate(at) == "take-still-2"
    assert "aggregator sheet done --serve" in (await page.locator("#news").text_content() or "")
    await page.keyboard.press("f")
    await page.wait_for_function("() => document.fullscreenElement?.tagName === 'IMG'")


async def test_a_box_of_the_strip_leads_to_its_step(page: Page) -> None:
    await page.locator(".strip a", has_text="piece").click()
    await page.wait_for_function(
        "() => { const box = document.querySelector('#step-piece').getBoundingClientRect();"
        " return box.top >= 0 && box.top < innerHeight; }"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
async def test_it_fits_and_can_be_read(page: Page, width: int, scheme: Any) -> None:
    await page.emulate_media(color_scheme=scheme)
    await page.set_viewport_size({"width": width, "height": 900})
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    for card in await page.locator("article").all():
        box = await card.bounding_box()
        assert box is not None
        assert 200 <= box["width"] <= width
        screen = await card.locator(".screen").bounding_box()
        assert screen is not None
        assert screen["height"] >= 60
    assert await page.evaluate(CONTRAST) == []


CONTRAST = """() => {
    const probe = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const light = (color) => {
        probe.fillStyle = color; probe.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3).map((one) => {
            const part = one / 255;
            return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (node) => {
        for (let at = node; at; at = at.parentElement) {
            const color = getComputedStyle(at).backgroundColor;
            if (color !== 'rgba(0, 0, 0, 0)' && !color.startsWith('rgba')) return color;
        }
        return 'white';
    };
    const poor = [];
    for (const node of document.querySelectorAll('header *, main *, footer *')) {
        const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
        if (!own || !node.checkVisibility() || node.closest('.screen')) continue;
        const [a, b] = [light(getComputedStyle(node).color), light(ground(node))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) poor.push(`${node.className || node.tagName}: ${ratio.toFixed(2)}`);
    }
    return poor;
}"""
"""Words that are harder to read than WCAG's AA allows."""

SHORT = Workflow(
    name="short",
    steps=(
        Step(name="clip", task="text-to-video", values={"prompt": f"waves {EVIL}"}, takes=2),
        Step(name="lost", task="text-to-video", values={"prompt": "a storm"}),
        Step(name="end", task="last-frame", values={"video": "@clip"}),
        Step(name="after", task="image-to-video", values={"image": "@lost-end", "prompt": "calm"}),
        Step(name="lost-end", task="last-frame", values={"video": "@lost"}),
    ),
)


async def test_edits_and_a_failed_branch_of_the_emulator(
    browser: Browser,
    emulator: Emulator,
    emulated: Callable[..., AbstractAsyncContextManager[Aggregator]],
    tmp_path: Path,
) -> None:
    async with emulated("runway") as agg, agg.project("film", budget_usd="50") as p:
        await p.run(SHORT.with_step("lost", when="0"))  # what is scripted is for this step alone
        emulator.script("runway", "moderated_output")
        run = await p.run(SHORT)
        assert (run.state, set(run.failed)) == ("failed", {"lost"})
        await write_sheet(p, "short", html=tmp_path / "short.html")
    page = await browser.open((tmp_path / "short.html").as_uri())
    await page.get_by_role("button", name="Play all").click()
    await page.wait_for_function(ALL_PLAY)
    assert await page.locator("video").count() == 2
    assert await page.locator("#step-end img").count() == 1
    assert "runway" in (await page.locator("#step-lost .missing").text_content() or "")
    assert "follows from lost, which failed" in (await page.locator("#step-after").text_content() or "")
    assert await page.locator(".strip .dot.failed").count() == 1
    assert browser.said == []


async def test_beyond_the_limit_there_is_a_still_and_a_link(browser: Browser, filmed: Path, tmp_path: Path) -> None:
    from aggregator.workflow.sheet.gathering import read_sheet
    from aggregator.workflow.sheet.page import page as drawn
    from aggregator.workflow.sheet.page import shown
    from aggregator.workflow.sheet.posters import posters_of

    async with Aggregator.local(filmed) as agg, agg.project("film") as p:
        of = await read_sheet(p, "done")
        html = drawn(of, await posters_of(shown(of)), inline_bytes=0)
    (tmp_path / "small.html").write_text(html)
    page = await browser.open((tmp_path / "small.html").as_uri())
    assert await page.locator("video").count() == 0
    assert await page.locator("article img").count() == 8
    assert await page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    async with browser.context.expect_page() as opened:
        await page.locator("#step-piece .file").click()
    assert (await opened.value).url.endswith(".mp4")
    assert browser.said == []
