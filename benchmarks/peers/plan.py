"""How long a plan and a quote take over 1,000 made-up offers, and how long the package's own registry takes to read."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from measuring import report

from aggregator.backends import provider_names, provider_table
from aggregator.config import Config
from aggregator.pricing.price import quote
from aggregator.pricing.table import PriceTable
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.routing.plan import Ask
from aggregator.routing.router import route
from aggregator.tasks import TextToVideo

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
            "task": "text-to-video" if n < of_the_task else "image-to-video",
            "checked": "2026-11-20",
            "fields": {"prompt": "prompt", "duration_s": "duration", "resolution": "resolution", "seed": "seed"},
            "limits": {"duration_s": {"values": [5, 10]}, "resolution": {"values": ["720p", "1080p"]}},
            "defaults": {"duration_s": 5, "resolution": "720p"},
            "meters": [{"unit": "video_second", "quantity": "request.duration_s"}],
        }
        for n in range(OFFERS)
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


def bundled() -> None:
    """What opening a client reads before the first plan."""
    registry = Registry.bundled(mappings=mappings_of({name: provider_table(name) for name in provider_names()}))
    table = PriceTable.bundled()
    for task in registry.tasks:
        for offer in registry.offers(task):
            table.rates(offer.provider)


def main(times: int) -> None:
    began = time.perf_counter()
    bundled()
    first_ms = (time.perf_counter() - began) * 1e3
    request = TextToVideo(prompt="a fox", duration_s=5, resolution="720p")
    with tempfile.TemporaryDirectory() as directory:
        registry, few, table = Registry(*rows(OFFERS)), Registry(*rows(OFFERS // 20)), prices(Path(directory))
    offer = registry.offers("text-to-video")[0]
    config, usable = Config.of(), {f"p{n}": None for n in range(PROVIDERS)}

    def plan(among: Registry, **ask: str) -> object:
        return route(among, table, config, usable, request, Ask(**ask), DAY)

    for among in (registry, few):  # offers and rates are built when they are first asked for
        plan(among)
    report(
        {
            "plan, 1,000 offers that fit: µs": median_us(lambda: plan(registry), max(5, times // 20)),
            "plan, 50 of 1,000 offers are of the task and fit: µs": median_us(lambda: plan(few), max(20, times // 5)),
            "plan, a model of 1,000: µs": median_us(lambda: plan(registry, model="m7"), max(20, times // 5)),
            "plan, a pinned offer of 1,000: µs": median_us(lambda: plan(registry, model="p7:e7"), max(20, times // 5)),
            "quote: µs": median_us(lambda: quote(offer, request, table, DAY), times),
            "bundled registry and prices read: ms": first_ms,
        }
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
