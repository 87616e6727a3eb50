"""Cog: one model in a container that answers for it at `/predictions`, as Replicate packs them.

There is no way to look at a prediction, so its answer is waited for; its id is ours, so that it can be canceled in the
meantime, and a line that is cut cancels it. A prediction that failed comes with HTTP 200, files as data URIs. A busy or
an unfinished server takes nothing (409, 503). There are no offers: write the card of what you packed, with the model's
own names in `fields`. A name that the model does not have is passed over by the server without a word: `/openapi.json`
says which it has.
"""

from aggregator import casts
from aggregator import contract as c

PROVIDER = c.Provider(
    name="cog",
    docs="https://github.com/replicate/cog/blob/main/docs/http.md",
    checked="2026-11-20",
    base_url="",
    auth=c.Auth(env=()),
    submit=c.Call("PUT", "/predictions/{attempt}", read_s=600),
    cancel=c.Call("POST", "/predictions/{attempt}/cancel"),
    probe=c.Call("GET", "/health-check"),
    free={"schema": c.Call("GET", "/openapi.json"), "ready": c.Call("GET", "/health-check")},
    status=c.Status("status", c.words(succeeded="succeeded", failed="failed", canceled="canceled"), error="error"),
    codes=c.Codes(("@status",), c.kinds(rate_limit="409")),
    error_message=("error", casts.complaints, "detail"),
    never_accepted=frozenset({409, 503}),
    mark=lambda body, attempt: {**body, "@path": {"attempt": attempt}},
    input_path="input",
    inputs={"": c.Input(("url", "data"), None)},
    concurrency=1,  # as long as the model does not declare more; `concurrency` in the configuration says so
    # Nobody sends a bill for one's own machine: what a failed run took is part of what the hour costs.
    bills_failures=False,
    tasks=casts.hosted(c.Files("output output[]"), reported="metrics.predict_time"),
)
