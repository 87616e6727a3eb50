"""Recraft: one synchronous call each, as OpenAI's images are asked for; the answer says what was charged.

Inputs go as addresses or data URIs. What makes pictures names its model; the tools have a path each. Errors are plain
text or JSON, and their HTTP status is all that is documented of them.
"""

from pydantic import JsonValue

from aggregator import contract as c

_MADE = c.Files("data[].url", "image/webp")
_MODEL: dict[str, JsonValue] = {"model": "{endpoint}", "n": 1}
_IMAGE: dict[str, str | c.To] = {"prompt": "prompt", "negative_prompt": "negative_prompt"}
_IMAGE |= {"seed": "random_seed", "format": "image_format"}
_ONE = (c.Meter("image", "1"),)

PROVIDER = c.Provider(
    name="recraft",
    docs="https://www.recraft.ai/docs/api-reference/endpoints",
    checked="2026-11-21",
    base_url="https://external.api.recraft.ai/v1",
    auth=c.Auth(env=("RECRAFT_API_TOKEN", "RECRAFT_API_KEY")),
    submit=c.Call("POST", "/images/generations", read_s=300.0),
    probe=c.Call("GET", "/users/me"),
    free={"balance": c.Call("GET", "/users/me"), "models": c.Call("GET", "/models")},
    dialects={"tool": {"submit": c.Call("POST", "/{endpoint}", read_s=300.0)}},
    error_message=("message", "error.message", "error"),
    inputs={"image": c.Input(("url", "data"))},
    charge=c.Charge("credits", "0.001"),  # 1000 units are one dollar
    result_ttl_s=86_400,  # "about 24 hours" (recraft.ai/docs/api-reference/agents)
    tasks={
        "text-to-image": c.Endpoint(
            {**_IMAGE, "size": c.To("size", form="{}x{}"), "aspect_ratio": "size"}, _MODEL, files=_MADE, meters=_ONE
        ),
        "image-to-image": c.Endpoint(
            {**_IMAGE, "image": "image_url", "strength": "strength"},
            _MODEL,
            files=_MADE,
            meters=_ONE,
            submit=c.Call("POST", "/images/imageToImage", read_s=300.0),
        ),
        # With a mask it is another path, and the model stands in the row.
        "image-to-image@tool": c.Endpoint(
            {**_IMAGE, "image": "image_url", "mask": "mask_url"}, {"n": 1}, files=_MADE, meters=_ONE
        ),
        "image-upscaling": c.Endpoint(
            {"image": "image_url", "format": "image_format"},
            files=c.Files("image.url", "image/webp"),
            meters=_ONE,
            dialect="tool",
        ),
    },
)
