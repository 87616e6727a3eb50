"""What a project does with workflows: plans, runs, reads back, promotes and gives them up."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Unpack, overload

from aggregator.options import Usd, amount_usd

if TYPE_CHECKING:
    from aggregator.project import Project
    from aggregator.routing.chain_fit import Fit
    from aggregator.workflow.events import OnEvent
    from aggregator.workflow.model import Workflow
    from aggregator.workflow.plan import RunPlan
    from aggregator.workflow.promotion import RunComparison
    from aggregator.workflow.runs import Run, RunOptions

__all__ = ["Running"]


class Running(ABC):
    """The part of a project that runs workflows."""

    @abstractmethod
    def _checked(self) -> "Project":
        """The project itself, once it is open.

        Raises:
            ConfigurationError: It is not open.

        """

    async def run(
        self,
        workflow: "Workflow",
        *,
        budget_usd: Usd | None = None,
        on_event: "OnEvent | None" = None,
        **given: Unpack["RunOptions"],
    ) -> "Run":
        """Run a workflow to where it ends, or go on with the run of this name: what was made is found again.

        Args:
            budget_usd: What the whole run may cost at worst. That much, or less, is reserved before anything is sent.
            on_event: Called with every piece of news.
            given: `name`: of the run; the workflow's own by default. `inputs`. `stage`. `scorers`: functions that pick.
            `fit`: what `fit_run` chose.

        Raises:
            WorkflowError: The workflow is not right; every problem is named with file and line.
            BudgetExceededError, PriceUnknownError, RoutingError, RequestError: Nothing was sent.

        """
        from aggregator.workflow import runs

        bound = None if budget_usd is None else amount_usd(budget_usd, "budget_usd")
        return await runs.start(self._checked(), workflow, budget_usd=bound, on_event=on_event, **given)

    async def plan_run(
        self, workflow: "Workflow", *, budget_usd: Usd | None = None, **given: Unpack["RunOptions"]
    ) -> "RunPlan":
        """Say what `run` would do now: what is found again, what is made and why, what that costs. Nothing is sent."""
        from aggregator.workflow import runs

        bound = None if budget_usd is None else amount_usd(budget_usd, "budget_usd")
        return await runs.plan(self._checked(), workflow, budget_usd=bound, **given)

    async def fit_run(self, workflow: "Workflow", *, budget_usd: Usd, **given: Unpack["RunOptions"]) -> "Fit":
        """Choose who makes each step that has to be made, so that the whole is the best that the money allows, at
        worst; give it to `run` as `fit`. Nothing is sent.

        Raises:
            NoRouteError: Even the cheapest ways cost more.
            RoutingError, RequestError: As of `plan_run`.

        """
        from aggregator.workflow import runs

        return await runs.fit(self._checked(), workflow, budget_usd=amount_usd(budget_usd, "budget_usd"), **given)

    async def open_run(self, name: str) -> "Run":
        """Read a run back as it is now: what is made, what is under way, what waits for a person. Nothing is sent."""
        from aggregator.workflow.reading import read_back

        return await read_back(self._checked(), name)

    @overload
    async def promote_run(
        self,
        name: str,
        *,
        plan: Literal[False] = False,
        stage: str = "final",
        keep: Sequence[str] = (),
        budget_usd: Usd | None = None,
        on_event: "OnEvent | None" = None,
    ) -> "Run": ...

    @overload
    async def promote_run(
        self,
        name: str,
        *,
        plan: Literal[True],
        stage: str = "final",
        keep: Sequence[str] = (),
        budget_usd: Usd | None = None,
        on_event: "OnEvent | None" = None,
    ) -> "RunComparison": ...

    async def promote_run(
        self,
        name: str,
        *,
        plan: bool = False,
        stage: str = "final",
        keep: Sequence[str] = (),
        budget_usd: Usd | None = None,
        on_event: "OnEvent | None" = None,
    ) -> "Run | RunComparison":
        """Make a run again on the final stage. Picked takes are kept, with all that they are made from; what would be
        made as it was is found again. The promotion is a run of its own, `<name>@final`.

        Args:
            plan: Only compare the draft with what would be made: cost, time, model of each step.
            keep: Further steps that stay as they are.
            budget_usd: What the promotion may cost at worst.

        Raises:
            RequestError: There is no such run, or a pick is missing.
            BudgetExceededError, PriceUnknownError, RoutingError: Nothing was sent.

        """
        from aggregator.workflow import promotion

        bound = None if budget_usd is None else amount_usd(budget_usd, "budget_usd")
        if plan:
            return await promotion.plan_promotion(self._checked(), name, stage=stage, keep=keep, budget_usd=bound)
        return await promotion.promote(
            self._checked(), name, stage=stage, keep=keep, budget_usd=bound, on_event=on_event
        )

    async def cancel_run(self, name: str) -> None:
        """Give a run up: the money that is kept for it is free again. Jobs that are under way go on."""
        from aggregator.workflow import runs

        await runs.cancel(self._checked(), name)

    async def pick_take(self, run: str, step: str, take: int) -> None:
        """Say which take of a step of a run goes on; then run again.

        Raises:
            RequestError: There is no such run, step or take.

        """
        from aggregator.workflow import runs

        await runs.pick(self._checked(), run, step, take)
