"""`chobo log export`: a log as it is at one moment, into a file, beside a writer at work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql

from infra.transfer import files
from infra.transfer.lines import EVENT_COLUMNS, REPLY_COLUMNS, Digest, Footer, Header, Row, event_line, reply_line

AT_ONCE: Final = 2_000

HEAD: Final = """
SELECT (SELECT id FROM {schema}.incarnation ORDER BY number DESC LIMIT 1),
    (SELECT coalesce(max(notification_id), 0) FROM {schema}.stored_events)
"""

Progress = Callable[[int, int], None]
"""Told now and then: events done, events in all."""


def export(conninfo: str, context: str, path: Path, told: Progress) -> tuple[Header, Footer]:
    """Raises psycopg.OperationalError, OSError."""
    with psycopg.connect(conninfo) as connection, files.written(path) as file:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        header = header_now(connection, context)
        digest = Digest(header)
        file.write(header.line())
        for row in events(connection, context):
            file.write(line := event_line(row))
            digest.event(line)
            if digest.events % AT_ONCE == 0:
                told(digest.events, header.head)
        for row in replies(connection, context):
            file.write(line := reply_line(row))
            digest.reply(line)
        file.write(digest.footer().line())
        told(digest.events, header.head)
    return header, digest.footer()


def header_now(connection: psycopg.Connection[Any], context: str) -> Header:
    incarnation, head = incarnation_and_head(connection, context)
    return Header(context, incarnation, head, datetime.now(UTC))


def incarnation_and_head(connection: psycopg.Connection[Any], context: str) -> tuple[UUID, int]:
    row = connection.execute(HEAD.format(schema=context).encode()).fetchone()
    assert row is not None
    return row[0], row[1]


def events(connection: psycopg.Connection[Any], context: str) -> Iterator[Row]:
    """Every event in order of position."""
    return _rows(connection, context, "stored_events", EVENT_COLUMNS, "notification_id")


def replies(connection: psycopg.Connection[Any], context: str) -> Iterator[Row]:
    """Every stored reply in order of its key."""
    return _rows(connection, context, "replies", REPLY_COLUMNS, "key")


def _rows(
    connection: psycopg.Connection[Any], context: str, table: str, columns: Sequence[str], order: str
) -> Iterator[Row]:
    """Through a server-side cursor: memory does not grow with the table."""
    query = sql.SQL("SELECT {} FROM {} ORDER BY {}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(context, table), sql.Identifier(order)
    )
    with connection.cursor("rows", binary=True) as cursor:
        cursor.itersize = AT_ONCE
        yield from cursor.execute(query)
