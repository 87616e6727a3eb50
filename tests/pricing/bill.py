"""What a provider would bill, read straight from the rate files: deliberately simple, and independent of the library.

`bill` plays the provider: it decides for itself everything the request leaves open (`choose`), counts, looks through
all rows for the one that applies, and multiplies. It shares no code with `aggregator.pricing`.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import cache
from pathlib import Path
from typing import Any

import aggregator
from aggregator.registry.cards import Limit, Offer
from aggregator.tasks import TASKS, Request

RATES = Path(aggregator.__file__).parent / "pricing" / "rates"
Choose = Callable[[Sequence[Any]], Any]
ANOTHER = object()
"""A value that no row names."""


class NoPriceError(Exception):
    """No row says what this costs."""


@cache
def rows(provider: str) -> list[dict[str, Any]]:
    file = RATES / f"{provider}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8")).get("rate", []) if file.exists() else []


def bill(
    offer: Offer, request: Request, day: date, choose: Choose, options: Mapping[str, Any] | None = None
) -> Decimal:
    """Dollars for one job on one day."""
    facts = decided(offer, request, choose)
    facts |= {f"option.{path}": value for path, value in (options or {}).items()}
    total = Decimal(0)
    for meter in offer.mapping.meters:
        amount = counted(offer, meter, facts, choose)
        row = winner(offer, meter.unit, facts, day, choose)
        price = choose([row["usd"], row.get("usd_to", row["usd"])])
        total += charged(amount, row) * Decimal(price)
    return total


def charged(amount: Decimal, row: Mapping[str, Any]) -> Decimal:
    """How much of it is billed: less what is free, in whole steps, at least the minimum."""
    amount = max(Decimal(0), amount - Decimal(row.get("free", "0")))
    if "step" in row:
        step = Decimal(row["step"])
        amount = (amount / step).to_integral_value(rounding=ROUND_CEILING) * step
    return max(amount, Decimal(row.get("minimum", "0")))


# ------------------------------------------------------------------------------------------------- what is left open


def decided(offer: Offer, request: Request, choose: Choose) -> dict[str, Any]:
    """The request with everything that was left out filled in: the documented default, else any value there is."""
    facts = {name: value for name, value in request if value is not None and value != ()}
    sized, shaped = "size" in facts, any(name in facts for name in SHAPES)
    for name, field in TASKS[offer.task].model_fields.items():
        limit = offer.limits.get(name, Limit())
        if name in facts or (shaped and name == "size") or (sized and name in SHAPES):
            continue
        if name in offer.defaults:
            facts[name] = offer.defaults[name]
        elif limit.values and name != "aspect_ratio":  # of a picture that is sent in, mostly
            facts[name] = choose(limit.values)
        elif limit.min is not None and limit.max is not None and name != "size":
            facts[name] = choose([limit.min, limit.max])
        elif field.annotation == bool | None:
            facts[name] = choose([True, False])
    return facts


SHAPES = ("resolution", "aspect_ratio")


# ------------------------------------------------------------------------------------------------------ which row it is


def winner(offer: Offer, unit: str, facts: dict[str, Any], day: date, choose: Choose) -> dict[str, Any]:
    """The row that applies: for the endpoint, else the model, else everything; the most particular; the latest."""
    found = []
    for row in rows(offer.provider):
        scope = 2 if row.get("endpoint") == offer.endpoint else 1 if row.get("model") == offer.model else 0
        if scope == 0 and row.get("endpoint") != "*":
            continue
        if row["unit"] == unit and row["from"] <= day and row.get("task", offer.task) == offer.task:
            found.append((scope, len(row.get("when", {})) + ("task" in row), row["from"], row))
    for name in sorted({name for *_, row in found for name in row.get("when", {})}):
        if name not in facts:
            facts[name] = undecided(name, offer, facts, [row for *_, row in found], choose)
    fitting = [
        item for item in found if all(meets(facts[name], want) for name, want in item[3].get("when", {}).items())
    ]
    if not fitting:
        raise NoPriceError(f"{offer.id}: nothing for {unit}")
    return max(fitting, key=lambda item: item[:3])[3]


def undecided(name: str, offer: Offer, facts: dict[str, Any], found: list[dict[str, Any]], choose: Choose) -> Any:
    """What a condition asks about and nobody has said yet."""
    if name.startswith("option."):
        return "default"
    if name in DERIVED and (worked_out := DERIVED[name](offer, facts, choose)) is not None:
        return worked_out
    if name in offer.limits and offer.limits[name].values:  # such as a resolution, where a size was given
        return choose(offer.limits[name].values)
    named: list[Any] = [ANOTHER]
    for row in found:
        wanted = row.get("when", {}).get(name, [])
        if isinstance(wanted, dict):
            ends = [Decimal(str(wanted[end])) for end in ("above", "up_to") if end in wanted]
            named += [near for end in ends for near in (end - Decimal("0.001"), end, end + Decimal("0.001"))]
        else:
            named += wanted if isinstance(wanted, list) else [wanted]
    if any(isinstance(row.get("when", {}).get(name), dict) for row in found):
        named.remove(ANOTHER)  # an amount is always some number
    return choose(list(dict.fromkeys(named)))


def meets(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        amount = None if value is ANOTHER or value is None else Decimal(str(value))
        return (
            amount is not None
            and ("above" not in wanted or amount > Decimal(str(wanted["above"])))
            and ("up_to" not in wanted or amount <= Decimal(str(wanted["up_to"])))
        )
    choices = wanted if isinstance(wanted, list) else [wanted]
    if "given" in choices:
        return value != "default"
    return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in choices)


# ------------------------------------------------------------------------------------------------------------- counting


def counted(offer: Offer, meter: Any, facts: dict[str, Any], choose: Choose) -> Decimal:
    if callable(meter.quantity):
        reading = READINGS[offer.provider, meter.unit]
        return Decimal(str(reading(offer, facts, choose)))
    if meter.quantity == "unknown":
        raise NoPriceError(f"{offer.id}: nobody knows how much {meter.unit}")
    if not meter.quantity.startswith("request."):
        return Decimal(meter.quantity)
    name = meter.quantity.removeprefix("request.")
    derived = name in DERIVED and name not in facts
    amount = DERIVED[name](offer, facts, choose) if derived else facts.get(name)
    if amount is None:
        raise NoPriceError(f"{offer.id}: nobody knows {name}")
    return Decimal(len(amount)) if isinstance(amount, tuple) else Decimal(str(amount))


def _sides(offer: Offer, facts: Mapping[str, Any]) -> tuple[Decimal, Decimal] | None:
    if "size" in facts:
        return Decimal(facts["size"][0]), Decimal(facts["size"][1])
    target = offer.mapping.fields.get("aspect_ratio")
    sent = (getattr(target, "values", None) or {}).get(facts.get("aspect_ratio"))
    if isinstance(sent, dict) and "width" in sent:
        return Decimal(sent["width"]), Decimal(sent["height"])
    if isinstance(sent, list) and len(sent) == 2:
        return Decimal(sent[0]), Decimal(sent[1])
    picture, factor = facts.get("image"), facts.get("factor")
    if picture is not None and factor is not None and picture.width is not None:
        return picture.width * Decimal(str(factor)), picture.height * Decimal(str(factor))
    return None


def _area(offer: Offer, facts: Mapping[str, Any], _choose: Choose) -> Decimal | None:
    sides = _sides(offer, facts)
    return None if sides is None else sides[0] * sides[1] / 1_000_000


def _area_rounded(offer: Offer, facts: Mapping[str, Any], choose: Choose) -> Decimal | None:
    area = _area(offer, facts, choose)
    return None if area is None else choose([area, area.to_integral_value(rounding=ROUND_CEILING)])


def _side(index: int) -> Any:
    def read(offer: Offer, facts: Mapping[str, Any], _choose: Choose) -> Decimal | None:
        sides = _sides(offer, facts)
        return None if sides is None else sides[index]

    return read


def _letters(_offer: Offer, facts: Mapping[str, Any], _choose: Choose) -> Decimal:
    return Decimal(len(facts.get("text") or facts["prompt"]))


def _seconds_of(name: str) -> Any:
    def read(_offer: Offer, facts: Mapping[str, Any], _choose: Choose) -> Decimal | None:
        source = facts.get(name)
        return None if source is None or source.duration_s is None else Decimal(str(source.duration_s))

    return read


def _frames(_offer: Offer, facts: Mapping[str, Any], choose: Choose) -> Decimal | None:
    clip = facts.get("video")
    if clip is None or clip.duration_s is None or clip.fps is None:
        return None
    exactly = Decimal(str(clip.duration_s)) * Decimal(str(clip.fps))
    return choose([exactly.to_integral_value(rounding=way) for way in (ROUND_FLOOR, ROUND_CEILING)])


def _pictures(_offer: Offer, facts: Mapping[str, Any], _choose: Choose) -> Decimal:
    single = sum(name in facts and facts[name] is not None for name in ("image", "last_image", "mask"))
    return Decimal(single + len(facts.get("references") or ()))


def _sent_area(_offer: Offer, facts: Mapping[str, Any], _choose: Choose) -> Decimal | None:
    source = facts.get("image") or facts.get("video")
    return None if source is None or source.width is None else Decimal(source.width * source.height) / 1_000_000


DERIVED: Mapping[str, Callable[[Offer, Mapping[str, Any], Choose], Any]] = {
    "width": _side(0),
    "height": _side(1),
    "megapixels": _area,
    "megapixels_rounded": _area_rounded,
    "characters": _letters,
    "kilo_characters": lambda *known: _letters(*known) / 1000,
    "input_audio_seconds": _seconds_of("audio"),
    "input_frames": _frames,
    "input_images": _pictures,
    "input_megapixels": _sent_area,
    "input_video_seconds": _seconds_of("video"),
}


# --------------------------------------------------------------------- pages that say more than "so much for each unit"

_ARK = {  # docs.byteplus.com ModelArk/1520757: what a clip of a resolution and a shape measures
    "480p": {"16:9": 864 * 496, "9:16": 864 * 496, "4:3": 752 * 560, "3:4": 752 * 560, "1:1": 640 * 640},
    "720p": {"16:9": 1280 * 720, "9:16": 1280 * 720, "4:3": 1112 * 834, "3:4": 1112 * 834, "1:1": 960 * 960},
    "1080p": {"16:9": 1920 * 1080, "9:16": 1920 * 1080},
    "4k": {"16:9": 3840 * 2160, "9:16": 3840 * 2160},
}
_GPT_IMAGE = {  # what fal charges for gpt-image-2.5 at the lowest and the highest quality (litellm 1.109.1)
    (1024, 768): ("0.00402", "0.14445"),
    (1024, 1024): ("0.00588", "0.21072"),
    (1536, 1024): ("0.00474", "0.16464"),
    (1920, 1080): ("0.00441", "0.1584"),
    (2560, 1440): ("0.00615", "0.2211"),
    (3840, 2160): ("0.01113", "0.40026"),
}


_GPT_IMAGE_1_5 = {(1024, 1024): ("0.009", "0.034", "0.133"), (1536, 1024): ("0.013", "0.05", "0.20")}  # the maker's


def _ark_tokens(offer: Offer, facts: Mapping[str, Any], choose: Choose) -> Decimal:
    """Width × height × 24 × seconds / 1024; a clip that is sent in counts as well."""
    shapes = _ARK[facts["resolution"]]
    shape = facts.get("aspect_ratio") or choose(list(shapes))
    if shape not in shapes or (facts.get("video") is not None and facts["video"].duration_s is None):
        raise NoPriceError(offer.id)
    seconds = Decimal(str(facts["duration_s"]))
    seconds += Decimal(str(facts["video"].duration_s)) if facts.get("video") else 0
    return shapes[shape] * 24 * seconds / 1024


def _extra_megapixels(_offer: Offer, facts: Mapping[str, Any], choose: Choose) -> Decimal:
    """Those after the first; how a megapixel is measured and rounded is not said."""
    if "size" not in facts:
        return choose([Decimal(0), Decimal(3)])  # at most four
    return max(Decimal(0), _measured(facts["size"][0] * facts["size"][1], choose) - 1)


def _measured(pixels: int, choose: Choose) -> Decimal:
    exactly = Decimal(pixels) / choose([10**6, 2**20])
    return choose([exactly, exactly.to_integral_value(rounding=ROUND_CEILING)])


def _sent_megapixels(offer: Offer, facts: Mapping[str, Any], choose: Choose) -> Decimal:
    pictures = [facts["image"]] if facts.get("image") else []
    pictures += [reference.image for reference in facts.get("references", ())]
    if any(picture.width is None for picture in pictures):
        raise NoPriceError(offer.id)
    return _measured(sum(picture.width * picture.height for picture in pictures), choose)


def _drawn_tokens(offer: Offer, facts: Mapping[str, Any], choose: Choose) -> Decimal:
    """A picture's price at some quality, at 30 dollars for a million tokens."""
    shape = getattr(offer.mapping.fields.get("aspect_ratio"), "values", None) or {}
    size = facts.get("size") or shape.get(facts.get("aspect_ratio"), "0x0").split("x")
    older = offer.model in ("gpt-image-1.5", "chatgpt-image-latest")
    known, each = (_GPT_IMAGE_1_5, "0.000032") if older else (_GPT_IMAGE, "0.00003")
    prices = known.get(tuple(sorted((int(size[0]), int(size[1])), reverse=True)))
    if prices is None:
        raise NoPriceError(offer.id)
    return (Decimal(choose(prices)) / Decimal(each)).to_integral_value()


