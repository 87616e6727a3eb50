"""`workflow`: look at a workflow, check it, write it in its other form. Nothing is sent and nothing is spent."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from aggregator.cli.session import AsJson, Session
from aggregator.cli.show import console, emit, heading, say, shown_path
from aggregator.cli.workflow_file import FromFile, Inputs, workflow_of
from aggregator.cli.workflow_view import draw_workflow, workflow_as_json
from aggregator.errors import RequestError
from aggregator.workflow.checking import check as check_workflow
from aggregator.workflow.expand import expand
from aggregator.workflow.file import dumps
from aggregator.workflow.flat import relative_paths
from aggregator.workflow.model import Workflow
from aggregator.workflow.source import source

__all__ = ["app"]

app = typer.Typer(help="Workflows, written as a TOML file or as a Python function: look, check, convert.")


@app.command("check")
def check(file: FromFile, *, sets: Inputs = None, as_json: AsJson = False) -> None:
    """See whether a workflow can run as it is written: everything that is wrong, with its file and line."""
    with Session(as_json=as_json).told():
        workflow, inputs, _ = workflow_of(file, sets)
        check_workflow(workflow, inputs)
        graph = expand(workflow, inputs)
    if as_json:
        emit({"workflow": workflow.name, "steps": len(workflow.steps), "flat_steps": len(graph.nodes), "problems": []})
        return
    say(console(), f"{workflow.name} can run: {_counted(len(workflow.steps), len(graph.nodes))}")


@app.command("show")
def show(file: FromFile, *, sets: Inputs = None, as_json: AsJson = False) -> None:
    """Draw a workflow: which step is made from which, with tasks, takes and fan-outs."""
    with Session(as_json=as_json).told():
        workflow, inputs, _ = workflow_of(file, sets)
        check_workflow(workflow, inputs)
        graph = expand(workflow, inputs)
    if as_json:
        emit(workflow_as_json(graph))
        return
    on = console()
    on.print(heading(workflow.name, dim=_counted(len(workflow.steps), len(graph.nodes))), soft_wrap=True)
    draw_workflow(on, graph)


@app.command("convert")
def convert(
    file: FromFile,
    to: Annotated[Path, typer.Argument(metavar="FILE", help="What to write: film.py or film.toml.")],
    *,
    sets: Inputs = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file, if it is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a workflow in its other form. A Python function becomes the steps that its inputs make."""
    with Session(as_json=as_json).told():
        workflow, inputs, _ = workflow_of(file, sets)
        check_workflow(workflow, inputs)
        text = _written(replace(workflow, inputs={**workflow.inputs, **inputs}), to)
        if to.exists() and not overwrite:
            raise RequestError(f"{to} is there already: --overwrite replaces it")
        to.write_text(text, encoding="utf-8")
    if as_json:
        emit({"workflow": workflow.name, "path": str(to), "steps": len(workflow.steps)})
        return
    say(console(), f"wrote {shown_path(to)}")


def _written(workflow: Workflow, to: Path) -> str:
    """The text of the other form.

    Raises:
        RequestError: The file is neither, or what is relative to the old file would not be to the new one.

    """
    forms: dict[str, Any] = {".toml": dumps, ".py": source}
    if to.suffix not in forms:
        raise RequestError(f"{to}: a workflow is written as .toml or .py")
    if to.absolute().parent != workflow.directory.absolute() and (files := relative_paths(workflow)):
        here = workflow.directory.absolute()
        raise RequestError(f"{files[0]} is named from {here}: write the other form there, too, or give whole paths")
    return str(forms[to.suffix](workflow))


def _counted(steps: int, flat: int) -> str:
    said = f"{steps} step{'s' * (steps != 1)}"
    return said if flat == steps else f"{said}, {flat} after fan-out"
