"""The eventsourcing library's own projection runner and tracking recorder, on the same events with the same fold."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from eventsourcing.application import Application
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg import sql

from bench.stock import environment
from domain.event import Event
from infra.event_log.mapper import EventMapper, Keys
from projections.orders.projector import orders
from projections.orders.row import OrderRow
from tests.projections.fakes import recorded

SCHEMA = "library"
SELECT = sql.SQL("SELECT to_json(t)::text AS row FROM library.orders t WHERE id = %s")


class Orders(Application[Any]):
    """Reads the log of orders where it is, by our recorder and our mapper."""

    name = "orders"
    keys: ClassVar[Keys]

    def construct_mapper(self) -> Mapper[Any]:
        return EventMapper(self.keys)


class OrderRows(PostgresTrackingRecorder):
    """A row and the tracking of its event in one transaction, as the library has it."""

    def put(self, event: Event, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            found = cursor.execute(SELECT, [event.originator_id]).fetchone()
            row = orders.table.decoded([(found["row"],)])[0] if found else None
            after: OrderRow = orders.apply(row, recorded(event, tracking.notification_id))
            cursor.execute(orders.table._upsert(SCHEMA), [orders.table._rows.dump_json([after]).decode()])
            self._insert_tracking(cursor, tracking)


class OrderProjection(Projection[OrderRows]):
    name = "rows"

    def process_event(self, domain_event: DomainEventProtocol[Any], tracking: Tracking) -> None:
        assert isinstance(domain_event, Event)
        self.view.put(domain_event, tracking)


def projected_per_second(conninfo: str, keys: Keys, events: int) -> float:
    """Into tables of the schema `library`, which are there."""
    Orders.keys = keys
    env = environment(conninfo, 4) | {
        "PERSISTENCE_MODULE": "infra.event_log.persistence",
        "POSTGRES_SCHEMA": "orders",
        "ROWS_PERSISTENCE_MODULE": "eventsourcing.postgres",
        "ROWS_POSTGRES_SCHEMA": SCHEMA,
    }
    began = time.perf_counter()
    with ProjectionRunner(
        application_class=Orders, projection_class=OrderProjection, view_class=OrderRows, env=env
    ) as runner:
        runner.wait(events, timeout=600)
    return events / (time.perf_counter() - began)
