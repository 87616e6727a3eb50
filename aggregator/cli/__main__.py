"""`python -m aggregator.cli` is `aggregator`."""

from aggregator.cli import main

main()
