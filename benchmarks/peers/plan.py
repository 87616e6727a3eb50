"""How long a plan and a quote take over 1,000 made-up offers, and how long the package's own registry takes to read."""

import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

from measuring import report

from aggregator.backend import Backend
from aggregator.backends import provider_names, provider_table
from aggregator.clock import SystemClock
from aggregator.config import Config
from aggregator.contract import Auth, Call, Provider
from aggregator.inputs import Media
from aggregator.planning import Planner
from aggregator.pricing.price import quote
from aggregator.pricing.table import PriceTable
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.routing.plan import Ask
from aggregator.routing.router import Router
from aggregator.routing.walk import Moment
from aggregator.tasks import ImageToVideo, TextToVideo
from aggregator.view import View

DAY = date(2026, 11, 20)
OFFERS, PROVIDERS = 1000, 20


def median_us(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1e6


def rows(of_the_task: int) -> tuple[dict, dict]:
    """Cards, and offers by task: so many of one task, the others of another."""
    cards = {f"m{n}": {"maker": "m", "tier": "hero" if n % 2 else "workhorse"} for n in range(OFFERS)}
    offers = [
        {
            "provider": f"p{n % PROVIDERS}",
            "endpoint": f"e{n}",
            "model": f"m{n}",
            "task": task,
            "checked": "2026-11-20",
            "fields": {
                **({"image": "image"} if task == "image-to-video" else {}),
                "prompt": "prompt",
                "duration_s": "duration",
                "resolution": "resolution",
                "seed": "seed",
            },
            "limits": {
                "duration_s": {"values": [5, 10]},
                "resolution": {"values": ["720p", "1080p"]},
                "prompt": {"max_characters": 2000 + n % 3},
                "seed": {"min": 0, "max": 2**32 - 1},
            },
            "defaults": {"duration_s": 5, "resolution": "720p"},
            "meters": [{"unit": "video_second", "quantity": "request.duration_s"}],
        }
        for n in range(OFFERS)
        for task in (("text-to-video", "image-to-video") if n < of_the_task else ("image-to-video",))
    ]
    by_task: dict[str, list[dict]] = {}
    for row in offers:
        by_task.setdefault(row["task"], []).append(row)
    return cards, by_task


def prices(directory: Path) -> PriceTable:
    (directory / "rates").mkdir()
    for provider in range(PROVIDERS):
        text = "\n".join(
            f'[[rate]]\nendpoint = "e{n}"\nunit = "video_second"\nusd = "0.{n % 90 + 10}"\nfrom = 2026-08-01'
            for n in range(provider, OFFERS, PROVIDERS)
        )
        (directory / "rates" / f"p{provider}.toml").write_text(text)
    return PriceTable.load([directory])


def backends() -> dict[str, Backend]:
    tables = (
        Provider(f"p{n}", "docs", "2026-11-20", "https://p.example", Auth(env=()), Call("POST", "/clips"), {})
        for n in range(PROVIDERS)
    )
    return {table.name: Backend(table) for table in tables}


def bundled() -> None:
    """What opening a client reads before the first plan."""
    registry = Registry.bundled(mappings=mappings_of({name: provider_table(name) for name in provider_names()}))
    table = PriceTable.bundled()
    for task in registry.tasks:
        for offer in registry.offers(task):
            table.rates(offer.provider)


def requests() -> "itertools.cycle[TextToVideo]":
    """Never the same words or seed twice in a row; two lengths of clips."""
    return itertools.cycle(
        TextToVideo(prompt=f"a fox {n} " * (n % 9 + 1), duration_s=(5, 10)[n % 2], resolution="720p", seed=n)
        for n in range(997)
    )


def pictures() -> "itertools.cycle[ImageToVideo]":
    return itertools.cycle(
        ImageToVideo(
            image=Media(sha256=f"{n:064x}", mime_type="image/png", size_bytes=1000 + n), prompt=f"{n}", duration_s=5
        )
        for n in range(97)
    )


def main(times: int) -> None:
    began = time.perf_counter()
    bundled()
    read_ms = (time.perf_counter() - began) * 1e3
    with tempfile.TemporaryDirectory() as directory:
        table, made = prices(Path(directory)), rows(OFFERS)

    def view(of: tuple[dict, dict] = made) -> View:
        return View(Config.of(), Registry(*of), table, backends())

    moment, asked, shown = Moment(DAY), requests(), pictures()
    began = time.perf_counter()
    whole = view()
    Router(whole).route(next(asked), Ask(), moment)
    first_ms = (time.perf_counter() - began) * 1e3
    router, few = Router(whole), Router(view(rows(OFFERS // 20)))
    planner = Planner(whole, SystemClock())
    offer, request = whole.registry.offers("text-to-video")[0], next(asked)
    numbers = itertools.count()

    def cold() -> object:  # with an option that nobody gave before, it is a shape of its own
        return router.route(next(asked), Ask(provider_options={"p0": {"option": next(numbers)}}), moment)

    budgets = itertools.cycle(Decimal(n) / 10 for n in range(12, 95))
    some = max(20, times // 5)
    figures = {
        "a plan, words and seeds never the same: µs": (lambda: router.route(next(asked), Ask(), moment), times),
        "for heroes: µs": (lambda: router.route(next(asked), Ask(stage="final"), moment), times),
        "under another max_usd each: µs": (
            lambda: router.route(next(asked), Ask(max_usd=next(budgets)), moment),
            times,
        ),
        "of one model: µs": (lambda: router.route(next(asked), Ask(model="m7"), moment), some),
        "of a pinned offer: µs": (lambda: router.route(next(asked), Ask(model="p7:e7"), moment), some),
        "50 of 1,000 offers are of the task: µs": (lambda: few.route(next(asked), Ask(), moment), some),
        "the whole plan, with the body that would be sent: µs": (lambda: planner.plan(next(asked), Ask()), times),
        "the whole plan from a picture: µs": (lambda: planner.plan(next(shown), Ask()), times),
        "a quote: µs": (lambda: quote(offer, request, table, DAY), times),
    }
    found = {}
    for name, (work, often) in figures.items():
        work(), work()
        found[name] = median_us(work, often)
    found["a shape nobody asked for before: ms"] = median_us(cold, max(5, times // 50)) / 1e3
    explained = median_us(lambda: router.route(next(asked), Ask(), moment, explain=True), max(5, times // 100))
    found["with every reason written out: ms"] = explained / 1e3
    found["the first plan of all, offers and rates built: ms"] = first_ms
    found["the package's own registry and prices read: ms"] = read_ms
    report(found)


if __name__ == "__main__":
    main(int(sys.argv[1]))
