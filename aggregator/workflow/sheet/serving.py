"""The contact sheet on loopback: the page, its files, and picks that are written back.

Owns: who may ask. One token, made for this server, opens it; a cookie keeps it open. Requests that name another host
(DNS rebinding) or come from another page are refused, whatever they bear.
"""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from aggregator.errors import AggregatorError
from aggregator.identity import digest
from aggregator.secret import Secret
from aggregator.workflow.sheet.data import File, Sheet
from aggregator.workflow.sheet.gathering import read_sheet, version_of
from aggregator.workflow.sheet.page import Live, csp, page, shown
from aggregator.workflow.sheet.posters import Poster, posters_of
from aggregator.workflow.sheet.rows import STATES

if TYPE_CHECKING:
    from aggregator.project import Project

__all__ = ["SheetApp"]

MAX_BODY_BYTES: Final = 4_096
LOOK_S: Final = 1.0
"""How often the store is looked at while a page waits for news: others pick and run too."""
WAIT_S: Final = 20.0
"""How long a page is kept waiting for news."""
HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": f"{csp(is_live=True)}; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
Serve = Callable[[Request], Awaitable[Response]]


class _RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class SheetApp:
    """The application for one run. `asgi` is to be served on a loopback address, at `port`."""

    def __init__(self, project: "Project", run: str, *, token: Secret, port: int) -> None:
        self._project, self._run, self._token = project, run, token
        self._hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost"))
        self._cookie = f"sheet-{port}"
        self._posters: dict[str, Poster | None] = {}
        self._files: dict[str, File] = {}
        self._news = asyncio.Event()
        """Set and exchanged with each pick that is written here."""
        self.asgi = Starlette(
            routes=[
                Route("/", self._asked(self._page), methods=["GET"]),
                Route("/media/{sha256}", self._asked(self._media), methods=["GET"]),
                Route("/state", self._asked(self._state), methods=["GET"]),
                Route("/picks", self._asked(self._pick), methods=["POST"]),
            ],
            exception_handlers={HTTPException: _http_error},
        )

    # --------------------------------------------------------------------------------------------------- who may ask

    def _asked(self, serve: Serve) -> Serve:
        """An endpoint that lets in whom it knows, and turns refusals into their answers."""

        async def endpoint(request: Request) -> Response:
            try:
                self._check_host(request)
                answer = self._entered(request)
                if answer is None:
                    self._check_caller(request)
                    answer = await serve(request)
            except _RefusedError as refusal:
                answer = _error(refusal.status, str(refusal))
            except AggregatorError as error:
                answer = _error(HTTPStatus.CONFLICT, str(error))
            except ClientDisconnect:
                answer = _error(HTTPStatus.BAD_REQUEST, "the body ended early")
            for name, value in HEADERS.items():
                answer.headers.setdefault(name, value)
            return answer

        return endpoint

    def _check_host(self, request: Request) -> None:
        """Another name for this address is somebody's who wants a browser to take his page for this one."""
        if request.headers.get("host") not in self._hosts:
            raise _RefusedError(HTTPStatus.FORBIDDEN, "this server answers to its loopback address only")

    def _entered(self, request: Request) -> Response | None:
        """Who brings the token gets the cookie, and an address without it; `None`: none was brought."""
        given = request.query_params.get("token")
        if given is None or request.url.path != "/":
            return None
        if not self._is_right(given):
            raise _RefusedError(HTTPStatus.FORBIDDEN, "the token is wrong: open the address that the command printed")
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        answer.set_cookie(self._cookie, self._token.reveal(), path="/", httponly=True, samesite="strict")
        return answer

    def _check_caller(self, request: Request) -> None:
        if not self._is_right(request.cookies.get(self._cookie, "")):
            raise _RefusedError(HTTPStatus.FORBIDDEN, "open the address that the command printed: it holds a token")
        origin = request.headers.get("origin")
        is_foreign = origin is not None and urlsplit(origin).netloc != request.headers["host"]
        if is_foreign or request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            raise _RefusedError(HTTPStatus.FORBIDDEN, "pages of other sites may not ask here")
        if request.method == "POST" and (origin is None or not _is_json(request)):
            raise _RefusedError(HTTPStatus.FORBIDDEN, "a pick comes from the page itself, as JSON")

    def _is_right(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self._token.reveal().encode())

    # ------------------------------------------------------------------------------------------------- what is asked

    async def _page(self, _request: Request) -> Response:
        version = await self._version()  # before the rest, so that nothing is missed
        sheet = await self._read()
        self._posters |= await posters_of([file for file in shown(sheet) if file.sha256 not in self._posters])
        live = Live({name: f"/media/{name}" for name in self._files}, version=version, shape=_shape(sheet))
        return HTMLResponse(await asyncio.to_thread(page, sheet, self._posters, live=live))

    async def _media(self, request: Request) -> Response:
        file = self._files.get(request.path_params["sha256"])
        if file is None or file.path is None or not file.path.is_file():
            raise _RefusedError(HTTPStatus.NOT_FOUND, "no such file is on this sheet")
        return FileResponse(file.path, media_type=file.mime_type, headers={"cache-control": "private, max-age=3600"})

    async def _state(self, request: Request) -> Response:
        """What is picked now, as soon as anything is other than what the page has seen."""
        seen, clock = request.query_params.get("seen"), self._project.opened.clock
        until_s = clock.monotonic() + WAIT_S
        while True:
            news = self._news
            version = await self._version()
            if version != seen or clock.monotonic() >= until_s:
                return JSONResponse(_told(await self._read(), version))
            looking, told = asyncio.ensure_future(clock.sleep(LOOK_S)), asyncio.ensure_future(news.wait())
            try:
                await asyncio.wait((looking, told), return_when=asyncio.FIRST_COMPLETED)
            finally:
                looking.cancel()
                told.cancel()

    async def _pick(self, request: Request) -> Response:
        step, take = await _chosen(request)
        sheet = await self._read()
        of = sheet.step(step)
        if of is None:
            raise _RefusedError(HTTPStatus.NOT_FOUND, f"run {self._run} has no step {step!r}")
        chosen = of.take(take)
        if chosen is None or chosen.file is None:
            there = ", ".join(str(one.number) for one in of.takes if one.file is not None) or "none yet"
            why = f": {chosen.problem}" if chosen is not None and chosen.problem else ""
            raise _RefusedError(HTTPStatus.NOT_FOUND, f"step {step!r} has no take {take}{why}; it has {there}")
        if not of.can_pick:
            raise _RefusedError(HTTPStatus.CONFLICT, f"there is nothing to choose of step {step!r}")
        await self._project.pick_take(self._run, step, take)
        told, self._news = self._news, asyncio.Event()
        told.set()
        version = await self._version()
        return JSONResponse(_told(await self._read(), version))

    async def _version(self) -> str:
        return await version_of(self._project, self._run)

    async def _read(self) -> Sheet:
        sheet = await read_sheet(self._project, self._run)
        self._files = {file.sha256: file for file in shown(sheet)}
        return sheet


