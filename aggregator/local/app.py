"""The wire: an ASGI application over the files and jobs of one directory.

Owns: routes, status codes, the shape of answers and the absolute addresses in them.
Refuses: to render on the event loop, to fetch anything, and to rely on lifespan events, which an in-process
transport does not send: unfinished jobs are taken up by the first request.
"""

# ruff: noqa: S311 - the chance here composes pictures and sound; it guards nothing

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from aggregator.local import defaults
from aggregator.local.files import FileStore, extension_of, mime_type_of
from aggregator.local.jobs import Jobs
from aggregator.local.journal import Journal, Record
from aggregator.local.orders import Order, complete, read_order
from aggregator.local.references import file_named_by, picture_size
from aggregator.local.refusals import RefusalError
from aggregator.local.voice import engine_name

MAX_WORKERS: Final = 32
HTTP_CODES: Final = {404: "not_found", 405: "not_found"}


class LocalApp:
    """The embedded backend on one directory. `asgi` is the application; call `aclose` when done with it."""

    def __init__(self, directory: Path, *, rng: Random | None = None, workers: int = 2) -> None:
        if not 1 <= workers <= MAX_WORKERS:
            raise ValueError(f"workers: 1 to {MAX_WORKERS}")
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # prompts are personal data
        self._rng = rng or Random()
        self._files = FileStore(directory / "files")
        self._jobs = Jobs(Journal(directory / "jobs"), self._files, workers)
        self.asgi = Starlette(
            routes=[
                Route("/v1/files", self._answered(self._upload), methods=["POST"]),
                Route("/v1/files/{name}", self._answered(self._download), methods=["GET"]),
                Route("/v1/jobs", self._answered(self._submit), methods=["POST"]),
                Route("/v1/jobs/{id}", self._answered(self._status), methods=["GET"]),
                Route("/v1/jobs/{id}", self._answered(self._cancel), methods=["DELETE"]),
                Route("/v1/health", self._answered(self._health), methods=["GET"]),
            ],
            exception_handlers={HTTPException: _http_error},
        )

    async def aclose(self) -> None:
        """Stop the workers between two frames; unfinished jobs stay in the journal."""
        await asyncio.to_thread(self._jobs.close)

    def _answered(self, serve: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that takes up unfinished jobs first and turns refusals into their answers."""

        async def endpoint(request: Request) -> Response:
            try:
                await asyncio.to_thread(self._jobs.resume)
                return await serve(request)
            except RefusalError as refusal:
                return _error(refusal.status, refusal.code, refusal.message)
            except ClientDisconnect:
                return _error(400, "invalid_input", "the body ended early")

        return endpoint

    async def _upload(self, request: Request) -> Response:
        mime_type = request.headers.get("content-type", "application/octet-stream")
        extension_of(mime_type)
        if int(_digits(request.headers.get("content-length"))) > defaults.MAX_FILE_BYTES:
            raise RefusalError(413, "invalid_input", f"a file may hold at most {defaults.MAX_FILE_BYTES} bytes")
        stored = await self._files.keep_stream(request.stream(), mime_type)
        return JSONResponse({"url": _file_url(request, stored.name)}, status_code=201)

    async def _download(self, request: Request) -> Response:
        name = request.path_params["name"]
        path = await asyncio.to_thread(self._files.path, name)
        return FileResponse(path, media_type=mime_type_of(name))

    async def _submit(self, request: Request) -> Response:
        body = await _json_body(request)
        fingerprint = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        key = request.headers.get("idempotency-key")
        if key is not None and not 0 < len(key) <= defaults.MAX_IDEMPOTENCY_KEY_CHARACTERS:
            limit = defaults.MAX_IDEMPOTENCY_KEY_CHARACTERS
            raise RefusalError(422, "invalid_input", f"Idempotency-Key: 1 to {limit} characters")
        own_host = request.base_url.hostname or ""
        record = await asyncio.to_thread(self._accept, body, fingerprint, key, own_host)
        return JSONResponse({"id": record.id, "status": record.status, "is_stand_in": True}, status_code=202)

    def _accept(self, body: object, fingerprint: str, key: str | None, own_host: str) -> Record:
        known = self._jobs.known(key, fingerprint) if key else None
        if known is not None:
            return known
        record = self._jobs.submit(self._complete_order(body, own_host), fingerprint, key)
        if record.fingerprint != fingerprint:  # another process was quicker with the same key
            raise RefusalError(
                422, "idempotency_key_reused", "this Idempotency-Key has already been used with another body"
            )
        return record

    def _complete_order(self, body: object, own_host: str) -> Order:
        order = read_order(body, lambda: self._rng.randrange(2**32))
        size = None
        names = {}
        for field in ("image", "last_image"):
            reference = getattr(order, field)
            if reference:
                names[field] = file_named_by(field, reference, own_host, self._files)
                found = picture_size(field, names[field], self._files)
                size = found if field == "image" else size
        return complete(Order(**{**order.as_json(), **names}), size)

    async def _status(self, request: Request) -> Response:
        record = await asyncio.to_thread(self._jobs.find, request.path_params["id"])
        return JSONResponse(_job_body(request, record))

    async def _cancel(self, request: Request) -> Response:
        record = await asyncio.to_thread(self._jobs.cancel, request.path_params["id"])
        return JSONResponse(_job_body(request, record))

    async def _health(self, _request: Request) -> Response:
        voice = await asyncio.to_thread(engine_name)
        return JSONResponse({"status": "ok", "voice": voice, "is_stand_in": True, "models": list(defaults.MODELS)})


async def _json_body(request: Request) -> object:
    body = bytearray()
    async for block in request.stream():
        body += block
        if len(body) > defaults.MAX_JOB_BODY_BYTES:
            raise RefusalError(413, "invalid_input", f"a job body may hold at most {defaults.MAX_JOB_BODY_BYTES} bytes")
    try:
        parsed: object = await asyncio.to_thread(json.loads, body)
    except (ValueError, RecursionError) as broken:
        raise RefusalError(400, "invalid_input", "the body is not JSON") from broken
    return parsed


def _job_body(request: Request, record: Record) -> dict[str, Any]:
    outputs = [{"url": _file_url(request, output["name"]), **output} for output in record.outputs]
    for output in outputs:
        del output["name"]
    return {
        "id": record.id,
        "status": record.status,
        "progress": record.progress,
        "outputs": outputs,
        "usage": {"compute_seconds": record.compute_seconds},
        "seed": record.order.seed,
        "error": record.error,
        "is_stand_in": True,
        "notes": record.notes,
    }


def _file_url(request: Request, name: str) -> str:
    return f"{str(request.base_url).rstrip('/')}/v1/files/{name}"


def _digits(text: str | None) -> str:
    return text if text and text.isdigit() else "0"


def _error(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


async def _http_error(_request: Request, problem: Exception) -> Response:
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    return _error(status, HTTP_CODES.get(status, "invalid_input"), "no such address or method")
