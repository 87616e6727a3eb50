"""Recraft: the ids of its models; prices are on a page for people.

Read with a copy of its OpenAPI document 0.0.1 (tryAGI/Recraft fa2b735), whose list is under `data`; not compared with a
live answer. Its further operations (`images/…`) are not on the list.
"""

from aggregator.discovery.listed import reads_ids, these
from aggregator.discovery.source import Source

SOURCE = Source(
    name="recraft",
    title="Recraft's list of models",
    docs="https://www.recraft.ai/docs",
    checked="2026-11-20",
    read=reads_ids("recraft", "recraft", "data"),
    ask=these("/models"),
    provider="recraft",
)
