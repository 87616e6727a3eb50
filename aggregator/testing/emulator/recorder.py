"""What was asked of the emulator, as it arrived."""

import json
from dataclasses import dataclass, field
from typing import Any

from aggregator.testing.emulator.forms import FormPart, read_form

__all__ = ["Recorded"]


@dataclass(slots=True, eq=False)
class Recorded:
    """One request. Header names are in lower case; the path is the part below the provider's prefix, as it was sent."""

    provider: str
    """Empty for a file, which belongs to no prefix."""
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    at: float = 0.0
    raw_query: str = ""
    route: str = ""
    """The pattern that answered; empty: none did."""
    status: int = 0
    """What was answered; 0: nothing was."""
    job_id: str = ""
    """The job that this request bought."""
    key_sent: bool = False
    """Whether it carries a provider's key, in a header or in its address."""

    @property
    def json(self) -> Any:
        """The body, read as JSON; `None` without one."""
        return json.loads(self.body) if self.body else None

    @property
    def form(self) -> dict[str, list[FormPart]]:
        """The body, read as a form."""
        return read_form(self.headers.get("content-type", ""), self.body)
