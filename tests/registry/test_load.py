"""Loading the registry: the bundled index, users' directories, and every way a file can be wrong."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from aggregator.backends import provider_names, provider_table
from aggregator.contract import Endpoint, Files, Meter, To
from aggregator.errors import ConfigurationError, UnknownModelError
from aggregator.local import defaults
from aggregator.pricing.known import DERIVED
from aggregator.registry import build
from aggregator.registry.cards import Limit
from aggregator.registry.load import Registry
from aggregator.registry.mapping import QUANTITIES, mappings_of, merge

CARD = '[model]\nmaker = "me"\ntier = "workhorse"\n'
OFFER = 'model = "mine"\nendpoint = "e"\ntask = "text-to-image"\nchecked = 2026-11-20\n'


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_the_committed_index_is_current():
    assert build.main(["--check"]) == 0


def test_the_check_fails_when_the_index_is_old(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(build, "_INDEX", tmp_path / "index.json")
    assert build.main(["--check"]) == 1
    assert "is not current" in capsys.readouterr().err
    assert build.main([]) == 0
    assert build.main(["--check"]) == 0


def test_the_index_is_stable_and_one_offer_a_line():
    text = build.compiled()
    assert text == build.compiled()
    rows = json.loads(text)["offers"]["text-to-video"]
    assert [(row["provider"], row["endpoint"]) for row in rows] == sorted(
        (row["provider"], row["endpoint"]) for row in rows
    )
    assert sum('"endpoint":"fal-ai/veo3.1"' in line for line in text.splitlines()) == 1


def test_the_bundled_registry_has_cards_and_offers_by_task():
    registry = Registry.bundled()
    veo = next(offer for offer in registry.offers("text-to-video") if offer.id == "fal:fal-ai/veo3.1")
    assert veo.limits["duration_s"] == Limit(values=(4, 6, 8))
    assert veo.mapping.fields["duration_s"] == To("duration", form="{:g}s")
    assert veo.mapping.meters == (Meter("video_second", "request.duration_s"),)
    assert veo.checked == date(2026, 11, 20)
    assert registry.card("veo-3.1").tier == "hero"
    board = registry.boards["lmarena/text-to-video"]
    assert (board.task, board.kind) == ("text-to-video", "arena")
    reading = next(item for item in board.readings if (item.model, item.as_of) == ("veo-3.1", date(2026, 8, 22)))
    assert (reading.score, reading.ci95, reading.votes) == (1364, 14, 13743)
    assert registry.card("animatic-draft").is_stand_in
    assert registry.offers("no-such-task") == ()
    assert set(registry.all_offers()[0].__slots__) >= {"mapping"}


def test_every_bundled_offer_is_checked_sourced_and_ready():
    tables = {name: provider_table(name) for name in provider_names()}
    for offer in Registry.bundled(mappings=mappings_of(tables)).all_offers():
        assert offer.provider in tables, offer.id
        assert offer.source, offer.id
        if not offer.unmapped:
            assert offer.mapping.fields, offer.id
            assert offer.mapping.files, offer.id
            assert offer.mapping.meters or "Unpriced" in offer.note, offer.id


def test_offers_are_built_once_and_only_for_the_task_asked():
    asked = []
    registry = Registry.bundled(mappings=lambda provider, task, _: asked.append((provider, task)))
    assert registry.offers("text-to-speech") is registry.offers("text-to-speech")
    assert {task for _, task in asked} == {"text-to-speech"}


def test_an_unknown_model_names_the_nearest():
    with pytest.raises(UnknownModelError, match=r"did you mean veo-3\.1") as caught:
        Registry.bundled().card("veo3.1")
    assert caught.value.nearest[0] == "veo-3.1"


def test_a_users_directory_adds_a_model_without_code(tmp_path):
    write(tmp_path, {"models/mine.toml": CARD, "offers/homelab/e.toml": OFFER + 'fields = { prompt = "text" }\n'})
    registry = Registry.load([tmp_path])
    offer = next(offer for offer in registry.offers("text-to-image") if offer.id == "homelab:e")
    assert offer.mapping.fields == {"prompt": "text"}
    assert registry.card("mine").maker == "me"
    assert registry.card("veo-3.1")
    assert registry.replaced == ()
    assert registry.version != Registry.bundled().version


def test_a_users_files_win_and_it_is_said(tmp_path):
    text = OFFER.replace('"mine"', '"veo-3.1"').replace('"e"', '"fal-ai/veo3.1"').replace("to-image", "to-video")
    write(tmp_path, {"models/veo-3.1.toml": CARD, "offers/fal/veo.toml": text + 'note = "ours"\n'})
    registry = Registry.load([tmp_path])
    assert registry.card("veo-3.1").tier == "workhorse"
    assert [offer.note for offer in registry.offers("text-to-video") if offer.endpoint == "fal-ai/veo3.1"] == ["ours"]
    assert registry.replaced == (
        f"veo-3.1: {tmp_path}/models/veo-3.1.toml",
        f"fal:fal-ai/veo3.1 for text-to-video: {tmp_path}/offers/fal/veo.toml",
    )


def test_the_same_files_give_the_same_version(tmp_path):
    write(tmp_path, {"models/mine.toml": CARD})
    assert Registry.load([tmp_path]).version == Registry.load([tmp_path]).version
    assert Registry.bundled().version == Registry.load([]).version


def test_one_file_for_several_tasks_lays_each_over_the_top(tmp_path):
    text = (
        'model = "mine"\nendpoint = "e"\nchecked = 2026-11-20\nfixed = { a = 1 }\n'
        '[tasks.text-to-image]\nfixed = { b = 2 }\n[tasks.image-to-image]\nstatus = "preview"\n'
    )
    write(tmp_path, {"models/mine.toml": CARD, "offers/p/e.toml": text})
    registry = Registry.load([tmp_path])
    first = next(offer for offer in registry.offers("text-to-image") if offer.provider == "p")
    second = next(offer for offer in registry.offers("image-to-image") if offer.provider == "p")
    assert (first.mapping.fixed, first.status) == ({"a": 1, "b": 2}, "active")
    assert (second.mapping.fixed, second.status) == ({"a": 1}, "preview")


@pytest.mark.parametrize(
    ("files", "where", "reason"),
    [
        ({"models/mine.toml": "[model]\n"}, "models/mine.toml", "model.maker: Field required"),
        ({"models/mine.toml": CARD + "teir = 1\n"}, "models/mine.toml", "unknown key 'teir'; did you mean 'tier'?"),
        ({"models/mine.toml": CARD + "released = 2026-13-01\n"}, "models/mine.toml", "not valid TOML"),
        ({"models/mine.toml": CARD + 'released = "soon"\n'}, "models/mine.toml", "model.released"),
        ({"models/mine.toml": CARD + 'successor = "nobody"\n'}, "models/mine.toml", "unknown successor 'nobody'"),
        ({"models/Mine 1.toml": CARD}, "models/Mine 1.toml", "the file name is the model's id"),
        ({"models/mine.toml": CARD.replace("workhorse", "best")}, "models/mine.toml", "model.tier"),
        ({"offers/p/e.toml": "= 1"}, "offers/p/e.toml", "not valid TOML: Invalid statement (at line 1"),
        ({"offers/p/e.toml": OFFER}, "offers/p/e.toml", "unknown model 'mine'"),
        ({"offers/p/e.toml": OFFER + "limit = {}\n"}, "offers/p/e.toml", "unknown key 'limit'; did you mean 'limits'?"),
        ({"offers/p/e.toml": OFFER.replace("-image", "-imagery")}, "offers/p/e.toml", "did you mean 'text-to-image'?"),
        ({"offers/p/e.toml": OFFER.replace('"e"', '""')}, "offers/p/e.toml", "endpoint"),
        ({"offers/p/e.toml": OFFER.replace("checked = 2026-11-20", "")}, "offers/p/e.toml", "checked: Field required"),
        ({"offers/p/e.toml": OFFER.replace("2026-11-20", "1795000000")}, "offers/p/e.toml", "checked"),
        ({"offers/p/e.toml": OFFER + 'status = "gone"\n'}, "offers/p/e.toml", "status"),
        ({"offers/p/e.toml": OFFER + 'successor = "nobody"\n'}, "offers/p/e.toml", "unknown successor 'nobody'"),
        (
            {"offers/p/e.toml": OFFER + "limits = { duration_s = [1] }\n"},
            "offers/p/e.toml",
            "has no field 'duration_s'",
        ),
        (
            {"offers/p/e.toml": OFFER + "limits = { seed = [] }\n"},
            "offers/p/e.toml",
            "write a list of values, or a table",
        ),
        (
            {"offers/p/e.toml": OFFER + "limits = { seed = {min = 2, max = 1} }\n"},
            "offers/p/e.toml",
            "min is above max",
        ),
        ({"offers/p/e.toml": OFFER + "limits = { seed = {maxi = 1} }\n"}, "offers/p/e.toml", "did you mean 'max'?"),
        ({"offers/p/e.toml": OFFER + "defaults = { sede = 1 }\n"}, "offers/p/e.toml", "did you mean 'seed'?"),
        (
            {"offers/p/e.toml": OFFER + 'required = ["x"]\n'},
            "offers/p/e.toml",
            "required: text-to-image has no field 'x'",
        ),
        ({"offers/p/e.toml": OFFER + 'fields = { promt = "p" }\n'}, "offers/p/e.toml", "did you mean 'prompt'?"),
        (
            {"offers/p/e.toml": OFFER + "fields = { prompt = true }\n"},
            "offers/p/e.toml",
            "fields.prompt: write the path",
        ),
        ({"offers/p/e.toml": OFFER + 'fields = { prompt = {two = "x"} }\n'}, "offers/p/e.toml", "unknown key 'two'"),
        (
            {"offers/p/e.toml": OFFER + 'meters = [{unit = "imag", quantity = "1"}]\n'},
            "offers/p/e.toml",
            "did you mean 'image'?",
        ),
        (
            {"offers/p/e.toml": OFFER + 'meters = [{unit = "image", quantity = "x"}]\n'},
            "offers/p/e.toml",
            "request.<field>",
        ),
        (
            {"offers/p/e.toml": OFFER + 'meters = [{unit = "image", quantity = "-1"}]\n'},
            "offers/p/e.toml",
            "from zero up",
        ),
        (
            {"offers/p/e.toml": OFFER + 'meters = [{unit = "image", quantity = "request.x"}]\n'},
            "offers/p/e.toml",
            "no quantity 'x'",
        ),
        (
            {"offers/p/e.toml": OFFER + 'files = {mime_type = "image/png"}\n'},
            "offers/p/e.toml",
            "files: path: write where",
        ),
        ({"offers/p/e.toml": OFFER + 'files = {path = "a", form = "b"}\n'}, "offers/p/e.toml", "files.form"),
        ({"offers/p/e.toml": OFFER + 'files = {path = "a", mime_type = "b"}\n'}, "offers/p/e.toml", "files.mime_type"),
        ({"offers/p/e.toml": OFFER + 'files = {path = "a", blocked = {}}\n'}, "offers/p/e.toml", "files.blocked.path"),
        (
            {"offers/p/e.toml": OFFER + 'fields = { prompt = " " }\n'},
            "offers/p/e.toml",
            "fields.prompt: write the path",
        ),
        ({"offers/p/e.toml": OFFER + 'fields = { prompt = { to = " " } }\n'}, "offers/p/e.toml", "fields.prompt"),
        (
            {"offers/p/e.toml": OFFER + "inputs = { imge = {} }\n"},
            "offers/p/e.toml",
            "inputs: text-to-image has no field",
        ),
        (
            {"offers/p/e.toml": OFFER + 'inputs = { image = { accepts = ["fax"] } }\n'},
            "offers/p/e.toml",
            "inputs.image.accepts",
        ),
        (
            {"offers/p/e.toml": OFFER + "inputs = { image = { accepts = [] } }\n"},
            "offers/p/e.toml",
            "inputs.image.accepts",
        ),
        (
            {"offers/p/e.toml": OFFER + "inputs = { image = { max_bytes = 0 } }\n"},
            "offers/p/e.toml",
            "inputs.image.max_bytes",
        ),
        (
            {"offers/p/e.toml": OFFER + "inputs = { image = { max_bytes = true } }\n"},
            "offers/p/e.toml",
            "inputs.image.max_bytes",
        ),
        ({"models/mine.toml": CARD + "retired = 2026-09-24\n"}, "models/mine.toml", "are for a status of retired"),
        ({"models/mine.toml": CARD + 'status = "gone"\n'}, "models/mine.toml", "model.status"),
        ({"models/mine.toml": CARD + 'status = "retired"\n'}, "models/mine.toml", "source: say who says so"),
        (
            {"models/mine.toml": CARD + 'status = "unavailable"\nsource = "x"\n'},
            "models/mine.toml",
            "why: say what stands",
        ),
        (
            {"models/mine.toml": CARD + 'status = "retired"\nsource = "x"\nequivalents = ["veo3.1"]\n'},
            "models/mine.toml",
            "unknown equivalent 'veo3.1'; did you mean 'veo-3.1'?",
        ),
        ({"offers/p/e.toml": OFFER + "[tasks.image-to-image]\n"}, "offers/p/e.toml", "write either task"),
        ({"offers/p/e.toml": "[tasks]\n"}, "offers/p/e.toml", "write either task"),
        (
            {"offers/p/e.toml": "tasks.text-to-image = 1\n"},
            "offers/p/e.toml",
            "tasks.text-to-image: this must be a table",
        ),
        ({"offers/p/e.toml": OFFER, "offers/p/f.toml": OFFER}, "offers/p/f.toml", "p:e for text-to-image is in"),
    ],
)
def test_a_wrong_file_is_named_with_the_reason(tmp_path, files, where, reason):
    if "models/mine.toml" not in files and reason != "unknown model 'mine'":
        files = {"models/mine.toml": CARD, **files}
    with pytest.raises(ConfigurationError) as caught:
        Registry.load([write(tmp_path, files)])
    assert str(caught.value).startswith(f"{tmp_path}/{where}: ")
    assert reason in str(caught.value)


def test_a_missing_directory_is_said(tmp_path):
    with pytest.raises(ConfigurationError, match="no such directory"):
        Registry.load([tmp_path / "nope"])
    with pytest.raises(ConfigurationError, match="neither models/, offers/, boards/ nor rates/ is in it"):
        Registry.load([tmp_path])


def test_merging_adds_removes_and_replaces():
    base = Endpoint(
        fields={"prompt": "p", "seed": "s"},
        fixed={"a": 1},
        files=Files("x", "image/png"),
        meters=(Meter("image", "1"),),
        facts={"seed": "seed"},
    )
    row = {
        "fields": {"seed": False, "size": {"to": "w h"}, "image": {"to": "urls", "listed": True, "as": "{}"}},
        "fixed": {"a": 2, "b": 3},
        "meters": [{"unit": "request", "quantity": "1", "reported": "usage.n"}],
        "facts": {"cost": "c"},
    }
    merged = merge(base, row)
    assert merged.fields == {"prompt": "p", "size": To("w h"), "image": To("urls", form="{}", listed=True)}
    assert merged.fixed == {"a": 2, "b": 3}
    assert merged.files == base.files
    assert merged.meters == (Meter("request", "1", "usage.n"),)
    assert merged.facts == {"seed": "seed", "cost": "c"}
    assert merge(base, {}) == base
    assert merge(None, {}) == Endpoint()
    assert base.fields == {"prompt": "p", "seed": "s"}


def test_quantity_names_and_their_arithmetic_agree():
    assert set(DERIVED) == QUANTITIES


def test_the_embedded_backends_rows_say_what_it_does():
    registry = Registry.bundled()
    for task in defaults.TASKS:
        offers = {offer.model: offer for offer in registry.offers(task) if offer.provider == "local"}
        assert set(offers) == set(defaults.MODELS)
        for model, offer in offers.items():
            if "size" in offer.defaults:
                assert tuple(offer.defaults["size"]) == defaults.default_size(model, task)
            if task in defaults.VIDEO_TASKS:
                assert offer.defaults["fps"] == defaults.DEFAULTS[model].video_fps
                assert offer.defaults["duration_s"] == defaults.VIDEO_DURATION_S
                assert offer.limits["size"].multiple_of == 2
                assert offer.limits["size"].max_pixels == defaults.MAX_VIDEO_PIXELS
                assert offer.limits["duration_s"].max == defaults.MAX_VIDEO_DURATION_S
                assert offer.limits["camera"].values == defaults.CAMERA_MOVES
            if task == "text-to-speech":
                assert offer.limits["voice"].values == defaults.VOICES


def test_opening_it_imports_nothing_heavy():
    code = (
        "import sys, aggregator.routing.router, aggregator.registry.load as l; l.Registry.bundled();"
        "print([m for m in ('httpx', 'sqlalchemy', 'structlog', 'av', 'PIL') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
