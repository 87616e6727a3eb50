"""What is kept changes nothing: whatever is asked, in whatever order, the index answers as the plain scan does."""

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count

import pytest

from aggregator.backends import provider_names, provider_table
from aggregator.config import Config
from aggregator.contract import Endpoint, Meter
from aggregator.errors import AggregatorError
from aggregator.inputs import Media
from aggregator.pricing.table import PriceTable, RateRows
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.routing import index as kept
from aggregator.routing.outcomes import Track
from aggregator.routing.plan import Ask
from aggregator.routing.router import KEPT, Router
from aggregator.routing.sight import WORDS
from aggregator.routing.walk import Moment
from aggregator.tasks import TASKS, Lora, Reference, TextToImage, TextToSpeech, TextToVideo
from aggregator.view import View
from tests.routing.conftest import BACKEND

DAY = date(2026, 11, 21)
POLICIES = {
    "floor": {"tier": "workhorse", "quality_floor": 0.25},
    "cheap": {"tier": "hero", "order": "price", "max_usd": "0.60"},
    "fast": {"tier": "workhorse", "order": "speed"},
    "mixed": {"weights": {"price": 1.0, "quality": 3.0, "speed": 0.5, "reliability": 2.0}, "tier": "hero"},
    "mine": {"tier": "workhorse", "order": "tests.routing.test_index:shortest_name"},
    "sticky": {"tier": "hero", "sticky": True},
    "trial": {"tier": "workhorse", "canary": {"model": "m3", "share": 0.3}},
    "elsewhere": {"tier": "workhorse", "deny": ["fal", "p1"], "order": "quality"},
}


def shortest_name(candidate):
    return None if "flux" in candidate.offer.model else (len(candidate.offer.id), candidate.track is not None)


# ------------------------------------------------------------------------------------------------------------ comparing


def answer(router, request, ask, moment, *, explain):
    try:
        plan = router.route(request, ask, moment, explain=explain)
    except AggregatorError as error:
        return type(error).__name__, str(error)
    return plan.request, plan.chosen, plan.alternatives[:KEPT]


def same(router, request, ask, moment):
    """Whether anybody serves; asserts that the index and the plain scan agree."""
    indexed = answer(router, request, ask, moment, explain=False)
    assert indexed == answer(router, request, ask, moment, explain=True), (request, ask)
    return len(indexed) == 3


# ------------------------------------------------------------------------------------------------------ random requests


def media(rng, kind):
    facts = {"mime_type": f"{kind}/x", "size_bytes": rng.choice((1000, 2000))}
    if rng.random() < 0.7 and kind != "audio":
        facts |= {"width": rng.choice((512, 1024, 4000)), "height": rng.choice((512, 1024))}
    if rng.random() < 0.7 and kind != "image":
        facts |= {"duration_s": rng.choice((2.5, 5.0, 30.0))}
    if rng.random() < 0.3:
        return Media(url=f"https://example.com/{rng.random()}", **facts)
    return Media(sha256=f"{rng.getrandbits(256):064x}", **facts)


def words(rng):
    return "é" * rng.randrange(3) + "x" * rng.choice((1, 7, 300, 900, 2500, 12000))


VARIABLE = ("role", "max_usd", "provider_options", "exclude", "keep", "lot")
VALUES = {
    "prompt": words,
    "text": words,
    "negative_prompt": words,
    "lyrics": words,
    "seed": lambda rng: rng.choice((0, 7, 10, 95, 2**31, 2**32 - 1, 2**40)),
    "duration_s": lambda rng: rng.choice((3, 4, 5, 6, 8, 10, 12.5, 60)),
    "resolution": lambda rng: rng.choice(("480p", "720p", "1080p", "4k")),
    "aspect_ratio": lambda rng: rng.choice(("16:9", "1:1", "21:9")),
    "size": lambda rng: (rng.choice((512, 1000, 1024, 4096)), rng.choice((512, 768, 3000))),
    "audio": lambda rng: rng.choice((True, False)),
    "fps": lambda rng: rng.choice((24, 30, 60)),
    "factor": lambda rng: rng.choice((2, 4)),
    "strength": lambda rng: rng.choice((0.2, 0.9)),
    "speed": lambda rng: rng.choice((0.5, 1.0, 3.0)),
    "format": lambda rng: rng.choice(("png", "jpeg")),
    "voice": lambda rng: rng.choice(("alloy", "nobody")),
    "language": lambda rng: rng.choice(("en", "de")),
    "camera": lambda rng: rng.choice(("static", "push-in")),
    "loras": lambda rng: (Lora(weights=f"w{rng.random()}"),) * rng.randint(1, 2),
    "references": lambda rng: tuple(
        Reference(image=media(rng, "image"), role=rng.choice(("character", "style"))) for _ in range(rng.randint(1, 4))
    ),
    **{name: lambda rng: media(rng, "image") for name in ("image", "last_image", "mask")},
    "video": lambda rng: media(rng, "video"),
}


