"""Hugging Face Inference Endpoints, and the toolkit in their containers: one model at one address, `inputs` and
`parameters` in, the file out.

Every error is 400, even a full GPU. Width and height must be the same. An endpoint that has been scaled to zero holds
the request until it is up, or says 503, and has taken nothing. A model with a `handler.py` of its own takes what it
likes: dialect `handler`, with the names inside `inputs` and `files` from the offer row. The key of a hosted one is
read from the variable that the configuration names in `api_key_env`.
"""

from aggregator import casts
from aggregator import contract as c

_HOLD = {"x-scale-up-timeout": "300"}
_SEED = {"seed": "parameters.seed"}
_PICTURE = {
    "prompt": "inputs",
    "negative_prompt": "parameters.negative_prompt",
    "size": "parameters.width parameters.height",
    **_SEED,
}
_TIME = (c.Meter("gpu_second", casts.unknown),)


def _asked(fields: dict[str, str], mime: str) -> c.Endpoint:
    """What the answer is follows from what is accepted: without it, a bare JSON string of base64."""
    call = c.Call("POST", "/", headers={**_HOLD, "accept": mime}, read_s=600)
    return c.Endpoint(fields, files=c.Files(mime_type=mime, form="body"), meters=_TIME, submit=call)


PROVIDER = c.Provider(
    name="hf_endpoint",
    docs="https://huggingface.co/docs/inference-endpoints/index",
    checked="2026-11-21",
    base_url="",
    auth=c.Auth(env=()),
    submit=c.Call("POST", "/", headers=_HOLD, read_s=600),
    probe=c.Call("GET", "/health"),
    codes=c.Codes(("error",), {"*out of memory*": "unavailable"}),
    error_message=("error", "message"),
    request_id_header="x-request-id",
    never_accepted=frozenset({503}),
    inputs={"": c.Input(("url", "data"), None)},
    bills_failures=False,  # it is rented by the hour, whatever it does
    dialects={"handler": {"input_path": "inputs"}},
    tasks={
        "text-to-image": _asked(_PICTURE, "image/png"),
        "text-to-speech": _asked({"text": "inputs"}, "audio/wav"),
        "text-to-music": _asked({"prompt": "inputs"}, "audio/wav"),
        "text-to-sound": _asked({"prompt": "inputs"}, "audio/wav"),
        **casts.hosted(c.Files(form="base64"), dialect="handler"),
    },
)
