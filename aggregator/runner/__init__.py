"""The life of an attempt: engine outcomes in, journal and ledger out. Nothing else moves money.

`runner` owns who follows a job and dispatches by state; `submit`, `watch` and `fetch` are the three stretches of the
way; `context` has the one function that moves an attempt; `faults` writes errors down and reads them back.
"""

from aggregator.runner.runner import Runner

__all__ = ["Runner"]
