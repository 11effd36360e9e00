"""Brings a context's schema up to this release, under a lock, one file at a time."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from importlib.resources import files

import psycopg
from psycopg import sql

MINIMUM_SERVER = 180000
MIGRATION_LOCK = 0x63686F626F  # 'chobo'
LOCK_SPACE = 0x63686F62  # 'chob': the first of the two numbers of every advisory lock of a log


class ServerTooOld(Exception):
    def __init__(self, version: int) -> None:
        super().__init__(f"PostgreSQL 18 or later is needed; this server is {version // 10000}.{version % 10000}")


class MigrationChanged(Exception):
    def __init__(self, schema: str, name: str) -> None:
        super().__init__(f"{schema}: migration {name} was applied with other content; migrations are only ever added")


def lock_number(context: str) -> int:
    """The advisory lock of a context's log; the number after it is the lock of taking turns. Even, 31 bits."""
    return (zlib.crc32(context.encode()) >> 2) * 2


async def migrate(conninfo: str, contexts: Iterable[str]) -> None:
    """Creates or upgrades the log of each context in this database. Safe to call from many processes at once.

    Raises ServerTooOld below PostgreSQL 18, MigrationChanged when an applied file was edited.
    """
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        if (version := connection.info.server_version) < MINIMUM_SERVER:
            raise ServerTooOld(version)
        await connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        for context in contexts:
            await _upgrade(connection, context)


async def _upgrade(connection: psycopg.AsyncConnection, schema: str) -> None:
    name = sql.Identifier(schema)
    await connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
    await connection.execute(
        sql.SQL(
            "CREATE TABLE IF NOT EXISTS {}.migrations (name text PRIMARY KEY, sha256 text NOT NULL,"
            " applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
        ).format(name)
    )
    rows = await connection.execute(sql.SQL("SELECT name, sha256 FROM {}.migrations").format(name))
    applied: dict[str, str] = dict(await rows.fetchall())
    for file, text in _migrations():
        digest = hashlib.sha256(text.encode()).hexdigest()
        if applied.get(file, digest) != digest:
            raise MigrationChanged(schema, file)
        if file not in applied:
            await _apply(connection, schema, file, text, digest)


async def _apply(connection: psycopg.AsyncConnection, schema: str, file: str, text: str, digest: str) -> None:
    async with connection.transaction():
        await connection.execute(_for(schema, text), prepare=False)
        await connection.execute(
            sql.SQL("INSERT INTO {}.migrations (name, sha256) VALUES (%s, %s)").format(sql.Identifier(schema)),
            [file, digest],
        )


def _for(schema: str, text: str) -> bytes:
    return (
        text.replace("{schema}", schema)
        .replace("{lock_space}", str(LOCK_SPACE))
        .replace("{lock}", str(lock_number(schema)))
        .encode()
    )


def _migrations() -> list[tuple[str, str]]:
    folder = files("infra.event_log") / "sql"
    return sorted((f.name, f.read_text("utf-8")) for f in folder.iterdir() if f.name.endswith(".sql"))