def request_of(rng, task):
    """A random request of a task, with few optional fields, so that somebody can serve it."""
    kind = TASKS[task]
    while True:
        given = {}
        for name, field in kind.model_fields.items():
            if field.is_required() or rng.random() < 0.2:
                sound = name == "audio" and task in ("lip-sync", "speech-to-speech")
                value = media(rng, "audio") if sound else VALUES[name](rng)
                given[name] = rng.choice(("mp3", "wav")) if name == "format" and "speech" in task else value
        try:
            return kind(**given)
        except AggregatorError:
            continue


def another_like_it(rng, request):
    """The same but for what is different in every request: words, seeds, and which inputs."""
    given = request.values()
    for name, value in given.items():
        if isinstance(value, Media):
            given[name] = media(rng, value.mime_type.partition("/")[0])
        elif name in WORDS or name in ("loras", "references"):
            given[name] = VALUES[name](rng)
    return type(request)(**given)


def ask_of(rng, models, pins):
    return Ask(
        stage=rng.choice(("prototype", "final", *POLICIES)),
        role=rng.choice((None, None, "shot")),
        model=rng.choice((None, None, None, None, rng.choice(models), rng.choice(pins))),
        max_usd=rng.choice((None, None, Decimal("0.05"), Decimal("0.50"), Decimal(9))),
        on_unsupported=rng.choice(("error", "adjust")),
        provider_options=rng.choice(({}, {}, {}, {rng.choice(pins).partition(":")[0]: {"quality": rng.choice("ab")}})),
        exclude=frozenset(rng.sample(pins, min(2, len(pins)))) if rng.random() < 0.2 else frozenset(),
        keep=rng.choice((None, rng.choice(models))),
        lot=f"job {rng.randrange(10)}" if rng.random() < 0.5 else "",
    )


class History:
    """Outcomes of offers, as the runner tells of them."""

    def __init__(self, rng, pins):
        self.rng, self.pins = rng, pins
        self.tracks, self.lately = {}, []

    def tell(self):
        pin = self.rng.choice(self.pins)
        self.lately.append(pin)
        p50_s = self.rng.choice((None, 3.0, 40.0, 41.0))
        self.tracks[pin] = Track(self.rng.choice((0.5, 4.0, 50.0)), self.rng.choice((0.2, 0.8, 1.0)), 0.0, p50_s, p50_s)

    def moment(self, day=DAY, hour=0, resting=()):
        told = len(self.lately)
        return Moment(
            day,
            pass_over=lambda offer, _price: "rests" if offer.id in resting else None,
            track=self.tracks.get,
            told=(told, hour),
            told_since=lambda since: None if told - since > 5 else self.lately[since:],
        )


def hold_against_the_scan(router, rng, registry, tasks, times):
    """Ask at random, with outcomes coming in between; how often somebody served."""
    served = 0
    pins = [offer.id for task in tasks for offer in registry.offers(task)]
    models = sorted({offer.model for task in tasks for offer in registry.offers(task)})
    history = History(rng, pins)
    for _ in range(times):
        resting = set(rng.sample(pins, min(3, len(pins))))
        day, hour = DAY + timedelta(days=rng.choice((0, 0, 0, 40))), rng.randrange(2)
        request, ask = request_of(rng, rng.choice(tasks)), ask_of(rng, models, pins)
        for _ in range(4):
            for _ in range(rng.choice((0, 0, 1, 7))):
                history.tell()
            served += same(router, request, ask, history.moment(day, hour, resting))
            request = another_like_it(rng, request)
            if rng.random() < 0.3:
                changed = ask_of(rng, models, pins)
                ask = replace(ask, **{name: getattr(changed, name) for name in rng.sample(VARIABLE, 2)})
    return served


