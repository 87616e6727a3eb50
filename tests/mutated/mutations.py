"""Ways to spoil a file that is right: each takes the text, and gives one that has to be refused, by name."""

import re
from collections.abc import Callable, Iterator
from random import Random

Mutation = Callable[[str, Random], str]


def _line(text: str, pattern: str, rng: Random) -> re.Match[str] | None:
    found = list(re.finditer(pattern, text, re.MULTILINE))
    return rng.choice(found) if found else None


def replaced(pattern: str, by: str) -> Mutation:
    """One match of a pattern, chosen by the seed, written otherwise; the text itself where there is none."""

    def mutate(text: str, rng: Random) -> str:
        found = _line(text, pattern, rng)
        return text if found is None else text[: found.start()] + found.expand(by) + text[found.end() :]

    return mutate


def added(line: str, *, first: bool = True) -> Mutation:
    return lambda text, _rng: f"{line}\n{text}" if first else f"{text.rstrip()}\n{line}\n"


def cut(text: str, rng: Random) -> str:
    """The file was not written to its end: it stops inside a value in quotes."""
    inside = _line(text, r'= "[^"\n]{4,}"', rng)
    assert inside is not None
    return text[: inside.start() + 5]


def doubled(pattern: str) -> Mutation:
    """A line twice."""

    def mutate(text: str, rng: Random) -> str:
        found = _line(text, pattern, rng)
        return text if found is None else text[: found.end()] + "\n" + found[0] + text[found.end() :]

    return mutate


