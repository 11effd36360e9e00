"""What works in the background: read models."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from infra.assembly.feeding import Feeds
from infra.assembly.ground import Ground
from infra.assembly.replaying import workers
from infra.databases import READS
from infra.duties import SERVING
from infra.health import Check, Unfit
from infra.settings import FeedKind
from infra.telemetry.following import consumers
from infra.telemetry.probes import watches
from infra.verify.watching import LogWatch
from projections.consumer import Consumer, Status
from projections.lag import Meter


def projections(ground: Ground, feeds: Feeds) -> None:
    """Every generation of every read model, followed from here."""
    generations = workers(ground, feeds)
    ground.checks["read models"] = at_work(lambda: generations.consumers, unfit(ground))
    ground.background(generations.run())
    if ground.settings.feed is FeedKind.KAFKA:
        from infra.assembly.publishing import floors

        floors(ground)
    ground.background(Meter(ground.databases.pool(READS), ground.readers).run())
    ground.telemetry.metrics.probe("consumers", consumers(ground.databases.pool(READS)))
    watched(ground)


def watched(ground: Ground) -> None:
    """The logs that are followed are looked at as well."""
    watching = [LogWatch(ground.databases.pool(context.name), context.name) for context in ground.contexts]
    for watch in watching:
        ground.background(watch.run())
    ground.telemetry.metrics.probe("verify", watches(watching))


def unfit(ground: Ground) -> frozenset[Status]:
    """What a consumer must not be in. One that is behind does no harm; who only works is unfit while it waits, too."""
    stopped = frozenset({Status.STOPPED})
    return stopped if ground.duties & SERVING else stopped | {Status.WAITING}


def at_work(consumers: Callable[[], Iterable[Consumer]], wrong: frozenset[Status]) -> Check:
    """Raises Unfit when one of those that there are at the moment does not work."""

    async def check() -> None:
        found = {(health.status, health.consumer) for health in (each.health for each in consumers())}
        if said := [f"{name} is {status}" for status, name in sorted(found) if status in wrong]:
            raise Unfit(", ".join(said))

    return check
