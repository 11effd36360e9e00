"""Where objects meet: from settings to a running process, with explicit arguments and no container."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette

from commands.app import app, bare
from commands.payments import webhooks
from commands.payments.gateway import Gateway
from commands.router import RESOURCES, ROUTES
from commands.services import Services
from domain.aggregate import Context
from infra import asyncapi
from infra.assembly.access import tokens_of
from infra.assembly.comparing import payment_watch
from infra.assembly.cross_origin import cross_origin
from infra.assembly.doing import begun, todo
from infra.assembly.erasures import erased_again
from infra.assembly.feeding import Feeds
from infra.assembly.ground import Ground, laid
from infra.assembly.orchestrating import sagas
from infra.assembly.shapes import fit_to_read, rebuilt
from infra.assembly.working import projections
from infra.assembly.writing import WriteLoops, command_api, hooks, services, write_loops
from infra.contexts import CONTEXTS
from infra.duties import EVERY, SERVING, WRITING, Duty
from infra.health import health_routes
from infra.settings import FeedKind, Settings
from infra.telemetry import Telemetry
from infra.tokens import Tokens


@dataclass(frozen=True, slots=True)
class System:
    """A running process. `pages` are the addresses worth telling a person, by what is there.

    Who serves sets `stopping` when it begins to stop.
    """

    app: Starlette
    pages: Mapping[str, str]
    signing: Tokens | None
    stopping: asyncio.Event

    @property
    def tokens(self) -> Tokens:
        assert self.signing is not None, "only who serves has to do with tokens"
        return self.signing


@asynccontextmanager
async def running(
    settings: Settings,
    duties: Collection[Duty] = EVERY,
    contexts: Sequence[Context] = CONTEXTS,
    told: Telemetry | None = None,
    gateway: Gateway | None = None,
) -> AsyncIterator[System]:
    """What these duties need, on the databases of `settings`; at the end everything is stopped in reverse order.

    `contexts` are those that a relay publishes; every other duty has to do with all. What happens is `told` as the
    settings say, unless something else is given; so is the `gateway` that payments go through.
    """
    duties = frozenset(duties)
    async with AsyncExitStack() as stack:
        ground = await laid(settings, duties, contexts, stack, told, gateway)
        await erased_again(ground, duties)
        yield await assembled(ground, duties)


async def assembled(ground: Ground, duties: frozenset[Duty]) -> System:
    tokens = tokens_of(ground) if duties & (SERVING | {Duty.TODO}) else None
    loops = await write_loops(ground) if duties & WRITING else {}
    if loops:
        await begun(ground)
    used = services(ground, loops, tokens) if loops and tokens else None
    set_to_work(ground, duties, loops, used)
    if Duty.READS in duties and tokens:
        await show(ground, duties, tokens)
    pages = {name: path for name, (duty, path) in PAGES.items() if duty is None or duty in duties}
    return System(await served(ground, duties, loops, tokens, used), pages, tokens, ground.stopping)


def set_to_work(ground: Ground, duties: frozenset[Duty], loops: WriteLoops, used: Services | None) -> None:
    """What goes on in the background until the process stops."""
    if Duty.RELAY in duties and (duties != EVERY or ground.settings.feed is FeedKind.KAFKA):
        from infra.assembly.publishing import relay  # only who has to do with Kafka imports its client

        relay(ground)
    if Duty.PROJECTIONS in duties:
        projections(ground, Feeds(ground))
    if Duty.SAGAS in duties:
        sagas(ground, Feeds(ground), loops)
    if Duty.TODO in duties:
        assert used is not None
        todo(ground, loops, used)
        payment_watch(ground, loops)


async def show(ground: Ground, duties: frozenset[Duty], tokens: Tokens) -> None:
    """The read API. Who builds read models as well waits until they have the shape it reads."""
    from infra.assembly.reading import graphql  # only who serves reads imports GraphQL

    ground.routes.extend(await graphql(ground, tokens))
    ground.checks["shape of read models"] = fit_to_read(ground)
    if Duty.PROJECTIONS in duties:
        await rebuilt(ground)


async def served(
    ground: Ground, duties: frozenset[Duty], loops: WriteLoops, tokens: Tokens | None, used: Services | None
) -> Starlette:
    """Whatever the duties, how the process is; with commands, what is published as well."""
    more = [*ground.routes, *health_routes(ground.checks), ground.telemetry.route()]
    outside = [ground.telemetry.edge(), *cross_origin(ground.settings)]
    if not duties & {Duty.COMMANDS, Duty.DASHBOARD} or tokens is None or used is None:
        return bare(more, outside)
    api = await command_api(ground, loops, tokens, used)
    if Duty.DASHBOARD in duties:
        from infra.assembly.dashboard import pages  # only who shows it imports its templates

        more.append(pages(ground, loops, tokens, used, api))
    if Duty.COMMANDS not in duties:
        return bare(more, outside)
    raw = {webhooks.POST: hooks(ground, loops)}
    return app(
        api, ROUTES, RESOURCES, jwks=tokens.public_keys, raw=raw, more=[*more, asyncapi.route()], outside=outside
    )


PAGES: Final[dict[str, tuple[Duty | None, str]]] = {
    "command API": (Duty.COMMANDS, "/docs"),
    "GraphQL": (Duty.READS, "/graphql"),
    "dashboard": (Duty.DASHBOARD, "/dashboard/"),
    "health": (None, "/readyz"),
}
