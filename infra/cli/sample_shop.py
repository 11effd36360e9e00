"""The sample shop with its progress on the terminal."""

from __future__ import annotations

import secrets
from dataclasses import asdict

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from infra.cli.show import show_line
from infra.demo.bank import Bank
from infra.demo.client import Api, Session
from infra.demo.lives import Lives
from infra.demo.shop import Placed, Shop
from infra.demo.tally import Tally
from infra.settings import Profile, Settings, SettingsRefused


async def run(
    settings: Settings,
    url: str,
    rate: float,
    count: int | None,
    *,
    as_json: bool,
    seed: int | None = None,
    sandbox: str | None = None,
) -> None:
    """For ever, or until `count` orders were placed and everybody has done what they were to do with them.

    `sandbox` is the address of a gateway of our own, which then fails now and then. Raises RefusedByServer,
    Unavailable, BankRefused, SettingsRefused.
    """
    if settings.operator_password is None:
        raise SettingsRefused("the sample shop is set up by the first operator: set CHOBO_OPERATOR_PASSWORD")
    seed = secrets.randbits(32) if seed is None else seed
    async with Api(url) as api, Bank(sandbox) as bank:
        operator = Session(api, settings.operator_email, settings.operator_password.get_secret_value())
        shop = Shop(api, operator, bank, seed)
        await set_up(shop, as_json=as_json)
        if not as_json:
            print(how_to_look(settings, url), flush=True)
        if sandbox is not None:
            await bank.have_bad_luck(seed)
        await trade(shop, rate, count, as_json=as_json)


async def set_up(shop: Shop, *, as_json: bool) -> None:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=Console(stderr=True), disable=as_json, transient=True) as progress:
        task = progress.add_task("Setting up the shop", total=shop.steps())
        async for name in shop.set_up():
            progress.update(task, advance=1, description=f"Setting up the shop: {name[:30]:<30}")
    if not as_json:
        print(f"The sample shop is open: {shop.steps()} categories, products and customers.", flush=True)


def how_to_look(settings: Settings, url: str) -> str:
    """Where an operator sees what becomes of the orders. The password is told only where everybody may know it."""
    secret = settings.operator_password if settings.profile is Profile.DEVELOPMENT else None
    password = secret.get_secret_value() if secret else "(yours)"
    return f"Look at it on {url}/dashboard/ as {settings.operator_email}, password {password}"


async def trade(shop: Shop, rate: float, count: int | None, *, as_json: bool) -> None:
    """On a terminal one line that changes; in a file or pipe a line now and then."""
    console = Console()
    async with Lives() as lives:
        with console.status("waiting for the first order") as status:
            async for order in shop.orders(rate, lives, count):
                if as_json:
                    show_line({"event": "order"} | asdict(order) | {"tally": shop.tally.counts()})
                    continue
                status.update(line := told(order, shop.tally))
                if not console.is_terminal and order.number % 100 == 1:
                    print(line, flush=True)
            await lives.acted()
    if not as_json:
        print(counted(shop.tally), flush=True)


def told(order: Placed, tally: Tally) -> str:
    last = order.refused or f"{order.total} by {order.customer}, who {order.fate},"
    refused = f"; last refusal {tally.last_refusal}" if tally.last_refusal and not order.refused else ""
    return f"{counted(tally)}; last {last} in {order.ms:.0f} ms{refused}"


def counted(tally: Tally) -> str:
    placed, *places = (f"{place} {number}" for place, number in tally.counts().items())
    return f"{placed}: {', '.join(places)}"
