"""`chobo log import`: a file into an empty log, wholly or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import errors, sql

from infra.event_log.migrations import LOCK_SPACE, lock_number
from infra.transfer import files
from infra.transfer.lines import (
    EVENT_COLUMNS,
    EVENT_TYPES,
    REPLY_COLUMNS,
    REPLY_TYPES,
    Digest,
    Footer,
    Header,
    NotALog,
    Row,
    event_line,
    header_of,
    parsed,
    reply_line,
)
from infra.transfer.outgoing import AT_ONCE, Progress, events, replies

EMPTY: Final = """
SELECT NOT EXISTS (SELECT FROM {schema}.stored_events) AND NOT EXISTS (SELECT FROM {schema}.replies)
"""

# What a log must be whatever is in it. The positions were counted on the way in.
BROKEN_STREAM: Final = """
SELECT originator_id FROM (
    SELECT originator_id, originator_version,
        row_number() OVER (PARTITION BY originator_id ORDER BY notification_id) AS n
    FROM {schema}.stored_events
) AS e WHERE originator_version <> n LIMIT 1
"""


class NotEmpty(Exception):
    def __init__(self, context: str) -> None:
        super().__init__(
            f"the log of {context} is not empty: an export is only imported into an empty log, e.g. of a new database"
        )


def take_in(conninfo: str, path: Path, told: Progress, *, expected: str | None = None) -> tuple[Header, Footer]:
    """Reads the file into the log of its context, as a new incarnation. The schema must be there (migrate).

    Raises NotWhole (and takes nothing) when the file is not whole or not what its digest says, or is not of the context
    `expected`; NotEmpty; psycopg.OperationalError, OSError.
    """
    with files.lines(path) as lines:
        header = header_of(next(lines, b""))
        if expected is not None and header.context != expected:
            raise NotALog(f"the file holds the log of {header.context}, not of {expected}")
        return header, _take(conninfo, header, lines, told)


def context_of(path: Path) -> str:
    """Raises NotWhole."""
    with files.lines(path) as lines:
        return header_of(next(lines, b"")).context


def _take(conninfo: str, header: Header, lines: Iterator[bytes], told: Progress) -> Footer:
    with psycopg.connect(conninfo) as connection:
        _alone(connection, header.context)
        reader = _Reader(header, lines, told)
        try:
            copy_in(connection, header.context, "stored_events", EVENT_COLUMNS, EVENT_TYPES, reader.events())
            copy_in(connection, header.context, "replies", REPLY_COLUMNS, REPLY_TYPES, reader.replies())
        except (errors.IntegrityError, errors.DataError) as error:
            raise NotALog(f"the log cannot be written: {error.diag.message_primary}") from None
        footer = reader.finished()
        _verify(connection, header, footer)
        connection.execute(
            f"INSERT INTO {header.context}.incarnation (head, reason) VALUES (%s, %s)".encode(),
            [header.head, f"imported: incarnation {header.incarnation}, exported {header.made_at:%Y-%m-%d %H:%M} UTC"],
        )
        return footer


def _alone(connection: psycopg.Connection[Any], context: str) -> None:
    """Until the transaction ends nobody appends. Raises NotEmpty."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_SPACE, lock_number(context)])
    row = connection.execute(EMPTY.format(schema=context).encode()).fetchone()
    if row != (True,):
        raise NotEmpty(context)


class _Reader:
    """Hands out the events and then the replies of a file, and keeps count and digest of them."""

    def __init__(self, header: Header, lines: Iterator[bytes], told: Progress) -> None:
        self._header = header
        self._lines = enumerate(lines, 2)
        self._digest = Digest(header)
        self._told = told
        self._first_reply: tuple[bytes, Row] | None = None
        self._footer: Footer | None = None

    def events(self) -> Iterator[Row]:
        for number, line in self._lines:
            found = parsed(line, number)
            if found.event is None:
                self._footer = found.footer
                self._first_reply = None if found.reply is None else (line, found.reply)
                return
            self._digest.event(line)
            if found.event[0] != self._digest.events:
                raise NotALog(f"line {number} has position {found.event[0]}, {self._digest.events} is due")
            if self._digest.events % AT_ONCE == 0:
                self._told(self._digest.events, self._header.head)
            yield found.event

    def replies(self) -> Iterator[Row]:
        if self._first_reply is None:
            return
        yield self._counted(*self._first_reply)
        for number, line in self._lines:
            found = parsed(line, number)
            if found.reply is None:
                if found.event is not None:
                    raise NotALog(f"line {number} is an event after the replies")
                self._footer = found.footer
                return
            yield self._counted(line, found.reply)

    def _counted(self, line: bytes, row: Row) -> Row:
        self._digest.reply(line)
        return row

    def finished(self) -> Footer:
        """What the file says of itself, once it is known to be true. Raises NotALog."""
        told, counted = self._footer, self._digest.footer()
        if told is None:
            raise NotALog(f"the file is cut off after {counted.events} events: it has no last line")
        if next(self._lines, None) is not None:
            raise NotALog("the file goes on after its last line")
        if told != counted or counted.events != self._header.head:
            raise NotALog(
                f"the file was altered: it says {told.events} events, {told.replies} replies, {told.digest};"
                f" it has {counted.events}, {counted.replies}, {counted.digest}"
            )
        self._told(counted.events, self._header.head)
        return counted


def copy_in(
    connection: psycopg.Connection[Any],
    context: str,
    table: str,
    columns: Sequence[str],
    types: Sequence[str],
    rows: Iterable[Row],
) -> None:
    """Through COPY, which is not begun before there is a row."""
    remaining = iter(rows)
    first = next(remaining, None)
    if first is None:
        return
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier(context, table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor().copy(statement) as copy:
        copy.set_types(types)
        for row in chain([first], remaining):
            copy.write_row(row)


def _verify(connection: psycopg.Connection[Any], header: Header, footer: Footer) -> None:
    """Reads back what was written: the digest is that of the tables. Raises NotALog."""
    broken = connection.execute(BROKEN_STREAM.format(schema=header.context).encode()).fetchone()
    if broken:
        raise NotALog(f"the versions of stream {broken[0]} are not 1, 2, 3 ... in order of position")
    digest = Digest(header)
    for row in events(connection, header.context):
        digest.event(event_line(row))
    for row in replies(connection, header.context):
        digest.reply(reply_line(row))
    if digest.footer() != footer:
        raise NotALog(
            "what was written reads differently from the file: lines must be as an export writes them, in its order"
        )
