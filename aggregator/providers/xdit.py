"""xDiT's HTTP service: pictures from several GPUs at once, on a machine of your own.

One route, answered when it is done; while it works it answers nothing else, not even a question about its health: let
it have one job at a time (`concurrency = 1`). There are no offers: write the card of what your server runs; it has one
model, so `endpoint` is a name of your choice. Its own seed is always 42: send one. Its video models have no server.
"""

from aggregator import contract as c

PROVIDER = c.Provider(
    name="xdit",
    docs="https://github.com/xdit-project/xDiT/blob/main/docs/developer/Http_Service.md",
    checked="2026-11-21",
    base_url="",
    auth=c.Auth(env=()),
    submit=c.Call("POST", "/generate", read_s=600),
    error_message=("detail[].msg", "detail"),
    concurrency=1,
    tasks={
        "text-to-image": c.Endpoint(
            {"prompt": "prompt", "seed": "seed", "size": c.To("width height")},
            files=c.Files("output", "image/png", form="base64"),
        ),
    },
)
