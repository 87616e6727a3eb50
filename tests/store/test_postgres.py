"""PostgreSQL: what is lost with a connection and what is not, who waits for whom, and what nobody gets to see."""

import asyncio
import pickle
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, insert, make_url, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from aggregator import Aggregator
from aggregator.config import Config
from aggregator.errors import ConfigurationError, StoreError
from aggregator.secret import Secret
from aggregator.store import postgres
from aggregator.store.database import Store
from aggregator.store.postgres import PostgreSQL
from aggregator.store.schema import meta
from tests.ledger.books import Books

PASSWORD = "correct-horse-battery"
NOWHERE = "postgresql+psycopg://user@127.0.0.1:1/nothing"


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    store = Store(Secret(postgres_url), inline=True)
    yield store
    store.close()


@pytest.fixture
def cut(postgres_url: str) -> Iterator[Callable[[], None]]:
    """Ends every connection of a store, as a restart or a firewall does."""
    address = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as admin:
        ours = (
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = 'aggregator' AND datname = current_database()"
        )
        yield lambda: admin.execute(ours).close()


def put(c: Any, key: str = "k") -> None:
    c.execute(insert(meta).values(key=key, value="x"))


def keys(store: Store) -> set[str]:
    return store.now(lambda c: set(c.execute(select(meta.c.key)).scalars()), write=False)


# --------------------------------------------------------------------------------------------------- lost connections


@pytest.mark.parametrize("write", [True, False])
def test_a_connection_lost_between_transactions_is_made_anew(store: Store, cut: Any, write: bool) -> None:
    store.now(put)
    cut()
    assert store.now(lambda c: set(c.execute(select(meta.c.key)).scalars()), write=write) == {"schema_version", "k"}


def test_a_connection_lost_before_the_commit_wrote_nothing_and_says_so(store: Store, cut: Any) -> None:
    def lost(c: Any) -> None:
        put(c)
        cut()
        put(c, "more")

    with pytest.raises(StoreError) as caught:
        store.now(lost)
    assert caught.value.written is False
    assert keys(store) == {"schema_version"}


def test_a_commit_that_the_server_never_saw_is_known_not_to_have_been(store: Store, cut: Any) -> None:
    def lost(c: Any) -> None:
        put(c)
        cut()

    with pytest.raises(StoreError, match="nothing of this transaction was written") as caught:
        store.now(lost)
    assert caught.value.written is False
    assert keys(store) == {"schema_version"}


def answer_lost(monkeypatch: pytest.MonkeyPatch, cut: Any) -> None:
    """The next commit takes place, and its answer does not arrive."""
    ask = PostgreSQL._ask

    def deaf(self: PostgreSQL, statements: str) -> Any:
        found = ask(self, statements)
        if statements == "COMMIT":
            monkeypatch.setattr(PostgreSQL, "_ask", ask)
            cut()
            ask(self, "SELECT 1")
        return found

    monkeypatch.setattr(PostgreSQL, "_ask", deaf)


