"""`make conformance`: each folder here with a requirements.txt is an environment of its own; its tests run in it.

An environment is kept as long as its requirements and the project's own stay what they are. Names of environments may
be given as arguments, and after `--` arguments for pytest.
"""

import hashlib
import os
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.environments import ROOT, made

HERE = Path(__file__).parent
AT_ONCE = 2
EXTRAS = "local,testing,signing"
TOOLS = ("pytest>=8", "pytest-asyncio>=0.25")


def environments(wanted: list[str]) -> list[Path]:
    """The folders that are environments."""
    found = sorted(file.parent for file in HERE.glob("*/requirements.txt"))
    unknown = set(wanted) - {folder.name for folder in found}
    if unknown:
        sys.exit(f"no environment {', '.join(sorted(unknown))}: one of {', '.join(one.name for one in found)}")
    return [folder for folder in found if not wanted or folder.name in wanted]


def _stamp(folder: Path) -> str:
    """What an environment is made of: its requirements, and what the project itself needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needs = [project[name] for name in ("dependencies", "optional-dependencies", "entry-points")]
    wanted = (folder / "requirements.txt").read_text(encoding="utf-8")
    return hashlib.sha256(repr((wanted, needs, EXTRAS, TOOLS, sys.version)).encode()).hexdigest()


def make(folder: Path) -> Path:
    """Make or keep the environment of a folder; returns its python."""
    wanted = [*TOOLS, "-r", str(folder / "requirements.txt"), "-e", f"{ROOT}[{EXTRAS}]"]
    return made(f".venv-conformance-{folder.name}", wanted, _stamp(folder))


def test(folder: Path, more: list[str]) -> tuple[str, bool, float, str]:
    """Run the tests of one environment; returns its name, whether all is well, the seconds, and what was said."""
    start = time.monotonic()
    try:
        python = make(folder)
    except RuntimeError as error:
        return folder.name, False, time.monotonic() - start, str(error)
    # Warnings are the clients' own affair. Their keys must come from the test, not from whoever runs it.
    places = [] if any(Path(word.partition("::")[0]).exists() for word in more) else [folder]
    command = [python, "-m", "pytest", *places, "-q", "-o", "filterwarnings=default", "-p", "no:cacheprovider", *more]
    environ = {name: value for name, value in os.environ.items() if not name.endswith(("_KEY", "_TOKEN", "_SECRET"))}
    environ |= {"NO_PROXY": "127.0.0.1,localhost", "COLUMNS": "120"}
    done = subprocess.run(
        [str(word) for word in command], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    return folder.name, done.returncode == 0, time.monotonic() - start, done.stdout + done.stderr


def main(words: list[str]) -> int:
    """Run what was asked for; 1 if anything fails."""
    names, more = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ended = list(pool.map(lambda folder: test(folder, more), environments(names)))
    for name, well, _, said in ended:
        if not well or more:
            sys.stdout.write(f"\n{'=' * 20} {name}\n{said}\n")
    for name, well, seconds, said in ended:
        told = [
            line.strip("= ") for line in said.splitlines() if " passed" in line or " failed" in line or " error" in line
        ]
        last = (told or [""])[-1]
        sys.stdout.write(f"{'ok    ' if well else 'FAILED'}  {name:24} {seconds:6.1f} s  {last}\n")
    return 0 if ended and all(well for _, well, _, _ in ended) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
