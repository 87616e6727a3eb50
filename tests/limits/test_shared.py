"""What all processes on one store share: room for jobs, moments for requests, and what a refusal teaches."""

import pytest
from sqlalchemy import select, update

from aggregator.owner import new_owner
from aggregator.secret import Secret
from aggregator.store import limits
from aggregator.store.limits import Account
from aggregator.store.schema import attempt, throttle
from tests.ledger.books import Books

ME, OTHER = new_owner(), new_owner()
HERE = Account("p", "a")
NOW = 1_000_000


class Desk(Books):
    """A store with jobs in flight."""

    def __init__(self, at):
        super().__init__(at)
        self.open("film")

    def job(self, state="submitted", *, owner=ME, lease_until=NOW + 1, provider="p", account_ref="a"):
        of = self.attempt("film", provider=provider, account_ref=account_ref)
        lease = {"lease_owner": owner, "lease_until": lease_until}
        self.do(lambda c: c.execute(update(attempt).where(attempt.c.id == of).values(state=state, **lease)))
        return of

    def count(self, **more):
        return self.do(lambda c: limits.in_flight(c, HERE, me=ME, at=NOW, **more))

    def room(self, at_once=None, at=NOW):
        return self.do(lambda c: limits.room(c, Account("p", "a", at_once), me=ME, at=at))

    def refused(self, retry_after_s=None, at=NOW):
        self.do(lambda c: limits.refused(c, HERE, me=ME, at=at, without="", retry_after_s=retry_after_s))

    def took(self):
        self.do(lambda c: limits.took(c, HERE, me=ME, at=NOW))

    def learned(self):
        return self.do(lambda c: c.execute(select(throttle.c.at_once)).scalar())


def _open(at):
    desk = Desk(at)
    yield desk
    desk.store.close()


@pytest.fixture
def desk(store_at):
    yield from _open(store_at)


@pytest.fixture
def file_desk(quick):
    yield from _open(quick / "store.sqlite")


@pytest.fixture
def server_desk(postgres_url):
    yield from _open(Secret(postgres_url))


def test_in_flight_is_what_somebody_alive_follows(desk):
    for state in ("submitting", "reconciling", "submitted", "running"):
        desk.job(state)
    for state in ("reserved", "succeeded", "fetching", "unknown", "stored", "failed"):
        desk.job(state)
    assert desk.count() == 4
    desk.job(owner=OTHER)
    assert desk.count() == 5
    desk.job(owner=OTHER, lease_until=NOW - 1)  # nobody follows it
    desk.job(owner=None, lease_until=None)
    desk.job(provider="q")
    desk.job(account_ref="b")
    assert desk.count() == 5
    last = desk.job(owner=ME, lease_until=NOW - 1)  # we do, however long it was silent
    assert desk.count() == 6
    assert desk.count(without=last) == 5


def test_the_places_of_a_process_that_is_gone_are_free_at_once(desk):
    parts = new_owner().split("/")
    parts[4] = "0"  # it began at another moment: this is no longer the process that it names
    desk.job(owner="/".join(parts), lease_until=NOW + 600_000)
    assert desk.count() == 0


def test_without_any_limit_there_is_room_and_nothing_is_written(desk):
    for _ in range(50):
        desk.job()
    desk.took()
    assert desk.room() == limits.Room(is_free=True, is_limited=False)
    assert desk.do(lambda c: c.execute(select(throttle)).all()) == []


def test_a_known_limit_leaves_room_for_so_many(desk):
    desk.job()
    assert desk.room(2).is_free
    desk.job(owner=OTHER)
    assert not desk.room(2).is_free
    assert desk.room(3).is_free


def test_a_refusal_halves_what_is_in_flight_and_never_raises_the_limit(desk):
    for _ in range(8):
        desk.job()
    desk.refused()
    assert desk.learned() == 4
    desk.refused()  # those of one burst say the same thing
    assert desk.learned() == 4
    for _ in range(8):
        desk.job()
    desk.refused()
    assert desk.learned() == 4
    assert not desk.room(100).is_free  # the lower one counts


def test_one_job_is_always_allowed(desk):
    desk.refused()
    assert desk.learned() == 1
    assert desk.room().is_free


def test_while_it_is_used_up_the_limit_grows_by_one_a_round(desk):
    for _ in range(4):
        desk.job()
    desk.refused()
    assert desk.learned() == 2
    for _ in range(3):
        desk.took()
    assert 3.0 <= desk.learned() < 3.5
    desk.do(lambda c: c.execute(update(attempt).values(state="stored")))
    before = desk.learned()
    desk.took()  # not used up: that it went well says nothing
    assert desk.learned() == before


def test_retry_after_holds_every_process(desk):
    desk.refused(retry_after_s=8)
    desk.refused(retry_after_s=3)  # the longer one counts
    assert desk.room(at=NOW + 7_999) == limits.Room(is_free=False, is_limited=True, frozen_until=NOW + 8_000)
    assert desk.room(at=NOW + 8_000).is_free
    desk.do(lambda c: limits.freeze(c, HERE, NOW + 20_000))
    assert not desk.room(at=NOW + 19_999).is_free


def test_each_request_gets_a_moment_of_its_own(file_desk):
    desk = file_desk
    waits = [desk.do(lambda c: limits.next_wait_us(c, HERE, 100_000, 5_000_000)) for _ in range(4)]
    assert waits == [0, 100_000, 200_000, 300_000]
    assert desk.do(lambda c: limits.next_wait_us(c, HERE, 100_000, 9_000_000)) == 0  # nothing is saved up
    assert desk.do(lambda c: limits.next_wait_us(c, HERE, 100_000, 9_000_000)) == 100_000


def test_on_a_server_its_own_clock_counts(server_desk):
    desk = server_desk
    hour = 3_600_000_000
    skewed = (0, 50 * 365 * 24 * hour, hour)  # whatever the clocks of the machines say
    waits = [desk.do(lambda c, now=now: limits.next_wait_us(c, HERE, hour, now)) for now in skewed]
    assert waits[0] == 0
    assert 0.99 * hour < waits[1] <= hour
    assert 1.99 * hour < waits[2] <= 2 * hour