TOML: dict[str, Mutation] = {
    "it stops in the middle": cut,
    "a quote is missing": replaced(r'^(\w+) = "([^"\n]+)"$', r'\1 = "\2'),
    "a key is written twice": doubled(r'^(model|maker|endpoint|unit) = "[^"\n]+"$'),
    "an equals sign is missing": replaced(r"^(model|maker|endpoint|unit) = ", r"\1 "),
    "an unknown key": added("colour = 3"),
    "a bracket is missing": added("[broken", first=False),
    "a control character": replaced(r'"([^"\n]+)"', '"\\\\x01"'),
}
CARD: dict[str, Mutation] = {
    **TOML,
    "the table is missing": replaced(r"^\[model\]$", ""),
    "the table has another name": replaced(r"^\[model\]$", "[modell]"),
    "a key is misspelt": replaced(r"^maker = ", "maker_ = "),
    "no maker": replaced(r"^maker = .*$", ""),
    "no tier": replaced(r"^tier = .*$", ""),
    "a tier that is none": replaced(r"^tier = .*$", 'tier = "champion"'),
    "the maker is a number": replaced(r"^maker = .*$", "maker = 7"),
    "the maker is a list": replaced(r"^maker = .*$", 'maker = ["a"]'),
    "a day as text": replaced(r"^tier = .*$", '\\g<0>\nreleased = "2026-01-01"'),
    "a day that is none": replaced(r"^tier = .*$", "\\g<0>\nreleased = 2026-02-30"),
    "an end of something active": replaced(r"^tier = .*$", '\\g<0>\nstatus = "active"\nretired = 2026-01-01'),
    "retired, and nobody says so": replaced(r"^tier = .*$", '\\g<0>\nstatus = "retired"\nsource = ""'),
    "a status that is none": replaced(r"^tier = .*$", '\\g<0>\nstatus = "sleeping"'),
    "a successor that is none": replaced(r"^tier = .*$", '\\g<0>\nsuccessor = "no-such-model"'),
    "yes as a word": replaced(r"^tier = .*$", '\\g<0>\nis_stand_in = "yes"'),
}
OFFER: dict[str, Mutation] = {
    **TOML,
    "no model": replaced(r"^model = .*$", ""),
    "a model without a card": replaced(r"^model = .*$", 'model = "no-such-model"'),
    "no endpoint": replaced(r"^endpoint = .*$", ""),
    "an endpoint with a blank": replaced(r"^endpoint = .*$", 'endpoint = "a b"'),
    "a task that is none": replaced(r"^task = .*$", 'task = "text-to-vido"'),
    "no day of checking": replaced(r"^checked = .*$", ""),
    "a day as text": replaced(r"^checked = .*$", 'checked = "2026-11-20"'),
    "a day with an hour": replaced(r"^checked = .*$", "checked = 2026-11-20T10:00:00"),
    "a status that is none": replaced(r"^checked = .*$", '\\g<0>\nstatus = "resting"'),
    "a field that is none": replaced(r"^checked = .*$", "\\g<0>\nrequired = ['no_such_field']"),
    "a limit of nothing": replaced(r"^checked = .*$", "\\g<0>\nlimits.seed = {}"),
    "a limit upside down": replaced(r"^checked = .*$", "\\g<0>\nlimits.seed = { min = 5, max = 1 }"),
    "a limit that is no number": replaced(r"^checked = .*$", "\\g<0>\nlimits.seed = { max = inf }"),
    "a unit that is none": replaced(r"^meters = .*$", 'meters = [{ unit = "picture", quantity = "1" }]'),
    "a quantity that is none": replaced(r"^meters = .*$", 'meters = [{ unit = "image", quantity = "many" }]'),
    "less than nothing is metered": replaced(r"^meters = .*$", 'meters = [{ unit = "image", quantity = "-1" }]'),
    "a meter of an unknown field": replaced(
        r"^meters = .*$", 'meters = [{ unit = "image", quantity = "request.no_such" }]'
    ),
    "files that are nowhere": replaced(r"^files = .*$", 'files = { mime_type = "video/mp4" }'),
    "files of no type": replaced(r"^files = .*$", 'files = { path = "a", mime_type = "video" }'),
    "files in an unknown form": replaced(r"^files = .*$", 'files = { path = "a", form = "carrier pigeon" }'),
    "a dialect that is none": replaced(r"^checked = .*$", '\\g<0>\ndialect = "klingon"'),
    "a successor that is none": replaced(r"^checked = .*$", '\\g<0>\nsuccessor = "nobody:nothing"'),
    "an input that goes by pigeon": replaced(r"^checked = .*$", '\\g<0>\ninputs.image = { accepts = ["pigeon"] }'),
    "a target that is nothing": replaced(r"^checked = .*$", '\\g<0>\nfields = { seed = "" }'),
    "a host of its own": replaced(r"^checked = .*$", '\\g<0>\nbase_url = "https://example.com"'),
}
_RATE = re.compile(r"(?=^\[\[rate\]\])", re.MULTILINE)
RATES: dict[str, Mutation] = {
    **TOML,
    "a float": replaced(r'^usd = "([^"]+)"$', r"usd = \1"),
    "no number": replaced(r"^usd = .*$", 'usd = "a lot"'),
    "less than nothing": replaced(r"^usd = .*$", 'usd = "-0.01"'),
    "infinite": replaced(r"^usd = .*$", 'usd = "Infinity"'),
    "no price": replaced(r"^usd = .*$", ""),
    "a currency": replaced(r'^usd = "([^"]+)"$', r'usd = "$\1"'),
    "no unit": replaced(r"^unit = .*$", ""),
    "a unit that is none": replaced(r"^unit = .*$", 'unit = "pictures"'),
    "no day": replaced(r"^from = .*$", ""),
    "a day as text": replaced(r"^from = .*$", 'from = "2026-01-01"'),
    "a day that is none": replaced(r"^from = .*$", "from = 2026-13-01"),
    "for nothing": replaced(r"^(endpoint|model) = .*$", ""),
    "for two things": replaced(r"^unit = .*$", '\\g<0>\nendpoint = "x"\nmodel = "y"'),
    "a task that is none": replaced(r"^unit = .*$", '\\g<0>\ntask = "text-to-vido"'),
    "a condition of nothing": replaced(r"^unit = .*$", "\\g<0>\nwhen = { resolution = [] }"),
    "a misspelt table": replaced(r"^\[\[rate\]\]$", "[[rates]]"),
    "a row twice": lambda text, rng: f"{text}\n{rng.choice(re.split(_RATE, text)[1:])}",
}
BOARD: dict[str, Mutation] = {
    "a column is missing": replaced(r"^model,name,", "model,"),
    "a column has another name": replaced(r"^model,name,score", "model,name,points"),
    "one word too many": replaced(r"^((?!model,).*)$", r"\1,more"),
    "a line is cut short": replaced(r"^((?!model,)[^,\n]*,[^,\n]*),.*$", r"\1"),
    "a score that is none": replaced(r"^((?!model,)[^,\n]*,[^,\n\"]+,)[\d.]+,", r"\1many,"),
    "no score": replaced(r"^((?!model,)[^,\n]*,[^,\n\"]+,)[\d.]+,", r"\1infinity,"),
    "a day that is none": replaced(r"^((?!model,).*?),20\d\d-\d\d-\d\d,", r"\1,2026-02-30,"),
    "a day in words": replaced(r"^((?!model,).*?),20\d\d-\d\d-\d\d,", r"\1,yesterday,"),
    "a reading twice": doubled(r"^(?!model,).+$"),
    "a model without a card": replaced(r"^(?!model,)[^,\n]*,", "no-such-model,"),
}


def spoilt(texts: list[str], mutations: dict[str, Mutation], each: int, seed: str) -> Iterator[tuple[str, int, str]]:
    """Each mutation applied to `each` of the texts that it changes: its name, which text, and the spoilt text."""
    for name, mutate in mutations.items():
        rng = Random(f"{seed}/{name}")
        places = rng.sample(range(len(texts)), len(texts))
        done = 0
        for place in places:
            if done == each:
                break
            if (after := mutate(texts[place], rng)) != texts[place]:
                done += 1
                yield name, place, after
