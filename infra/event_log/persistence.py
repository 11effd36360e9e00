"""The eventsourcing library's own recorders over a context's log.

A stock `Application` of the library with `PERSISTENCE_MODULE=infra.event_log.persistence` and `POSTGRES_SCHEMA` naming
the context reads and writes the very tables the write loop does. It is synchronous and keeps the log's lock over its
own round trips; `transaction_timeout` bounds how long it can hold up the write loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from eventsourcing import postgres
from eventsourcing.persistence import AggregateRecorder, ApplicationRecorder, ProcessRecorder, StoredEvent
from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composed, Identifier

from infra.event_log.migrations import LOCK_SPACE, lock_number

EVENTS: Final = "stored_events"
TIMEOUT: Final = "5s"

INSERT: Final = SQL(
    "INSERT INTO {schema}.stored_events (originator_id, originator_version, topic, state, notification_id,"
    " correlation_id, causation_id, actor, traceparent)"
    " SELECT e.originator_id, e.originator_version, e.topic, e.state,"
    " (SELECT coalesce(max(notification_id), 0) FROM {schema}.stored_events) + e.n, %s, %s, %s, %s"
    " FROM unnest(%s::{schema}.{type}[]) WITH ORDINALITY AS e (originator_id, originator_version, topic, state, n)"
    " RETURNING notification_id"
)


class LogRecorder(postgres.PostgresApplicationRecorder):
    """Takes the log's lock instead of locking the table, and gives positions as `append` does."""

    def __init__(
        self, datastore: postgres.PostgresDatastore, *, events_table_name: str = EVENTS, **kwargs: Any
    ) -> None:
        super().__init__(datastore, events_table_name=events_table_name, **kwargs)
        schema = self.datastore.schema
        self.sql_create_statements[self.create_table_statement_index] = _must_exist(schema, EVENTS)
        # Its function would write without the log's lock: readers would lose events.
        self.sql_create_statements[self.create_insert_function_statement_index] = SQL("SELECT 1").format()
        self.insert_events_statement = INSERT.format(
            schema=Identifier(schema), type=Identifier(self.stored_event_type_name)
        )
        self.lock_table_statements = [
            SQL("SET LOCAL transaction_timeout = {}").format(TIMEOUT),
            SQL("SELECT pg_advisory_xact_lock({}, {})").format(LOCK_SPACE, lock_number(schema)),
        ]

    def _insert_stored_events(self, curs: Cursor[DictRow], stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        """Keyword arguments of `Application.save`: correlation_id, causation_id, actor, traceparent."""
        self._lock_table(curs)
        self._notify_channel(curs)
        rows = [
            self.construct_pg_stored_event(e.originator_id, e.originator_version, e.topic, e.state)
            for e in stored_events
        ]
        about = [kwargs.get(name) for name in ("correlation_id", "causation_id", "actor", "traceparent")]
        curs.execute(self.insert_events_statement, [*about, rows])


class LogProcessRecorder(LogRecorder, postgres.PostgresProcessRecorder):
    """The same with the library's tracking table beside the log."""


class SnapshotRecorder(postgres.PostgresAggregateRecorder):
    """Snapshots of the library's aggregates, in the log's table of snapshots."""

    def __init__(self, datastore: postgres.PostgresDatastore, *, events_table_name: str = "snapshots") -> None:
        super().__init__(datastore, events_table_name=events_table_name)
        self.sql_create_statements[self.create_table_statement_index] = _must_exist(datastore.schema, events_table_name)


class Factory(postgres.PostgresFactory):
    """Pins the table names, which the library derives from the application's name."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        if self.datastore.enable_db_functions:
            raise OSError("POSTGRES_ENABLE_DB_FUNCTIONS is not allowed: it writes without the log's lock")

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        recorder = LogRecorder(self.datastore) if purpose == "events" else SnapshotRecorder(self.datastore)
        recorder.create_table()
        return recorder

    def application_recorder(self) -> ApplicationRecorder:
        recorder = LogRecorder(self.datastore)
        recorder.create_table()
        return recorder

    def process_recorder(self) -> ProcessRecorder:
        recorder = LogProcessRecorder(self.datastore, tracking_table_name="notification_tracking")
        recorder.create_table()
        return recorder


def _must_exist(schema: str, table: str) -> Composed:
    """Stands where the library would create the table; fails when the log was not migrated."""
    return SQL("SELECT 1 FROM {}.{} LIMIT 0").format(Identifier(schema), Identifier(table))
