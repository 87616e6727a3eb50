"""The `aggregator` command. Owns its entry point and nothing else; nothing in the library imports this package."""

import sys

__all__ = ["main"]

_EXTRA_MODULES = ("typer", "click", "rich")
EXIT_USAGE = 2


def main() -> None:
    """Run the command, or say which extra it needs."""
    try:
        from aggregator.cli.app import app

        app()
    except ImportError as missing:
        if (missing.name or "").partition(".")[0] not in _EXTRA_MODULES:
            raise
        sys.stderr.write('aggregator: the command needs its extra: pip install "aggregator[cli]"\n')
        sys.exit(EXIT_USAGE)
