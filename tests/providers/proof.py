"""The README's table of what is proved of each provider, and how: made from the tables, the registry and the tests.

`python -m tests.providers.proof --write` writes it. A test module says what it proves in a literal `PROVES`:
`{"text-to-video": "client"}` (the unmodified official client both ways: it is served by the emulator, and its requests
are ours), `"server"` (the unmodified real server makes files for our client: `make selfhosted` and `selfhosted-full`) or
`"schema"` (our requests and the emulator's answers are what the vendor's published schema says). Every other task of a
table is held to the vendor's documentation alone.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from aggregator.backends import provider_names, provider_table
from aggregator.contract import Provider
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.tasks import TASKS

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- proof: begin (python -m tests.providers.proof --write) -->", "<!-- proof: end -->"
MARKS = {"server": "■", "client": "●", "schema": "◐", "documentation": "○"}
ORDER = tuple(MARKS)


def claims(name: str) -> Iterator[tuple[str, str]]:
    """Task and grade, as the provider's test modules claim them."""
    files = [*ROOT.glob(f"tests/providers/{name}/test_*.py"), *ROOT.glob(f"tests/conformance/*/test_{name}.py")]
    files += ROOT.glob(f"tests/selfhosted/*/test_{name}.py")
    for file in sorted(files):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "PROVES":
                yield from ast.literal_eval(node.value).items()


def grades(provider: Provider, tasks: set[str]) -> dict[str, str]:
    """The best grade of each task that is served."""
    found = dict.fromkeys(sorted(tasks), "documentation")
    for task, grade in claims(provider.name):
        assert grade in ORDER, f"{provider.name}: {grade} is no grade"
        assert task in tasks, f"{provider.name}: {task} is proved and not served"
        found[task] = min(found[task], grade, key=ORDER.index)
    return found


def served(tables: Mapping[str, Provider]) -> dict[str, set[str]]:
    """The tasks of each provider: those of its table, and those of its offers."""
    registry = Registry.bundled(mappings=mappings_of(tables))
    found = {name: {task.partition("@")[0] for task in table.tasks} for name, table in tables.items()}
    for offer in registry.all_offers():
        if offer.status != "retired" and not offer.unmapped and offer.provider in found:
            found[offer.provider].add(offer.task)
    return found


def table() -> str:
    """The table, as Markdown."""
    tables = {name: provider_table(name) for name in provider_names() if name != "local"}
    tasks = served(tables)
    columns = [task for task in TASKS if any(task in found for found in tasks.values())]
    lines = [
        "| provider | " + " | ".join(task.replace("-", "‑<br>", 1) for task in columns) + " | read |",
        "| --- |" + " :-: |" * len(columns) + " --- |",
    ]
    for name, provider in tables.items():
        found = grades(provider, tasks[name])
        cells = [MARKS[found[task]] if task in found else "" for task in columns]
        lines.append(f"| [{name}]({provider.docs}) | " + " | ".join(cells) + f" | {provider.checked} |")
    return "\n".join(lines)


def written(text: str) -> str:
    """The README with the table of today."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    assert rest, "the README has no place for the table"
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


def main() -> int:
    readme = ROOT / "README.md"
    before = readme.read_text(encoding="utf-8")
    after = written(before)
    if "--write" in sys.argv:
        readme.write_text(after, encoding="utf-8")
        return 0
    return int(before != after)


if __name__ == "__main__":
    sys.exit(main())