# ------------------------------------------------------------------------------------------------- the package's own


@pytest.fixture(scope="module")
def catalogue():
    tables = {name: provider_table(name) for name in provider_names()}
    registry = Registry.bundled(mappings=mappings_of(tables))
    trial = {"trial": {"tier": "workhorse", "canary": {"model": "veo-3.1", "share": 0.3}}}
    config = Config.of({"policy": POLICIES | trial})
    return View(config, registry, PriceTable.bundled(), dict.fromkeys(tables, BACKEND))


@pytest.mark.parametrize("task", TASKS)
def test_the_packages_own_offers_are_ranked_alike(catalogue, task):
    router = Router(catalogue)
    served = hold_against_the_scan(router, random.Random(task), catalogue.registry, [task], 15)
    assert served > 5


def test_new_words_and_seeds_are_no_new_shape(catalogue):
    router, moment = Router(catalogue), Moment(DAY)
    for number in range(20):
        request = TextToVideo(prompt="a fox " * (number % 4 + 1), seed=number, duration_s=5)
        router.route(request, Ask(), moment)
    assert len(router.index(moment)._rankings) == 1


# ------------------------------------------------------------------------------------------------- made-up catalogues


def by_bytes(values):
    """A price that goes by how the words are written."""
    return "1", str(1 + len(values["prompt"].encode()))


def by_picture(values):
    """A price that looks at an input only beside a certain resolution."""
    if values.get("resolution") == "720p" and "references" in values:
        return str(len(values["references"])), "9"
    return "2", "2"


def by_seed(values):
    return ("1", "1") if values.get("seed", 0) % 2 else ("3", "3")


METERS = {
    "read": (Meter("request", by_bytes),),
    "look": (Meter("request", by_picture),),
    "odd": (Meter("request", by_seed),),
    "plain": (Meter("video_second", "request.duration_s"),),
    "count": (Meter("kilo_character", "request.kilo_characters"),),
    "none": (),
}


def limit_of(rng, name):
    return {
        "prompt": {"max_characters": rng.choice((5, 500, 2000))},
        "seed": rng.choice(({"min": 0, "max": 2**32 - 1}, {"max": 100}, {"values": [7, 0]}, {"multiple_of": 7})),
        "duration_s": rng.choice(({"values": [4, 8]}, {"min": 2, "max": 12, "multiple_of": 0.5})),
        "resolution": {"values": rng.sample(["480p", "720p", "1080p"], 2)},
        "references": {"max": rng.choice((1, 3))},
        "negative_prompt": {"max_characters": 300},
    }[name]


def made_up(rng):
    """Cards, offers, boards, rates and mappings at random, one provider for each way of pricing."""
    cards = {
        f"m{n}": {"maker": "m", "tier": rng.choice(("hero", "workhorse")), "is_stand_in": rng.random() < 0.1}
        for n in range(8)
    }
    board = [[f"m{n}", f"m{n}", 1000.0 + 40 * rng.randrange(9), "2026-09-01"] for n in range(6)]
    offers, rates, numbers = [], {}, count()
    for provider, meters in METERS.items():
        rates[provider] = []
        for _ in range(rng.randint(1, 4)):
            endpoint = f"e{next(numbers)}"
            names = ["prompt", *rng.sample(["seed", "duration_s", "resolution", "references", "negative_prompt"], 4)]
            row = {
                "provider": provider,
                "endpoint": endpoint,
                "model": f"m{rng.randrange(8)}",
                "task": "text-to-video",
                "checked": "2026-11-20",
                "fields": {name: name for name in names},
                "limits": {name: limit_of(rng, name) for name in names if rng.random() < 0.5},
                "defaults": {"duration_s": 5} if rng.random() < 0.5 else {},
                "required": rng.choice(([], [], ["seed"])),
                "regions": rng.choice(([], ["eu-west"])),
            }
            if rng.random() < 0.4:
                row["rules"] = [{"when": {"resolution": ["1080p"]}, "limits": {"duration_s": {"values": [5, 8]}}}]
            if rng.random() < 0.2:
                row |= {"status": "deprecated", "retires": "2026-12-24"}
            offers.append(row)
            unit = meters[0].unit if meters else "request"
            usd = f"0.{rng.randint(1, 9)}"
            if rng.random() < 0.8:
                rates[provider].append({"endpoint": endpoint, "unit": unit, "usd": usd, "from": "2026-01-01"})
            if rng.random() < 0.4:
                when = rng.choice(({"resolution": ["1080p"]}, {"seed": [7]}, {"audio": [True]}))
                rates[provider].append(
                    {"endpoint": endpoint, "unit": unit, "usd": "0.95", "from": "2026-01-01", "when": when}
                )
    boards = {"b": {"title": "b", "task": "text-to-video", "kind": "arena", "unit": "elo", "readings": board}}
    registry = Registry(
        cards, {"text-to-video": offers}, boards, mappings=lambda name, _task, _dialect: Endpoint(meters=METERS[name])
    )
    version = json.dumps(rates)
    return View(
        Config.of({"policy": POLICIES, "roles": {"shot": {"final": "m1"}}}),
        registry,
        PriceTable((RateRows(rates, version),)),
        dict.fromkeys(METERS, BACKEND),
    )


