"""Probes tell what is alive, gone or changed, and buy nothing; plans pass over what they put into quarantine."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from aggregator.backends import backends_of, provider_table, provider_tables
from aggregator.config import Config
from aggregator.contract import Call
from aggregator.discovery.drift import breaks, narrower
from aggregator.discovery.probe import Probed, Probing, probe, settle
from aggregator.discovery.slots import slots
from aggregator.discovery.sources import sources
from aggregator.registry.cards import Offer
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.routing.plan import Ask
from aggregator.store import quarantine
from aggregator.store.database import Store
from aggregator.tasks import TextToImage
from aggregator.testing.emulator import Emulator
from tests.runner.world import World

from .documents import fal_model, fal_openapi, replicate_model
from .shelf import DAY, KEY, Shelf

VEO = "fal-ai/veo3.1"
API = "api.fal.ai/v1/models"
REFUSING = sorted(name for name, table in provider_tables(Config.of()).items() if table.refused is not None)


@cache
def known() -> Mapping[str, Offer]:
    registry = Registry.bundled(mappings=mappings_of(provider_tables(Config.of())))
    return {offer.id: offer for offer in registry.all_offers()}


def offers(*pins: str) -> list[Offer]:
    return [known()[pin] for pin in pins]


def by(shelf: Shelf, **environ: str) -> Probing:
    tables = provider_tables(Config.of())
    keys = environ or dict.fromkeys((name for table in tables.values() for name in table.auth.env), KEY)
    backends, _ = backends_of(Config.of(), tables, keys)
    return Probing(shelf.engine(), tables, backends, sources(), keys, DAY)


async def probed(answers: Mapping[str, Any], *pins: str, **environ: str) -> list[tuple[str, str]]:
    found = await probe(offers(*pins), by(Shelf(answers), **environ))
    return [(one.verdict, one.said) for one in found]


def fal_list(*models: dict[str, Any]) -> dict[str, Any]:
    return {API: {"models": list(models), "has_more": False}, f"{API}/pricing": {"prices": []}}


# ------------------------------------------------------------------------------------------------ what is published


async def test_what_is_listed_with_the_schema_it_had_is_alive():
    assert await probed(fal_list(fal_model(VEO)), f"fal:{VEO}") == [("alive", "listed, its schema unchanged")]


async def test_what_is_not_listed_any_more_is_gone():
    assert (await probed(fal_list(), f"fal:{VEO}"))[0][0] == "gone"


async def test_a_deprecated_one_is_alive_and_says_so():
    found = await probed(fal_list(fal_model(VEO, status="deprecated")), f"fal:{VEO}")
    assert found == [("alive", "listed, deprecated, its schema unchanged")]


async def test_a_list_that_misses_more_than_half_is_not_believed():
    pins = [f"fal:{VEO}", "fal:fal-ai/flux-2", "fal:fal-ai/flux/dev", "fal:fal-ai/dia-tts"]
    found = await probed(fal_list(fal_model(VEO)), *pins)
    assert [verdict for verdict, _ in found].count("unlisted") == 3
    assert "gone" not in dict(found)


async def test_a_property_that_is_gone_is_a_break():
    model = fal_model(VEO)
    del model["openapi"]["components"]["schemas"]["Input"]["properties"]["generate_audio"]
    found = await probed(fal_list(model), f"fal:{VEO}")
    assert found == [("changed", "its schema changed: generate_audio is not taken any more")]


async def test_a_new_property_that_must_be_given_is_a_break():
    model = fal_model(VEO)
    schema = model["openapi"]["components"]["schemas"]["Input"]
    schema["properties"]["style"] = {"type": "string"}
    schema["required"] = [*schema["required"], "style"]
    assert await probed(fal_list(model), f"fal:{VEO}") == [("changed", "its schema changed: style must be given now")]


async def test_a_value_that_is_not_listed_any_more_is_told_and_breaks_nothing():
    model = fal_model(VEO)
    properties = model["openapi"]["components"]["schemas"]["Input"]["properties"]
    properties["duration"]["enum"] = ["4s", "6s"]
    found = await probed(fal_list(model), f"fal:{VEO}")
    assert found == [("narrower", "it takes less: duration_s: 8s not listed any more")]


async def test_replicate_answers_for_each_model():
    answers = {"api.replicate.com/v1/models/google/veo-3.1": replicate_model("google/veo-3.1")}
    found = await probed(answers, "replicate:google/veo-3.1", "replicate:minimax/music-1.5")
    assert [verdict for verdict, _ in found] == ["alive", "gone"]


async def test_a_source_that_fails_says_nothing_of_its_offers():
    found = await probed({API: (503, {"detail": "down"})}, f"fal:{VEO}")
    assert found[0][0] == "failed"
    assert Probed(offers(f"fal:{VEO}")[0], "failed", "").is_well is None


async def test_without_a_key_nothing_is_asked():
    shelf = Shelf({})
    found = await probe(offers(f"fal:{VEO}"), by(shelf, NOTHING="1"))
    assert [(one.verdict, one.said) for one in found] == [
        ("unknown", "asking fal's list of models needs a key: set FAL_KEY")
    ]
    assert shelf.asked == []


async def test_what_no_list_and_no_refusal_is_known_for_is_not_probed():
    shelf = Shelf({})
    found = await probe(offers("runway:gen4_turbo"), by(shelf))
    assert (found[0].verdict, "not probed" in found[0].said) == ("unknown", True)
    assert shelf.asked == []


async def test_a_list_that_does_not_hold_everything_is_no_proof():
    found = await probed({"api.openai.com/v1/models": {"data": [{"id": "gpt-image-2"}]}}, "openai:gpt-image-2.5-flare")
    assert found[0][0] == "unlisted"


@pytest.mark.parametrize("endpoint", ["fal-ai/veo3.1", "fal-ai/flux-2", "fal-ai/minimax/speech-2.8-hd"])
def test_an_offer_fits_the_schema_it_was_written_from(endpoint: str):
    (offer,) = offers(f"fal:{endpoint}")
    document = fal_openapi(endpoint)
    inputs = slots(document["components"]["schemas"]["Input"], document)
    assert list(breaks(offer, inputs)) == []
    assert list(narrower(offer, inputs)) == []


# ------------------------------------------------------------------------------------- an order that must be refused


def test_few_declare_what_they_refuse():
    assert REFUSING == ["bfl", "replicate"]


@pytest.mark.parametrize("name", REFUSING)
async def test_what_is_sent_is_refused_and_books_nothing(name: str, tmp_path: Path):
    """Everything of every offer of every provider whose table declares a refusal, against the emulator."""
    with Emulator(only=(name,), seed=1) as emulator:
        async with emulator.aggregator(tmp_path, name) as agg:
            view = agg.opened.planner.view
            tables = {name: view.backends[name].provider}
            own = [one for one in view.registry.all_offers() if one.provider == name and not one.unmapped]
            alone = {source: one for source, one in sources().items() if one.provider != name}
            using = Probing(agg.opened.context.engine, tables, view.backends, alone, {}, DAY)
            found = await probe(own, using)
        assert own
        assert list(emulator.book) == []
        asked = [one for one in emulator.requests if one.method == "POST"]
    assert len(asked) == len(own)
    assert {one.verdict for one in found} <= {"alive", "gone"}
    assert "alive" in {one.verdict for one in found}


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(422, "alive"), (400, "alive"), (404, "gone"), (410, "gone"), (500, "failed"), (403, "failed")],
)
async def test_an_answer_to_a_refused_order(status: int, verdict: str):
    found = await probed({"api.bfl.ai/": (status, {"detail": "Not Found"})}, "bfl:flux-2-pro")
    assert found[0][0] == verdict


async def test_an_endpoint_that_takes_what_it_must_refuse_is_told_loudly():
    found = await probed({"api.bfl.ai/": {"id": "x"}}, "bfl:flux-2-pro")
    assert found[0][0] == "failed"
    assert "look at the account's bill" in found[0][1]


async def test_a_probe_is_sent_once_and_holds_nothing_of_an_order():
    shelf = Shelf({"api.bfl.ai/": (503, {"detail": "down"})})
    await probe(offers("bfl:flux-2-pro"), by(shelf))
    (request,) = shelf.asked
    assert (request.method, request.json) == ("POST", [])


def test_a_refusal_is_declared_only_where_one_call_orders():
    for name in REFUSING:
        assert isinstance(provider_table(name).submit, Call)


# -------------------------------------------------------------------------------------------------- the quarantine


def verdict(pin: str, word: Any, said: str = "found so") -> Probed:
    provider, _, endpoint = pin.partition(":")
    offer = Offer(provider=provider, endpoint=endpoint, model="m", task="text-to-image", checked=date(2026, 1, 1))
    return Probed(offer, word, said, {"status": 404})


async def test_what_is_gone_goes_in_and_what_is_well_comes_out(store: Store):
    found = [verdict("a:1", "gone"), verdict("a:2", "changed"), verdict("a:3", "alive"), verdict("a:4", "failed")]
    assert await store.transact(lambda c: settle(c, found, 1_000)) == (["a:1", "a:2"], [])
    assert await store.read(quarantine.reasons) == {"a:1": "found so", "a:2": "found so"}
    kept = (await store.read(quarantine.quarantined))["a:1"]
    assert kept.said == "is in quarantine since 1970-01-01: found so"
    assert kept.evidence["evidence"] == {"status": 404}
    again = [verdict("a:1", "gone", "still"), verdict("a:2", "alive"), verdict("a:3", "gone"), verdict("a:4", "alive")]
    assert await store.transact(lambda c: settle(c, again, 2_000)) == (["a:3"], ["a:2"])
    seen = await store.read(quarantine.quarantined)
    assert [(one.offer, one.since, one.why) for one in seen.values()] == [
        ("a:1", 1_000, "still"),
        ("a:3", 2_000, "found so"),
    ]


async def test_one_bad_task_keeps_the_whole_offer_in(store: Store):
    found = [verdict("a:1", "alive"), replace(verdict("a:1", "gone"))]
    assert await store.transact(lambda c: settle(c, found, 1)) == (["a:1"], [])


async def test_nothing_known_changes_nothing(store: Store):
    await store.transact(lambda c: settle(c, [verdict("a:1", "gone")], 1))
    for word in ("failed", "unknown", "unlisted"):
        assert await store.transact(lambda c, w=word: settle(c, [verdict("a:1", w)], 2)) == ([], [])
    assert list(await store.read(quarantine.reasons)) == ["a:1"]


async def test_it_can_be_lifted_by_hand_and_comes_again(store: Store):
    await store.transact(lambda c: quarantine.put(c, "a:1", "gone", {}, 1))
    assert await store.transact(lambda c: quarantine.lift(c, "a:1", 2))
    assert not await store.transact(lambda c: quarantine.lift(c, "a:1", 3))
    assert await store.transact(lambda c: quarantine.put(c, "a:1", "gone again", {}, 4))
    assert [(one.since, one.why) for one in (await store.read(quarantine.quarantined)).values()] == [(4, "gone again")]


def test_plans_pass_over_what_is_in_quarantine_while_there_is_another(world: World):
    async def first(_film: Any) -> str:
        planner = world.agg.opened.planner
        best = planner.plan(TextToImage(prompt="x"), Ask()).offer.id
        await world.agg.opened.store.transact(lambda c: quarantine.put(c, best, "not listed any more", {}, 1))
        return best

    async def then(_film: Any) -> tuple[str, str | None]:
        plan = world.agg.opened.planner.plan(TextToImage(prompt="x"), Ask(), explain=True)
        return plan.offer.id, next(one.passed_over for one in plan.alternatives if one.offer.id == best)

    best = world.run(first)
    now, why = world.run(then)
    assert now != best
    assert why == "is in quarantine: not listed any more"


def test_a_running_client_learns_of_it_with_its_next_purchase(world: World):
    async def story(film: Any) -> list[str]:
        made = [await film.text_to_image("one", key="1")]
        pin = made[0].lineage.offer
        await world.agg.opened.store.transact(lambda c: quarantine.put(c, pin, "gone", {}, 1))
        made += [await film.text_to_image("two", key="2"), await film.text_to_image("three", key="3")]
        return [artifact.lineage.offer for artifact in made]

    first, _, last = world.run(story)
    assert first != last