def test_a_commit_whose_answer_was_lost_is_found_to_have_been(
    store: Store, cut: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_lost(monkeypatch, cut)
    assert store.now(lambda c: (put(c), "done")[1]) == "done"
    assert keys(store) == {"schema_version", "k"}


def test_a_commit_that_nobody_can_tell_of_is_not_taken_for_one_that_failed(
    store: Store, cut: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_lost(monkeypatch, cut)
    monkeypatch.setattr(PostgreSQL, "_status", lambda *_: None)
    with pytest.raises(StoreError, match="not known") as caught:
        store.now(put)
    assert caught.value.written is None
    assert pickle.loads(pickle.dumps(caught.value)).written is None
    assert keys(store) == {"schema_version", "k"}


@pytest.mark.parametrize("verb", ["reserve", "settle", "release"])
def test_money_whose_commit_nobody_can_tell_of_is_moved_once_when_it_is_moved_again(
    store: Store, cut: Any, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    books = Books(store)
    books.open("film", 500)
    of = books.attempt("film")
    if verb != "reserve":
        books.reserve("film", 100, of)
    move = {
        "reserve": lambda: books.reserve("film", 100, of),
        "settle": lambda: books.settle(of, 80),
        "release": lambda: books.release(of),
    }[verb]
    with monkeypatch.context() as patch:
        answer_lost(patch, cut)
        patch.setattr(PostgreSQL, "_status", lambda *_: None)
        with pytest.raises(StoreError, match="not known"):
            move()
    once = books.of("film"), books.transfers()
    move()
    assert (books.of("film"), books.transfers()) == once
    assert once[0] == {"reserve": (100, 0, 0), "settle": (0, 80, 0), "release": (0, 0, 0)}[verb]
    books.verify()


def test_a_server_that_was_started_again_is_not_asked_about_older_transactions(store: Store) -> None:
    store.now(put)
    transaction, since = store.database._written
    assert store.database._status(transaction, since) == "committed"
    assert store.database._status(transaction, "2001-01-01 00:00:00+00") is None


def test_a_server_that_is_gone_is_a_store_error(store: Store, cut: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cut()
    monkeypatch.setattr(store.database, "_engine", create_engine(NOWHERE))
    with pytest.raises(StoreError, match=r"refused.*nothing of this transaction was written") as caught:
        store.now(put)
    assert caught.value.written is False


async def test_a_group_that_was_lost_tells_everyone_in_it(postgres_url: str, cut: Any) -> None:
    store = Store(Secret(postgres_url))

    def work(n: int) -> Callable[[Any], None]:
        return lambda c: (cut() if n == 3 else None, put(c, f"k{n}"))[1]

    ends = await asyncio.gather(*(store.transact(work(n)) for n in range(6)), return_exceptions=True)
    written = await store.read(lambda c: set(c.execute(select(meta.c.key)).scalars()))
    assert {f"k{n}" for n, end in enumerate(ends) if not isinstance(end, StoreError)} == written - {"schema_version"}
    assert isinstance(ends[3], StoreError)
    store.close()


# -------------------------------------------------------------------------------------------------------------- waiting


def test_a_writer_that_waits_too_long_for_another_gives_up(
    store: Store, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Store(Secret(postgres_url), inline=True)
    monkeypatch.setattr(postgres, "BEGIN_WRITE", postgres.BEGIN_WRITE.replace("'30s'", "'20ms'"))

    def meanwhile(_c: Any) -> None:
        with pytest.raises(StoreError, match="lock timeout"):
            other.now(put)
        assert keys(other) == {"schema_version"}  # a reader waits for nobody
        Store(Secret(postgres_url)).close()

    store.now(meanwhile)
    other.now(put)
    other.close()


def test_a_statement_that_failed_and_was_passed_over_does_not_look_like_a_commit(store: Store) -> None:
    def passes_over(c: Any) -> None:
        put(c)
        with pytest.raises(IntegrityError):
            put(c)

    with pytest.raises(StoreError, match="a statement failed before"):
        store.now(passes_over)
    assert keys(store) == {"schema_version"}


def test_who_only_reads_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError, match="read-only"):
        store.now(put, write=False)


# -------------------------------------------------------------------------------------------------------------- the URL


def shown(error: BaseException) -> str:
    """Everything of an error that is ever printed."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


REFUSED = [
    (f"mysql://user:{PASSWORD}@host/db", ConfigurationError, "not one of PostgreSQL"),
    (f"sqlite:///{PASSWORD}", ConfigurationError, "not one of PostgreSQL"),
    (f"{PASSWORD}", ConfigurationError, "not one: write"),
    (f"postgresql://user:{PASSWORD}@host:port/db", ConfigurationError, "not one: write"),
    (f"postgresql://user:{PASSWORD}@{PASSWORD}@host/db", ConfigurationError, "%40"),
    (f"postgresql://host/db?user=u&password={PASSWORD}", ConfigurationError, "before the host"),
    (f"postgresql://user:{PASSWORD}@127.0.0.1:1/db", StoreError, "cannot be opened: .*refused"),
    (f"postgres://user:{PASSWORD}@127.0.0.1:1/db", StoreError, "cannot be opened: .*refused"),
]


@pytest.mark.parametrize("n", range(len(REFUSED)))
def test_a_url_that_does_not_do_is_refused_and_shown_to_nobody(n: int) -> None:
    with pytest.raises(REFUSED[n][1], match=REFUSED[n][2]) as caught:
        Store(Secret(REFUSED[n][0]))
    assert PASSWORD not in shown(caught.value)


def test_a_store_has_a_name_without_its_password() -> None:
    opened = PostgreSQL.__new__(PostgreSQL)
    with pytest.raises(OperationalError, match="refused"):
        opened.__init__(Secret(f"postgres://user:{PASSWORD}@127.0.0.1:1/db?sslmode=disable"))  # type: ignore[misc]
    assert opened.name == "postgresql+psycopg://user:***@127.0.0.1:1/db"
    assert PASSWORD not in f"{opened!r} {opened._engine!r} {vars(opened)!r}"


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aggregator.store.postgres", None)
    with pytest.raises(ConfigurationError, match=r"aggregator\[postgres\]"):
        Store(Secret(NOWHERE))


# -------------------------------------------------------------------------------------------------------- configuration


def test_the_file_names_a_variable_and_holds_no_url() -> None:
    for settings, said in (
        ({"url": NOWHERE}, "does not belong in a file.*url_env"),
        ({"url_env": NOWHERE}, "name of an environment variable"),
        ({"adress": "x"}, "unknown key"),
    ):
        with pytest.raises(ConfigurationError, match=said) as caught:
            Config.of({"store": settings})
        assert "127.0.0.1" not in str(caught.value)
    assert Config.of().store.url({}) is None


def test_a_variable_that_is_not_set_is_named() -> None:
    config = Config.of({"store": {"url_env": "STORE_URL"}})
    for environ in ({}, {"STORE_URL": ""}):
        with pytest.raises(ConfigurationError, match="STORE_URL, which is not set"):
            config.store.url(environ)
    assert config.store.url({"STORE_URL": "x"}).reveal() == "x"


async def test_a_client_on_postgres_keeps_its_jobs_there(
    quick: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_URL", postgres_url)
    settings = {"allow_ephemeral": True, "store": {"url_env": "STORE_URL"}}
    for _ in range(2):  # the second time nothing is made again
        async with Aggregator.local(quick, **settings) as agg, agg.project("film", budget_usd="5") as p:
            await p.text_to_image("a lighthouse", key="still")
            assert [record.state for record in await agg.jobs()] == ["stored"]
    assert not (quick / "store.sqlite").exists()
    store = Store(Secret(postgres_url), inline=True)
    assert store.now(lambda c: c.execute(text("SELECT count(*) FROM attempt")).scalar(), write=False) == 1
    store.close()
