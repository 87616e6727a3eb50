"""`spend`, `jobs`, `resume`: what was paid and what is not finished."""

from decimal import Decimal

from .conftest import SMALL, Command


def test_spend_per_project_and_over_all(run: Command) -> None:
    first = run.json("generate", "text-to-image", "a", *SMALL, "--project", "one", "--budget", "1.00")
    second = run.json("generate", "text-to-image", "b", *SMALL, "--project", "two", "--stage", "final")
    costs = [Decimal(made["result"]["cost"]["amount_usd"]) for made in (first, second)]
    total = run.json("spend")
    assert Decimal(total["settled_usd"]) == sum(costs)
    assert [project["project"] for project in total["projects"]] == ["one", "two"]
    one = run.json("spend", "--project", "one")
    assert Decimal(one["left_usd"]) == 1 - costs[0]
    assert one["lines"][0]["model"] == "animatic-draft"
    assert one["unpriced_jobs"] == 0
    shown = run("spend").out
    assert "all projects" in shown
    assert "no budget" in shown
    assert "animatic-final" in shown


def test_an_unknown_project_is_no_empty_project(run: Command) -> None:
    run("generate", "text-to-image", "a", *SMALL, "--project", "trailer")
    error = run.json("spend", "--project", "trialer", code=1)["error"]
    assert "did you mean trailer" in error["message"]
    assert [project["project"] for project in run.json("spend")["projects"]] == ["trailer"]


def test_jobs_by_project(run: Command) -> None:
    run("generate", "text-to-image", "a", *SMALL, "--project", "one", "--key", "k")
    run("generate", "text-to-image", "b", *SMALL, "--project", "two")
    assert [job["project"] for job in run.json("jobs")] == ["one", "two"]
    (job,) = run.json("jobs", "--project", "one")
    assert (job["key"], job["state"]) == ("k", "stored")
    assert run.json("jobs", "--open") == []
    assert "one / k" in run("jobs").out
    assert "No jobs" in run("jobs", "--open").out


def test_money_of_an_unknown_end_stays_reserved_and_is_said(run: Command) -> None:
    big = ("--local", "--set", "size=1280x720", "--set", "duration_s=30")
    error = run.json("generate", "text-to-video", "a fox", *big, "--deadline-s", "0.1", code=1)["error"]
    assert error["type"] == "JobTimeoutError"
    assert Decimal(run.json("spend")["held_usd"]) > 0
    (end,) = run.json("resume", "--local", code=3)
    assert end["error"]["type"] == "JobTimeoutError"
    assert end["job"]["state"] == "unknown"
    told = run("resume", "--local", code=3).out
    assert "stay reserved" in told
    assert "not given back" in told
    assert Decimal(run.json("spend")["held_usd"]) > 0


def test_nothing_to_resume(run: Command) -> None:
    assert run.json("resume") == []
    assert "Every job is finished" in run("resume").out
