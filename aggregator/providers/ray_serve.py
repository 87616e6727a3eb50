"""Ray Serve: whatever its owner deployed, at `/<path>`; `endpoint` is that path.

Nothing of the wire is fixed: the offer row says what the deployment takes (`fields`, `fixed`) and where the file is in
its answer (`files`), if that is not the file itself. A deployment that takes a form is in the dialect `form`. A full
queue takes nothing (503, or 429 if so configured); an exception in the deployment is a bare 500.
"""

from aggregator import casts
from aggregator import contract as c

_FILE = c.Files(form="body")
_PARTS = {kind: c.Input(("part",), None) for kind in ("image", "video", "audio")}

PROVIDER = c.Provider(
    name="ray_serve",
    docs="https://docs.ray.io/en/latest/serve/http-guide.html",
    checked="2026-11-20",
    base_url="",
    auth=c.Auth(env=()),
    submit=c.Call("POST", "/{endpoint}", read_s=600),
    probe=c.Call("GET", "/-/healthz"),
    free={"routes": c.Call("GET", "/-/routes")},
    codes=c.Codes(("@status",), c.kinds(rate_limit="503", job_failed="500")),
    error_message=(casts.complaints, "detail", "error.message", "error", "message"),
    request_id_header="x-request-id",
    never_accepted=frozenset({503}),
    believes_body=True,
    inputs={"": c.Input(("url", "data"), None)},
    bills_failures=False,  # the machine is one's own
    dialects={"form": {}},
    tasks={
        **casts.hosted(_FILE),
        **casts.hosted(_FILE, dialect="form", encoding="multipart", inputs=_PARTS),
    },
)
