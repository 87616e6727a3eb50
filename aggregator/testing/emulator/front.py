"""What becomes of a request: which desk it is for, what is recorded of it, and how its answer is sent or lost."""

import asyncio
import traceback
from collections import deque
from collections.abc import Callable
from fnmatch import fnmatchcase
from urllib.parse import parse_qsl, unquote

from aggregator.clock import Clock
from aggregator.errors import ConfigurationError
from aggregator.testing.emulator.answers import Answer, DroppedError, RefusedError
from aggregator.testing.emulator.call import Call
from aggregator.testing.emulator.desk import Desk, Pace
from aggregator.testing.emulator.desks import Desks
from aggregator.testing.emulator.fates import BEFORE
from aggregator.testing.emulator.mischief import LOST, spoiled
from aggregator.testing.emulator.recorder import Recorded
from aggregator.testing.emulator.wire import Heard, Reply

__all__ = ["Disturbance", "Front"]

Disturbance = tuple[str, str, str | Answer]
"""A provider, a pattern of `METHOD /path`, and what goes wrong there."""


class Front:
    """Answers every request of one emulator."""

    def __init__(
        self,
        desks: Desks,
        clock: Clock,
        pace: Pace,
        *,
        control: Callable[[Heard], Answer],
        heard: Callable[[Recorded], None],
    ) -> None:
        self._desks = desks
        self._clock = clock
        self._pace = pace
        self._control = control
        self._heard = heard
        self.requests: list[Recorded] = []
        self.downloads: list[Recorded] = []
        self.errors: list[str] = []
        """Defects of services: what their handlers raised."""
        self.disturbances: deque[Disturbance] = deque()

    async def answer(self, heard: Heard) -> Reply:
        """Answer one request."""
        path, _, query = heard.target.partition("?")
        first, _, rest = path.lstrip("/").partition("/")
        if first == "_emulator":
            return self._sent(self._control(heard))
        one = Recorded(
            "" if first == "files" else first,
            heard.method,
            path if first == "files" else f"/{rest}",
            dict(parse_qsl(query, keep_blank_values=True)),
            heard.headers,
            heard.body,
            at=self._clock.time(),
            raw_query=query,
            key_sent=any(desk.key in text for desk in self._desks.opened for text in (*heard.headers.values(), query)),
        )
        (self.downloads if first == "files" else self.requests).append(one)
        try:
            reply = await self._file(one) if first == "files" else await self._of_desk(one)
        except Exception as error:  # noqa: BLE001  a defect of a service must not look like one of the client
            self.errors.append("".join(traceback.format_exception(error)))
            reply = self._sent(Answer(500, {"error": f"the emulator is defective here: {error!r}"}))
        one.status = 0 if reply.cut in ("drop", "hang") else reply.status
        self._heard(one)
        return reply

    async def _file(self, one: Recorded) -> Reply:
        """A file; what is to go wrong with it is scripted for `GET /files/*`."""
        scripted = next((item for item in self.disturbances if "/files/" in item[1] and _matches(item, one)), None)
        if scripted is not None:
            self.disturbances.remove(scripted)
            return await self._disturbed(self._desks[scripted[0]], one, scripted[2])
        return await self._kept(one)

    async def _kept(self, one: Recorded) -> Reply:
        kept = self._desks.files.fetch(unquote(one.path.removeprefix("/files/")))
        if kept is None or kept.status != 200:  # noqa: PLR2004
            return Reply(404 if kept is None else kept.status, {"content-type": "text/plain"}, b"no such file")
        return Reply(200, {"content-type": kept.mime}, await asyncio.to_thread(kept.content))

    async def _of_desk(self, one: Recorded) -> Reply:
        try:
            desk = self._desks[one.provider]
        except ConfigurationError as error:
            return self._sent(Answer(404, {"error": str(error)}))
        for item in tuple(self.disturbances):
            if item[0] == one.provider and _matches(item, one):
                self.disturbances.remove(item)
                return await self._disturbed(desk, one, item[2])
        return await self._served(desk, one)

    async def _disturbed(self, desk: Desk, one: Recorded, fault: str | Answer) -> Reply:
        """What a scripted disturbance makes of a request: the handler is not asked, or its answer is lost."""
        if isinstance(fault, Answer):
            return self._sent(fault)
        if fault in BEFORE:
            return Reply(cut="drop" if fault == "drop_before" else "hang")
        if fault.partition(":")[0] not in LOST:
            return self._sent(desk.fault(fault))
        return await spoiled(fault, await self._served(desk, one), desk)

    async def _served(self, desk: Desk, one: Recorded) -> Reply:
        if not one.provider:
            return await self._kept(one)
        found = desk.service.find(one.method, one.path)
        call = Call(one.method, one.path, {}, one.query, one.headers, one.body, desk)
        headers: dict[str, str] = {}
        try:
            public = found is not None and found[0].public
            headers = desk.admit(call, public=public)
            if found is None:
                answer = desk.fault("not_found", f"{one.method} {one.path}")
            else:
                one.route, call.path = found[0].pattern, found[1]
                answer = found[0].handler(call)
        except RefusedError as refused:
            answer = refused.answer
        except DroppedError as dropped:
            return Reply(cut="drop" if str(dropped) == "drop_before" else "hang")
        one.job_id = call.job_taken.id if call.job_taken is not None else ""
        if desk.service.headers is not None:
            headers |= desk.service.headers(call)
        return await self._aftermath(desk, call, Answer(answer.status, answer.body, {**headers, **answer.headers}))

    async def _aftermath(self, desk: Desk, call: Call, answer: Answer) -> Reply:
        """What becomes of the answer after the job was taken."""
        if call.aftermath == "slow" and call.job_taken is not None and call.job_taken.is_over:
            await self._clock.sleep(2 * self._pace.slow_s)  # an answer that is the result comes late itself
        reply = self._sent(answer)
        lost = call.aftermath.partition(":")[0] in LOST
        return await spoiled(call.aftermath, reply, desk, call.job_taken) if lost else reply

    def _sent(self, answer: Answer) -> Reply:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        headers.setdefault("content-type", answer.mime_type)
        return Reply(answer.status, headers, answer.content(self._clock.sleep))


def _matches(item: Disturbance, one: Recorded) -> bool:
    return fnmatchcase(f"{one.method} {one.path}", item[1])
