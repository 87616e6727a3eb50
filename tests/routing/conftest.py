"""A small world: cards, offers and rates as a user would write them, and a way to route through it."""

from datetime import date
from types import SimpleNamespace

import pytest

from aggregator.config import Config
from aggregator.pricing.table import PriceTable
from aggregator.registry.load import Registry
from aggregator.routing.plan import Ask
from aggregator.routing.router import Router
from aggregator.routing.walk import Moment
from aggregator.tasks import TextToVideo
from aggregator.view import View

DAY = date(2026, 11, 20)
FIELDS = {"prompt": "prompt", "duration_s": "duration", "resolution": "resolution", "audio": "sound", "seed": "seed"}

BACKEND = SimpleNamespace(self_hosted=False)


class World:
    """Offers are `p:<model>` unless said otherwise, at so many dollars a video second."""

    def __init__(self, tmp_path):
        self.path = tmp_path
        self.cards, self.rows, self.rates, self.boards = {}, {}, [], {}
        self.usable = {"p": None}
        self.config = Config.of()
        self.backends = {}

    def add(
        self,
        model,
        usd="0.10",
        *,
        tier="workhorse",
        provider="p",
        endpoint=None,
        task="text-to-video",
        card=(),
        readings=(),
        **row,
    ):
        for board, score, as_of in readings:
            of = {"title": board, "task": board.partition("/")[2], "kind": "arena", "unit": "elo", "readings": []}
            self.boards.setdefault(board, of)["readings"].append([model, model, score, as_of])
        self.cards[model] = {"maker": "m", "tier": tier, **dict(card)}
        endpoint = endpoint or model
        self.rows.setdefault(task, []).append(
            {
                "provider": provider,
                "endpoint": endpoint,
                "model": model,
                "task": task,
                "checked": "2026-11-20",
                "fields": FIELDS,
                "defaults": {"duration_s": 5},
                "meters": [{"unit": "video_second", "quantity": "request.duration_s"}],
                **row,
            }
        )
        if usd is not None:
            self.rates.append(
                (
                    provider,
                    f'[[rate]]\nendpoint = "{endpoint}"\nunit = "video_second"\nusd = "{usd}"\nfrom = 2026-08-01',
                )
            )
        return self

    def configure(self, **values):
        self.config = Config.of(values)
        return self

    @property
    def registry(self):
        return Registry(self.cards, self.rows, self.boards)

    @property
    def prices(self):
        (self.path / "rates").mkdir(exist_ok=True)
        for provider in {name for name, _ in self.rates}:
            text = "\n".join(rate for name, rate in self.rates if name == provider)
            (self.path / "rates" / f"{provider}.toml").write_text(text)
        return PriceTable.load([self.path])

    @property
    def view(self):
        backends = {name: self.backends.get(name, BACKEND) for name, why in self.usable.items() if why is None}
        unusable = {name: why for name, why in self.usable.items() if why is not None}
        return View(self.config, self.registry, self.prices, backends, unusable)

    def route(self, request=None, *, explain=True, day=DAY, moment=None, **ask):
        request = request or TextToVideo(prompt="x")
        return Router(self.view).route(request, Ask(**ask), moment or Moment(day), explain=explain)

    def order(self, **ask):
        plan = self.route(**ask)
        return [item.offer.id for item in (plan.chosen, *plan.alternatives)]

    def reason(self, pin, request=None, **ask):
        plan = self.route(request, **ask)
        return next(item.excluded for item in plan.excluded if item.offer.id == pin)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)
