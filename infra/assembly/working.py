"""What works in the background: the relay, read models, to-dos."""

from __future__ import annotations

from infra.assembly.ground import Ground
from infra.assembly.replaying import workers
from infra.databases import READS
from infra.health import Check
from projections.consumer import Status, Stopped
from projections.lag import Meter
from projections.workers import Workers


def projections(ground: Ground) -> None:
    """Every generation of every read model, followed from here."""
    at_work = workers(ground)
    ground.checks["read models"] = following(at_work)
    ground.background(at_work.run())
    ground.background(Meter(ground.databases.pool(READS), ground.readers).run())


def following(workers: Workers) -> Check:
    """A read model that has stopped makes the process unfit to serve; one that is behind does not."""

    async def check() -> None:
        for consumer in workers.consumers:
            if consumer.health.status is Status.STOPPED:
                raise Stopped(f"{consumer.name}: {consumer.health.reason or ''}")

    return check
