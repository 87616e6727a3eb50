"""The open inference protocol of KServe and Triton: a model takes tensors by name, and gives tensors back.

The model itself says what its tensors are: it is asked first, and each value of `fields` and `fixed` becomes the tensor
of that name (a text one `BYTES` element, a picture its base64). A file must come back as base64 in a `BYTES` tensor.
Two more ways in are dialects: `generate` (Triton's, plain JSON) and `v1` (KServe's `instances` and `predictions`).
HTTP cannot cancel. `endpoint` is the model's name.
"""

import json
from collections.abc import Generator, Mapping
from typing import Any

from aggregator import casts
from aggregator import contract as c
from aggregator.errors import RequestError

_Step = Generator[c.HttpRequest | c.Paid, c.HttpResponse, Mapping[str, str]]


def _infer(order: c.Order) -> _Step:
    """What the model takes is asked for, then it is given that."""
    answer = yield c.HttpRequest("GET", "/v2/models/{endpoint}")
    known = {one["name"]: one for one in json.loads(answer.body)["inputs"]}
    body = dict(order.body)
    asked: c.Json = {"parameters": body.pop("parameters")} if isinstance(body.get("parameters"), dict) else {}
    if unknown := sorted(set(body) - set(known)):
        raise RequestError(f"the model has no input {', '.join(unknown)}: it has {', '.join(sorted(known))}")
    tensors: list[Any] = [_tensor(known[name], value) for name, value in body.items()]
    yield c.Paid(c.HttpRequest("POST", "/v2/models/{endpoint}/infer", json={**asked, "inputs": tensors}))
    return {}


def _tensor(about: Mapping[str, Any], value: Any) -> c.Json:
    """A value as the tensor that the model declares; what its shape leaves open is as long as the value."""
    items = value if isinstance(value, list) else [value]
    data = [casts.bare(item) if isinstance(item, str) and item.startswith("data:") else item for item in items]
    *outer, last = about["shape"] or [1]
    shape = [*(1 if side == -1 else side for side in outer), len(data) if last == -1 else last]
    return {"name": about["name"], "datatype": about["datatype"], "shape": shape, "data": data}


def _instances(order: c.Order) -> _Step:
    yield c.Paid(c.HttpRequest("POST", "/v1/models/{endpoint}:predict", json={"instances": [order.body]}))
    return {}


PROVIDER = c.Provider(
    name="kserve",
    docs="https://github.com/kserve/open-inference-protocol",
    checked="2026-11-20",
    base_url="",
    auth=c.Auth(env=()),
    submit=_infer,
    probe=c.Call("GET", "/v2/health/ready"),
    free={"model": c.Call("GET", "/v2/models/{endpoint}")},
    codes=c.Codes(("@status",), c.kinds(job_failed="500")),
    error_message=("error",),
    believes_body=True,
    inputs={"": c.Input(("data",), None)},
    bills_failures=False,  # the machine is one's own
    dialects={
        "generate": {"submit": c.Call("POST", "/v2/models/{endpoint}/generate", read_s=600)},
        "v1": {"submit": _instances},
    },
    tasks={
        **casts.hosted(c.Files("outputs[].data[]", form="base64")),
        **casts.hosted(c.Files("output", form="base64"), dialect="generate"),
        **casts.hosted(c.Files("predictions[]", form="base64"), dialect="v1"),
    },
)
