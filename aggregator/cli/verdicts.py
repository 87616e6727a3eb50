"""`verdicts`: how the models stand by what was said of their outputs here. Sends nothing."""

from collections import Counter
from typing import Any

from aggregator.cli.catalogue import Catalogue
from aggregator.cli.registry_audit import in_the_store
from aggregator.cli.session import AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit, heading, say, table
from aggregator.registry.quality import Quality

__all__ = ["verdicts"]


def verdicts(
    *, config: ConfigFile = None, local: LocalOnly = False, directory: Directory = None, as_json: AsJson = False
) -> None:
    """List how models stand by your own picks, thumbs and failures, the best of each role first."""
    session = Session(config_file=config, local=local, directory=directory, as_json=as_json)
    with session.told():
        catalogue = Catalogue.open(session.config())
        said, _ = in_the_store(catalogue.config)
        quality = Quality(catalogue.registry, said)
    rows: list[dict[str, Any]] = []
    for role, task in sorted({(one.role, one.task) for one in said}):
        standings = quality.standings(task, catalogue.today, role=role)
        here = [one for one in said if (one.role, one.task) == (role, task) and one.model != one.against]
        counts = Counter(model for one in here for model in (one.model, one.against) if model)
        own = [(model, standing) for model, standing in standings.items() if standing.basis != "board"]
        for model, standing in sorted(own, key=lambda one: (-one[1].share, one[0])):
            share = {name: round(getattr(standing, name), 4) for name in ("share", "low", "high")}
            said_of = {"verdicts": counts[model], "basis": standing.basis}
            rows.append({"role": role, "task": task, "model": model, **share, **said_of})
    if as_json:
        emit(rows)
        return
    on = console()
    on.print(heading("Your own evidence" if rows else "Nothing was said of any output yet."))
    if not rows:
        say(on, '`await p.pick(takes, best)` and `await p.thumb(result, "up")` say it', indent=2)
        return
    grid = table(on, "role", "model", "of 100", "interval", "verdicts", right=("of 100", "interval", "verdicts"))
    for row in rows:
        low, high = (f"{100 * row[name]:.0f}" for name in ("low", "high"))
        grid.add_row(row["role"], row["model"], f"{100 * row['share']:.0f}", f"{low}–{high}", str(row["verdicts"]))
    on.print(grid)
    say(on, "of 100: pairs it is expected to win against the best of the public boards today", indent=0)