def _read_words(_offer: Offer, facts: Mapping[str, Any], choose: Choose) -> Decimal:
    """At least one, at most one for each byte of the prompt."""
    return Decimal(choose([1, len(facts["prompt"].encode())]))


def _heard_or_seen(offer: Offer, facts: Mapping[str, Any], choose: Choose) -> Decimal:
    """Speech: whatever its window holds. Pictures: a token for each byte at most, and up to 2,240 for a picture."""
    if offer.task == "text-to-speech":
        return Decimal(choose([1, 8192]))
    pictures = ("image" in facts) + len(facts.get("references", ()))
    return Decimal(choose([1, len(facts["prompt"].encode()) + pictures * 2240]))


def _read_pictures(_offer: Offer, facts: Mapping[str, Any], choose: Choose) -> Decimal:
    """Up to 1,750 for a picture."""
    pictures = sum(name in facts for name in ("image", "mask")) + len(facts.get("references", ()))
    return Decimal(choose([0, pictures * 1750]))


def _made_and_sent(offer: Offer, facts: Mapping[str, Any], _choose: Choose) -> Decimal:
    """Model Studio bills the seconds of a clip that is sent in like those that are made."""
    clip = facts.get("video")
    if "duration_s" not in facts or (clip is not None and clip.duration_s is None):
        raise NoPriceError(offer.id)
    return Decimal(str(facts["duration_s"])) + (Decimal(str(clip.duration_s)) if clip else 0)


