"""Connections of the settings' databases."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from infra.databases import READS, Databases
from infra.settings import Profile, Settings


async def shown(conninfo: str, setting: str) -> Any:
    settings = Settings(profile=Profile.DEVELOPMENT, read_database_url=SecretStr(conninfo))
    async with Databases(settings, []) as databases, databases.pool(READS).connection() as connection:
        found = await (await connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(setting)))).fetchone()
        assert found is not None
        return found[0]


@pytest.mark.parametrize("setting, expected", [("TimeZone", "UTC"), ("DateStyle", "ISO, MDY")])
async def test_moments_come_in_utc_whatever_the_database_says(empty_database: str, setting: str, expected: str) -> None:
    async with await psycopg.AsyncConnection.connect(empty_database, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        for change in ("timezone = 'Asia/Tokyo'", "datestyle = 'German, DMY'"):
            await connection.execute(sql.SQL("ALTER DATABASE {} SET " + change).format(name))
    assert await shown(empty_database, setting) == expected


async def test_options_of_the_setting_stay(empty_database: str) -> None:
    conninfo = make_conninfo(empty_database, options="-c statement_timeout=12345ms")
    assert await shown(conninfo, "statement_timeout") == "12345ms"
    assert await shown(conninfo, "TimeZone") == "UTC"