@pytest.mark.parametrize("block", range(5))
def test_made_up_offers_are_ranked_alike(block):
    served = 0
    for number in range(12):
        rng = random.Random(f"{block}/{number}")
        view = made_up(rng)
        served += hold_against_the_scan(Router(view), rng, view.registry, ["text-to-video"], 20)
    assert served > 100


def test_when_little_is_kept_what_is_left_is_still_right(monkeypatch):
    monkeypatch.setattr(kept, "KEPT", 20)
    monkeypatch.setattr(kept, "_LANES", 3)
    rng = random.Random("forgetful")
    view = made_up(rng)
    router = Router(view)
    assert hold_against_the_scan(router, rng, view.registry, ["text-to-video"], 30)
    index = router.index(Moment(router._index.day))
    assert sum(len(ranking.entries) for ranking in index._rankings.values()) == index._size
    assert index._size <= 20 + max(len(ranking.entries) for ranking in index._rankings.values())


# ------------------------------------------------------------------------------------------------- what is looked at


def test_a_price_that_reads_the_words_is_worked_out_for_each_request(world):
    world.add("letters", "0.001", meters=[{"unit": "kilo_character", "quantity": "request.kilo_characters"}])
    world.rates = [(p, text.replace("video_second", "kilo_character")) for p, text in world.rates]
    world.add("flat", "0.10", defaults={"duration_s": 5})
    router, moment = Router(world.view), Moment(DAY)
    orders = [router.route(TextToVideo(prompt="x" * n), Ask(), moment).offer.id for n in (10, 90_000, 10)]
    assert orders == ["p:letters", "p:letters", "p:letters"]
    quotes = [router.route(TextToVideo(prompt="x" * n), Ask(), moment).quote.high_usd for n in (1000, 2000)]
    assert quotes == [Decimal("0.001"), Decimal("0.002")]
    assert len(router.index(moment)._rankings) == 1  # of the other one


def test_adjustments_speak_of_the_request_at_hand(world):
    world.add("a", fields={"prompt": "p"})
    router, moment = Router(world.view), Moment(DAY)
    requests = [TextToVideo(prompt="x", seed=seed) for seed in (1, 2, 3)]
    chosen = [router.route(request, Ask(on_unsupported="adjust"), moment).chosen for request in requests]
    assert [item.adjustments[0].asked for item in chosen] == [1, 2, 3]
    assert len(router.index(moment)._rankings) == 1


def test_what_is_moved_into_a_limit_is_moved_by_its_value(world):
    world.add("a", limits={"seed": {"multiple_of": 7}})
    router, moment = Router(world.view), Moment(DAY)
    requests = [TextToVideo(prompt="x", seed=seed) for seed in (10, 15, 22)]
    plans = [router.route(request, Ask(on_unsupported="adjust"), moment) for request in requests]
    assert [plan.request.seed for plan in plans] == [7, 14, 21]


