"""The eventsourcing library's own recorder cases, on a context's log."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import ApplicationRecorder, ProcessRecorder
from eventsourcing.postgres import PostgresDatastore
from eventsourcing.tests.persistence import (
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
    ProcessRecorderTestCase,
)
from psycopg.conninfo import conninfo_to_dict

from infra.event_log.migrations import migrate
from infra.event_log.persistence import Factory, LogProcessRecorder, LogRecorder

SCHEMA = "orders"


@pytest.fixture
def log(request: pytest.FixtureRequest, database: str) -> Iterator[None]:
    """A migrated log and the library's datastore on it, for the cases below, which are unittest's."""
    asyncio.run(migrate(database, [SCHEMA]))
    env = environment(database)
    with PostgresDatastore(
        dbname=env["POSTGRES_DBNAME"],
        host=env["POSTGRES_HOST"],
        port="5432",
        user=env["POSTGRES_USER"],
        password="none",
        schema=SCHEMA,
    ) as datastore:  # fmt: skip
        request.cls.datastore = datastore
        yield


@pytest.mark.usefixtures("log")
class TestApplicationRecorder(ApplicationRecorderTestCase[LogRecorder]):
    datastore: ClassVar[PostgresDatastore]

    def create_recorder(self) -> LogRecorder:
        recorder = LogRecorder(self.datastore)
        recorder.create_table()
        return recorder


@pytest.mark.usefixtures("log")
class TestNotificationIDs(NonInterleavingNotificationIDsBaseCase):
    datastore: ClassVar[PostgresDatastore]
    insert_num = 100

    def create_recorder(self) -> ApplicationRecorder:
        recorder = LogRecorder(self.datastore)
        recorder.create_table()
        return recorder


@pytest.mark.usefixtures("log")
class TestProcessRecorder(ProcessRecorderTestCase):
    datastore: ClassVar[PostgresDatastore]

    def create_recorder(self) -> ProcessRecorder:
        recorder = LogProcessRecorder(self.datastore)
        recorder.create_table()
        return recorder


del ApplicationRecorderTestCase, NonInterleavingNotificationIDsBaseCase, ProcessRecorderTestCase


class Dog(Aggregate):
    def __init__(self) -> None:
        self.tricks: list[str] = []

    @event("TrickAdded")
    def add_trick(self, trick: str) -> None:
        self.tricks.append(trick)


def environment(database: str) -> dict[str, Any]:
    server = conninfo_to_dict(database)
    return {
        "PERSISTENCE_MODULE": "infra.event_log.persistence",
        "POSTGRES_DBNAME": server["dbname"],
        "POSTGRES_HOST": server["host"],
        "POSTGRES_USER": server["user"],
        "POSTGRES_PASSWORD": "none",
        "POSTGRES_SCHEMA": SCHEMA,
        "IS_SNAPSHOTTING_ENABLED": "y",
    }


def test_a_stock_application_runs_on_the_log(database: str):
    asyncio.run(migrate(database, [SCHEMA]))
    app: Application[UUID] = Application(env=environment(database))
    dog = Dog()
    dog.add_trick("roll over")
    cause = uuid4()
    app.save(dog, correlation_id="corr", causation_id=cause, actor="user:1")
    app.take_snapshot(dog.id)
    again: Dog = app.repository.get(dog.id)
    app.close()
    assert again.tricks == ["roll over"]
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT notification_id, correlation_id, causation_id, actor FROM orders.stored_events ORDER BY 1"
        ).fetchall()
    assert rows == [(1, "corr", cause, "user:1"), (2, "corr", cause, "user:1")]


def test_writing_without_the_lock_is_refused(database: str):
    with pytest.raises(OSError, match="not allowed"):
        Factory(environment(database) | {"POSTGRES_ENABLE_DB_FUNCTIONS": "y"})
