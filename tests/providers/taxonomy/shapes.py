"""The ways in which a provider is ordered from, and how each row of the taxonomy has to end there."""

from dataclasses import dataclass, replace
from typing import Any

from aggregator import _wire
from aggregator._wire import WORKED
from aggregator.contract import Call, Provider
from aggregator.registry.cards import Offer
from aggregator.tasks import Request
from tests.providers.taxonomy.rows import Ends, Row

EMBEDDED = "local"
MOVES = "then another address"
NO_SUCH_WAY = 404


@dataclass(frozen=True)
class Shape:
    """One way in which a provider is ordered from: a request that goes this way, and where."""

    name: str
    offer: Offer
    request: Request
    table: Provider
    """In the dialect of the offer."""

    @property
    def submit(self) -> Call | None:
        call = self.offer.mapping.submit or self.table.submit
        return call if isinstance(call, Call) else None

    @property
    def is_found(self) -> bool:
        """Whether a job that was taken is found although its answer never came."""
        return self.table.lookup is not None and self.table.poll is not None

    @property
    def is_absent_for_sure(self) -> bool:
        """Whether a look proves that a job was not taken: then it is ordered once more, at the same offer."""
        lookup = self.table.lookup
        return lookup is not None and lookup.complete_after_s is not None and lookup.kept_s is not None


def expected(shape: Shape, row: Row) -> Ends:
    """How a row ends for this table: what nobody knows is found out about as the table declares, or stays open."""
    fault, table = row.fault, shape.table
    if row.kind == "cancel" and fault.status == NO_SUCH_WAY and not isinstance(table.cancel, Call):
        return replace(row.ends, answered=("True", "False"))  # there is another way to ask for it
    if not row.ends.ambiguous:
        return row.ends
    if fault.status in table.never_accepted:
        return Ends(posts=2)  # it was certainly not taken: asked again
    if table.believes_body and table.poll is None and _wire.code_of(table, {"@status": str(fault.status)})[1] in WORKED:
        return Ends(state=("failed",), money="released", other=True)
    at_once = table.poll is None and fault.spoiled == "no_id"  # the answer is the result, and has no file
    if table.idempotency == "replay" and not at_once:
        return Ends(posts=2)
    if fault.taken and shape.is_found:
        return Ends()
    if not fault.taken and shape.is_absent_for_sure:
        return Ends(posts=2)
    states = ("unknown", "submitted") if shape.table.poll is None else ("unknown",)
    return Ends(state=states, money="held")


def way(shape: Shape, row: Row) -> Any:
    """The exchange of a row at a shape, as the table has it: each is tried once. Nothing: it has none."""
    table, files = shape.table, shape.offer.mapping.files
    by_status = table.status is not None and table.status.path == "@status"
    ways = {
        "submit": shape.name if row.everywhere else table.name,
        "poll": table.poll,
        "cancel": table.poll and table.cancel,
        "lookup": shape.is_found and table.idempotency == "none" and table.lookup and table.lookup.call,
        "job": table.name != EMBEDDED and table.poll,
        "download": files and files.form == "url" and f"at {files.url}",
        "upload": table.upload or shape.submit is None,
    }
    if row.fault.taken and row.fault.status in table.never_accepted:
        return None  # the table says that this does not happen
    if by_status and row.fault.spoiled == "odd_word":
        return None  # its state is no word
    if row.name.endswith(MOVES) and (table.poll is None or (files and files.url)):
        return None  # it is always at the same address
    return ways[row.kind]
