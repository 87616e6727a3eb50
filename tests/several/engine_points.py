"""Numbers what DBOS makes durable, for `tests.faults.points`: each start, look, sleep and end of a run."""

from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

from tests.faults.points import At

__all__ = ["ENGINE", "plant_in_engine"]

ENGINE = "of the engine"
"""How the names of these points end."""
WRITES = ("INSERT", "UPDATE", "DELETE", "WITH")


def plant_in_engine(at: At) -> None:
    """Our own stores commit otherwise, so that every commit that sqlalchemy is asked for is the engine's."""
    commit = DefaultDialect.do_commit
    writing: set[int] = set()
    """Connections."""

    def noting(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.split(maxsplit=1)[0].upper() in WRITES:
            writing.add(id(connection.connection.dbapi_connection))

    def passing(self: Any, connection: Any) -> None:
        if id(connection.dbapi_connection) not in writing:
            commit(self, connection)
            return
        writing.discard(id(connection.dbapi_connection))
        at(f"before a commit {ENGINE}")
        commit(self, connection)
        at(f"after a commit {ENGINE}")

    event.listen(Engine, "before_cursor_execute", noting)
    DefaultDialect.do_commit = passing  # type: ignore[method-assign]
