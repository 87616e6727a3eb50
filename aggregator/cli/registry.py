"""`registry`: what is done with cards, offers, readings and rates; each command has a file of its own."""

import typer

from aggregator.cli import registry_audit, registry_discover, registry_feed, registry_probe, registry_weights

__all__ = ["app"]

app = typer.Typer(help="Cards, offers, readings and rates: look after them, build, import, compare.")

app.command("keygen")(registry_feed.keygen)
app.command("build")(registry_feed.build)
app.command("verify")(registry_feed.verify)
app.command("audit")(registry_audit.audit_registry)
app.command("diff")(registry_audit.diff_models)
app.command("discover")(registry_discover.discover)
app.command("import")(registry_discover.import_endpoint)
app.command("weights")(registry_weights.weights)
app.command("probe")(registry_probe.probe_offers)
app.add_typer(registry_probe.app, name="quarantine", no_args_is_help=True)
