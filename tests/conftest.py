"""What tests of every package share: an embedded PostgreSQL for each test process, and fresh databases on it.

`CHOBO_REQUIRE=kafka,browser,node` makes it an error, rather than a skip, when one of these is missing.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Final, NoReturn
from uuid import uuid4

import hypothesis.core
import psycopg
import pytest
from _pytest.nodeid import NodeId

from infra.contexts import CONTEXTS
from infra.embedded import EmbeddedPostgres
from infra.event_log.migrations import migrate
from infra.kafka.broker import EmbeddedKafka
from infra.kafka.jars import KafkaFailed, jars, java
from infra.kafka.topics import Topics
from infra.keys import migrate_keys
from projections.models import MODELS
from projections.schema import prepare
from tests import full, memory

numbers = count(1)

NEEDED_PROGRAMS: Final[dict[str, str]] = {"browser": "chromium", "node": "node"}
RUNNING_KAFKA: Final = "CHOBO_KAFKA_BOOTSTRAP"
PROCESSES: Final = tuple(f"tests/{folder}/" for folder in ("crash", "e2e", "infra/cli", "runbooks"))
"""Where tests start processes, and wait for them."""
FLEETING: Final = {"max_connections": "200", "fsync": "off", "full_page_writes": "off"}


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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`CHOBO_FULL=log:7` runs what belongs to the suite `log` only. What takes long does not come last."""
    for item in items:
        if "kafka" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.requires("kafka"))
        if group := group_of(item):
            to_one_worker(item, group)
    suite, _ = full.chosen()
    if suite and suite != "all":
        config.hook.pytest_deselected(items=[item for item in items if suite_of(item) != suite])
        items[:] = [item for item in items if suite_of(item) == suite]
    items.sort(key=turn)


def group_of(item: pytest.Item) -> str | None:
    """Tests that share what is slow to start run in one worker: the broker, or what was made once for their module."""
    if any("kafka" in mark.args and mark.kwargs.get("shared", True) for mark in item.iter_markers("requires")):
        return "kafka"
    return item.nodeid.partition("::")[0] if uses_fixture_of(item, "module") else None


def uses_fixture_of(item: pytest.Item, scope: str) -> bool:
    info = getattr(item, "_fixtureinfo", None)
    return info is not None and any(found[-1].scope == scope for found in info.name2fixturedefs.values())


def turn(item: pytest.Item) -> int:
    """The longest first, so that at the end no worker is left alone with one of them."""
    if item.nodeid.endswith("@kafka"):
        return 0
    return 1 if item.get_closest_marker("timeout") else 2 if item.nodeid.startswith(PROCESSES) else 3


def to_one_worker(item: pytest.Item, group: str) -> None:
    """What xdist's mark `xdist_group` means; of pytest 9.2 its release 3.8 does not know where ids are kept."""
    if item.config.getoption("loadgroup", default=False):
        item._id = NodeId.parse(f"{item.nodeid}@{group}")


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
    for mark in item.iter_markers("requires"):
        for what in mark.args:
            if missing := no_kafka() if what == "kafka" else no_program(what):
                do_without(what, missing)


def do_without(what: str, missing: str) -> NoReturn:
    """Skips the running test, unless CHOBO_REQUIRE says that it must run here."""
    give_up: Callable[[str], NoReturn] = (
        pytest.fail if what in os.environ.get("CHOBO_REQUIRE", "").split(",") else pytest.skip
    )
    give_up(f"{what} is needed: {missing}")


def no_program(what: str) -> str | None:
    program = NEEDED_PROGRAMS[what]
    return None if shutil.which(program) else f"{program} is not installed"


@cache
def no_kafka() -> str | None:
    """Why there can be none, and what would help."""
    if os.environ.get(RUNNING_KAFKA):
        return None
    try:
        java()
        jars()
    except KafkaFailed as failed:
        return str(failed)
    return None


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A running server, one for each test process. Nothing on it outlives the run, so nothing is flushed to a disk."""
    with memory.directory(tmp_path_factory) as data, EmbeddedPostgres(data, settings=FLEETING) as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgres: EmbeddedPostgres) -> str:
    """A database to be copied: one that is brought up to this release by hand takes ten times as long."""
    with psycopg.connect(postgres.conninfo("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE migrated TEMPLATE template0")
        asyncio.run(bring_up(postgres.conninfo("migrated")))
        connection.execute("ALTER DATABASE migrated ALLOW_CONNECTIONS false")  # a copy waits for whoever is connected
    return "migrated"


async def bring_up(conninfo: str) -> None:
    await migrate(conninfo, [context.name for context in CONTEXTS])
    async with await psycopg.AsyncConnection.connect(conninfo) as connection:
        await migrate_keys(connection)
    await prepare(conninfo, MODELS)


@pytest.fixture
def database(postgres: EmbeddedPostgres, migrated: str) -> Iterator[str]:
    """The conninfo of a fresh database with the logs and read models of this release, dropped afterwards."""
    with fresh_database(postgres, migrated) as conninfo:
        yield conninfo


@pytest.fixture(scope="module")
def module_database(postgres: EmbeddedPostgres, migrated: str) -> Iterator[str]:
    """The same for all tests of a module."""
    with fresh_database(postgres, migrated) as conninfo:
        yield conninfo


@pytest.fixture
def empty_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """One with nothing in it, as a first start finds it."""
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


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """A broker that a test may stop, kill and start again; at its end it must run."""
    with EmbeddedKafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture
def kafka(request: pytest.FixtureRequest) -> str:
    """The address of a broker. It lives for the whole run: topics need names of their own (see `topics`)."""
    if address := os.environ.get(RUNNING_KAFKA):
        return address
    running: EmbeddedKafka = request.getfixturevalue("broker")
    return running.bootstrap


@pytest.fixture
def topics(kafka: str) -> Topics:
    """Topics that no other test uses."""
    return Topics(kafka, prefix=f"test-{uuid4().hex[:12]}", partitions=4)


@pytest.fixture(autouse=True, scope="session")
def in_development() -> Iterator[None]:
    """Production is what runs without being told otherwise; tests tell. Without limits, but for those about them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHOBO_PROFILE", "development")
        patch.setenv("CHOBO_RATE_LIMITS", "0")
        yield


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Makes of a directory the data directory of an installation that was started before and has no data yet.

    A first start, which makes a cluster and every schema, takes seconds more.
    """
    made = tmp_path_factory.mktemp("installed")
    with EmbeddedPostgres(made) as server:
        asyncio.run(bring_up(server.conninfo()))

    def copied(data: Path) -> Path:
        data.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "--archive", made / "postgres", data], check=True)  # keeps whose files they are
        return data

    return copied


@pytest.fixture
def data(installed: Callable[[Path], Path], tmp_path: Path) -> Path:
    """The data directory of an installation."""
    return installed(tmp_path / "data")


@pytest.fixture
def empty_data(tmp_path: Path) -> Path:
    """One that is not there yet."""
    return tmp_path / "data"
