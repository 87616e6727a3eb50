"""Seeds that once broke a promise: they are played first, in every run."""

ONCE_FAILED: tuple[int, ...] = (104509, 278578, 355169)
"""A change of what a schedule draws makes others of them; then they are only more seeds."""
