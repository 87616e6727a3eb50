"""From a settled job to files in the store, and from the store to a result. Nothing here costs anything."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

from aggregator import _observe
from aggregator._http import SendError
from aggregator._results import Delivery, RemoteFile
from aggregator._retry import retrying
from aggregator.artifact import Artifact, Facts, Lineage, Result, Shortfall, shortfalls
from aggregator.backend import Backend
from aggregator.errors import ArtifactLostError, ProviderError, ResponseFormatError, StoreError, UnavailableError
from aggregator.job import AttemptState
from aggregator.planning import read_by
from aggregator.pricing.quote import Cost, Quote
from aggregator.runner import delivered, served
from aggregator.runner.context import Context
from aggregator.runner.faults import write_fault
from aggregator.store import journal
from aggregator.store.files import StoredFile, max_bytes
from aggregator.store.journal import Attempt
from aggregator.tasks import request_from_json

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aggregator.ledger import Moved

__all__ = ["fetch", "result", "spooled"]

S = AttemptState
MAX_FETCHES = 6
CHUNK_BYTES = 256 * 2**10
STORED = "stored:"
"""How the address of a file begins that came inside the answer and is in the store."""
GONE = (403, 404, 410)
GONE_FOR_GOOD = (404, 410)
GONE_FOR_EVER = 410
RESULT_TTL_S = 7 * 86_400.0
"""How long a result is taken to be there where its provider does not say."""
OK = 200


async def fetch(context: Context, of: Attempt) -> None:
    """Stream the files of a paid job to the store, and write down that they are there."""
    backend = context.backend(of)
    assert of.delivery is not None
    wanted = Delivery.from_json(of.delivery).files
    try:
        async with context.following(of):
            files = [await _one(context, of, backend, index, file) for index, file in enumerate(wanted)]
    except ArtifactLostError as error:
        await _lost(context, of, error)
        return
    except ProviderError as error:
        raise UnavailableError(
            f"{of.offer} made it and it is paid for, but its file could not be fetched yet ({error}). "
            "`aggregator resume` fetches it; nothing is ordered again",
            provider=of.provider,
            model=of.model,
            task=of.request["task"],
            accepted=True,
            job_id=of.job,
        ) from None
    except StoreError as error:
        raise StoreError(
            f"{of.offer} made it and it is paid for, but its file cannot be stored ({error}). `aggregator resume` "
            "fetches it; nothing is ordered again",
            written=error.written,
        ) from None
    request = request_from_json(of.plan["request"])
    warnings = [item for file in files for item in shortfalls(request, file.facts or Facts(), file.mime_type)]
    cost = delivered.cost_of(of, files)
    redirected = served.redirected(context, of)
    if redirected is not None:
        warnings.append(served.warning(redirected))

    def keep(c: "Connection", at: int) -> "Moved | None":
        if redirected is not None:
            served.write(c, of, redirected, at)
        for index, file in enumerate(files):
            journal.add_artifact(c, file)
            journal.add_output(c, of, index, file.sha256)
        return None if cost is None else delivered.set_right(c, of, cost, at=at, warn_at=context.warn_at)

    written = [{"field": item.field, "ordered": item.ordered, "delivered": item.delivered} for item in warnings]
    await context.move(of, S.STORED, money=keep, warnings=written)
    if redirected is not None:
        served.tell(of, redirected)
    for warning in warnings:
        _observe.emit("shortfall", job=of.job, offer=of.offer, field=warning.field)
    _observe.emit("attempt_stored", job=of.job, offer=of.offer, files=len(files))


async def spooled(context: Context, delivery: Delivery) -> Delivery:
    """The delivery with what came inside the answer on disk: before it is journalled as paid for, and not inside the
    journal. What cannot be stored stays as it came; fetching says why.
    """
    files = []
    for file in delivery.files:
        if file.url.startswith("data:"):
            family = file.mime_type.partition("/")[0]
            try:
                kept = await context.files.write(_inline(file.url, family), family=family)
                files.append(RemoteFile(f"{STORED}{kept.sha256}", kept.mime_type))
                continue
            except (ResponseFormatError, StoreError):
                pass
        # No answer may name a file of the store's own.
        files.append(replace(file, url=quote(file.url)) if file.url.startswith(STORED) else file)
    return replace(delivery, files=tuple(files))


async def _stored(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


async def _one(
    context: Context,
    of: Attempt,
    backend: Backend,
    index: int,
    file: RemoteFile,
    *,
    last: bool = False,
    is_there: bool = False,
) -> StoredFile:
    """One output; an address that expired is asked for once more (`last`: it was; `is_there`: and is the same)."""
    family = file.mime_type.partition("/")[0]
    if file.url.startswith("data:"):
        return await context.files.write(_inline(file.url, family), family=family)
    kept = file.url.startswith(STORED)

    async def once() -> StoredFile:
        if kept:
            return await _from_store(context, file, family)
        return await _from_provider(context, backend, file, family, is_there=is_there)

    try:
        quota = context.engine.quota(backend)
        return await retrying(
            once, safe=_again, attempts=MAX_FETCHES, quota=quota, clock=context.clock, rng=context.rng
        )
    except ArtifactLostError as error:
        fresh = None if last else await _asked_again(context, of, backend, index)
        same = fresh is not None and fresh.url == file.url and not kept
        if fresh is None or (same and (error.status_code == GONE_FOR_EVER or _is_old(context, of))):
            raise
        return await _one(context, of, backend, index, fresh, last=True, is_there=same)


def _is_old(context: Context, of: Attempt) -> bool:
    """Whether a result may have been removed by now."""
    ttl_s = context.result_ttl_s(of) or RESULT_TTL_S
    since = of.submitted_at if of.submitted_at is not None else of.created_at
    return (context.now() - since) / 1000 > ttl_s


async def _from_store(context: Context, file: RemoteFile, family: str) -> StoredFile:
    path = await context.files.have(file.url.removeprefix(STORED), file.mime_type)
    return await context.files.write(_stored(path), family=family)


async def _from_provider(
    context: Context, backend: Backend, file: RemoteFile, family: str, *, is_there: bool
) -> StoredFile:
    try:
        async with context.engine.download(backend, file.url) as stream:
            if stream.status in GONE and not is_there:
                raise ArtifactLostError(f"HTTP {stream.status}", status_code=stream.status)
            if stream.status != OK:
                raise UnavailableError(f"HTTP {stream.status}", status_code=stream.status)
            if stream.headers.get("content-encoding", "identity") != "identity":
                raise ResponseFormatError("it arrives compressed, which was not asked for")
            length = stream.headers.get("content-length", "")
            expected = int(length) if length.isdigit() else None
            return await context.files.write(stream.chunks, family=family, expected_bytes=expected)
    except SendError as error:
        raise UnavailableError(str(error)) from None


def _again(error: BaseException) -> float | None:
    return 0.0 if isinstance(error, UnavailableError) else None


async def _asked_again(context: Context, of: Attempt, backend: Backend, index: int) -> RemoteFile | None:
    """The result once more: an address that expired may have been replaced. `None`: the provider has forgotten it.

    Raises:
        ProviderError: It cannot be asked now, which says nothing of the file.

    """
    if backend.provider.poll is None:
        return None
    try:
        reading = await context.engine.poll(backend, of.handle)
        delivery = await context.engine.result(backend, read_by(of.plan["read"]), of.handle, reading)
    except ProviderError as error:
        if error.status_code in GONE_FOR_GOOD:
            return None
        raise
    if delivery is None or index >= len(delivery.files):
        return None
    return (await spooled(context, delivery)).files[index]


async def _lost(context: Context, of: Attempt, error: ProviderError) -> None:
    _observe.emit("artifact_lost", job=of.job, offer=of.offer, status=error.status_code)
    lost = ArtifactLostError(
        f"{of.offer} made it and it is paid for, but its file is gone ({error}). It is not made again under the same "
        "key: order it under another one",
        status_code=error.status_code,
        accepted=True,
    )
    await context.move(of, S.LOST, error=write_fault(lost, of))


async def _inline(uri: str, family: str) -> AsyncIterator[bytes]:
    """What a data URI holds, counted before it is decoded."""
    head, _, payload = uri.partition(",")
    in_base64 = head.endswith(";base64")
    if (len(payload) * 3 // 4 - 2 if in_base64 else len(payload) // 3) > max_bytes(family):
        raise ResponseFormatError(f"the file is longer than {max_bytes(family)} bytes", accepted=True)
    try:
        yield base64.b64decode(payload) if in_base64 else unquote_to_bytes(payload)
    except ValueError:
        raise ResponseFormatError("the file came inside the answer, in broken base64", accepted=True) from None


async def result(context: Context, of: Attempt, *, reused: bool) -> Result:
    """The result of a stored job, from the journal alone."""
    rows, basis = await context.store.read(lambda c: (journal.outputs(c, of.job), journal.cost_basis(c, of.id)))
    assert of.delivery is not None
    delivery = Delivery.from_json(of.delivery)
    facts = delivery.facts
    refs = _refs(context, of, delivery)
    request = request_from_json(of.request)
    seed = facts.get("seed", request.values().get("seed"))
    lineage = Lineage(
        job_id=of.job,
        project=of.project.partition(":")[2],
        key=of.key,
        stage=of.stage,
        request=request,
        offer=of.offer,
        model=of.model,
        parents={media.sha256: media.job_id for _, media in request.media() if media.sha256 and media.job_id},
        seed=int(seed)
        if isinstance(seed, int) or (isinstance(seed, str) and seed.isdecimal())
        else None,  # of a header
        ask=of.ask,
        served_model=named if isinstance(named := facts.get("served_model"), str) else None,
    )
    artifacts = [
        Artifact(
            sha256=row.sha256,
            mime_type=row.mime_type,
            size_bytes=row.size_bytes,
            path=await context.files.have(row.sha256, row.mime_type),
            facts=None if row.facts is None else Facts(**row.facts),
            lineage=lineage,
            is_stand_in=bool(facts.get("is_stand_in")),
            provider_refs=refs,
        )
        for row in rows
    ]
    said = facts.get("notes")
    ending = of.plan["chosen"].get("ending")
    context.tell(of, reused=reused)
    return Result(
        job_id=of.job,
        artifacts=tuple(artifacts),
        quote=Quote.from_json(of.plan["quote"]),
        cost=Cost.from_json(basis),
        warnings=tuple(Shortfall(**item) for item in of.warnings),
        lineage=lineage,
        notes=tuple(str(note) for note in ([ending] if ending else []) + (said if isinstance(said, list) else [])),
        reused=reused,
    )


def _refs(context: Context, of: Attempt, delivery: Delivery) -> dict[str, str]:
    """What the provider calls the output, with whose account, and until when it is known to know it."""
    if not delivery.refs:
        return {}
    ttl_s = context.result_ttl_s(of)
    until = {} if ttl_s is None else {"until": str((of.submitted_at or of.created_at) / 1000 + ttl_s)}
    return {**delivery.refs, **until, "provider": of.provider, "account": of.account_ref}
