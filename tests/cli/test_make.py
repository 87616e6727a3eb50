"""`generate` and `plan`: one order, with money and without."""

import json
from pathlib import Path

import pytest
from PIL import Image

from .conftest import SMALL, Command


def test_generate_says_what_was_made_and_what_it_cost(run: Command, tmp_path: Path) -> None:
    ended = run("generate", "text-to-image", "a fox in the snow [night]", *SMALL, "--out", "out/fox.png")
    assert "animatic-draft" in ended.out
    assert "quoted" in ended.out
    assert "charged" in ended.out
    assert "out/fox.png" in ended.out
    assert "done" in ended.err
    with Image.open(tmp_path / "out/fox.png") as image:
        assert image.size == (128, 72)


def test_generate_as_json_is_one_document(run: Command, tmp_path: Path) -> None:
    ended = run("generate", "text-to-image", "a fox", *SMALL, "--key", "fox", "--out", "fox.png", "--json")
    made = ended.document
    assert ended.err == ""
    assert made["job"]["state"] == "stored"
    assert made["job"]["key"] == "fox"
    assert made["result"]["cost"]["amount_usd"] == made["result"]["quote"]["high_usd"]
    assert made["result"]["artifacts"][0]["facts"]["width"] == 128
    assert Path(made["saved"]) == tmp_path / "fox.png"


def test_the_same_key_is_paid_once(run: Command) -> None:
    words = ("generate", "text-to-image", "a fox", *SMALL, "--key", "fox")
    run(*words)
    spent = run.json("spend")["settled_usd"]
    again = run(*words)
    assert "reused" in again.out
    assert run.json("spend")["settled_usd"] == spent


def test_inputs_and_lists_are_understood(run: Command) -> None:
    run("generate", "text-to-image", "a fox", *SMALL, "--out", "fox.png")
    plan = run.json("plan", "image-upscaling", "--local", "--input", "image=fox.png", "--set", "factor=3")
    assert plan["request"]["factor"] == 3
    assert "sha256:" in plan["body"]["input"]["image"]
    refused = run("plan", "text-to-image", "x", "--local", "--input", "references=fox.png", code=1)
    assert "references" in refused.err
    lyrics = run("plan", "text-to-music", "sea shanty", "--local", "--set", "lyrics=[verse] hey", code=1)
    assert "lyrics" in lyrics.err


def test_plan_shows_one_screen_and_sends_nothing(run: Command) -> None:
    ended = run("plan", "text-to-video", "a fox", "--local", "--set", "duration_s=2", "--stage", "final")
    for said in (
        "animatic-final",
        "POST http://local.invalid/v1/jobs",
        '"duration_s": 2',
        "compute_second",
        "Next in line",
    ):
        assert said in ended.out
    plan = run.json("plan", "text-to-video", "a fox", "--local", "--set", "duration_s=2", "--key", "k", "--budget", "1")
    assert plan["method"] == "POST"
    assert plan["url"].endswith("/v1/jobs")
    assert plan["body"]["input"] == {"prompt": "a fox", "duration_s": 2}
    assert plan["quote"]["basis"] == "exact"
    assert plan["quote"]["lines"][0]["unit"] == "compute_second"
    assert [item["offer"] for item in plan["alternatives"]] == ["local:animatic-final"]
    assert all(item["excluded"] for item in plan["excluded"])
    assert run.json("jobs") == []
    assert run.json("spend")["projects"] == []
    assert run.json("spend")["settled_usd"] == run.json("spend")["held_usd"] == "0.000000"


def test_plan_shows_adjustments(run: Command) -> None:
    words = ("text-to-video", "a fox", "--local", "--set", "duration_s=90")
    assert "duration_s" in run("plan", *words, code=1).err
    ended = run("plan", *words, "--on-unsupported", "adjust")
    assert "clamped: duration_s 90" in ended.out


