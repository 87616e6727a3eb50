"""AUTOMATIC1111's web UI and its descendants (Forge): `/sdapi/v1`, pictures at once, as base64.

`endpoint` is the name of the checkpoint, which is loaded first where it is not, and stays: what is loaded is one thing
for everybody. So are progress and `interrupt`, which would end another's picture: neither is used. The server works on
one picture at a time and lets the others wait. A user and password, if it wants them, are in the variable that the
configuration names in `api_key_env`, as `user:password`. What else the server takes is named in the offer row's
`fixed` (`steps`, `sampler_name`, `alwayson_scripts`; `upscaler_1`, where its name has a blank).
"""

import base64
from typing import Any

from aggregator import casts
from aggregator import contract as c


def _basic(key: str, _now_s: float) -> str:
    return base64.b64encode(key.encode()).decode()


def _pictures(value: Any) -> Any:
    return [casts.bare(value)]


_SHAPE = {"prompt": "prompt", "negative_prompt": "negative_prompt", "seed": "seed", "size": "width height"}
_CHECKPOINT: c.Json = {
    "override_settings.sd_model_checkpoint": "{endpoint}",
    "override_settings_restore_afterwards": False,
}
_IMAGES = c.Files("images[]", "image/png", form="base64")
_TIME = (c.Meter("gpu_second", casts.unknown),)


def _call(name: str) -> c.Call:
    return c.Call("POST", f"/sdapi/v1/{name}", read_s=600)


PROVIDER = c.Provider(
    name="sdapi",
    docs="https://github.com/lllyasviel/stable-diffusion-webui-forge/blob/main/modules/api/api.py",
    checked="2026-11-20",
    base_url="",
    auth=c.Auth(env=(), template="Basic {key}", sign=_basic),
    submit=_call("txt2img"),
    probe=c.Call("GET", "/sdapi/v1/options"),
    free={"models": c.Call("GET", "/sdapi/v1/sd-models"), "samplers": c.Call("GET", "/sdapi/v1/samplers")},
    # An error is the name of a class of Python: those of FastAPI refuse, any other one broke off the work.
    codes=c.Codes(
        ("error",),
        {**c.kinds(invalid_request="HTTPException RequestValidationError"), "*Error": "job_failed"},
    ),
    error_message=("errors", casts.complaints, "detail", "error"),
    believes_body=True,
    inputs={"": c.Input(("data",), None)},
    bills_failures=False,  # the machine is one's own
    tasks={
        "text-to-image": c.Endpoint(_SHAPE, _CHECKPOINT, files=_IMAGES, meters=_TIME),
        "image-to-image": c.Endpoint(
            {
                **_SHAPE,
                "image": c.To("init_images", cast=_pictures),
                "mask": "mask",
                "strength": "denoising_strength",
            },
            _CHECKPOINT,
            files=_IMAGES,
            meters=_TIME,
            submit=_call("img2img"),
        ),
        "image-upscaling": c.Endpoint(
            {"image": c.To("image", cast=casts.bare), "factor": "upscaling_resize"},
            {"upscaler_1": "{endpoint}"},
            files=c.Files("image", "image/png", form="base64"),
            meters=_TIME,
            submit=_call("extra-single-image"),
        ),
    },
)
