"""What is installed: the wheel's content, the root's links, the public names, and what an import costs."""

import ast
import importlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import aggregator

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", out, ROOT]
    subprocess.run(list(map(str, command)), check=True)
    return zipfile.ZipFile(next(out.glob("*.whl")))


def test_the_wheel_puts_one_name_into_site_packages(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"aggregator"}
    assert not [name for name in wheel.namelist() if name.endswith(".pth")]


def test_the_wheel_holds_the_data_and_the_marker_for_types(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    wanted = {
        "py.typed",
        "registry/index.json",
        "pricing/index.json",
        "pricing/units.toml",
        "pricing/rates/local.toml",
        "_probe.py",
    }
    assert {f"aggregator/{name}" for name in wanted} <= names


@pytest.mark.parametrize("name", ["providers", "routing", "pricing"])
def test_the_root_shows_the_sub_packages_by_link(name: str) -> None:
    link = ROOT / name
    assert link.is_symlink()
    assert link.readlink() == Path("aggregator") / name


def test_public_names_are_sorted_and_all_there() -> None:
    assert aggregator.__all__ == sorted(aggregator.__all__, key=str)
    assert [name for name in aggregator.__all__ if not hasattr(aggregator, name)] == []


def test_every_module_says_what_it_owns() -> None:
    modules = sorted((ROOT / "aggregator").rglob("*.py"))
    assert [path for path in modules if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_import_brings_nothing_optional_and_nothing_heavy() -> None:
    heavy = [
        "httpx",
        "sqlalchemy",
        "typer",
        "rich",
        "structlog",
        "opentelemetry",
        "tenacity",
        "av",
        "PIL",
    ]
    code = f"import sys, aggregator; print([name for name in {heavy!r} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("library", "file"),
    [
        ("httpx", "aggregator/_http.py"),
        ("httpcore", "aggregator/_connections.py"),
        ("tenacity", "aggregator/_retry.py"),
        ("structlog", "aggregator/_observe.py"),
        ("opentelemetry", "aggregator/_observe.py"),
    ],
)
def test_each_third_party_library_is_imported_in_one_file(library: str, file: str) -> None:
    found = set()
    for path in (ROOT / "aggregator").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == library for name in names):
                found.add(str(path.relative_to(ROOT)))
    assert found <= {file}


def test_every_public_name_comes_from_where_the_types_say() -> None:
    tree = ast.parse((ROOT / "aggregator" / "__init__.py").read_text())
    typed = next(node for node in tree.body if isinstance(node, ast.If))
    said = {
        alias.name: statement.module
        for statement in typed.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    for name, module in said.items():
        if module != "aggregator":
            assert getattr(aggregator, name) is getattr(importlib.import_module(str(module)), name)
    assert set(said) | {"__version__"} == set(aggregator.__all__)


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Aggregater'"):
        _ = aggregator.Aggregater
