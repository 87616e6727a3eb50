"""The page as it is served: picks are written back, and nobody else gets in."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from playwright.async_api import Route

from aggregator import Aggregator
from aggregator.workflow.sheet.gathering import read_sheet
from tests.browser.conftest import FILM, Browser

Serve = Callable[[str], str]


async def picked(store: Path, run: str = "film") -> tuple[int | None, str | None]:
    """What the store says is picked of the still, and by whom."""
    async with Aggregator.local(store) as agg, agg.project("film") as p:
        still = (await read_sheet(p, run)).step("still")
        assert still is not None
        return still.picked, still.picked_by


async def test_a_click_picks_and_the_run_goes_on_with_that_take(browser: Browser, served: Serve, store: Path) -> None:
    page = await browser.open(served("film"))
    other = await browser.context.new_page()
    await other.goto(page.url)
    assert "token" not in page.url
    assert await page.locator("#state").text_content() == "waits for a pick: still"
    await page.get_by_role("button", name="Pick take 2 of still").click()
    for one in (page, other):  # the other is only left open
        await one.wait_for_function("() => document.querySelector('.take.picked')?.id === 'take-still-2'")
        assert await one.locator("#state").text_content() == "paused"
    assert await page.locator(".pick[aria-pressed=true]").count() == 1
    assert await picked(store) == (2, "person")
    async with Aggregator.local(store) as agg, agg.project("film") as p:
        run = await p.run(FILM)
        [taken] = [take.recipe.origins[0].take for take in (await read_sheet(p, "film")).steps[1].takes]
    assert (run.state, run.outcomes["still"].picked, taken) == ("finished", 2, 2)
    await page.get_by_role("button", name="Show").click()
    await page.wait_for_function("() => document.querySelectorAll('video').length === 4")
    assert await page.locator("#state").text_content() == "finished"
    assert browser.said == []


async def test_digits_pick_and_the_last_word_counts(browser: Browser, served: Serve, store: Path) -> None:
    page = await browser.open(served("film"))
    for digit in ("1", "3"):
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press(digit)
        await page.wait_for_function(f"() => document.querySelector('.take.picked')?.id === 'take-still-{digit}'")
    await page.keyboard.press("9")  # there is none
    assert await picked(store) == (3, "person")


async def test_served_clips_play_and_seek(browser: Browser, served: Serve) -> None:
    page = await browser.open(served("done"))
    await page.get_by_role("button", name="Play piece").click()
    await page.wait_for_function("() => document.querySelector('#step-piece video').currentTime > 0")
    await page.get_by_label("Position in piece").fill("900")
    await page.wait_for_function("() => document.querySelector('#step-piece video').currentTime >= 1.7")
    own = urlsplit(page.url).netloc
    assert {urlsplit(address).netloc for address in browser.asked if not address.startswith("data:")} == {own}
    assert browser.said == []


async def test_who_does_not_belong_here_is_refused(served: Serve, store: Path) -> None:
    address = served("film")
    parts = urlsplit(address)
    pick = {"step": "still", "take": 1}
    async with httpx.AsyncClient(base_url=f"http://{parts.netloc}") as client:
        assert (await client.get("/")).status_code == 403
        assert (await client.get("/?token=guessed")).status_code == 403
        assert (await client.get(f"/?{parts.query}", headers={"host": "evil.example"})).status_code == 403
        assert (await client.get(f"/?{parts.query}")).status_code == 303
        assert (await client.get("/")).status_code == 200
        assert (await client.get("/", headers={"host": "evil.example"})).status_code == 403
        assert (await client.post("/picks", json=pick, headers={"origin": "http://evil.example"})).status_code == 403
        assert (await client.post("/picks", json=pick)).status_code == 403
    assert await picked(store) == (None, None)


async def test_a_page_of_another_site_cannot_pick(browser: Browser, served: Serve, store: Path) -> None:
    page = await browser.open(served("film"))
    target = f"http://{urlsplit(page.url).netloc}"

    async def evil(route: Route) -> None:
        form = (
            f'<form action="{target}/picks" method="post" enctype="text/plain" target="_blank"><input name="x"></form>'
        )
        await route.fulfill(body=f"<!doctype html><title>evil</title>{form}", content_type="text/html")

    await browser.context.route("http://evil.example/**", evil)
    other = await browser.context.new_page()
    await other.goto("http://evil.example/")
    asked = """async (target) => {
        const body = '{"step": "still", "take": 1}', told = [];
        for (const mode of ['no-cors', 'cors'])
            for (const type of ['text/plain', 'application/json']) {
                const headers = { 'Content-Type': type };
                const ask = { method: 'POST', mode, body, headers, credentials: 'include' };
                told.push(await fetch(`${target}/picks`, ask).then((answer) => answer.type, () => 'refused'));
            }
        for (const path of ['/', '/state'])
            told.push(await fetch(target + path, { credentials: 'include' }).then(() => 'read', () => 'refused'));
        return told;
    }"""
    told = await other.evaluate(asked, target)
    assert "read" not in told
    assert set(told) <= {"refused", "opaque"}
    async with browser.context.expect_page() as opened:
        await other.evaluate("document.forms[0].submit()")
    await (await opened.value).wait_for_load_state()
    assert await picked(store) == (None, None)


async def test_when_the_server_has_ended_the_page_says_so(browser: Browser, served: Serve) -> None:
    page = await browser.open(served("film"))
    await browser.context.set_offline(True)
    await page.get_by_role("button", name="Pick take 1 of still").click()
    await page.wait_for_function("() => document.querySelector('#news').textContent.includes('was not written')")
    assert await page.locator(".take.picked").count() == 0
