"""From a published schema to an offer that works: every schema we have facts of, through registry and engine."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aggregator.backends import provider_table
from aggregator.config import read_toml
from aggregator.discovery.found import Found, FoundOffer, FoundPrice
from aggregator.discovery.importing import Imported, Wish, draft, importing
from aggregator.errors import RequestError
from aggregator.registry.cards import Offer
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from tests.facts.validate import bodies, problems

from .compared import compared_offers, differences, reason_of
from .documents import fal_facts, fal_model, fal_offer, fal_openapi, replicate_model

DAY = date(2026, 11, 21)
NAMES = ("fal", "replicate", "openrouter")
MAPPINGS = mappings_of({name: provider_table(name) for name in NAMES})
REFUSED = {endpoint for endpoint, facts in fal_facts().items() if facts.get("refused")}
VEO = "fal-ai/veo3.1"


def imported(found: Found, endpoint: str, into: Path, **wish: Any) -> Imported:
    wished = Wish(**{"model": "new-model", "maker": "somebody", **wish})
    return importing(found, endpoint, wished, into, paths=(), mappings=MAPPINGS, today=DAY)


def of_fal(endpoint: str, *prices: FoundPrice) -> Found:
    return Found("fal", DAY, (fal_offer(endpoint),), prices)


# ------------------------------------------------------------------------------------------- every schema we have


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Offer]:
    """Every endpoint imported into one directory that is read as any of a user's: its offer."""
    into = tmp_path_factory.mktemp("registry")
    for endpoint, facts in fal_facts().items():
        if endpoint not in REFUSED:
            wish = Wish("new-model", (facts["task"],), "somebody")
            for name, text in draft(of_fal(endpoint), endpoint, wish, (), DAY).texts.items():
                (into / name).parent.mkdir(parents=True, exist_ok=True)
                (into / name).write_text(text, encoding="utf-8")
    registry = Registry.load([into], mappings=MAPPINGS)
    return {offer.endpoint: offer for offer in registry.all_offers() if offer.model == "new-model"}


def test_there_are_schemas_enough():
    assert len(fal_facts()) - len(REFUSED) >= 40


@pytest.mark.parametrize("endpoint", [name for name in fal_facts() if name not in REFUSED])
def test_the_bodies_of_an_imported_offer_are_what_the_schema_takes(endpoint: str, everything: dict[str, Offer]):
    offer = everything[endpoint]
    assert offer.task == fal_facts()[endpoint]["task"]
    document = fal_openapi(endpoint)
    strict = {**document["components"]["schemas"]["Input"], "additionalProperties": False}
    written = list(bodies(offer))
    assert written
    assert [one for body in written for one in problems(strict, body.body, document)] == []


@pytest.mark.parametrize("endpoint", sorted(REFUSED))
def test_what_cannot_be_mapped_is_refused_with_the_reason_and_leaves_no_file(endpoint: str, tmp_path: Path):
    facts = fal_facts()[endpoint]
    with pytest.raises(RequestError, match=facts["refused"]):
        imported(of_fal(endpoint), endpoint, tmp_path, tasks=(facts["task"],))
    assert list(tmp_path.rglob("*")) == []


# ------------------------------------------------------------------------------- beside what people have written


def test_an_import_writes_what_people_wrote_and_every_difference_has_a_reason():
    same, offers, unexplained = 0, 0, []
    for endpoint, row in compared_offers():
        found = differences(row)
        offers += 1
        same += not found
        unexplained += [(endpoint, place, *pair) for place, pair in found.items() if reason_of(place, *pair) is None]
    assert unexplained == []
    assert offers >= 100
    assert same > offers / 2


# ------------------------------------------------------------------------------------------------ what a person says


def test_a_new_model_gets_a_card_and_its_tier_is_said_to_be_assumed(tmp_path: Path):
    made = imported(of_fal(VEO), VEO, tmp_path, model="veo-9", tasks=("text-to-video",))
    card = read_toml(tmp_path / "models" / "veo-9.toml")["model"]
    assert (card["maker"], card["tier"]) == ("somebody", "workhorse")
    assert any("taken for a workhorse" in line for line in made.said)
    assert any("its price is unknown" in line for line in made.said)
    offer = read_toml(tmp_path / "offers" / "fal" / "veo3.1.toml")
    assert offer["fields"]["duration_s"] == {"to": "duration", "as": "{:g}s"}
    assert "meters" not in offer
    assert "auto_fix" in offer["note"]
    assert str(made.left_out["text-to-video"][0]) == "auto_fix (boolean, default True)"


def test_a_known_model_gets_no_card_and_needs_no_maker(tmp_path: Path):
    imported(of_fal(VEO), VEO, tmp_path, model="veo-3.1", maker=None, tasks=("text-to-video",))
    assert not (tmp_path / "models").exists()


