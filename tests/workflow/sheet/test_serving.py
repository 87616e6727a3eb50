"""The served sheet: who may ask, what a pick does, and how pages that are open learn of it."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from aggregator.secret import Secret
from aggregator.store import runs as rows
from aggregator.testing.memory import Fate
from aggregator.workflow.model import Workflow
from aggregator.workflow.sheet.gathering import read_sheet
from aggregator.workflow.sheet.serving import WAIT_S, SheetApp
from tests.runner.world import World
from tests.workflow.graphs import edit, flow, picture, world

TOKEN, PORT = "right-token", 8791
ORIGIN = f"http://127.0.0.1:{PORT}"
PICK = {"step": "still", "take": 2}
FILM = flow(picture("still", takes=3, pick="person"), edit("shot", "@still"))
Life = Callable[[Any, httpx.AsyncClient], Awaitable[Any]]


@pytest.fixture
def one(quick: Path) -> World:
    return world(quick)


def served(one: World, life: Life, *, workflow: Workflow = FILM, enters: bool = True) -> Any:
    """Run the film to its pause, and live with a client of its sheet that has the cookie."""

    async def main(p: Any) -> Any:
        await p.run(workflow)
        app = SheetApp(p, "film", token=Secret(TOKEN), port=PORT)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app.asgi), base_url=ORIGIN) as browser:
            if enters:
                assert (await browser.get("/", params={"token": TOKEN})).status_code == 303
            return await life(p, browser)

    return one.run(main)


def picked(browser: httpx.AsyncClient, pick: Any = PICK, **headers: str) -> Awaitable[httpx.Response]:
    return browser.post("/picks", json=pick, headers={"origin": ORIGIN, **headers})


async def written(p: Any) -> list[tuple[str, int, str]]:
    run = await p.opened.store.read(lambda c: rows.read_run(c, p.account, "film"))
    picks = await p.opened.store.read(lambda c: rows.picks_of(c, run.id))
    return [(one.step, one.take, one.by) for one in picks]


# --------------------------------------------------------------------------------------------------------- who may ask


def test_the_token_opens_it_and_leaves_the_address(one: World) -> None:
    async def life(_p: Any, browser: httpx.AsyncClient) -> tuple[httpx.Response, httpx.Response]:
        return await browser.get("/", params={"token": TOKEN}), await browser.get("/")

    entered, page = served(one, life, enters=False)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"]
    assert cookie.startswith(f"sheet-{PORT}=")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert page.status_code == 200
    assert TOKEN not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


def test_without_the_token_nothing_is_told(one: World) -> None:
    async def life(p: Any, browser: httpx.AsyncClient) -> list[tuple[str, str | None, httpx.Response]]:
        [file, *_] = [take.file for step in (await read_sheet(p, "film")).steps for take in step.takes]
        answers = []
        for token in (None, "", "wrong", TOKEN[:-1], f"{TOKEN}n", "é"):
            params = {} if token is None else {"token": token}
            paths = ("/", "/state", f"/media/{file.sha256}")
            answers += [(path, token, await browser.get(path, params=params)) for path in paths]
            posted = await browser.post("/picks", json=PICK, headers={"origin": ORIGIN}, params=params)
            answers.append(("/picks", token, posted))
        return answers

    for path, token, answer in served(one, life, enters=False):
        assert answer.status_code == 403, (path, token)
        assert "command printed" in answer.json()["error"]


HOSTS = (
    "evil.example",
    f"evil.example:{PORT}",
    "127.0.0.1",
    "127.0.0.1:1",
    f"127.0.0.1.evil.example:{PORT}",
    f"[::1]:{PORT}",
)


def test_another_name_for_this_address_is_refused(one: World) -> None:
    async def life(_p: Any, browser: httpx.AsyncClient) -> list[tuple[str, str, httpx.Response]]:
        paths = ("/", f"/?token={TOKEN}", "/state")
        return [(host, path, await browser.get(path, headers={"host": host})) for host in HOSTS for path in paths]

    for host, path, answer in served(one, life):
        assert answer.status_code == 403, (host, path)
        assert "set-cookie" not in answer.headers


FOREIGN = (
    {"origin": "http://evil.example"},
    {"origin": f"http://localhost:{PORT}"},  # a page of another name, were there one
    {"origin": "http://127.0.0.1:1"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"content-type": "text/plain"},
    {"content-type": "application/x-www-form-urlencoded"},
)


def test_a_pick_comes_from_the_page_itself(one: World) -> None:
    async def life(p: Any, browser: httpx.AsyncClient) -> tuple[list[int], list[Any]]:
        return [(await picked(browser, **headers)).status_code for headers in FOREIGN], await written(p)

    answers, picks = served(one, life)
    assert dict(zip(map(str, FOREIGN), answers, strict=True)) == dict.fromkeys(map(str, FOREIGN), 403)
    assert picks == []


def test_a_pick_without_an_origin_or_by_address_alone_is_refused(one: World) -> None:
    async def life(p: Any, browser: httpx.AsyncClient) -> tuple[int, int, list[Any]]:
        bare = await browser.post("/picks", json=PICK)
        got = await browser.get("/picks", params=PICK)
        return bare.status_code, got.status_code, await written(p)

    assert served(one, life) == (403, 405, [])


# ------------------------------------------------------------------------------------------------------------- picking


def test_a_pick_is_written_and_the_run_goes_on_with_it(one: World) -> None:
    async def life(p: Any, browser: httpx.AsyncClient) -> tuple[httpx.Response, list[Any], Any]:
        answer = await picked(browser)
        return answer, await written(p), (await p.run(FILM), await read_sheet(p, "film"))

    answer, picks, (run, of) = served(one, life)
    told = answer.json()
    assert (answer.status_code, told["steps"]["still"]["picked"]) == (200, 2)
    assert told["steps"]["still"]["chip"] == {"state": "made", "text": "made"}
    assert picks == [("still", 2, "person")]
    assert run.state == "finished"
    assert of.step("shot").takes[0].recipe.origins[0].take == 2


NOT_A_PICK = 'a pick is {"step": "still", "take": 2}'
CANNOT = (
    ({"step": "still", "take": 4}, 404, "step 'still' has no take 4; it has 1, 2, 3"),
    ({"step": "still", "take": 0}, 404, "step 'still' has no take 0; it has 1, 2, 3"),
    ({"step": "stil", "take": 1}, 404, "run film has no step 'stil'"),
    ({"step": "shot", "take": 1}, 404, "step 'shot' has no take 1; it has none yet"),
    ({"step": "still", "take": "2"}, 422, NOT_A_PICK),
    ({"step": "still", "take": True}, 422, NOT_A_PICK),
    ({"step": ["still"], "take": 1}, 422, NOT_A_PICK),
    ([], 422, NOT_A_PICK),
    ({"step": "still" * 1000, "take": 1}, 413, "a pick is at most 4096 bytes"),
)


def test_what_cannot_be_picked_is_said_clearly(one: World) -> None:
    async def life(p: Any, browser: httpx.AsyncClient) -> tuple[list[httpx.Response], list[Any]]:
        return [await picked(browser, pick) for pick, _, _ in CANNOT], await written(p)

    answers, picks = served(one, life)
    told = [(answer.status_code, answer.json()["error"]) for answer in answers]
    assert told == [(status, said) for _, status, said in CANNOT]
    assert picks == []


def test_a_take_that_failed_cannot_be_picked_and_why_is_said(one: World) -> None:
    one.transport.fates.append(Fate(end="failed"))

    async def life(p: Any, browser: httpx.AsyncClient) -> list[httpx.Response]:
        return [await picked(browser, {"step": "still", "take": take}) for take in (1, 2, 3)]

    answers = served(one, life)
    [refused] = [answer for answer in answers if answer.status_code != 200]
    assert re.search(
        r"has no take \d: memory accepted the job, then it failed.*; it has \d, \d$", refused.json()["error"]
    )


def test_where_there_is_nothing_to_choose_nothing_is_written(one: World) -> None:
    async def life(p: Any, browser: httpx.AsyncClient) -> tuple[httpx.Response, list[Any]]:
        return await picked(browser, {"step": "still", "take": 1}), await written(p)

    answer, picks = served(one, life, workflow=flow(picture("still")))
    assert (answer.status_code, picks) == (409, [])
    assert answer.json()["error"] == "there is nothing to choose of step 'still'"


# ---------------------------------------------------------------------------------------------------------------- news


def seen_by(page: httpx.Response) -> dict[str, str]:
    found = dict(re.findall(r'data-(version|shape)="(\w+)"', page.text))
    assert set(found) == {"version", "shape"}
    return found


def test_a_page_left_open_learns_of_a_pick_at_once(one: World) -> None:
    async def life(p: Any, browser: httpx.AsyncClient) -> tuple[dict[str, str], httpx.Response, float]:
        seen = seen_by(await browser.get("/"))
        clock = p.opened.clock
        waiting = asyncio.create_task(browser.get("/state", params={"seen": seen["version"]}, timeout=None))
        await clock.sleep(3.5)
        assert not waiting.done()
        began_s = clock.monotonic()
        await picked(browser)
        return seen, await waiting, clock.monotonic() - began_s

    seen, answer, took_s = served(one, life)
    told = answer.json()
    assert told["version"] != seen["version"]
    assert (told["shape"], told["steps"]["still"]["picked"]) == (seen["shape"], 2)
    assert took_s < 0.5


def test_a_page_learns_of_what_others_do_within_moments(one: World) -> None:
    async def life(p: Any, browser: httpx.AsyncClient) -> tuple[dict[str, str], Any, Any]:
        seen = seen_by(await browser.get("/"))
        waiting = asyncio.create_task(browser.get("/state", params={"seen": seen["version"]}, timeout=None))
        await p.opened.clock.sleep(1)
        await p.pick_take("film", "still", 3)  # by the command, in another process
        told = (await waiting).json()
        await p.run(FILM)
        return seen, told, (await browser.get("/state", params={"seen": told["version"]}, timeout=None)).json()

    seen, told, later = served(one, life)
    assert (told["steps"]["still"]["picked"], told["shape"]) == (3, seen["shape"])
    assert (later["state"], later["shape"] != seen["shape"]) == ("finished", True)


def test_without_news_the_answer_comes_after_a_while(one: World) -> None:
    async def life(p: Any, browser: httpx.AsyncClient) -> tuple[dict[str, str], Any, float]:
        seen, began_s = seen_by(await browser.get("/")), p.opened.clock.monotonic()
        told = (await browser.get("/state", params={"seen": seen["version"]}, timeout=None)).json()
        return seen, told, p.opened.clock.monotonic() - began_s

    seen, told, took_s = served(one, life)
    assert told["version"] == seen["version"]
    assert WAIT_S <= took_s < WAIT_S + 2


# --------------------------------------------------------------------------------------------------------------- files


def test_files_come_in_parts_and_only_those_of_the_sheet(one: World) -> None:
    async def life(p: Any, browser: httpx.AsyncClient) -> tuple[bytes, list[httpx.Response]]:
        page = await browser.get("/")
        [address, *_] = re.findall(r'src="(/media/\w+)"', page.text)
        [file, *_] = [take.file for step in (await read_sheet(p, "film")).steps for take in step.takes]
        part = {"range": "bytes=2-5"}
        asked = [address, "/media/" + "0" * 64, "/media/..%2f..%2fstore.sqlite", "/elsewhere"]
        answers = [await browser.get(one) for one in asked]
        return file.path.read_bytes(), [await browser.get(address, headers=part), *answers]

    content, answers = served(one, life)
    part, whole, unknown, outside, elsewhere = answers
    assert (part.status_code, part.content) == (206, content[2:6])
    assert part.headers["content-range"] == f"bytes 2-5/{len(content)}"
    assert (whole.status_code, whole.headers["content-type"], whole.content) == (200, "image/png", content)
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["cross-origin-resource-policy"] == "same-origin"
    assert [one.status_code for one in (unknown, outside, elsewhere)] == [404, 404, 404]
