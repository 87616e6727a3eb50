"""xAI: the ids of its models. A slug that is listed may be served by another model: answers say which.

Read with docs.x.ai/docs/api-reference (`/v1/models`, whose list is under `data`); not compared with a live answer.
"""

from aggregator.discovery.listed import reads_ids, these
from aggregator.discovery.source import Source

SOURCE = Source(
    name="xai",
    title="xAI's list of models",
    docs="https://docs.x.ai/docs/api-reference",
    checked="2026-11-20",
    read=reads_ids("xai", "xai", "data"),
    ask=these("/models"),
    provider="xai",
)