def test_an_unknown_model_without_a_maker_is_asked_about(tmp_path: Path):
    with pytest.raises(RequestError, match="say who makes it with --maker"):
        imported(of_fal(VEO), VEO, tmp_path, maker=None, tasks=("text-to-video",))
    assert list(tmp_path.rglob("*")) == []


def test_what_it_is_for_is_asked_where_the_schema_leaves_it_open(tmp_path: Path):
    name = "fal-ai/stable-audio"
    with pytest.raises(RequestError, match=r"is for with --task: it could be .*text-to-sound"):
        imported(of_fal(name), name, tmp_path)


def test_a_category_that_means_one_thing_is_enough(tmp_path: Path):
    entry = fal_model(VEO, category="text-to-video")
    entry["openapi"]["info"]["x-fal-metadata"]["category"] = "text-to-video"
    offer = FoundOffer("fal", VEO, status="active", schema=entry["openapi"])
    assert imported(Found("fal", DAY, (offer,)), VEO, tmp_path).offers[0].task == "text-to-video"


def test_what_must_be_given_and_is_always_the_same_can_be_fixed(tmp_path: Path):
    name = "fal-ai/sync-lipsync/react-1"
    made = imported(of_fal(name), name, tmp_path, tasks=("lip-sync",), fixed={"emotion": "happy"})
    assert made.offers[0].mapping.fixed["emotion"] == "happy"
    with pytest.raises(RequestError, match="mood: the schema has no such property"):
        imported(of_fal(name), name, tmp_path, tasks=("lip-sync",), fixed={"emotion": "happy", "mood": "x"})


def test_what_was_listed_only_can_be_ordered_once_it_is_imported(tmp_path: Path):
    name, pin = "fal-ai/sync-lipsync/react-1", "fal:fal-ai/sync-lipsync/react-1"
    (before,) = (offer for offer in Registry.bundled(mappings=MAPPINGS).offers("lip-sync") if offer.id == pin)
    assert before.unmapped
    imported(of_fal(name), name, tmp_path, model=before.model, tasks=("lip-sync",), fixed={"emotion": "happy"})
    (after,) = (offer for offer in Registry.load([tmp_path], mappings=MAPPINGS).offers("lip-sync") if offer.id == pin)
    assert not after.unmapped
    assert {"audio", "video"} <= after.mapping.fields.keys()


def test_a_file_that_is_there_is_not_written_over_unasked(tmp_path: Path):
    imported(of_fal(VEO), VEO, tmp_path, tasks=("text-to-video",))
    with pytest.raises(RequestError, match="is there already: --overwrite"):
        imported(of_fal(VEO), VEO, tmp_path, tasks=("text-to-video",))


@pytest.mark.parametrize(
    ("unit", "task_endpoint", "expected"),
    [
        ("video_second", ("text-to-video", "alibaba/happy-horse/text-to-video"), ("video_second", "0.15")),
        ("image", ("text-to-image", "fal-ai/flux-2"), ("image", "0.15")),
        ("kilo_character", ("text-to-speech", "fal-ai/dia-tts/voice-clone"), ("kilo_character", "0.15")),
        ("video_second", ("text-to-music", "fal-ai/ace-step"), ("audio_second", "0.15")),
    ],
)
def test_the_price_the_provider_says_becomes_a_rate(unit, task_endpoint, expected, tmp_path: Path):
    task, endpoint = task_endpoint
    price = FoundPrice("fal", endpoint, unit, Decimal("0.15"), "0.15 USD")
    made = imported(of_fal(endpoint, price), endpoint, tmp_path, tasks=(task,))
    (row,) = [one for one in read_toml(tmp_path / "rates" / "fal.toml")["rate"] if one["from"] == DAY]
    assert (row["unit"], row["usd"], row["endpoint"]) == (*expected, endpoint)
    assert made.offers[0].mapping.meters[0].unit == expected[0]


def test_a_price_that_nobody_can_count_beforehand_stays_unknown(tmp_path: Path):
    price = FoundPrice("fal", "veed/lipsync", "video_second", Decimal("0.4"), "0.4 USD per seconds")
    made = imported(of_fal("veed/lipsync", price), "veed/lipsync", tmp_path, tasks=("lip-sync",))
    assert made.offers[0].mapping.meters == ()
    assert any("not known beforehand" in line for line in made.said)
    assert not (tmp_path / "rates").exists()


def test_a_model_is_named_as_cards_are(tmp_path: Path):
    with pytest.raises(RequestError, match="is no model's id"):
        imported(of_fal(VEO), VEO, tmp_path / "into", model="../../veo", tasks=("text-to-video",))
    assert list(tmp_path.rglob("*")) == []


