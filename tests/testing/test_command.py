"""`aggregator emulate`, as a process."""

import json
import signal
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.cli.conftest import start

INTERRUPTED = 130


def asked(address: str, key: str = "") -> tuple[int, bytes]:
    request = urllib.request.Request(address, headers={"authorization": f"Key {key}"} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, 0)])
def test_it_serves_until_it_is_stopped(tmp_path: Path, sign: signal.Signals, code: int) -> None:
    process = start("emulate", "fal", "--port", "0", "--json", "--seed", "7", cwd=tmp_path)
    assert process.stdout is not None
    said = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
    (row,) = said["providers"]
    assert (row["provider"], row["address"]) == ("fal", f"{said['origin']}/fal")
    assert said["environment"] == {"FAL_KEY": row["key"]}
    configured = tomllib.loads(said["configuration"])
    assert configured["routing"] == {"allow": ["fal"]}
    assert configured["providers"]["fal"]["base_url"].startswith(row["address"])
    assert asked(f"{row['address']}/v1/models/pricing")[0] == 401
    assert asked(f"{row['address']}/v1/models/pricing", row["key"])[0] == 200
    assert json.loads(asked(f"{said['origin']}/_emulator/book")[1])["entries"] == []
    process.send_signal(sign)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "")
    assert err == "aggregator: stopped; it took 0 jobs for 0 USD\n"


def test_for_people_it_says_what_to_write_and_what_happens(tmp_path: Path) -> None:
    file = tmp_path / "aggregator.toml"
    process = start("emulate", "fal", "--port", "0", "--write", str(file), cwd=tmp_path)
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or "Ctrl-C" not in lines[-1]:
        lines.append(process.stdout.readline().rstrip("\n"))
    (row,) = [line.split() for line in lines if line.startswith("fal ")]
    assert f"export FAL_KEY={row[2]}" in lines
    assert f"export AGGREGATOR_CONFIG={file}" in lines
    assert tomllib.loads(file.read_text())["providers"]["fal"]["api_key_env"] == "FAL_KEY"
    asked(f"{row[1]}/nothing")
    assert process.stdout.readline() == "401  GET    /fal/nothing\n"
    again = start("emulate", "fal", "--port", "0", "--write", str(file), cwd=tmp_path)
    assert "cannot be written: File exists" in again.communicate(timeout=30)[1]
    assert again.returncode == 1
    taken = start("emulate", "fal", "--port", row[1].split(":")[2].split("/")[0], cwd=tmp_path)
    assert "choose another --port" in taken.communicate(timeout=30)[1]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)


@pytest.mark.parametrize("module", ["av", "PIL", "h11"])
def test_without_its_extra_it_says_so(tmp_path: Path, module: str) -> None:
    process = start("emulate", "--json", cwd=tmp_path, blocked=(module,))
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "aggregator[testing]" in json.loads(out)["error"]["message"]
    assert "Traceback" not in err


def test_a_provider_that_is_not_there_is_named(tmp_path: Path) -> None:
    process = start("emulate", "fall", cwd=tmp_path)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, "")
    assert "no service 'fall'" in err
