"""BentoML: a service of your own, each of its methods at `/<name>`; `endpoint` is that name.

The answer is the file, whatever its type; where it is JSON, the offer row says where the file is in it (`files`). A
method under `@bentoml.task` is a job: dialect `task`; a server that starts again has forgotten every one of them. A
picture, clip or sound that a method takes is part of a form: dialects `form` and `task_form`. BentoCloud alone can
cancel (dialect `cloud`): the local server refuses, calls the task canceled all the same, and goes on.
A method that returns bare `bytes` calls them text: it must say their `ContentType`. A task must not return a path
(1.4.39 cannot keep it, and calls the task in progress for ever), and needs a `max_concurrency` above 1, for looks
count too.
"""

import json
from dataclasses import replace

from aggregator import casts
from aggregator import contract as c

_FILE = c.Files(form="body")
_PARTS = {kind: c.Input(("part",), None) for kind in ("image", "video", "audio")}
_TEXT = c.To("prompt", cast=json.dumps)
"""Each part of a form is read as JSON first: a prompt that looks like a number would become one."""
_WORDS = c.words(running="in_progress", succeeded="completed", failed="failed", canceled="canceled")
_TASK = c.Dialect(
    submit=c.Call("POST", "/{endpoint}/submit", capture={"id": "task_id"}),
    poll=c.Call("GET", "/{endpoint}/status?task_id={id}"),
    follow=(c.Follow(c.Call("GET", "/{endpoint}/get?task_id={id}")),),
    status=c.Status("status", _WORDS),
)


def _form(dialect: str) -> dict[str, c.Endpoint]:
    given = casts.hosted(_FILE, dialect=dialect, encoding="multipart", inputs=_PARTS)
    texts = {"prompt": _TEXT, "text": c.To("text", cast=json.dumps)}
    return {
        task: replace(one, fields={name: texts.get(name, to) for name, to in one.fields.items()})
        for task, one in given.items()
    }


PROVIDER = c.Provider(
    name="bentoml",
    docs="https://docs.bentoml.com/en/latest/build-with-bentoml/clients.html",
    checked="2026-11-20",
    base_url="",
    auth=c.Auth(env=()),
    submit=c.Call("POST", "/{endpoint}", read_s=600),
    probe=c.Call("GET", "/readyz"),
    free={"schema": c.Call("GET", "/docs.json")},
    codes=c.Codes(("error",), {"An unexpected error has occurred*": "job_failed"}),
    error_message=(casts.complaints, "error"),
    request_id_header="x-bentoml-request-id",
    believes_body=True,
    inputs={"": c.Input(("url", "data"), None)},
    bills_failures=False,  # the machine is one's own
    dialects={
        "form": {},
        "task": _TASK,
        "task_form": _TASK,
        "cloud": {**_TASK, "cancel": c.Call("PUT", "/{endpoint}/cancel?task_id={id}")},
    },
    tasks={**casts.hosted(_FILE), **_form("form"), **_form("task_form")},
)
