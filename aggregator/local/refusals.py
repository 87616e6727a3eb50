"""What this backend answers instead of doing it: the error codes of the wire, each with its HTTP status.

Owns: the one exception every part raises towards the wire.
Refuses: to put anything of a prompt into a message.
"""


class RefusalError(Exception):
    """A request that is not served. `code` and `message` go to the caller as they are."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def invalid(field: str, allowed: str) -> RefusalError:
    """A field with a value outside what is allowed."""
    return RefusalError(422, "invalid_input", f"{field}: {allowed}")


class RenderError(Exception):
    """A job that was accepted and cannot be finished; the message goes into the job's error."""


class CanceledError(Exception):
    """Raised out of a render between two frames when its job is canceled."""


class AbandonedError(Exception):
    """Raised out of a render when the app closes; the job stays unfinished and is taken up by the next one."""
