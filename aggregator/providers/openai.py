"""OpenAI: pictures and speech, each in one synchronous call. There is no job, no cancel, no key against sending twice.

Pictures come as base64 and report the tokens they cost. A mask must have an alpha channel: what is transparent is what
changes (our masks are white there, so one that is both serves everyone; one without alpha is refused, unbilled). The
`/audio/speech` models end on 2027-01-06 without a successor there.
"""

from collections.abc import Mapping
from typing import Any

from aggregator import casts
from aggregator import contract as c

_Fields = Mapping[str, str | c.To]
RATIOS = {"1:1": "1024x1024", "3:2": "1536x1024", "2:3": "1024x1536"}
_TOKENS = {(1024, 768): (134, 4815), (1024, 1024): (196, 7024), (1536, 1024): (158, 5488)}
_TOKENS |= {(1920, 1080): (147, 5280), (2560, 1440): (205, 7370), (3840, 2160): (371, 13342)}
"""What a picture of a size costs at the lowest and at the highest quality, which `auto` may choose: the prices per
picture that fal lists for gpt-image-2.5 (litellm 1.109.1) over the maker's price per token."""
_GUIDE = {(1024, 1024): (265, 4172), (1536, 1024): (390, 6407)}
"""The same of gpt-image-1.5: the maker's prices per picture, from 0.009 to 0.133 and from 0.013 to 0.20 USD with what
their rounding hides, over its price per token."""
_BILLED_BY_GUIDE = ("gpt-image-1.5", "chatgpt-image-latest")
_PICTURE_TOKENS = 1750
"""The most that a picture sent in was seen to cost: 0.013 USD, rounded, between fal's prices of gpt-image-2 edits and
generations."""


def _output_tokens(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Between the lowest and the highest quality of this size; a size that nobody lists is not known."""
    ratio = RATIOS.get(str(values.get("aspect_ratio")))
    sides = values.get("size") or (ratio and tuple(int(side) for side in ratio.split("x"))) or ()
    known = _GUIDE if values.get("model") in _BILLED_BY_GUIDE else _TOKENS
    bounds = known.get(tuple(sorted(sides, reverse=True)))
    return None if bounds is None else (str(bounds[0]), str(bounds[1]))


def _word_tokens(values: Mapping[str, Any]) -> tuple[str, str]:
    """At most a token for each byte of the prompt."""
    return "1", str(len(str(values.get("prompt", "")).encode()))


def _picture_tokens(values: Mapping[str, Any]) -> tuple[str, str]:
    """Of the pictures that are sent in."""
    pictures = ("image" in values) + ("mask" in values) + len(values.get("references", ()))
    return "0", str(pictures * _PICTURE_TOKENS)


def _pictures(values: Mapping[str, Any]) -> c.Json:
    """One picture is the part `image`; several are parts of the name `image[]`, the one to edit first."""
    pictures = casts.pictures(values, "image")
    return {"image[]": pictures} if len(pictures) > 1 else {"image": values["image"]}


_METERS = (
    c.Meter("output_token", _output_tokens, "usage.output_tokens"),
    c.Meter("input_token", _word_tokens, "usage.input_tokens_details.text_tokens"),
    c.Meter("input_image_token", _picture_tokens, "usage.input_tokens_details.image_tokens"),
)
_SIZE: _Fields = {"size": c.To("size", form="{}x{}"), "aspect_ratio": c.To("size", values=RATIOS)}
_IMAGE: _Fields = {"prompt": "prompt", "format": "output_format", **_SIZE}
_EDITED: _Fields = {**_IMAGE, "image": c.BUILD, "references": c.BUILD, "mask": "mask"}
_SPEECH = {"text": "input", "voice": "voice", "speed": "speed", "prompt": "instructions", "format": "response_format"}
_MODEL: c.Json = {"model": "{endpoint}"}
_MASK = {"mask": c.Input(("part",), 4 * 2**20, ("image/png",))}
_EDIT = c.Call("POST", "/images/edits", read_s=600)
_SPEAK = c.Call("POST", "/audio/speech", headers={"accept": "application/octet-stream"}, read_s=600)
_SOUND, _LETTERS = c.Files(mime_type="audio/mpeg", form="body"), (c.Meter("kilo_character", "request.kilo_characters"),)
_PICTURE = c.Files("data[].b64_json", "image/png", form="base64")

PROVIDER = c.Provider(
    name="openai",
    docs="https://developers.openai.com/api/reference/resources/images",
    checked="2026-11-20",
    base_url="https://api.openai.com/v1",
    auth=c.Auth(env=("OPENAI_API_KEY",)),
    submit=c.Call("POST", "/images/generations", read_s=600),
    probe=c.Call("GET", "/models"),
    free={"models": c.Call("GET", "/models")},
    codes=c.Codes(
        ("error.code", "error.type"),
        c.kinds(
            authentication="invalid_api_key",
            quota="insufficient_quota billing_hard_limit_reached",
            rate_limit="rate_limit_exceeded",
            invalid_request="model_not_found",
            content_policy="moderation_blocked image_content_policy_violation",
        ),
    ),
    request_id_header="x-request-id",
    inputs={"": c.Input(("part",), 50 * 2**20, ("image/png", "image/webp", "image/jpeg"))},
    tasks={
        "text-to-image": c.Endpoint(_IMAGE, _MODEL, files=_PICTURE, meters=_METERS),
        "image-to-image": c.Endpoint(
            _EDITED, _MODEL, _pictures, _PICTURE, _METERS, submit=_EDIT, encoding="multipart", inputs=_MASK
        ),
        "text-to-speech": c.Endpoint(_SPEECH, _MODEL, files=_SOUND, meters=_LETTERS, submit=_SPEAK),
    },
)
