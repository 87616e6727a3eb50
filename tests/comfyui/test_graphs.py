"""Workflow files as offers: titles before ids, what is refused and how that is said, and the same rows in a feed."""

import json
from pathlib import Path
from typing import Any

import pytest

from aggregator import _build
from aggregator.backends import provider_table
from aggregator.discovery.workflows import Known, read
from aggregator.errors import ConfigurationError, FeedError, RequestError
from aggregator.registry.bounds import check
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.registry.packing import index_text
from aggregator.registry.schema import read_directory
from aggregator.tasks import Lora, TextToImage
from tests.providers.own import cards_of

CARDS = cards_of("comfyui")[0]
GRAPH = json.loads((CARDS / "offers/comfyui/still.json").read_text())
HEAD = 'model = "mine"\nendpoint = "still"\ntask = "text-to-image"\nchecked = 2026-11-20\nworkflow = "still.json"\n'
FIELDS = 'outputs = ["9"]\n[fields]\nprompt = "6.inputs.text"\nseed = "3.inputs.seed"\n'
TABLES = {"comfyui": provider_table("comfyui")}


def registry(at: Path, offer: str = HEAD + FIELDS, graph: Any = GRAPH) -> Registry:
    return Registry.load([written(at, offer, graph)], mappings=mappings_of(TABLES))


def written(at: Path, offer: str, graph: Any) -> Path:
    for name in ("models", "offers/comfyui"):
        (at / name).mkdir(parents=True, exist_ok=True)
    (at / "models/mine.toml").write_text('[model]\nmaker = "mine"\ntier = "workhorse"\n')
    (at / "offers/comfyui/still.toml").write_text(offer)
    (at / "offers/comfyui/still.json").write_text(graph if isinstance(graph, str) else json.dumps(graph))
    return at


def offer_of(found: Registry) -> Any:
    return next(one for one in found.offers("text-to-image") if one.provider == "comfyui")


def test_a_title_comes_before_an_id(tmp_path):
    """Exported again, the ids have moved and the titles have not."""
    by_title = HEAD + 'outputs = ["{Save Image}"]\n[fields]\nprompt = "{Positive Prompt}.inputs.text"\nseed = false\n'
    moved = {f"1{at}": node for at, node in json.loads(json.dumps(GRAPH).replace('["', '["1')).items()}
    before, after = registry(tmp_path / "a", by_title), registry(tmp_path / "b", by_title, moved)
    assert offer_of(before).mapping.fields == {"prompt": "6.inputs.text"}
    assert offer_of(after).mapping.fields == {"prompt": "16.inputs.text"}
    assert offer_of(after).mapping.template["partial_execution_targets"] == ["19"]
    assert offer_of(after).mapping.files.path.startswith("outputs.19.images[]")


def test_an_adapter_fills_both_inputs_of_its_node(tmp_path):
    node = {
        "class_type": "LoraLoader",
        "inputs": {"lora_name": "a.safetensors", "strength_model": 1.0, "model": ["4", 0]},
    }
    fields = f'{FIELDS}loras = "{{LoraLoader}}.inputs.lora_name {{LoraLoader}}.inputs.strength_model"\n'
    offer = offer_of(registry(tmp_path, HEAD + fields, {**GRAPH, "20": node}))
    table = TABLES["comfyui"]

    def built(*loras: Lora) -> Any:
        request = TextToImage(prompt="a", **({"loras": loras} if loras else {}))
        body: Any = _build.build_body(table, offer.mapping, request, names={}, media=lambda *_: None)
        return body["prompt"]["20"]["inputs"]

    assert built(Lora(weights="ink.safetensors", scale=0.5)) == {
        "lora_name": "ink.safetensors",
        "strength_model": 0.5,
        "model": ["4", 0],
    }
    assert built() == node["inputs"], "as the file has it"
    two = [Lora(weights=name) for name in "ab"]
    with pytest.raises(RequestError, match=r"loras=.* does not fill"):
        built(*two)
    found = read(
        {**GRAPH, "3": {**GRAPH["3"], "inputs": {**GRAPH["3"]["inputs"], "model": ["20", 0]}}, "20": node}, Known()
    )
    assert found.fields["loras"] == "{LoraLoader}.inputs.lora_name {LoraLoader}.inputs.strength_model"


