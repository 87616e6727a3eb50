"""`make selfhosted`: real servers of other people's making, each from an environment of its own, through our client.

A folder here with a requirements.txt is such an environment: `.venv-<folder>` at the root, whose python the tests of
the folder find in `SELFHOSTED_PYTHON`; the tests themselves run where this runs. What an alone.txt names is installed
last, without what it says it needs. Those of `gated` need no environment: they ask servers whose address is in a
variable, and say so where it is not. Names of folders may be given, `--full` for the large ones too, and after `--`
arguments for pytest.
"""

import hashlib
import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from tests.environments import ROOT, made

HERE = Path(__file__).parent
LARGE = ("kserve", "piper", "ray_serve", "sglang", "triton")
"""Left to `--full`, or to whoever asks for them by name."""
ADDRESSES = "gated"


def folders(wanted: list[str], *, full: bool) -> list[Path]:
    """Whose tests are run, in this order."""
    found = sorted(file.parent for file in HERE.glob("*/requirements.txt"))
    found = [*found, HERE / ADDRESSES]
    if unknown := set(wanted) - {folder.name for folder in found}:
        sys.exit(f"no server {', '.join(sorted(unknown))}: one of {', '.join(one.name for one in found)}")
    return [one for one in found if (one.name in wanted if wanted else full or one.name not in LARGE)]


def environment(folder: Path) -> dict[str, str]:
    """What the tests of a folder are told beside what all are told."""
    file = folder / "requirements.txt"
    if not file.is_file():
        return {}
    more = folder / "alone.txt"
    alone = ["-r", str(more)] if more.is_file() else []
    text = file.read_text(encoding="utf-8")
    of_ours = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"] if "-e ." in text else {}
    needs = {name: of_ours.get(name) for name in ("dependencies", "optional-dependencies")}
    made_of = (text, needs, sys.version, *(Path(one).read_text(encoding="utf-8") for one in alone[1:]))
    stamp = hashlib.sha256(repr(made_of).encode()).hexdigest()
    python = made(f".venv-{folder.name}", ["-r", str(file)], stamp, alone=alone)
    return {"SELFHOSTED_PYTHON": str(python)}


def test(folder: Path, more: list[str]) -> tuple[bool, float, float, str]:
    """Run the tests of one folder; returns whether all is well, the seconds of both halves, and what was said."""
    start = time.monotonic()
    try:
        told = environment(folder)
    except RuntimeError as error:
        return False, time.monotonic() - start, 0.0, str(error)
    ready = time.monotonic()
    environ = {name: value for name, value in os.environ.items() if not name.endswith(("_KEY", "_TOKEN", "_SECRET"))}
    environ |= {**told, "NO_PROXY": "127.0.0.1,localhost", "COLUMNS": "120"}
    command = [sys.executable, "-m", "pytest", str(folder), "-q", "-rs", "-p", "no:cacheprovider", "-p", "no:randomly"]
    done = subprocess.run([*command, *more], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    return done.returncode == 0, ready - start, time.monotonic() - ready, done.stdout + done.stderr


def main(words: list[str]) -> int:
    """Run what was asked for; 1 if anything fails."""
    names, more = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    wanted = [name for name in names if name != "--full"]
    well = True
    for folder in folders(wanted, full="--full" in names):
        ok, making_s, testing_s, said = test(folder, more)
        well = well and ok
        if not ok or more:
            sys.stdout.write(f"\n{'=' * 20} {folder.name}\n{said}\n")
        lines = said.splitlines()
        ends = [one.strip("= ") for one in lines if re.search(r"\d (passed|failed|skipped|errors?)\b.* in ", one)]
        last = (ends or [""])[-1]
        sys.stdout.write(
            f"{'ok    ' if ok else 'FAILED'}  {folder.name:12} {making_s:5.1f} s + {testing_s:5.1f} s  {last}\n"
        )
        skipped = (line.partition(": ")[2] for line in lines if line.startswith("SKIPPED"))
        sys.stdout.write("".join(f"        {why}\n" for why in dict.fromkeys(skipped)))
        sys.stdout.flush()
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
