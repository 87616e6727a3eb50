"""The validator itself: every keyword says no, an unknown one is an error, and a wrong row does not pass."""

from dataclasses import replace

import pytest

from aggregator.registry.cards import Limit
from tests.facts.validate import MIME_TYPES, bodies, facts_of, offers_of, problems, spread


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "string"}, "x", 1),
        ({"type": "number"}, 1.5, True),
        ({"type": "integer"}, 2.0, 2.5),
        ({"type": "boolean"}, False, 0),
        ({"type": ["string", "null"]}, None, 1),
        ({"type": "array", "items": {"type": "string"}}, ["x"], [1]),
        ({"type": "object", "additionalProperties": False, "properties": {"a": {}}}, {"a": 1}, {"b": 1}),
        ({"additionalProperties": {"type": "string"}}, {"a": "x"}, {"a": 1}),
        ({"properties": {"a": {"type": "string"}}}, {"a": "x"}, {"a": 1}),
        ({"required": ["a"]}, {"a": 1}, {}),
        ({"enum": [5, 10]}, 5, "5"),
        ({"enum": [1]}, 1, True),
        ({"const": "x"}, "x", "y"),
        ({"minimum": 3}, 3, 2.9),
        ({"maximum": 3}, 3, 3.1),
        ({"exclusiveMinimum": 3}, 3.1, 3),
        ({"exclusiveMaximum": 3}, 2.9, 3),
        ({"multipleOf": 0.5}, 1.5, 1.7),
        ({"minLength": 2}, "xy", "x"),
        ({"maxLength": 2}, "xy", "xyz"),
        ({"pattern": "^a+$"}, "aa", "ab"),
        ({"minItems": 1}, [1], []),
        ({"maxItems": 1}, [1], [1, 2]),
        ({"anyOf": [{"type": "string"}, {"minimum": 2}]}, 2, 1),
        ({"oneOf": [{"type": "number"}, {"minimum": 2}]}, 1, 3),
        ({"allOf": [{"minimum": 2}, {"maximum": 3}]}, 3, 4),
        ({"not": {"const": 1}}, 2, 1),
        ({"if": {"const": 1}, "then": False}, 2, 1),
        ({"if": {"const": 1}, "else": {"const": 2}}, 2, 3),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"const": 1}}}, 1, 2),
    ],
)
def test_every_keyword_says_no(schema, good, bad):
    assert problems(schema, good) == []
    assert problems(schema, bad)


def test_what_does_not_apply_to_a_type_is_passed_over():
    schema = {"minimum": 1, "minLength": 2, "minItems": 2, "required": ["a"], "properties": {"a": False}}
    assert problems(schema, True) == []
    assert problems(schema, {"a": 1}) == [".a: nothing is allowed here"]


def test_a_problem_names_its_place():
    schema = {"properties": {"list": {"items": {"properties": {"n": {"maximum": 1}}}}}}
    assert problems(schema, {"list": [{"n": 1}, {"n": 2}]}) == [".list[1].n: 2 is above 1"]


def test_an_unknown_keyword_is_an_error():
    with pytest.raises(ValueError, match="'dependentRequired' is not understood"):
        problems({"dependentRequired": {}}, {})


# ------------------------------------------------------------------------------------------------ a row that is wrong

OFFERS = {(offer.endpoint, offer.task): offer for offer in offers_of("fal")}
KLING = OFFERS["fal-ai/kling-video/v3/pro/text-to-video", "text-to-video"]
FLUX = OFFERS["fal-ai/flux-2/edit", "image-to-image"]


def wrong(offer):
    entry, root = facts_of(offer)
    return [problem for written in bodies(offer) for problem in problems(entry["schema"], written.body, root)]


def mapped(offer, **fields):
    return replace(offer, mapping=replace(offer.mapping, fields={**offer.mapping.fields, **fields}))


def limited(offer, **limits):
    return replace(offer, limits={**offer.limits, **limits})


@pytest.mark.parametrize(
    "offer",
    [
        pytest.param(mapped(KLING, duration_s="duration"), id="a number where a text is asked for"),
        pytest.param(mapped(KLING, audio="generate_sound"), id="an unknown field"),
        pytest.param(limited(KLING, duration_s=Limit(min=3, max=16, multiple_of=1)), id="one second too many"),
        pytest.param(limited(KLING, duration_s=Limit(min=2, max=15, multiple_of=1)), id="one second too few"),
        pytest.param(limited(KLING, duration_s=Limit(min=3, max=15)), id="a part of a second"),
        pytest.param(replace(KLING, limits={}), id="no limits at all"),
        pytest.param(limited(KLING, aspect_ratio=Limit(values=("16:9", "4:3"))), id="a word that is not in the list"),
        pytest.param(mapped(FLUX, image="image_urls"), id="one where a list is asked for"),
        pytest.param(mapped(FLUX, image="image_url"), id="the required field under another name"),
        pytest.param(limited(FLUX, size=Limit(min=512, max=2049)), id="an edge too long"),
    ],
)
def test_a_wrong_row_is_found(offer):
    assert not wrong(KLING)
    assert not wrong(FLUX)
    assert wrong(offer)


def test_the_spread_tries_each_field_and_every_value():
    requests = list(spread(KLING))
    tried = {name: {getattr(request, name) for request in requests} for name in KLING.mapping.fields}
    assert tried["duration_s"] == {None, 3.0, 15.0, 9.0}
    assert tried["aspect_ratio"] == {None, "16:9", "9:16", "1:1"}
    assert tried["audio"] == {None, True, False}
    assert all(len(values) > 1 for values in tried.values())
    assert {media.mime_type for request in spread(FLUX) for _, media in request.media()} == {None, MIME_TYPES["image"]}
