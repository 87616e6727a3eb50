"""A store in memory that outlives its clients, and a connection that runs SQLAlchemy's statements on bare `sqlite3`.

Most of a simulated schedule's time would go to putting statements together and results apart. Here each statement is
compiled once, by SQLAlchemy; then its text goes straight to the driver. `test_equivalence` holds both to the same
history. Only what the journal and the ledger use of a connection is here.
"""

import json
import sqlite3
import tempfile
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import exc
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.sql.compiler import SQLCompiler

from aggregator.store import migrations
from aggregator.store.schema import Json
from aggregator.store.sqlite import SQLite

__all__ = ["QuickConnection", "QuickDatabase", "forget", "unchanged"]

DIALECT = sqlite_dialect(paramstyle="qmark")
MAX_DECODED = MAX_KNOWN = 4096


class Result:
    """All rows of an answer, read at once."""

    __slots__ = ("rowcount", "rows")

    def __init__(self, rows: list[Any], rowcount: int) -> None:
        self.rows, self.rowcount = rows, rowcount

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    def close(self) -> None:
        """All rows are here already."""

    def all(self) -> list[Any]:
        return self.rows

    def first(self) -> Any:
        return self.rows[0] if self.rows else None

    def one_or_none(self) -> Any:
        if len(self.rows) > 1:
            raise exc.MultipleResultsFound("Multiple rows were found when one or none was required")
        return self.first()

    def one(self) -> Any:
        if not self.rows:
            raise exc.NoResultFound("No row was found when one was required")
        return self.one_or_none()

    def scalar(self) -> Any:
        return self.rows[0][0] if self.rows else None

    def scalar_one(self) -> Any:
        return self.one()[0]

    def scalars(self) -> list[Any]:
        return [row[0] for row in self.rows]


@cache
def _row(names: tuple[str, ...]) -> Any:
    """A class of rows: a tuple whose places have names, as SQLAlchemy's rows have."""
    base = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # noqa: PYI024
    return type("Row", (base,), {"__slots__": (), "_mapping": property(lambda row: row._asdict())})


Places = list[tuple[str, Callable[[Any], Any] | None]]
"""The names of a statement's parameters in their order, each with how its value is written."""


class Statement:
    """A compiled statement: its text, where its parameters go and how its values are read."""

    def __init__(self, compiled: SQLCompiler) -> None:
        self.compiled = compiled
        self.text = str(compiled)
        assert not compiled.literal_execute_params
        self.lists = sorted(compiled.bind_names[bound] for bound in compiled.post_compile_params)
        self._sizes: dict[tuple[int, ...], tuple[str, Places]] = {}
        names = compiled.positiontup or ()
        self.places = self._bound(names)
        as_they_are = all(bind is None for _, bind in self.places)
        self._values = itemgetter(*names) if as_they_are and len(names) > 1 else None
        columns = compiled._result_columns
        self.make = _row(tuple(column.keyname for column in columns))._make if columns else None
        self.reads = [(at, read) for at, column in enumerate(columns) if (read := _reader(column.type)) is not None]

    def ready(self, values: dict[str, Any]) -> tuple[str, Sequence[Any]]:
        """The text and the values in their order."""
        if self._values is not None and not self.lists:
            return self.text, self._values(values)
        if self.lists:
            text, places = self._expanded(values)
            return text, [values[name] if bind is None else bind(values[name]) for name, bind in places]
        return self.text, [values[name] if bind is None else bind(values[name]) for name, bind in self.places]

    def _bound(self, names: Iterable[str]) -> Places:
        return [(name, self.compiled._bind_processors.get(name)) for name in names]

    def _expanded(self, values: dict[str, Any]) -> tuple[str, Places]:
        """The text with as many places as the lists have items, which `values` is given by their names."""
        for name in self.lists:
            values.update({f"{name}_{n}": item for n, item in enumerate(values[name], 1)})
        sizes = tuple(len(values[name]) for name in self.lists)
        if sizes not in self._sizes:
            made = self.compiled._process_parameters_for_postcompile(values)
            assert set(made.additional_parameters) <= set(values)
            self._sizes[sizes] = (made.statement, self._bound(made.positiontup or ()))
        return self._sizes[sizes]


_decoded: dict[str, Any] = {}


def _decode(text: str | None) -> Any:
    """JSON as Python, the same text only once: nothing may change what it reads from a row."""
    if text is None:
        return None
    value = _decoded.get(text)
    if value is None:
        if len(_decoded) >= MAX_DECODED:
            _decoded.clear()
        value = _decoded[text] = json.loads(text)
    return value


def forget() -> None:
    """Read everything anew."""
    _decoded.clear()


