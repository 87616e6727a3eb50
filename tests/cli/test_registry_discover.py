"""`registry discover`, `import`, `probe` and `quarantine`: one command from a shipped endpoint to a plan for it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.discovery.documents import fal_model
from tests.discovery.serving import Serving, serving

from .conftest import Command

NEW = "fal-ai/hunyuan-video-v1.5/text-to-video"
VEO = "fal-ai/veo3.1"


def listed(*models: dict[str, Any], prices: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {
        "/v1/models": {"models": list(models), "has_more": False, "next_cursor": None},
        "/v1/models/pricing": {"prices": list(prices), "has_more": False, "next_cursor": None},
    }


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Command) -> Iterator[Serving]:
    """fal on loopback, and a configuration that names it and a directory of the user's."""
    del run  # the environment is empty by now
    with serving({}) as here:
        monkeypatch.setenv("FAL_KEY", "a:secret-of-mine-0123")
        (tmp_path / "registry" / "models").mkdir(parents=True)
        (tmp_path / "aggregator.toml").write_text(
            f'directory = "store"\nallow_ephemeral = true\n[registry]\npaths = ["registry"]\n'
            f'[providers.fal]\nbase_url = "{here.url}"\n[routing]\nallow = ["fal"]\n'
        )
        yield here


def test_a_new_model_is_imported_with_one_command_and_can_be_planned(run: Command, server: Serving, tmp_path: Path):
    price = {"endpoint_id": NEW, "unit_price": 0.075, "unit": "seconds", "currency": "USD"}
    server.answers = listed(fal_model(NEW), prices=(price,))
    words = ("registry", "import", "fal", NEW, "--model", "hunyuan-9", "--maker", "tencent", "--task", "text-to-video")
    shown = run(*words).out
    assert "hunyuan-9, text-to-video" in shown
    assert "hunyuan-9 is taken for a workhorse" in shown
    assert "written: registry/models/hunyuan-9.toml" in shown
    plan = run.json("plan", "text-to-video", "a lighthouse", "--model", f"fal:{NEW}", "--max-usd", "1")
    assert plan["body"]["prompt"] == "a lighthouse"
    assert {method for method, _ in server.asked} == {"GET"}


def test_what_is_missing_is_asked_for(run: Command, server: Serving):
    server.answers = listed(fal_model(NEW))
    error = run.json("registry", "import", "fal", NEW, "--model", "hunyuan-9", code=1)["error"]
    assert "say what fal:" in error["message"]
    assert "--task" in error["message"]
    task = ("--task", "text-to-video")
    error = run.json("registry", "import", "fal", NEW, "--model", "hunyuan-9", *task, code=1)["error"]
    assert "--maker" in error["message"]
    assert "one of fal, openrouter, replicate" in run("registry", "import", "kling", "x", "--model", "m", code=1).err
    error = run.json("registry", "import", "fal", NEW, "--model", "m", "--fix", "x=1", *task, "--maker", "y", code=1)
    assert "x: the schema has no such property" in error["error"]["message"]


def test_what_was_imported_is_data(run: Command, server: Serving):
    server.answers = listed(fal_model(NEW))
    made = run.json(
        *("registry", "import", "fal", NEW, "--model", "hunyuan-9", "--maker", "tencent", "--tier", "hero"),
        *("--task", "text-to-video", "--into", "elsewhere"),
    )
    assert made["offers"] == [{"id": f"fal:{NEW}", "task": "text-to-video", "model": "hunyuan-9"}]
    assert any(line.startswith("num_frames (number") for line in made["left_out"]["text-to-video"])
    assert any('paths = ["elsewhere"]' in line for line in made["said"])


