"""A rig of one's own: an offer file as a user writes it, over the package's own cards."""

from datetime import date
from pathlib import Path

from aggregator.config import Config
from aggregator.contract import Endpoint, Files
from aggregator.pricing.compute import gpu_layers
from aggregator.pricing.table import PriceTable
from aggregator.registry.load import Registry

TODAY = date(2026, 11, 21)
FIELDS = {"prompt": "prompt", "size": "size", "duration_s": "duration", "fps": "fps", "seed": "seed"}
OWN = {"providers": {"rig": {"table": "rig:PROVIDER", "gpu": "RTX 4090", "usd_per_gpu_hour": "0.36"}}}


def registry_of(path: Path, fields=FIELDS):
    endpoint = Endpoint(fields, files=Files("url"))
    return Registry.load(
        [path / "registry"],
        mappings=lambda name, _task, _dialect: endpoint if name == "rig" else Endpoint(files=Files("url")),
    )


def own_offer(path: Path, weights: str, *, task="text-to-video", more="", fields=FIELDS):
    directory = path / "registry" / "offers" / "rig"
    directory.mkdir(parents=True, exist_ok=True)
    text = f'weights = "{weights}"\nendpoint = "own"\ntask = "{task}"\nchecked = 2026-11-20\n{more}'
    (directory / "own.toml").write_text(text)
    return next(offer for offer in registry_of(path, fields).offers(task) if offer.id == "rig:own")


def prices(**changes: str | None) -> PriceTable:
    rig = {name: value for name, value in {**OWN["providers"]["rig"], **changes}.items() if value is not None}
    return PriceTable.load([], more=gpu_layers(Config.of({"providers": {"rig": rig}}), TODAY))
