"""A typed TypeScript client is generated from schema.graphql, and the compiler holds a front end to it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

import pytest

from read_api.graphiql import pages
from tests.npm.installed import HERE, installed, node

ROOT: Final = Path(__file__).parents[2]
EXAMPLES: Final = Path(str(pages.EXAMPLES))
STRICT: Final = ["--strict", "--noEmit", "--target", "es2022", "--lib", "es2022,dom", "--module", "esnext"]
RESOLVED: Final = ["--moduleResolution", "bundler"]

pytestmark = [pytest.mark.requires("node"), pytest.mark.timeout(240)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    documents = [str(file) for file in sorted(EXAMPLES.glob("*.graphql"))]
    made = node("client.mjs", str(ROOT / "schema.graphql"), *documents)
    assert made.returncode == 0, made.stderr
    (tmp_path / "client.ts").write_text(made.stdout)
    return tmp_path


def compiled(project: Path, usage: str) -> str:
    """What the compiler complains of."""
    (project / "usage.ts").write_text(usage)
    tsc = installed() / "node_modules" / "typescript" / "bin" / "tsc"
    command = ["node", str(tsc), *STRICT, *RESOLVED, "client.ts", "usage.ts"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False).stdout


def test_the_client_and_its_use_compile(project: Path) -> None:
    assert compiled(project, (HERE / "usage.ts").read_text()) == ""


@pytest.mark.parametrize(
    "right, wrong, said",
    [
        ("order.chargeStatus", "order.chargedStatus", "Property 'chargedStatus' does not exist"),
        ("= { id }", "= { ids: id }", "'ids' does not exist in type"),
        ("minPrice?.amount", "minPrice.amount", "is possibly 'null'"),
    ],
)
def test_what_the_schema_does_not_have_does_not_compile(project: Path, right: str, wrong: str, said: str) -> None:
    usage = (HERE / "usage.ts").read_text()
    assert right in usage
    assert said in compiled(project, usage.replace(right, wrong))
