"""What several sources have in common: a list of ids, and the operations of an OpenAPI document."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from aggregator.discovery.found import Found, FoundOffer
from aggregator.discovery.source import Answer, rows

__all__ = ["operations", "reads_ids", "these"]


def these(*paths: str) -> Callable[[Sequence[str], bool], Sequence[str]]:
    """Always the same paths, whatever one wants to know about."""
    return lambda _wanted, _everything: paths


def reads_ids(
    source: str,
    provider: str,
    *path: str,
    key: str = "id",
    offer: Callable[[Mapping[str, Any], FoundOffer], FoundOffer | None] = lambda _row, found: found,
) -> Callable[[Answer], Found]:
    """Read a list of objects, each with an id: an offer each, which `offer` may fill in or leave out."""

    def read(answer: Answer) -> Found:
        found, left_out = [], []
        for row in rows(answer.body, *path):
            if not isinstance(row.get(key), str):
                left_out.append(f"{str(row)[:60]}: no {key}")
            elif (one := offer(row, FoundOffer(provider, row[key], status="active"))) is not None:
                found.append(one)
        return Found(source, answer.asked, tuple(found), left_out=tuple(left_out))

    return read


def operations(body: Any) -> Iterator[tuple[str, bool, str]]:
    """Path, whether it is deprecated, and summary of each POST of an OpenAPI document.

    Raises:
        TypeError: It is none.

    """
    paths = body.get("paths") if isinstance(body, Mapping) else None
    if not isinstance(paths, Mapping) or not paths:
        raise TypeError("no paths")
    for path, item in paths.items():
        post = item.get("post") if isinstance(item, Mapping) else None
        if isinstance(post, Mapping):
            yield str(path), post.get("deprecated") is True, str(post.get("summary") or "")