def test_an_endpoint_that_is_not_there_is_not_imported(tmp_path: Path):
    with pytest.raises(RequestError, match="fal has no 'fal-ai/nothing'"):
        imported(of_fal(VEO), "fal-ai/nothing", tmp_path)


@pytest.mark.parametrize("schema", [None, {}, {"paths": []}, {"paths": {"/x": {}}}])
def test_a_schema_of_another_form_is_an_error(schema, tmp_path: Path):
    offer = FoundOffer("fal", VEO, schema=schema)
    with pytest.raises(RequestError, match="schema"):
        imported(Found("fal", DAY, (offer,)), VEO, tmp_path, tasks=("text-to-video",))


# ------------------------------------------------------------------------------------- the other two that publish


@pytest.mark.parametrize(
    ("endpoint", "tasks"),
    [
        ("google/veo-3.1", ("text-to-video", "image-to-video")),
        ("minimax/hailuo-2.3", ("text-to-video",)),
        ("black-forest-labs/flux-2-pro", ("text-to-image",)),
        ("minimax/speech-2.6-hd", ("text-to-speech",)),
    ],
)
def test_replicate_schemas_become_offers(endpoint: str, tasks: tuple[str, ...], tmp_path: Path):
    model = replicate_model(endpoint)
    version = model["latest_version"]
    schema = {"version": version["id"], "openapi_schema": version["openapi_schema"]}
    found = Found("replicate", DAY, (FoundOffer("replicate", endpoint, status="active", schema=schema),))
    made = imported(found, endpoint, tmp_path, tasks=tasks)
    assert {offer.task for offer in made.offers} == set(tasks)
    inputs = version["openapi_schema"]["components"]["schemas"]["Input"]
    for offer in made.offers:
        written = list(bodies(offer))
        assert written
        assert [one for body in written for one in problems(inputs, body.body["input"])] == []


def test_a_community_model_is_ordered_by_version(tmp_path: Path):
    endpoint = "minimax/speech-2.6-hd"
    version = replicate_model(endpoint)["latest_version"]
    schema = {"version": version["id"], "openapi_schema": version["openapi_schema"]}
    found = Found("replicate", DAY, (FoundOffer("replicate", endpoint, status="active", schema=schema),))
    made = imported(found, endpoint, tmp_path, tasks=("text-to-speech",), by_version=True)
    assert (made.offers[0].mapping.dialect, made.offers[0].version) == ("version", version["id"])


def test_openrouter_says_by_name_and_type_what_a_model_takes(tmp_path: Path):
    clip = {
        "id": "google/veo-3.1",
        "name": "Veo 3.1",
        "supported_durations": [4, 6, 8],
        "supported_resolutions": ["720p", "1080p", "4K"],
        "supported_aspect_ratios": ["16:9", "9:16"],
        "supported_sizes": ["1280x720", "1920x1080"],
        "supported_frame_images": ["first_frame"],
        "generate_audio": True,
        "seed": False,
        "allowed_passthrough_parameters": ["enhancePrompt"],
    }
    offer = FoundOffer("openrouter", clip["id"], ("text-to-video", "image-to-video"), status="active", schema=clip)
    made = imported(Found("openrouter", DAY, (offer,)), clip["id"], tmp_path)
    by_task = {one.task: one for one in made.offers}
    assert by_task.keys() == {"text-to-video", "image-to-video"}
    video = by_task["image-to-video"]
    assert video.limits["duration_s"].values == (4, 6, 8)
    assert video.limits["resolution"].values == ("720p", "1080p", "4k")
    assert video.limits["size"].values == ([1280, 720], [1920, 1080])
    assert "seed" not in video.mapping.fields
    assert "last_image" not in video.mapping.fields
    assert [one.path for one in made.left_out["image-to-video"]] == ["enhancePrompt"]


def test_openrouter_describes_pictures_by_type(tmp_path: Path):
    typed = {
        "aspect_ratio": {"type": "enum", "values": ["1:1", "16:9", "auto"]},
        "resolution": {"type": "enum", "values": ["1K", "2K"]},
        "output_format": {"type": "enum", "values": ["png", "webp"]},
        "input_references": {"type": "range", "min": 0, "max": 8},
    }
    row = {"id": "bfl/flux", "supported_parameters": typed}
    offer = FoundOffer("openrouter", "bfl/flux", ("text-to-image",), status="active", schema=row)
    (made,) = imported(Found("openrouter", DAY, (offer,)), "bfl/flux", tmp_path).offers
    assert made.limits["aspect_ratio"].values == ("1:1", "16:9")
    assert made.limits["resolution"].values == ("1k", "2k")
    assert made.limits["references"].max == 8
    assert {"seed", "size"}.isdisjoint(made.mapping.fields)
