"""A real browser for each test, with an empty profile and no way out of the machine; and films to look at."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request, async_playwright

from aggregator import Aggregator
from aggregator.workflow.model import Step, Workflow
from tests.cli.conftest import start

CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
WAIT_MS = 30_000
EVIL = '<script>document.title="had"</script>"><img src=x onerror="document.title=1">'


@dataclass
class Browser:
    """One browser, and what it heard and asked for."""

    context: BrowserContext
    page: Page
    said: list[str] = field(default_factory=list)
    """Errors on the console, and what scripts raised."""
    asked: list[str] = field(default_factory=list)
    """The addresses of everything that was fetched."""

    async def open(self, address: str) -> Page:
        await self.page.goto(address)
        return self.page


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    if not CHROMIUM.is_file():
        pytest.fail(f"{CHROMIUM} is missing: apt-get install --no-install-recommends chromium", pytrace=False)
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=CHROMIUM, args=QUIET, viewport={"width": 1440, "height": 900}
        )
        context.set_default_timeout(WAIT_MS)
        found = Browser(context, context.pages[0])
        context.on("request", lambda request: _heard(found, request))
        context.on("console", lambda message: _told(found, message))
        context.on("weberror", lambda raised: found.said.append(raised.error.stack or str(raised.error)))
        yield found
        await context.close()


def _heard(browser: Browser, request: Request) -> None:
    browser.asked.append(request.url)


def _told(browser: Browser, message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        browser.said.append(message.text)


# --------------------------------------------------------------------------------------------------------------- films

SMALL = {"size": "320x180"}
FILM = Workflow(
    name="film",
    seed=7,
    steps=(
        Step(
            name="still",
            task="text-to-image",
            values={"prompt": f"a lighthouse {EVIL}", **SMALL},
            takes=3,
            pick="person",
        ),
        Step(
            name="shot",
            task="image-to-video",
            each=["push-in", "orbit-left"],
            values={"image": "@still", "prompt": "{item}", "duration_s": 1},
            continues="previous",
        ),
        Step(name="voice", task="text-to-speech", values={"text": "the sea at night"}),
        Step(name="cut", task="concatenate", values={"clips": "@shot"}),
        Step(name="piece", task="mux-sound", values={"video": "@cut", "audio": "@voice"}),
    ),
)


@pytest.fixture(scope="session")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the embedded backend: `film` waits for a pick, `done` is the same, finished with its second take."""
    directory = tmp_path_factory.mktemp("filmed")

    async def main() -> None:
        async with Aggregator.local(directory) as agg, agg.project("film", budget_usd="5") as p:
            await p.run(FILM)
            await p.run(FILM, name="done")
            await p.pick_take("done", "still", 2)
            assert (await p.run(FILM, name="done")).state == "finished"

    asyncio.run(main())
    return directory


@pytest.fixture
def store(filmed: Path, tmp_path: Path) -> Path:
    """A copy of the store, to be changed."""
    return Path(shutil.copytree(filmed, tmp_path / "store"))


@pytest.fixture
def served(store: Path, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Starts `aggregator sheet RUN --serve` on the copy; returns the address that it printed."""
    processes: list[subprocess.Popen[str]] = []

    def serve(run: str) -> str:
        words = ("sheet", run, "--serve", "--json", "--local", "--dir", str(store))
        process = start(*words, cwd=tmp_path)
        processes.append(process)
        assert process.stdout is not None
        text = ""
        while True:
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            text += line
            with suppress(ValueError):
                told: dict[str, Any] = json.loads(text)
                return str(told["address"])

    yield serve
    for process in processes:
        process.terminate()
        process.communicate(timeout=30)
