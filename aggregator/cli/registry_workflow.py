"""`registry import comfyui FILE`: a workflow as an offer. What the file does not say is asked, on a terminal, or else
must be given by an option; nothing is guessed.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer

from aggregator.backend import Backend
from aggregator.backends import backends_of
from aggregator.cli.catalogue import Catalogue
from aggregator.discovery.bounds import words
from aggregator.discovery.importing import Draft, Imported, Wish, card_text, keep
from aggregator.discovery.workflows import Choice, Known, Question, faults, read
from aggregator.errors import RequestError
from aggregator.registry.graphs import SEEDS, Graph, Nodes, read_graph
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.registry.writing import toml_text

__all__ = ["WORKFLOWS", "import_workflow", "split_field"]

WORKFLOWS = "comfyui"


def import_workflow(
    file: Path,
    wish: Wish,
    known: Known,
    catalogue: Catalogue,
    into: Path,
    url: str | None,
    *,
    ask: bool,
    overwrite: bool,
) -> Imported:
    """Write the offer, its workflow, and the card if the model has none.

    Args:
        ask: Somebody may be asked, if they sit at a terminal.

    Raises:
        RequestError: Something is not known and cannot be asked, or the server at `url` would refuse the workflow.

    """
    graph = read_graph(file)
    while (known := read(graph, known)).open:
        if not (ask and sys.stdin.isatty()):
            raise RequestError("; ".join(map(_unanswered, known.open)))
        known = _answered(known, known.open[0])
    nodes = None if url is None else _checked(catalogue, file, graph, known, url)
    paths = [path.expanduser() for path in catalogue.config.registry.paths]
    others = [path for path in paths if path.absolute() != into.absolute()]
    mappings = mappings_of(catalogue.tables)
    here = [*others, into] if into.is_dir() and any(into.iterdir()) else others
    cards = Registry.load(here, mappings=mappings).cards
    made = _draft(file, graph, known, wish, catalogue, nodes, needs_card=wish.model not in cards)
    return keep(made, f"{WORKFLOWS}:{file.stem}", into, others, mappings, overwrite=overwrite)


def split_field(words: str) -> tuple[str, str]:
    """`NAME=TARGET` of an option."""
    name, equals, target = words.partition("=")
    if not equals or not name:
        raise typer.BadParameter("NAME=TARGET, such as prompt=6.inputs.text", param_hint="--field")
    return name, target


# ------------------------------------------------------------------------------------------------------------- asking


def _option(question: Question) -> str:
    return {"task": "--task", "outputs": "--output"}.get(question.name, f"--field {question.name}=")


def _unanswered(question: Question) -> str:
    listed = ", ".join(map(str, question.choices)) or "any <node>.inputs.<input>"
    none = f", or {_option(question)} with nothing behind it" if question.may_be_none else ""
    return f"say {question.text} with {_option(question)}: {listed}{none}"


def _answered(known: Known, question: Question) -> Known:
    """What is known with what the person at the terminal says."""
    typer.echo(f"\n{question.text[:1].upper()}{question.text[1:]}?", err=True)
    for number, choice in enumerate(question.choices, 1):
        typer.echo(f"  {number}  {choice}", err=True)
    none = "; - for none" if question.may_be_none else ""
    said = str(typer.prompt(f"A number, or what to write{none}", err=True)).strip()
    value = "" if said == "-" and question.may_be_none else _chosen(said, question.choices)
    if question.name == "task":
        return replace(known, task=value, open=())
    if question.name == "outputs":
        return replace(known, outputs=tuple(value.split(",")), open=())
    return replace(known, fields={**known.fields, question.name: value}, open=())


def _chosen(said: str, choices: Sequence[Choice]) -> str:
    return choices[int(said) - 1].value if said.isdigit() and 0 < int(said) <= len(choices) else said


# ----------------------------------------------------------------------------------------------------------- a server


def _checked(catalogue: Catalogue, file: Path, graph: Graph, known: Known, url: str) -> Any:
    """Hold the workflow against what a server has; returns what it says of its nodes.

    Raises:
        RequestError: The server would refuse it.

    """
    nodes = asyncio.run(_nodes(catalogue, url))
    of = Nodes(graph, str(file))
    mapped = [path for name, target in known.fields.items() for path in of.target(name, target).split()]
    if wrong := faults(graph, nodes, mapped):
        raise RequestError(f"{url} would refuse this workflow: {'; '.join(wrong)}")
    return nodes


async def _nodes(catalogue: Catalogue, url: str) -> Any:
    from aggregator.cli.registry_discover import asking_engine

    table = replace(catalogue.tables[WORKFLOWS], base_url=url.rstrip("/"))
    backends, _ = backends_of(catalogue.config, catalogue.tables, os.environ)
    own = backends.get(WORKFLOWS)
    secret = own.secret if own is not None and own.provider.base_url == table.base_url else None
    backend = Backend(table, secret, own_host=urlsplit(url).hostname or "")
    async with asking_engine() as engine:
        return await engine.ask(backend, table.free["nodes"], {}, doing="asking which nodes there are")


# ---------------------------------------------------------------------------------------------------------- the files


def _draft(
    file: Path, graph: Graph, known: Known, wish: Wish, catalogue: Catalogue, nodes: Any, *, needs_card: bool
) -> Draft:
    name, said = file.stem, [_found(known, field) for field in known.found]
    mapped = {field: target for field, target in known.fields.items() if target}
    numbers = words(graph, known.task, mapped, nodes, str(file))
    fields: dict[str, Any] = numbers.pop("fields", {})
    seeded = any(isinstance(node["inputs"].get(seed), int) for node in graph.values() for seed in SEEDS)
    if "seed" not in fields and seeded:
        fields["seed"] = False
        said.append("its seed stays as it is in the file: the same request makes the same thing")
    row = {
        "model": wish.model,
        "endpoint": name,
        "task": known.task,
        "checked": catalogue.today,
        "workflow": f"{name}.json",
        "outputs": list(known.outputs),
        "source": f"the workflow {file.name}",
        **numbers,
        "fields": fields,
    }
    at = f"offers/{WORKFLOWS}/{name}"
    texts = {f"{at}.toml": toml_text(row), f"{at}.json": file.read_text(encoding="utf-8")}
    if needs_card:
        texts[f"models/{wish.model}.toml"] = card_text(wish, said)
    said.append(
        f"it costs what your GPU is busy for: write [providers.{WORKFLOWS}] usd_per_gpu_hour, and into the offer "
        "compute = { gpu, per, seconds, source } for a price beforehand; until then it is ordered with max_usd"
    )
    return Draft(texts, {known.task: ()}, tuple(said))


def _found(known: Known, field: str) -> str:
    return f"{field} is {known.fields[field]}"
