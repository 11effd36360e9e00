"""What works in the background: read models."""

from __future__ import annotations

from infra.assembly.feeding import Feeds
from infra.assembly.ground import Ground
from infra.assembly.replaying import workers
from infra.databases import READS
from infra.health import Check, Unfit
from infra.settings import FeedKind
from infra.telemetry.following import consumers
from infra.telemetry.probes import watches
from infra.verify.watching import LogWatch
from projections.consumer import Status
from projections.lag import Meter
from projections.workers import Workers


def projections(ground: Ground, feeds: Feeds) -> None:
    """Every generation of every read model, followed from here."""
    at_work = workers(ground, feeds)
    ground.checks["read models"] = none_stopped(at_work)
    ground.background(at_work.run())
    if ground.settings.feed is FeedKind.KAFKA:
        from infra.assembly.publishing import floors

        floors(ground)
    ground.background(Meter(ground.databases.pool(READS), ground.readers).run())
    ground.telemetry.metrics.probe("consumers", consumers(ground.databases.pool(READS)))
    watched(ground)


def watched(ground: Ground) -> None:
    """The logs that are followed are looked at as well."""
    at_work = [LogWatch(ground.databases.pool(context.name), context.name) for context in ground.contexts]
    for watch in at_work:
        ground.background(watch.run())
    ground.telemetry.metrics.probe("verify", watches(at_work))


def none_stopped(workers: Workers) -> Check:
    """A read model that has stopped makes the process unfit to serve; one that is behind does not."""

    async def check() -> None:
        if names := sorted({c.name for c in workers.consumers if c.health.status is Status.STOPPED}):
            raise Unfit(f"stopped: {', '.join(names)}")

    return check
