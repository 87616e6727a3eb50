"""Planted bugs: small wrong edits of the workflow engine, each of which a test of this directory has to notice."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aggregator import ledger
from aggregator.errors import AggregatorError
from aggregator.project import Project
from aggregator.store import runs as rows
from aggregator.workflow import content, deciding, outcome, planning, promotion, run, runs, steps
from aggregator.workflow.steps import Desk
from tests.faults.life import BrokenPromiseError
from tests.workflow import random_graphs, test_run
from tests.workflow.graphs import world

Patch = pytest.MonkeyPatch
NOTICED = (AssertionError, AggregatorError, BrokenPromiseError, pytest.fail.Exception)
"""Whatever else is raised says that the bug is not planted well."""


def graphs(_world: Any) -> None:
    """A few random graphs."""
    random_graphs.play(range(12))


# ---------------------------------------------------------------------------------------------------------- the money


def gives_no_earmark_back(patch: Patch) -> None:
    patch.setattr(ledger, "unmark", lambda *_given: ledger.Moved())


def keeps_the_money_of_a_step_twice(patch: Patch) -> None:
    """What is kept for a step is not what it reserves."""
    true = Project.order

    async def order(self: Any, *given: Any, earmark: Any, **more: Any) -> Any:
        del earmark
        return await true(self, *given, **more)

    patch.setattr(Project, "order", order)


def keeps_nothing_for_the_run(patch: Patch) -> None:
    true = ledger.earmark
    patch.setattr(ledger, "earmark", lambda c, account, name, _steps, **more: true(c, account, name, {}, **more))


def keeps_a_share_for_takes_that_are_there(patch: Patch) -> None:
    """The money of those that are bought is divided by all."""
    true = ledger.earmark

    def earmark(c: Any, account: str, name: str, marks: Any, **more: Any) -> Any:
        return true(c, account, name, {f"board#{n}": sum(marks.values()) // 4 for n in range(1, 5)}, **more)

    patch.setattr(ledger, "earmark", earmark)


def frees_the_money_while_a_person_picks(patch: Patch) -> None:
    true = run.close

    async def close(desk: Any, state: Any) -> None:
        await true(desk, "failed")
        await true(desk, state)

    patch.setattr(run, "close", close)


def forgets_the_bound_of_a_run(patch: Patch) -> None:
    patch.setattr(run, "check_money", lambda *_: None)


def forgets_the_share_of_a_step(patch: Patch) -> None:
    patch.setattr(runs, "_bounds", lambda *_: {})


def counts_what_is_found_again_as_bought(patch: Patch) -> None:
    true = Desk.ended

    async def ended(self: Any, node: Any, decisions: Any, ends: Any, **more: Any) -> Any:
        return await true(self, node, [replace(one, state="run") for one in decisions], ends, **more)

    patch.setattr(Desk, "ended", ended)


def prices_twins_twice(patch: Patch) -> None:
    patch.setattr(planning, "_as_in", lambda one, *_: one)


# --------------------------------------------------------------------------------------------------- what is the same


def _address(patch: Patch, where: Callable[..., str]) -> None:
    for module in (steps, deciding):
        patch.setattr(module, "address", where)


def forgets_the_take(patch: Patch) -> None:
    """All takes are one job."""
    _address(patch, lambda node, request, _take: content.address(node, request, 1))


def forgets_what_goes_in(patch: Patch) -> None:
    """The same words are the same step, whatever picture they are about."""
    true = content.address

    def where(node: Any, request: Any, take: int) -> str:
        words = {name: value for name, value in request.values().items() if name != "image"}
        patch.setattr(content, "content", lambda _request: words)
        return true(node, request, take)

    _address(patch, where)


def forgets_the_options_of_a_provider(patch: Patch) -> None:
    true = content.address
    bare = lambda node: replace(node, step=replace(node.step, provider_options={}))  # noqa: E731
    _address(patch, lambda node, request, take: true(bare(node), request, take))


def finds_a_step_by_its_name(patch: Patch) -> None:
    """Renamed, it is made again; twins are two."""
    _address(
        patch, lambda node, request, take: f"{content.address(node, request, take)[:24]}{hash(node.name) % 10**8:08d}"
    )


def keys_twins_apart(patch: Patch) -> None:
    """By whatever else the step says, as keys once were."""
    true = deciding.decide

    def decide(project: Any, node: Any, *given: Any, **more: Any) -> Any:
        found = true(project, node, *given, **more)
        return found if found.state != "run" else replace(found, key=f"{found.key}:{node.model}")

    patch.setattr(steps, "decide", decide)


def gives_every_take_the_same_seed(patch: Patch) -> None:
    patch.setattr(steps, "build", lambda node, given, **_take: content.build(node, given))


# ------------------------------------------------------------------------------------------------------- found again


def uses_a_failed_job_again(patch: Patch) -> None:
    patch.setattr(deciding, "ENDED_WITH_NOTHING", frozenset())


def looks_past_jobs_under_way(patch: Patch) -> None:
    """Only what is there is found."""
    true = rows.jobs_at

    def jobs_at(*given: Any) -> Any:
        found = {where: [job for job in jobs if job.state == "stored"] for where, jobs in true(*given).items()}
        return {where: jobs for where, jobs in found.items() if jobs}

    patch.setattr(rows, "jobs_at", jobs_at)


def goes_on_as_if_it_were_new(patch: Patch) -> None:
    """What a run that was cut off has ordered counts only for who would make it now."""
    patch.setattr(steps, "Earlier", lambda *_: None)


def takes_an_edit_for_the_same_run(patch: Patch) -> None:
    patch.setattr(runs, "generation_of", lambda *_: "always")
    patch.setattr(rows, "set_state", lambda *_, **__: None)  # as if it never came to an end


def writes_a_step_down_once(patch: Patch) -> None:
    """When it is ordered, and never what came of it."""
    true = run._Execution._note

    def note(self: Any, decision: Any, state: Any, **more: Any) -> None:
        if state not in ("made", "failed"):
            true(self, decision, state, **more)

    patch.setattr(run._Execution, "_note", note)


def makes_edits_again(patch: Patch) -> None:
    patch.setattr(rows, "remember_made", lambda *_: None)


# ------------------------------------------------------------------------------------------- order, picks, conditions


def drops_the_siblings_of_a_failure(patch: Patch) -> None:
    true = run._Execution._made

    async def made(self: Any, node: Any) -> Any:
        if any(one.state == "failed" for one in self._outcomes.values()):
            return outcome.Outcome(node, "blocked", why="another step failed")
        return await true(self, node)

    patch.setattr(run._Execution, "_made", made)


def picks_by_step(patch: Patch) -> None:
    """A pick holds whatever the takes were made of."""
    for module in (steps, runs):
        true = module.digest
        patch.setattr(module, "digest", lambda value, true=true: true(["pick"] if _addresses(value) else value))


def _addresses(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and len(one) == 32 for one in value)


def picks_another_than_the_best(patch: Patch) -> None:
    true = Desk._best

    async def other(self: Any, name: str, results: Any) -> int:
        best = await true(self, name, results)
        return best % len(results) + 1

    patch.setattr(Desk, "_best", other)


def goes_on_with_the_first_take(patch: Patch) -> None:
    true = outcome.Outcome.of
    patch.setattr(outcome.Outcome, "of", lambda self, take: true(self, take or 1))


def passes_nothing_on(patch: Patch) -> None:
    """What is skipped counts as made of nothing."""
    patch.setattr(steps, "passed_on", lambda *_: None)


def makes_what_is_ruled_out(patch: Patch) -> None:
    patch.setattr(steps, "is_made", lambda *_: True)


# ---------------------------------------------------------------------------------------------------------- promotion


def promotes_without_what_is_kept(patch: Patch) -> None:
    """Picked takes are bought again on the final stage."""
    patch.setattr(promotion, "kept_of", lambda *_: runs.Kept())


def promotes_another_take(patch: Patch) -> None:
    true = promotion.kept_of
    patch.setattr(promotion, "kept_of", lambda *given: replace(true(*given), picks={}))


PLANTED: tuple[tuple[Callable[[Patch], None], Callable[..., None]], ...] = (
    (gives_no_earmark_back, test_run.test_one_failure_keeps_its_siblings),
    (keeps_the_money_of_a_step_twice, test_run.test_the_money_of_the_whole_run_is_kept_before_anything_is_sent),
    (keeps_nothing_for_the_run, test_run.test_others_cannot_take_the_money_of_a_run),
    (keeps_a_share_for_takes_that_are_there, test_run.test_takes_of_which_some_are_there_have_their_money),
    (frees_the_money_while_a_person_picks, test_run.test_a_person_picks_and_the_run_goes_on),
    (forgets_the_bound_of_a_run, test_run.test_a_run_that_does_not_fit_sends_nothing),
    (forgets_the_share_of_a_step, test_run.test_a_step_has_its_share_of_the_budget),
    (counts_what_is_found_again_as_bought, test_run.test_to_run_it_again_pays_nothing),
    (prices_twins_twice, test_run.test_what_is_the_same_twice_in_a_graph_is_bought_once),
    (forgets_the_take, test_run.test_a_person_picks_and_the_run_goes_on),
    (forgets_what_goes_in, test_run.test_all_takes_go_on),
    (forgets_the_options_of_a_provider, test_run.test_options_of_a_provider_make_it_another_step),
    (finds_a_step_by_its_name, test_run.test_to_rename_steps_or_to_add_one_pays_for_the_new_alone),
    (keys_twins_apart, test_run.test_what_is_the_same_twice_in_a_graph_is_bought_once),
    (gives_every_take_the_same_seed, graphs),
    (uses_a_failed_job_again, test_run.test_one_failure_keeps_its_siblings),
    (looks_past_jobs_under_way, test_run.test_a_run_that_is_cut_off_goes_on_and_attaches),
    (goes_on_as_if_it_were_new, test_run.test_a_run_that_is_cut_off_goes_on_with_who_made_it_whoever_would_make_it_now),
    (takes_an_edit_for_the_same_run, test_run.test_another_model_makes_a_step_again_and_says_why),
    (writes_a_step_down_once, test_run.test_a_run_is_read_back_as_it_is),
    (makes_edits_again, test_run.test_a_local_edit_is_made_once),
    (drops_the_siblings_of_a_failure, test_run.test_one_failure_keeps_its_siblings),
    (picks_by_step, test_run.test_a_person_picks_and_the_run_goes_on),
    (picks_another_than_the_best, test_run.test_a_function_picks),
    (goes_on_with_the_first_take, test_run.test_a_person_picks_and_the_run_goes_on),
    (passes_nothing_on, test_run.test_a_step_that_is_skipped_passes_its_input_on),
    (makes_what_is_ruled_out, test_run.test_a_step_that_is_skipped_passes_its_input_on),
    (promotes_without_what_is_kept, test_run.test_a_promotion_keeps_what_is_named),
    (promotes_another_take, test_run.test_a_promotion_keeps_what_was_picked_and_makes_what_follows_on_heroes),
)


@pytest.mark.parametrize(("plant", "check"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_a_planted_bug_is_found(
    plant: Callable[[Patch], None], check: Callable[..., None], quick: Path, monkeypatch: Patch
) -> None:
    plant(monkeypatch)
    with pytest.raises(NOTICED):
        check(world(quick))