# ------------------------------------------------------------------------------------------------------------- answers


def _told(sheet: Sheet, version: str) -> dict[str, Any]:
    """What a page that is open needs to know."""
    steps = {
        step.name: {"picked": step.picked, "chip": {"state": step.state, "text": STATES[step.state]}}
        for step in sheet.steps
    }
    waits = f"waits for a pick: {', '.join(sheet.waiting)}" if sheet.waiting else sheet.state
    return {"version": version, "shape": _shape(sheet), "state": waits, "steps": steps}


def _shape(sheet: Sheet) -> str:
    """What a page has to be drawn anew for."""
    takes = [
        [step.name, take.number, take.problem, [f.sha256 for f in take.files]]
        for step in sheet.steps
        for take in step.takes
    ]
    return digest([takes, [step.name for step in sheet.steps]])


async def _chosen(request: Request) -> tuple[str, int]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a pick is at most {MAX_BODY_BYTES} bytes")
    try:
        asked = json.loads(body)
        step, take = asked["step"], asked["take"]
    except (ValueError, KeyError, TypeError):
        step, take = None, None
    if not isinstance(step, str) or not isinstance(take, int) or isinstance(take, bool):
        raise _RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, 'a pick is {"step": "still", "take": 2}')
    return step, take


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status_code=status)


async def _http_error(_request: Request, problem: Exception) -> Response:
    status = problem.status_code if isinstance(problem, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    return _error(status, "no such address or method")
