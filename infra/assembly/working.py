"""What works in the background: the relay, read models, to-dos."""

from __future__ import annotations

from infra.assembly.ground import Ground
from infra.databases import READS
from infra.health import Check
from projections.consumer import Consumer, Status, Stopped
from projections.models import MODELS
from projections.sink import ModelSink


def projections(ground: Ground) -> None:
    """Every read model, followed from here."""
    pool = ground.databases.pool(READS)
    for model in MODELS:
        for context in model.contexts:
            consumer = Consumer(ModelSink(model), ground.feeds[context], pool, moved=ground.watch.moved)
            ground.checks[consumer.name] = following(consumer)
            ground.background(consumer.run())


def following(consumer: Consumer) -> Check:
    """A read model that has stopped makes the process unfit to serve; one that is behind does not."""

    async def check() -> None:
        if consumer.health.status is Status.STOPPED:
            raise Stopped(consumer.health.reason or "")

    return check
