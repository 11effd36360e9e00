"""What tests of every package share: an embedded PostgreSQL for each test process, and fresh databases on it.

`CHOBO_REQUIRE=kafka,browser,node` makes it an error, rather than a skip, when one of these is missing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

import hypothesis.core
import psycopg
import pytest

from infra.embedded import EmbeddedPostgres
from tests import full

numbers = count(1)

NEEDED_PROGRAMS: Final[dict[str, str]] = {"kafka": "java", "browser": "chromium", "node": "node"}


def pytest_report_header() -> str:
    suite, _ = full.chosen()
    return f"full size: {suite}, repeat with CHOBO_FULL={suite}:{full.seed()}" if suite else "small size"


def pytest_configure(config: pytest.Config) -> None:
    """Workers take the seed of the process that started them, and so does Hypothesis."""
    suite, _ = full.chosen()
    if suite:
        os.environ["CHOBO_FULL"] = f"{suite}:{full.seed()}"
        hypothesis.core.global_force_seed = full.seed()  # type: ignore[assignment]  # typed as its default, None
    hypothesis.settings.register_profile("chobo", derandomize=not suite, deadline=None, print_blob=True)
    hypothesis.settings.load_profile("chobo")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`CHOBO_FULL=log:7` runs what belongs to the suite `log` only."""
    suite, _ = full.chosen()
    if suite and suite != "all":
        config.hook.pytest_deselected(items=[item for item in items if suite_of(item) != suite])
        items[:] = [item for item in items if suite_of(item) == suite]


def suite_of(item: pytest.Item) -> str:
    mark = item.get_closest_marker("full")
    return str(mark.args[0]) if mark else ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    full.running.append(suite_of(item))
    try:
        return (yield)
    finally:
        full.running.pop()


def pytest_runtest_setup(item: pytest.Item) -> None:
    required = os.environ.get("CHOBO_REQUIRE", "").split(",")
    for mark in item.iter_markers("requires"):
        for what in mark.args:
            if shutil.which(NEEDED_PROGRAMS[what]) is None:
                give_up: Callable[[str], None] = pytest.fail if what in required else pytest.skip
                give_up(f"{what} is needed: {NEEDED_PROGRAMS[what]} is not installed")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A running server, one for each test process. As durable as a real one, so that flushes can be counted."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), settings={"max_connections": "200"}) as server:
        yield server


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The conninfo of a fresh, empty database, dropped afterwards."""
    with fresh_database(postgres) as conninfo:
        yield conninfo


@pytest.fixture(scope="module")
def module_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The same for all tests of a module."""
    with fresh_database(postgres) as conninfo:
        yield conninfo


@contextmanager
def fresh_database(postgres: EmbeddedPostgres, template: str = "template0") -> Iterator[str]:
    name = f"test_{next(numbers)}"
    with psycopg.connect(postgres.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield postgres.conninfo(name)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(autouse=True, scope="session")
def in_development() -> Iterator[None]:
    """Production is what runs without being told otherwise; tests tell."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHOBO_PROFILE", "development")
        yield


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An empty data directory."""
    return tmp_path / "data"
