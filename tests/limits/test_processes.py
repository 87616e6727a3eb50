"""Several real processes on one store: never more jobs in flight than allowed, never more requests than the figure."""

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from aggregator.secret import Secret
from tests.ledger.books import Books

PROCESSES, TIMES, AT_ONCE = 4, 10, 2
INTERVAL_US = 2_000
PROGRAM = """
import json, os, sys, time
from pathlib import Path
root, name = sys.argv[1:3]
place = os.environ["PLACE"]
sys.path.insert(0, root)
from sqlalchemy import select, update
from aggregator.owner import new_owner
from aggregator.secret import Secret
from aggregator.store import limits
from aggregator.store.schema import attempt, throttle
from tests.ledger.books import Books

books = Books(Secret(place) if place.startswith("postgresql") else Path(place))
books._count = int(name) * 1000
me, account = new_owner(), limits.Account("p", "a", {at_once})
now = lambda: int(time.time() * 1000)

def enter(c, of):
    at = now()
    if not limits.room(c, account, me=me, at=at).is_free:
        return None
    lease = {{"lease_owner": me, "lease_until": at + 60_000}}
    c.execute(update(attempt).where(attempt.c.id == of).values(state="submitting", **lease))
    return time.monotonic()

def leave(c, of):
    c.execute(update(attempt).where(attempt.c.id == of).values(state="failed"))
    return time.monotonic()

def moment(c):
    limits.next_wait_us(c, account, {interval}, time.time_ns() // 1000)
    return c.execute(select(throttle.c.next_at)).scalar() - {interval}

print("ready", flush=True)
sys.stdin.readline()  # all of them begin together
stays, moments, refused = [], [], 0
for turn in range({times}):
    of = books.attempt("film", provider="p", account_ref="a")
    books.do(lambda c: c.execute(update(attempt).where(attempt.c.id == of).values(state="reserved")))
    while (since := books.do(lambda c: enter(c, of))) is None:
        refused += 1
    moments += [books.do(moment) for _ in range(3)]
    time.sleep(0.02)  # a job takes a while, and the others get at the database
    stays.append((since, books.do(lambda c: leave(c, of))))
print(json.dumps([stays, moments, refused]))
books.store.close()
"""


def start(program, place, *words):
    """A URL of a database is a secret: it goes by the environment."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PLACE": place},
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, quick):
    return str(quick / "store.sqlite") if request.param == "sqlite" else request.getfixturevalue("postgres_url")


def test_many_processes_share_one_limit_and_one_rate(place):
    books = Books(Path(place) if place.startswith("/") else Secret(place))
    books.open("film")
    root = str(Path(__file__).parents[2])
    program = PROGRAM.format(at_once=AT_ONCE, times=TIMES, interval=INTERVAL_US)
    running = [start(program, place, root, str(n)) for n in range(1, PROCESSES + 1)]
    for process in running:
        assert process.stdout.readline() == "ready\n"
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [json.loads(process.communicate(timeout=120)[0]) for process in running]
    stays = [tuple(stay) for found, _, _ in ended for stay in found]
    assert len(stays) == PROCESSES * TIMES
    # A stay is measured within its transactions, which follow each other: no commit lies between two of its moments.
    changes = sorted([(since, 1) for since, _ in stays] + [(until, -1) for _, until in stays])
    most = inside = 0
    for _, change in changes:
        inside += change
        most = max(most, inside)
    assert most == AT_ONCE
    moments = sorted(moment for _, found, _ in ended for moment in found)
    assert all(later - earlier >= INTERVAL_US for earlier, later in pairwise(moments))
    assert sum(refused for *_, refused in ended) > 0
    books.store.close()
