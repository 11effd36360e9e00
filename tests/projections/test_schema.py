from __future__ import annotations

import asyncio
from dataclasses import dataclass

import psycopg
import pytest

from projections import generations
from projections.generations import State
from projections.model import Model
from projections.models import MODELS
from projections.orders.projector import ORDERS
from projections.pool import Pool
from projections.schema import ShapeChanged, prepare, require_shape


@dataclass(frozen=True)
class Reshaped(Model):
    """The same model in a release whose table.sql is another."""

    @property
    def table_sql(self) -> str:
        return super().table_sql + "\nCREATE INDEX more ON orders (total);"


OTHER = Reshaped(ORDERS.name, ORDERS.contexts, ORDERS.projectors)


def standing(database: str) -> list[tuple[str, int, str]]:
    with psycopg.connect(database) as connection:
        return connection.execute(
            "SELECT model, generation, status FROM projections.generations ORDER BY model"
        ).fetchall()


async def test_every_model_begins_with_one_live_generation(empty_database: str) -> None:
    await prepare(empty_database, MODELS)
    assert standing(empty_database) == [(model.name, 1, "LIVE") for model in sorted(MODELS, key=lambda m: m.name)]


async def test_many_processes_may_prepare_at_once(empty_database: str) -> None:
    await asyncio.gather(*(prepare(empty_database, MODELS) for _ in range(5)))
    assert len(standing(empty_database)) == len(MODELS)


async def test_tables_of_another_shape_are_not_for_readers_of_this_release(pool: Pool, database: str) -> None:
    await prepare(database, [OTHER])
    await require_shape(pool, MODELS)
    with pytest.raises(ShapeChanged, match=r"orders@1 was made from another table.sql"):
        await require_shape(pool, [OTHER])


async def test_readers_see_the_generation_the_views_point_to(database: str) -> None:
    await prepare(database, [ORDERS])
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        async with connection.transaction():
            number = await generations.add(connection, ORDERS, State.READY)
            await generations.point_views(connection, ORDERS, number)
        found = await connection.execute("SELECT pg_get_viewdef('reads.orders'::regclass)")
        assert "orders_2.orders" in str(await found.fetchone())


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
async def test_the_columns_of_each_table_are_the_fields_of_its_rows(database: str, model: Model) -> None:
    await prepare(database, [model])
    with psycopg.connect(database) as connection:
        for projector in model.projectors:
            found = connection.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0",
                [f"{model.name}_1.{projector.table.name}"],
            ).fetchall()
            assert {name for (name,) in found} == set(projector.table.columns)
