"""Our fal as a process of its own, as the tests that kill a client use it."""

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.providers.fal import server
from tests.providers.fal.server import KEY, Answer, FalServer, Script, script_json


def ask(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"authorization": f"Key {KEY}", "content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_it_runs_alone_takes_scripts_and_shows_its_book() -> None:
    command = [sys.executable, str(Path(server.__file__))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            ask(f"{url}/_script", script_json(Script(words=("IN_QUEUE",), cancel=[Answer(400, {})])))
            taken = ask(f"{url}/fal-ai/flux", {"prompt": "a fox"})
            assert ask(taken["status_url"])["status"] == "IN_QUEUE"
            book = ask(f"{url}/_book")
        finally:
            process.kill()
    assert (book["accepted"], book["submits"]) == (1, 1)
    assert book["jobs"] == [{"id": taken["request_id"], "endpoint": "fal-ai/flux", "body": {"prompt": "a fox"}}]


def test_a_job_may_take_real_time() -> None:
    with FalServer(Script(queue_s=0.05, run_s=0.05)) as fal:
        taken = ask(f"{fal.url}/a/b", {})
        seen = [ask(taken["status_url"])["status"]]
        started = time.monotonic()
        while seen[-1] != "COMPLETED" and time.monotonic() - started < 5:
            seen.append(ask(taken["status_url"])["status"])
    assert list(dict.fromkeys(seen)) == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]


def test_two_servers_share_nothing() -> None:
    with FalServer() as one, FalServer() as other:
        ask(f"{one.url}/a/b", {})
        assert (one.book()["accepted"], other.book()["accepted"]) == (1, 0)
