"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "commands", "projections", "sagas", "read_api", "infra")
CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "uuid1", "uuid4"}


def sources(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text()))


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def contract(name: str) -> list[str]:
    contracts = project()["tool"]["importlinter"]["contracts"]
    return next(list(c["modules"]) for c in contracts if c["name"] == name)


def packages_with(parent: str, file: str) -> set[str]:
    return {f"{parent}.{path.parent.name}" for path in (ROOT / parent).glob(f"*/{file}")}


def test_every_package_is_under_the_import_contracts() -> None:
    existing = {package for package in PACKAGES if (ROOT / package / "__init__.py").exists()}
    assert existing == set(project()["tool"]["importlinter"]["root_packages"])


def test_every_context_is_under_the_contract_of_contexts() -> None:
    assert packages_with("domain", "events.py") <= set(contract("Contexts do not import each other"))


def test_every_read_model_is_under_the_contract_of_read_models() -> None:
    assert packages_with("projections", "projector.py") <= set(contract("Read models do not import each other"))


def test_every_context_is_told_in_the_same_files_in_the_graph() -> None:
    for nodes in (ROOT / "read_api").glob("*/nodes.py"):
        files = {path.stem for path in nodes.parent.glob("*.py")}
        assert files == {"__init__", "enums", "parts", "nodes", "where", "query"}, nodes.parent


@pytest.mark.parametrize("path", sources("domain"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_domain_has_no_clock(path: Path) -> None:
    calls = [n.func.attr for n in nodes(path) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    assert not CLOCKS.intersection(calls), "time and ids come in as arguments"


def test_nothing_is_read_from_the_environment_but_in_settings() -> None:
    readers = {
        path.relative_to(ROOT).as_posix()
        for path in sources(*PACKAGES)
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }
    assert readers <= {"infra/settings.py", "infra/cli/up.py"}


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    odd = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert not [path for path in sources(*PACKAGES) if path.stem in odd]
