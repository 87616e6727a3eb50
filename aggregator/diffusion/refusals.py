"""What is answered instead of being made: OpenAI's error envelope, and how a job ends before its time."""

from typing import Final

TYPES: Final = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_exceeded", 503: "unavailable"}


class RefusalError(Exception):
    """A request that is not served. Everything in it goes to the caller as it is."""

    def __init__(
        self, status: int, code: str, message: str, *, param: str | None = None, retry_after_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s

    def as_json(self) -> dict[str, object]:
        kind = TYPES.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")  # noqa: PLR2004
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


def invalid(field: str, allowed: str) -> RefusalError:
    """A field with a value outside what is allowed."""
    return RefusalError(400, "invalid_value", f"{field}: {allowed}", param=field)


class CanceledError(Exception):
    """Raised out of a pipeline between two steps when its job is canceled."""


class AbandonedError(Exception):
    """Raised out of a pipeline when the server stops; the job is taken up again by the next one."""