def test_without_outputs_every_kept_file_is_collected(tmp_path):
    found = offer_of(registry(tmp_path, HEAD + FIELDS.replace('outputs = ["9"]\n', "")))
    assert found.mapping.files.path.startswith("outputs.*.images[]")
    assert found.mapping.files.only == {"type": "output"}
    assert "partial_execution_targets" not in found.mapping.template


def test_the_seed_of_the_file_is_not_kept_unless_it_is_said(tmp_path):
    assert offer_of(registry(tmp_path / "a")).mapping.template["prompt"]["3"]["inputs"]["seed"] == "{random}"
    kept = offer_of(registry(tmp_path / "b", HEAD + FIELDS.replace('"3.inputs.seed"', "false")))
    assert kept.mapping.template["prompt"]["3"]["inputs"]["seed"] == 156680208700286


@pytest.mark.parametrize(
    ("offer", "graph", "said"),
    [
        (HEAD + FIELDS, {"nodes": [], "links": []}, "export it once more in API format"),
        (HEAD + FIELDS, "{", "the workflow is not JSON"),
        (HEAD + FIELDS, {"6": {"inputs": {}}}, "not a workflow in API format"),
        (HEAD + FIELDS, [], "not a workflow in API format"),
        (HEAD.replace("still.json", "none.json") + FIELDS, GRAPH, "none.json: the workflow cannot be read"),
        (HEAD.replace('"still.json"', "7") + FIELDS, GRAPH, "workflow: the path of a file"),
        (HEAD + FIELDS.replace("6.inputs.text", "66.inputs.text"), GRAPH, "there is no node '66'; it has 3 {KSampler}"),
        (HEAD + FIELDS.replace("6.inputs.text", "6.inputs.txt"), GRAPH, "has no input 'txt'; it has text, clip"),
        (HEAD + FIELDS.replace("6.inputs.text", "9.inputs.images"), GRAPH, "comes from node 8"),
        (HEAD + FIELDS.replace("6.inputs.text", "prompt"), GRAPH, "write <node>.inputs.<input>"),
        (HEAD + FIELDS.replace('["9"]', '["99"]'), GRAPH, "there is no node '99'"),
        (HEAD + FIELDS.replace('seed = "3.inputs.seed"\n', ""), GRAPH, "it has a seed at 3.inputs.seed: name it"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(tmp_path, offer, graph, said):
    with pytest.raises(ConfigurationError) as caught:
        registry(tmp_path, offer, graph)
    assert said in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_two_nodes_of_one_title_are_told_apart_by_their_ids(tmp_path):
    graph = {**GRAPH, "7": {**GRAPH["7"], "_meta": GRAPH["6"]["_meta"]}}
    with pytest.raises(ConfigurationError, match="nodes 6, 7 are all called 'Positive Prompt'"):
        registry(tmp_path, HEAD + FIELDS.replace("6.inputs", "{Positive Prompt}.inputs"), graph)


def said_by(directory: Path) -> dict[str, Any]:
    """What a feed would say of a directory."""
    return {**json.loads(index_text(read_directory(directory))), "rates": {}}


def test_a_feed_carries_the_workflow(tmp_path):
    """It is JSON in the row, and makes the same offer."""
    at = written(tmp_path, HEAD + FIELDS, GRAPH)
    taken = check(said_by(at), TABLES, source="feed")
    (row,) = taken.rows.offers.values()
    assert row["template"]["prompt"]["6"] == GRAPH["6"]  # with its two lines
    assert row == read_directory(at).offers[("comfyui", "still", "text-to-image")]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda body: body["prompt"]["6"]["inputs"].update(text="https://evil.example"), "an address"),
        (lambda body: body.update(extra_data={"api_key_comfy_org": "x"}), "who pays"),
        (lambda body: body["prompt"]["6"]["inputs"].update(text="\x1b[2J"), "control characters"),
    ],
)
def test_a_feed_may_not_lead_away(tmp_path, change, said):
    feed = said_by(written(tmp_path, HEAD + FIELDS, GRAPH))
    change(feed["offers"]["text-to-image"][0]["template"])
    with pytest.raises(FeedError, match=said):
        check(feed, TABLES, source="feed")