def unchanged() -> bool:
    """Whether what was read is still what is written."""
    return all(json.dumps(value, sort_keys=True, separators=(",", ":")) == text for text, value in _decoded.items())


def _reader(type_: Any) -> Callable[[Any], Any] | None:
    return _decode if isinstance(type_, Json) else type_._cached_result_processor(DIALECT, None)


_known: dict[tuple[Any, tuple[str, ...]], tuple[Statement, dict[str, Any]]] = {}
"""By the statement itself and the names it is given, with the values it holds: those that modules keep are looked at
once for ever.
"""
_shapes: dict[Any, Statement] = {}
"""By the form of a statement, for those that are put together each time."""


def _compiled(statement: Any, names: tuple[str, ...]) -> tuple[Statement, dict[str, Any]]:
    key = statement._generate_cache_key()
    shape = None if key is None else (key.key, names)
    made = _shapes.get(shape)
    if made is None:
        made = Statement(statement._compiler(DIALECT, cache_key=key, column_keys=sorted(names) or None))
        if shape is not None:
            _shapes[shape] = made
    extracted = key.bindparams if key else None
    return made, made.compiled.construct_params({}, extracted_parameters=extracted, _check=False)


class QuickConnection:
    """What the journal and the ledger need of `sqlalchemy.Connection`."""

    dialect = DIALECT

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database

    def execute(self, statement: Any, parameters: Any = None) -> Result:
        """Run a statement; a list of parameters runs it once for each."""
        if isinstance(parameters, list):
            return [self.execute(statement, one) for one in parameters][-1]
        given = parameters or {}
        names = tuple(given)
        known = _known.get((statement, names))
        if known is None:
            if len(_known) >= MAX_KNOWN:
                _known.clear()
            known = _known[statement, names] = _compiled(statement, names)
        compiled, fixed = known
        return self._run(compiled, *compiled.ready({**fixed, **given} if fixed else given))

    def _run(self, compiled: Statement, text: str, values: Sequence[Any]) -> Result:
        try:
            cursor = self.database.execute(text, values)
        except sqlite3.IntegrityError as error:
            raise exc.IntegrityError(text, values, error) from None
        except sqlite3.OperationalError as error:
            raise exc.OperationalError(text, values, error) from None
        if compiled.make is None:
            return Result([], cursor.rowcount)
        rows = cursor.fetchall()
        if rows and compiled.reads:
            rows = [self._read(compiled, list(row)) for row in rows]
        return Result(list(map(compiled.make, rows)), cursor.rowcount)

    @staticmethod
    def _read(compiled: Statement, row: list[Any]) -> list[Any]:
        for at, read in compiled.reads:
            row[at] = read(row[at])
        return row

    def exec_driver_sql(self, text: str, parameters: tuple[Any, ...] = ()) -> Result:
        cursor = self.database.execute(text, parameters)
        return Result(cursor.fetchall(), cursor.rowcount)


_free: list[sqlite3.Connection] = []
"""Empty databases: their statements are prepared, which takes longer than running them."""


class QuickDatabase:
    """`aggregator.store.database.Database` in memory: it stays when a store is closed, until `end`.

    All of a schedule is one transaction that is undone at the end, and what the store calls a transaction is a part of
    it.
    """

    name = ":memory:"
    is_shared = False

    def __init__(self) -> None:
        self.raw = _free.pop() if _free else _made()
        self.raw.execute("BEGIN")
        self._connection = QuickConnection(self.raw)
        self.in_transaction = False

    def begin(self, *, write: bool) -> Any:
        if write:  # to read, nothing has to be begun: nobody else writes
            self.raw.execute("SAVEPOINT part")
            self.in_transaction = True
        return self._connection

    def commit(self) -> None:
        if self.in_transaction:
            self.raw.execute("RELEASE part")
            self.in_transaction = False

    def rollback(self) -> None:
        if self.in_transaction:
            self.raw.execute("ROLLBACK TO part")
            self.commit()

    def close(self) -> None:
        """What is in memory stays there."""

    def end(self) -> None:
        """Forget everything."""
        self.raw.execute("ROLLBACK")
        _free.append(self.raw)


def _made() -> sqlite3.Connection:
    raw = sqlite3.connect(":memory:", isolation_level=None, cached_statements=500)
    raw.deserialize(_template())
    raw.execute("PRAGMA foreign_keys=ON")
    return raw


@cache
def _template() -> bytes:
    """An empty store, as the product itself makes it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "store.sqlite"
        made = SQLite(path)
        migrations.bring_up_to_date(made.begin(write=True))
        made.commit()
        made.close()
        database = sqlite3.connect(path)
        database.execute("PRAGMA journal_mode=DELETE")
        raw = database.serialize()
        database.close()
    return raw
