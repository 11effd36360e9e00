"""python -m bench.app DATA [kafka] [memory] [graphql]: `chobo up` with two more commands, which do nothing.

`memory`: payments go through the gateway in memory instead of the sandbox's. `graphql`: with what GraphQL is measured
against.
Prints one JSON line when it is ready: address, pid and PostgreSQL's, the database, a service token for every role.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import uvloop
from pydantic import BaseModel, SecretStr
from starlette.applications import Starlette

from commands.http import Commands
from commands.message import Command
from commands.orders.messages import PlaceOrder
from commands.payments.gateway import Gateway
from commands.products.messages import ReceiveStock
from commands.route import REQUIRED, Route
from commands.router import RESOURCES, ROUTES
from commands.services import Services
from commands.table import Table
from domain.actor import service
from infra.bootstrap import running
from infra.cli.all_in_one import paid_in
from infra.cli.installation import installation
from infra.embedded import EmbeddedPostgres
from infra.gateway.memory import MemoryGateway
from infra.kafka.broker import EmbeddedKafka
from infra.logs import log_to_stderr
from infra.serving import Server, address_of, listen
from infra.settings import FeedKind, Settings


class Nothing(BaseModel):
    id: UUID = UUID(int=0)
    version: int = 1
    status: str = "NOTHING"


async def nothing(message: Command, services: Services) -> Nothing:
    """The ceiling of a command: a row of the same table, authentication, scope and body, and no command."""
    return Nothing()


ROWS = [
    Route("/v1/nothing", PlaceOrder, scope="orders:place", key=REQUIRED, serve=nothing),
    Route("/v1/nothing/{id}/receive", ReceiveStock, scope="stock:move", key=REQUIRED, serve=nothing),
]


def with_nothing(app: Starlette) -> None:
    commands = next(route for route in app.routes if isinstance(route, Commands))
    commands._api._table = Table([*ROUTES, *ROWS], RESOURCES)


async def serve(settings: Settings, postgres: EmbeddedPostgres, gateway: Gateway | None) -> None:
    listening = listen(settings.host, settings.port)
    async with paid_in(settings, listening) as whole, running(whole, gateway=gateway) as system:
        with_nothing(system.app)
        if "graphql" in sys.argv[2:]:
            from bench.graphql_routes import add_routes

            add_routes(system.app)

        def announce() -> None:
            token, _ = system.tokens.access(service("bench"))
            ready = {"address": address_of(listening), "pid": os.getpid(), "token": token}
            ready |= {"database": postgres.conninfo(), "postgres": postgres.pid}
            print(json.dumps(ready), flush=True)

        server = Server(system.app, stop_within=settings.stop_seconds, on_ready=announce, on_stop=lambda: None)
        await server.serve_until_signal(listening)


def main(data: Path, *, kafka: bool, memory: bool) -> None:
    """As `chobo up --kafka` where that is asked for, with a broker of its own."""
    log_to_stderr("warning", as_json=False)
    # limits are on, and so is what they cost, but nobody reaches them
    settings = installation(data=data, port=0, rate_limits=1000, feed=FeedKind.KAFKA if kafka else None)
    with ExitStack() as servers:
        postgres = servers.enter_context(EmbeddedPostgres(data))
        given: dict[str, Any] = {"database_url": SecretStr(postgres.conninfo())}
        if kafka:
            given["kafka_bootstrap"] = servers.enter_context(EmbeddedKafka(data / "kafka")).bootstrap
        gateway = MemoryGateway() if memory else None
        uvloop.run(serve(settings.model_copy(update=given), postgres, gateway))


if __name__ == "__main__":
    main(Path(sys.argv[1]), kafka="kafka" in sys.argv[2:], memory="memory" in sys.argv[2:])