def _han_twice(_offer: Offer, facts: Mapping[str, Any], _choose: Choose) -> Decimal:
    """Qwen's speech: a Chinese character is two, anything else one."""
    return sum((Decimal(2) if 0x3400 <= ord(one) <= 0x9FFF else Decimal(1) for one in facts["text"]), Decimal(0)) / 1000


def _fives(offer: Offer, facts: Mapping[str, Any], choose: Choose) -> Decimal:
    """By five seconds, and at least five; whether those begun count whole is not said."""
    if facts["audio"].duration_s is None:
        raise NoPriceError(offer.id)
    exactly = max(Decimal(5), Decimal(str(facts["audio"].duration_s)))
    return choose([exactly, (exactly / 5).to_integral_value(rounding=ROUND_CEILING) * 5])


READINGS: Mapping[tuple[str, str], Callable[[Offer, dict[str, Any], Choose], Any]] = {
    ("ark", "output_token"): _ark_tokens,
    ("bfl", "megapixel"): _extra_megapixels,
    ("bfl", "input_megapixel"): _sent_megapixels,
    ("dashscope", "kilo_character"): _han_twice,
    ("dashscope", "video_second"): _made_and_sent,
    ("gemini", "input_token"): _heard_or_seen,
    ("gemini", "output_token"): lambda _offer, _facts, choose: choose([1, 16384]),
    ("kling", "video_second"): _fives,
    ("openai", "input_image_token"): _read_pictures,
    ("openai", "input_token"): _read_words,
    ("openai", "output_token"): _drawn_tokens,
}
"""What a meter's own function should come to, read from the page anew. The embedded backend has no page."""
