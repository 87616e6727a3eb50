"""Several sources at once: what each said, or why it could not be asked."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date

from aggregator.backend import Backend
from aggregator.config import nearest
from aggregator.contract import Provider
from aggregator.discovery.found import Found
from aggregator.discovery.source import Source, ask, backend_of
from aggregator.engine import Engine
from aggregator.errors import AggregatorError, RequestError
from aggregator.registry.load import Registry

__all__ = ["ask_all", "known"]


def known(names: Sequence[str], sources: Mapping[str, Source]) -> tuple[str, ...]:
    """These sources; all of them where none is named.

    Raises:
        RequestError: There is no such source.

    """
    for name in names:
        if name not in sources:
            close = nearest(name, sources)
            raise RequestError(f"no source {name!r}; {f'did you mean {close[0]!r}?' if close else ', '.join(sources)}")
    return tuple(names) or tuple(sources)


async def ask_all(
    engine: Engine,
    wanted: Sequence[Source],
    registry: Registry,
    tables: Mapping[str, Provider],
    backends: Mapping[str, Backend],
    environ: Mapping[str, str],
    today: date,
    *,
    only: Sequence[str] = (),
) -> tuple[list[Found], dict[str, str]]:
    """What each source found, and why others could not be asked or are not believed.

    Args:
        only: Endpoints (or names, where a source is asked by name) one wants to know about, and no others.

    """

    async def one(source: Source) -> Found | str:
        own = [offer.endpoint for offer in registry.all_offers() if offer.provider == source.provider]
        names = list(only) or (list(dict.fromkeys(own)) if source.by_endpoint else [])
        if not source.by_endpoint and not names:
            return "is asked by the names of models: name them with --only"
        try:
            backend = backend_of(source, tables, backends, environ)
            return await ask(engine, backend, source, today=today, wanted=names, everything=not only)
        except AggregatorError as error:
            return str(error)

    answers = await asyncio.gather(*map(one, wanted))
    found = [answer for answer in answers if isinstance(answer, Found)]
    unasked = {source.name: answer for source, answer in zip(wanted, answers, strict=True) if isinstance(answer, str)}
    return found, unasked