def test_a_role_has_a_lane_of_its_own(world):
    world.add("a").add("b", "0.20").configure(roles={"shot": "b"})
    router, moment = Router(world.view), Moment(DAY)
    chosen = [router.route(TextToVideo(prompt="x"), Ask(role=role), moment).offer.id for role in (None, "shot", None)]
    assert chosen == ["p:a", "p:b", "p:a"]


def test_options_that_rates_ask_about_are_told_apart(world):
    world.add("a")
    when = '\nwhen = { "option.quality" = "high" }'
    _, text = world.rates[0]
    world.rates.append(("p", text.replace('"0.10"', '"0.50"') + when))
    router, moment = Router(world.view), Moment(DAY)
    asks = [Ask(provider_options={"p": {"quality": quality}}) for quality in ("low", "high", "low")]
    quotes = [router.route(TextToVideo(prompt="x"), ask, moment).quote.high_usd for ask in asks]
    assert quotes == [Decimal("0.50"), Decimal("2.50"), Decimal("0.50")]


def used_least(candidate):
    return 0 if candidate.track is None else candidate.track.n


def test_a_policy_of_ones_own_hears_of_every_outcome(world):
    world.configure(policy={"prototype": {"order": "tests.routing.test_index:used_least"}})
    world.add("a", "0.10").add("b", "0.20")
    router, history = Router(world.view), History(random.Random(0), ["p:a"])
    request = TextToVideo(prompt="x")
    assert router.route(request, Ask(), history.moment()).offer.id == "p:a"
    history.tell()
    assert router.route(request, Ask(), history.moment()).offer.id == "p:b"


def the_unused(candidate):
    return None if candidate.track is not None else 0


def test_a_policy_of_ones_own_may_turn_down_whom_it_wanted_before(world):
    world.configure(policy={"prototype": {"order": "tests.routing.test_index:the_unused"}})
    world.add("a", "0.10").add("b", "0.20")
    router, history = Router(world.view), History(random.Random(0), ["p:a"])
    assert router.route(TextToVideo(prompt="x"), Ask(), history.moment()).offer.id == "p:a"
    history.tell()
    plan = router.route(TextToVideo(prompt="x"), Ask(), history.moment())
    assert (plan.offer.id, plan.alternatives) == ("p:b", ())


def test_another_day_is_another_index(world):
    world.add("a", retires="2026-11-25").add("b", "0.2")
    router = Router(world.view)
    chosen = [router.route(TextToVideo(prompt="x"), Ask(), Moment(DAY + timedelta(days=n))).offer.id for n in range(6)]
    assert chosen == ["p:a"] * 4 + ["p:b"] * 2


def test_an_outcome_moves_only_whom_it_is_told_of(world, monkeypatch):
    world.add("a", "0.10").add("b", "0.11").add("c", "0.30")
    router, history = Router(world.view), History(random.Random(0), ["p:a"])
    looked = Counter()
    weigh = kept.Scan.weigh
    monkeypatch.setattr(kept.Scan, "weigh", lambda scan, row: looked.update([row.id]) or weigh(scan, row))
    request = TextToVideo(prompt="x")
    assert router.route(request, Ask(), history.moment()).offer.id == "p:a"
    history.lately.append("p:a")
    history.tracks["p:a"] = Track(20, 0.4, 0.0, None, None)
    plan = router.route(request, Ask(), history.moment())
    assert [item.offer.id for item in (plan.chosen, *plan.alternatives)] == ["p:b", "p:a", "p:c"]
    assert plan.alternatives[0].track == history.tracks["p:a"]
    assert looked == {"p:a": 1, "p:b": 1, "p:c": 1}


def test_speech_is_priced_by_its_characters_every_time(catalogue):
    router, moment = Router(catalogue), Moment(DAY)
    high = [router.route(TextToSpeech(text="x" * n), Ask(), moment).quote.high_usd for n in (10, 1000, 10)]
    assert high[0] == high[2] < high[1]


def test_pictures_are_told_apart_where_a_price_looks_at_them(catalogue):
    router, moment = Router(catalogue), Moment(DAY)
    for size in ((512, 512), (1024, 1024), (4096, 2160)):
        same(router, TextToImage(prompt="x", size=size), Ask(on_unsupported="adjust"), moment)
