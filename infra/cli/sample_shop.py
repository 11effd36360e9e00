"""The sample shop with its progress on the terminal."""

from __future__ import annotations

import random
from dataclasses import asdict

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from infra.cli.show import show_line
from infra.demo.client import Api, Session
from infra.demo.shop import Placed, Shop
from infra.settings import Settings, SettingsRefused


async def run(settings: Settings, url: str, rate: float, count: int | None, *, as_json: bool) -> None:
    """For ever, or until `count` orders were placed. Raises RefusedByServer, Unavailable, SettingsRefused."""
    if settings.operator_password is None:
        raise SettingsRefused("the sample shop is set up by the first operator: set CHOBO_OPERATOR_PASSWORD")
    async with Api(url) as api:
        operator = Session(api, settings.operator_email, settings.operator_password.get_secret_value())
        shop = Shop(api, operator, random.Random())  # noqa: S311 - whims of customers, no secrets
        await set_up(shop, as_json=as_json)
        await trade(shop, rate, count, as_json=as_json)


async def set_up(shop: Shop, *, as_json: bool) -> None:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=Console(stderr=True), disable=as_json, transient=True) as progress:
        task = progress.add_task("Setting up the shop", total=shop.steps())
        async for name in shop.set_up():
            progress.update(task, advance=1, description=f"Setting up the shop: {name[:30]:<30}")
    if not as_json:
        print(f"The sample shop is open: {shop.steps()} categories, products and customers.", flush=True)


async def trade(shop: Shop, rate: float, count: int | None, *, as_json: bool) -> None:
    """On a terminal one line that changes; in a file or pipe a line now and then."""
    console = Console()
    placed = refused = 0
    with console.status("waiting for the first order") as status:
        async for order in shop.orders(rate, count):
            placed, refused = placed + (order.id is not None), refused + (order.id is None)
            if as_json:
                show_line({"event": "order"} | asdict(order))
                continue
            status.update(line := told(order, placed, refused))
            if not console.is_terminal and (order.number % 100 == 1 or order.number == count):
                print(line, flush=True)


def told(order: Placed, placed: int, refused: int) -> str:
    last = order.refused or f"{order.total} by {order.customer}"
    return f"orders {placed}, refused {refused}; last {last} in {order.ms:.0f} ms"
