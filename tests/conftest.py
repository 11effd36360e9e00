"""What tests of every package share: an embedded PostgreSQL for each test process, and fresh databases on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

from infra.embedded import EmbeddedPostgres

numbers = count(1)


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


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An empty data directory."""
    return tmp_path / "data"
