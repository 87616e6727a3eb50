"""`run --fit`: the money decides who makes each step, from the plan to the bill, against emulated providers."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from aggregator.testing.emulator import Emulator

from .conftest import Command
from .test_run import lines

PICTURES = """
[steps.still]
task = "text-to-image"
prompt = "a lighthouse"

[steps.night]
task = "image-to-image"
image = "@still"
prompt = "at night"
"""
LITTLE, MORE = "0.05", "0.20"


@pytest.fixture
def shop(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    with Emulator(seed=1, only=("fal",), latency_s=0.0) as emulator:
        monkeypatch.setenv("FAL_KEY", emulator.keys["fal"])
        address = emulator.settings("fal")["base_url"]
        (tmp_path / "aggregator.toml").write_text(
            f'allow_ephemeral = true\n[providers.fal]\nbase_url = "{address}"\n[routing]\nallow = ["fal"]\n'
        )
        (tmp_path / "pictures.toml").write_text(PICTURES)
        yield run


def test_more_money_is_better_models_and_the_run_is_made_by_those_that_were_chosen(shop: Command) -> None:
    words = ("run", "pictures.toml", "--fit", "--budget")
    plans = {budget: shop.json(*words, budget, "--plan") for budget in (LITTLE, MORE)}
    chosen = {budget: {step["name"]: step["quote"]["way"] for step in plan["steps"]} for budget, plan in plans.items()}
    shares = {budget: [way["share"] for way in of.values()] for budget, of in chosen.items()}
    assert sum(shares[MORE]) > sum(shares[LITTLE])
    for budget, plan in plans.items():
        assert Decimal(plan["high_usd"]) <= Decimal(budget)
        assert plan["fit"]["gave_up"]
    said = shop(*words, LITTLE, "--plan").out
    assert "Fitted into $0.05" in said
    assert f"{chosen[LITTLE]['still']['model']} instead of " in said

    made = {budget: lines(shop(*words, budget, "--name", budget, "--json").out)[-1] for budget in (LITTLE, MORE)}
    jobs = {job["id"]: job for job in shop.json("jobs")}
    for budget, run in made.items():
        assert run["state"] == "finished"
        assert 0 < Decimal(run["cost_usd"]) <= Decimal(budget)
        models = {job["tags"]["step"]: job["model"] for job in jobs.values() if job["tags"]["run"] == budget}
        assert models == {name: way["model"] for name, way in chosen[budget].items()}


def test_too_little_money_buys_nothing(shop: Command) -> None:
    assert "the money is $0.001: raise it" in shop("run", "pictures.toml", "--fit", "--budget", "0.001", code=1).err
    assert shop.json("jobs") == []