def test_a_source_proposes_and_what_is_accepted_is_written(run: Command, server: Serving, tmp_path: Path):
    offers = {row["offer"] for row in run.json("models", "--all") if str(row.get("offer")).startswith("fal:")}
    about = {"display_name": "Brand New", "status": "active", "category": "text-to-video"}
    new = {"endpoint_id": "fal-ai/brand-new", "metadata": about}
    active = {"status": "active", "category": "x"}
    entries = [{"endpoint_id": pin[4:], "metadata": active} for pin in sorted(offers) if pin != f"fal:{VEO}"]
    server.answers = listed(*entries, new)
    found = run.json("registry", "discover", "fal")
    kinds = {(one["kind"], one["subject"]) for one in found["proposals"]}
    assert ("new", "fal:fal-ai/brand-new") in kinds
    assert ("gone", f"fal:{VEO}") in kinds
    assert found["written"] == []
    done = run.json("registry", "discover", "fal", "--accept", "gone,new")
    assert any("import fal fal-ai/brand-new" in line for line in done["to_do"])
    assert (tmp_path / "registry" / "offers" / "fal" / "fal-ai-veo3.1@text-to-video.toml").is_file()
    again = run.json("registry", "discover", "fal")
    assert ("gone", f"fal:{VEO}") not in {(one["kind"], one["subject"]) for one in again["proposals"]}
    shown = run("registry", "discover", "fal").out
    assert "New" in shown
    assert "fal:fal-ai/brand-new: Brand New, for text-to-video" in shown


def test_a_list_that_shrank_is_told(run: Command, server: Serving):
    server.answers = listed(fal_model(VEO))
    found = run("registry", "discover", "fal").out
    assert "more than half are missing, so nothing is taken for gone" in found
    assert "Gone" not in found


def test_sources_without_a_key_or_with_another_answer_are_told_and_stop_nothing(run: Command, server: Serving):
    server.answers = {"/v1/models": {"models": "none"}}
    found = run.json("registry", "discover", "fal", "replicate")
    assert "answered in another form" in found["unasked"]["fal"]
    assert "set REPLICATE_API_TOKEN" in found["unasked"]["replicate"]
    assert found["proposals"] == []


def test_what_is_asked_wrongly_is_refused(run: Command, server: Serving):
    assert "no source 'fall'; did you mean 'fal'?" in run("registry", "discover", "fall", code=1).err
    assert "no kind 'gonne'" in run("registry", "discover", "fal", "--accept", "gonne", code=1).err
    assert "say what to write with --accept" in run("registry", "discover", "fal", "--write", "x", code=1).err


def test_a_probe_that_fails_quarantines_and_one_that_is_well_lifts(run: Command, server: Serving):
    server.answers = listed()
    found = run.json("registry", "probe", f"fal:{VEO}", code=1)
    assert found["quarantined"] == [f"fal:{VEO}"]
    assert found["probed"][0]["verdict"] == "gone"
    shown = run("registry", "quarantine", "list").out
    assert f"fal:{VEO} since 20" in shown
    assert f"aggregator registry quarantine lift fal:{VEO}" in shown
    server.answers = listed(fal_model(VEO))
    well = run.json("registry", "probe", f"fal:{VEO}")
    assert (well["quarantined"], well["lifted"]) == ([], [f"fal:{VEO}"])
    assert run.json("registry", "quarantine", "list") == []
    assert "Nothing is in quarantine." in run("registry", "quarantine", "list").out
    assert {method for method, _ in server.asked} == {"GET"}


def test_a_dry_run_changes_nothing_and_lifting_by_hand_does(run: Command, server: Serving):
    server.answers = listed()
    assert "✗ Gone" in run("registry", "probe", f"fal:{VEO}", "--dry-run", code=1).out
    assert run.json("registry", "quarantine", "list") == []
    run("registry", "probe", f"fal:{VEO}", code=1)
    assert "is used again" in run("registry", "quarantine", "lift", f"fal:{VEO}").out
    error = run.json("registry", "quarantine", "lift", f"fal:{VEO}", code=1)["error"]
    assert error["message"] == f"'fal:{VEO}' is not in quarantine; nothing is"


def test_an_offer_nobody_knows_is_not_probed(run: Command, server: Serving):
    assert "did you mean fal:fal-ai/veo3.1?" in run("registry", "probe", "fal:fal-ai/veo3.11", code=1).err
    assert "no offer of 'fall'; did you mean fal?" in run("registry", "probe", "--provider", "fall", code=1).err
