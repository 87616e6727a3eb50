"""The emulator as a child process, and what it counted."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

MEDIAN_S, SIGMA = 2.0, 0.5


class Server:
    """Runs `emulator.py` for as long as the `with` block lasts."""

    def __enter__(self) -> Self:
        program = str(Path(__file__).with_name("emulator.py"))
        self._process = subprocess.Popen(
            [sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.base = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # closes its standard input, which ends it

    def reset(self, seed: int) -> None:
        """Forget all jobs; the next ones take what `seed` says."""
        self._get(f"/reset?{urlencode({'seed': seed, 'median': MEDIAN_S, 'sigma': SIGMA})}")

    def stats(self) -> dict[str, Any]:
        return self._get("/stats")

    def _get(self, path: str) -> dict[str, Any]:
        with self._opener.open(self.base + path, timeout=30) as answer:
            return json.load(answer)