def test_provider_options_reach_the_body(run: Command) -> None:
    plan = run.json("plan", "text-to-image", "x", *SMALL, "--provider-option", "local.style.grain=0.5")
    assert plan["body"]["input"]["style"] == {"grain": 0.5}


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        (("txt-to-image", "x", "--local"), "RequestError", "did you mean text-to-image"),
        (("text-to-image", "x", "--local", "--set", "colour=red"), "RequestError", "colour: unknown parameter"),
        (("image-upscaling", "--local", "--input", "image=nope.png"), "RequestError", "no file at nope.png"),
        (("speech-to-speech", "words", "--local"), "RequestError", "takes no words"),
        (("text-to-image", "x", "--local", "--model", "animatic-drift"), "UnknownModelError", "animatic-draft"),
        (("text-to-image", "x", "--local", "--max-usd", "0.000001"), "NoRouteError", "max_usd"),
        (("text-to-image", "x", "--local", "--budget", "free"), "ConfigurationError", "budget_usd"),
        (("text-to-image", "x", "--config", "nope.toml"), "ConfigurationError", "nope.toml"),
        (("text-to-image", "x"), "ConfigurationError", "--local"),
    ],
)
def test_errors_are_one_message_and_one_document(run: Command, words: tuple[str, ...], kind: str, said: str) -> None:
    ended = run("generate", *words, "--json", code=1)
    assert ended.document["error"]["type"] == kind
    assert said in ended.document["error"]["message"]
    assert ended.err.startswith("aggregator: ")
    plain = run("generate", *words, code=1)
    assert plain.out == ""
    assert said in plain.err


def test_an_unknown_model_names_the_nearest(run: Command) -> None:
    error = run.json("generate", "text-to-image", "x", "--local", "--model", "animatic-drift", code=1)["error"]
    assert "animatic-draft" in error["nearest"]


def test_a_budget_that_is_too_small_sends_nothing(run: Command) -> None:
    error = run.json("generate", "text-to-image", "x", *SMALL, "--budget", "0.00001", "--project", "p", code=1)["error"]
    assert error["type"] == "BudgetExceededError"
    assert error["limit_usd"] == "0.000010"
    assert run.json("jobs") == []


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("text-to-image", "x", "--set", "size"),
        ("text-to-image", "x", "--set", "prompt=y"),
        ("text-to-image", "x", "--set", "loras=heavy"),
        ("text-to-image", "x", "--provider-option", "grain=1"),
        ("text-to-image", "x", "--on-unsupported", "shrug"),
        ("text-to-image", "x", "--no-such-option"),
    ],
)
def test_usage_errors_end_with_2(run: Command, words: tuple[str, ...]) -> None:
    run("generate", *words, code=2)


def test_an_unknown_price_is_refused_and_said(run: Command, tmp_path: Path) -> None:
    for name, text in {
        "models/mystery.toml": '[model]\nmaker = "me"\ntier = "workhorse"\n',
        "offers/local/mystery.toml": (
            'model = "mystery"\nendpoint = "mystery"\nchecked = 2026-11-20\nsource = "me"\n[tasks.text-to-image]\n'
        ),
    }.items():
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_text(text)
    (tmp_path / "aggregator.toml").write_text('[registry]\npaths = ["mine"]\n')
    error = run.json("generate", "text-to-image", "x", *SMALL, "--model", "mystery", code=1)["error"]
    assert error["type"] == "PriceUnknownError"
    offers = run.json("prices", "text-to-image", *SMALL)["offers"]
    unpriced = [offer["model"] for offer in offers if offer["quote"]["high_usd"] is None]
    assert "mystery" in unpriced
    assert unpriced == [offer["model"] for offer in offers[-len(unpriced) :]], "they come last"
    assert "at a price that is not known" in run("prices", "text-to-image", *SMALL).out
    assert "unknown" in run("models", "--task", "text-to-image").out


def test_waiting_may_stop_before_the_job(run: Command) -> None:
    words = ("generate", "text-to-video", "a fox", "--local", "--set", "size=320x180", "--wait-s", "0.01")
    made = json.loads(run(*words, "--key", "k", "--json", code=3).out)
    assert made["result"] is None
    assert [job["id"] for job in run.json("jobs", "--open")] == [made["job"]["id"]]
    assert "goes on" in run(*words, "--key", "k", code=3).out
    (refused,) = run.json("resume", code=3)
    assert refused["error"]["type"] == "ConfigurationError"
    ends = run.json("resume", "--local")
    assert ends[0]["error"] is None
    assert ends[0]["job"]["state"] == "stored"
    assert run.json("resume") == []
