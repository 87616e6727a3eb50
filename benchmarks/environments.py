"""One virtual environment per peer, made where it is missing, and the programs that run in them."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PEERS = Path(__file__).with_name("peers")
PLACE = ROOT / ".venv-bench"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NEEDS = {
    "httpx": [need for need in PROJECT["dependencies"] if need.startswith(("httpx", "pydantic"))],
    "fal": ["fal-client==1.0.3"],
    "openai": ["openai>=3.52,<4"],
    "aggregator": PROJECT["dependencies"],
    "litellm": ["litellm==1.106.2"],
}
"""The library itself is read from this checkout; only what it depends on is installed."""
SHOWN = ("httpx", "httpx2", "httpcore", "pydantic", "fal-client", "litellm", "openai", "sqlalchemy")


def make(peers: Iterable[str] = NEEDS) -> None:
    """Make what is missing; an environment whose wish list changed is made again."""
    for peer in peers:
        needs = NEEDS[peer]
        mark = PLACE / peer / "needs.json"
        if mark.exists() and json.loads(mark.read_text()) == needs:
            continue
        print(f"making the environment of {peer} …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(PLACE / peer)], check=True)
        subprocess.run([str(python(peer)), "-m", "pip", "install", "--quiet", *needs], check=True)
        mark.write_text(json.dumps(needs))


def python(peer: str) -> Path:
    return PLACE / peer / "bin" / "python"


def environ(peer: str) -> dict[str, str]:
    """No proxy and no settings of the caller reach a peer; ours finds the checkout."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, **({"PYTHONPATH": str(ROOT)} if peer == "aggregator" else {})}


def run(peer: str, *argument: str, program: str | None = None, timeout_s: float = 300.0) -> Any:
    """Run a peer's program in a fresh process; its last line is the answer."""
    command = [str(python(peer)), str(PEERS / (program or f"with_{peer}.py")), *argument]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, env=environ(peer), check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{program or peer} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def versions(peers: Iterable[str] = NEEDS) -> str:
    """What is compared, in one line."""
    found: dict[str, str] = {}
    for peer in peers:
        said = subprocess.run(
            [str(python(peer)), "-m", "pip", "list", "--format=json", "--disable-pip-version-check"],
            capture_output=True,
            text=True,
            check=True,
            env=environ(peer),
        )
        for item in json.loads(said.stdout):
            name = item["name"].lower().replace("_", "-")
            if name in SHOWN:
                found[name] = item["version"]
    return ", ".join(f"{name} {version}" for name, version in sorted(found.items()))
