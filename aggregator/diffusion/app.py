"""The wire: OpenAI's routes for pictures and clips, and vLLM-Omni's for sounds, over the jobs of one directory.

Owns: routes, status codes, the shape of answers, and the key.
Refuses: to fetch anything, to work on the event loop, and pages of other sites that a browser lets post here.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from aggregator.diffusion import views
from aggregator.diffusion.bodies import Asked, read_body
from aggregator.diffusion.jobs import Jobs
from aggregator.diffusion.order import Kind, read_order
from aggregator.diffusion.refusals import RefusalError, invalid
from aggregator.diffusion.store import Record
from aggregator.secret import Secret

MAX_KEY_CHARACTERS: Final = 255
MAX_LISTED: Final = 100
USUALLY_LISTED: Final = 20
FAILURES: Final = {"invalid_value": 400}
Serve = Callable[[Request], Awaitable[Response]]


class DiffusionApp:
    """One model's server. `asgi` is the application; `jobs` is started and closed by whoever makes this."""

    def __init__(
        self, jobs: Jobs, *, model: str, ttl_s: float, secret: Secret | None = None, rng: Random | None = None
    ) -> None:
        self._jobs, self._model, self._ttl_s, self._secret = jobs, model, ttl_s, secret
        self._rng = rng or Random()  # noqa: S311  seeds of pictures guard nothing
        routes = (
            ("GET", "/health", self._health),
            ("GET", "/v1/models", self._models),
            ("POST", "/v1/images/generations", self._generate),
            ("POST", "/v1/images/edits", self._edit),
            ("GET", "/v1/images/{id}/content", self._content),
            ("POST", "/v1/audio/generate", self._sound),
            ("POST", "/v1/videos", self._order),
            ("GET", "/v1/videos", self._list),
            ("GET", "/v1/videos/{id}", self._retrieve),
            ("DELETE", "/v1/videos/{id}", self._delete),
            ("POST", "/v1/videos/{id}/cancel", self._cancel),
            ("GET", "/v1/videos/{id}/content", self._content),
        )
        self.asgi = Starlette(
            routes=[Route(path, self._answered(serve), methods=[method]) for method, path, serve in routes],
            exception_handlers={HTTPException: _http_error, Exception: _defect},
        )

    def _answered(self, serve: Serve) -> Serve:
        """An endpoint that asks for the key and turns refusals into their answers."""

        async def endpoint(request: Request) -> Response:
            try:
                if serve != self._health:
                    self._check_caller(request)
                return await serve(request)
            except RefusalError as refusal:
                return _refused(refusal)
            except ClientDisconnect:
                return _refused(RefusalError(400, "invalid_body", "the body ended early"))

        return endpoint

    def _check_caller(self, request: Request) -> None:
        origin = request.headers.get("origin")
        if origin and urlsplit(origin).netloc != request.headers.get("host"):
            raise RefusalError(403, "foreign_origin", "pages of other sites may not use this server")
        if self._secret is not None:
            scheme, _, given = request.headers.get("authorization", "").partition(" ")
            right = hmac.compare_digest(given.strip().encode(), self._secret.reveal().encode())
            if scheme.lower() != "bearer" or not right:
                raise RefusalError(401, "invalid_api_key", "Authorization: Bearer and the key of this server")

    # ---------------------------------------------------------------------------------------------------- the server

    async def _health(self, _request: Request) -> Response:
        if self._jobs.trouble:
            return JSONResponse({"status": "unavailable", "reason": self._jobs.trouble}, 503)
        return JSONResponse({"status": "ok"})

    async def _models(self, _request: Request) -> Response:
        maker = self._jobs.maker
        model = {
            "id": self._model,
            "object": "model",
            "owned_by": "aggregator",
            "task_type": maker.tasks[0],
            "supported_task_types": list(maker.tasks),
            "lora": list(maker.adapters),
        }
        return JSONResponse({"object": "list", "data": [model]})

    # ------------------------------------------------------------------------------------------------------- orders

    async def _taken(self, request: Request, kind: Kind) -> tuple[Record, Asked]:
        """Queue what a body orders; what its key has ordered before is that job."""
        key = request.headers.get("idempotency-key")
        if key is not None and not 0 < len(key) <= MAX_KEY_CHARACTERS:
            raise RefusalError(400, "invalid_value", f"Idempotency-Key: 1 to {MAX_KEY_CHARACTERS} characters")
        _ = self._jobs.maker  # refused before the body is read while it is being loaded
        with self._jobs.scratch() as scratch:
            asked = await read_body(request, scratch)
            fields = dict(asked.fields)
            if fields.get("model") not in (None, "", self._model):
                raise RefusalError(404, "model_not_found", f"this server has {self._model}", param="model")
            if kind == "image":
                _response_format(fields)
            if asked.pictures and request.url.path.endswith("/generations"):
                raise invalid("image", "none: pictures to edit go to /v1/images/edits")
            if not asked.pictures.keys() - {"mask"} and request.url.path.endswith("/edits"):
                raise invalid("image", "a picture to edit")
            known = self._jobs.known(kind, key, asked.fingerprint) if key else None
            if known is not None:
                return known, asked
            order = read_order(kind, fields, asked.pictures, self._rng.randrange(2**31))
            record = await asyncio.to_thread(self._jobs.submit, order, scratch, fingerprint=asked.fingerprint, key=key)
        return record, asked

    async def _order(self, request: Request) -> Response:
        record, _ = await self._taken(request, "video")
        return JSONResponse(self._video(record))

    async def _generate(self, request: Request) -> Response:
        return await self._pictures(request)

    async def _edit(self, request: Request) -> Response:
        return await self._pictures(request)

    async def _pictures(self, request: Request) -> Response:
        """Order and wait; a caller who goes away and has no key to come back with wants nothing any more."""
        record, asked = await self._taken(request, "image")
        record = await self._made(request, record)
        if not record.has_ended:
            return Response(status_code=499)
        by_address = _response_format(dict(asked.fields)) == "url"
        address = str(request.base_url).rstrip("/") if by_address else None
        directory = self._jobs.directory(record.id)
        body = await asyncio.to_thread(views.pictures, record, model=self._model, directory=directory, address=address)
        if not record.keyed and not by_address:
            await asyncio.to_thread(self._jobs.delete, record.id)
        return JSONResponse(body)

    async def _sound(self, request: Request) -> Response:
        """Order a sound and wait for it: the answer is the file, and what is known of it is in the head."""
        record = await self._made(request, (await self._taken(request, "audio"))[0])
        if not record.has_ended:
            return Response(status_code=499)
        output = record.outputs[0]
        content = await asyncio.to_thread((self._jobs.directory(record.id) / output["name"]).read_bytes)
        if not record.keyed:
            await asyncio.to_thread(self._jobs.delete, record.id)
        return Response(content, headers=views.sound(record), media_type=output["mime_type"])

    async def _made(self, request: Request, record: Record) -> Record:
        """A job when it is done, or still under way when its caller has gone.

        Raises:
            RefusalError: It did not come to a file.

        """
        ended = asyncio.create_task(self._ended(record.id))
        gone = asyncio.create_task(_gone(request))
        try:
            await asyncio.wait((ended, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            ended.cancel()
        record = self._jobs.find(record.id)
        if not record.has_ended:
            if not record.keyed:
                await asyncio.to_thread(self._jobs.cancel, record.id)
            return record
        if record.status != "completed":
            error = record.error or {"code": "canceled", "message": "the server stopped the job"}
            raise RefusalError(FAILURES.get(error["code"], 500), error["code"], error["message"])
        return record

    async def _ended(self, job_id: str) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        self._jobs.when_ended(job_id, lambda: loop.call_soon_threadsafe(ended.set))
        await ended.wait()

    # -------------------------------------------------------------------------------------------------------- jobs

    async def _retrieve(self, request: Request) -> Response:
        return JSONResponse(self._video(self._clip(request)))

    async def _list(self, request: Request) -> Response:
        """Clips, the newest first unless the oldest are asked for."""
        asked = request.query_params
        limit = asked.get("limit", str(USUALLY_LISTED))
        if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit) <= MAX_LISTED:
            raise invalid("limit", f"a whole number from 1 to {MAX_LISTED}")
        clips = [record for record in self._jobs.all() if record.order.kind == "video"]
        if asked.get("order", "desc") != "asc":
            clips.reverse()
        ids = [record.id for record in clips]
        after = asked.get("after")
        if after is not None and after not in ids:
            raise invalid("after", "the id of a job that is here")
        rest = clips[ids.index(after) + 1 if after else 0 :]
        shown = rest[: int(limit)]
        return JSONResponse(
            {
                "object": "list",
                "data": [self._video(record) for record in shown],
                "first_id": shown[0].id if shown else None,
                "last_id": shown[-1].id if shown else None,
                "has_more": len(rest) > len(shown),
            }
        )

    async def _delete(self, request: Request) -> Response:
        record = self._clip(request)
        await asyncio.to_thread(self._jobs.delete, record.id)
        return JSONResponse({"id": record.id, "object": "video.deleted", "deleted": True})

    async def _cancel(self, request: Request) -> Response:
        """Stop a job and never delete one: what ended meanwhile is kept, and refused with 409."""
        record = await asyncio.to_thread(self._jobs.cancel, self._clip(request).id)
        return JSONResponse(self._video(record))

    async def _content(self, request: Request) -> Response:
        record = self._jobs.find(request.path_params["id"])
        variant = request.query_params.get("variant", "0")
        number = 0 if variant == "video" else int(variant) if variant.isascii() and variant.isdigit() else -1
        if record.status != "completed":
            raise RefusalError(404, "not_ready", f"there is no file: the job is {record.status}")
        if not 0 <= number < len(record.outputs):
            raise RefusalError(404, "not_found", f"variant: 0 to {len(record.outputs) - 1}", param="variant")
        output = record.outputs[number]
        path = self._jobs.directory(record.id) / output["name"]
        return FileResponse(path, media_type=output["mime_type"], filename=f"{record.id}-{output['name']}")

    def _clip(self, request: Request) -> Record:
        record = self._jobs.find(request.path_params["id"])
        if record.order.kind != "video":
            raise RefusalError(404, "not_found", "no such clip here")
        return record

    def _video(self, record: Record) -> dict[str, Any]:
        position = self._jobs.position(record.id)
        return views.video(record, model=self._model, position=position, ttl_s=self._ttl_s)


def _response_format(fields: dict[str, Any]) -> str:
    """How pictures are answered; taken out of the fields, as it says nothing of what is made."""
    wanted = fields.pop("response_format", None) or "b64_json"
    if wanted not in ("b64_json", "url"):
        raise invalid("response_format", "b64_json or url")
    return str(wanted)


async def _gone(request: Request) -> None:
    """Until the caller has hung up; the body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _refused(refusal: RefusalError) -> Response:
    headers = {"retry-after": str(refusal.retry_after_s)} if refusal.retry_after_s is not None else None
    return JSONResponse(refusal.as_json(), refusal.status, headers)


async def _http_error(_request: Request, problem: Exception) -> Response:
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    return _refused(RefusalError(status, "not_found", "no such address or method"))


async def _defect(_request: Request, _problem: Exception) -> Response:
    """The traceback is in the server's log; nothing of it goes out."""
    return _refused(RefusalError(500, "internal_error", "a defect in the server; its log has more"))
