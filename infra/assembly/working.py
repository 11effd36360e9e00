"""What works in the background: read models and the relay."""

from __future__ import annotations

from infra.assembly.feeding import Feeds
from infra.assembly.ground import Ground
from infra.assembly.replaying import workers
from infra.databases import READS
from infra.health import Check, Unfit
from infra.settings import SettingsRefused
from infra.telemetry.following import consumers
from infra.telemetry.probes import relays
from projections.consumer import Status
from projections.lag import Meter
from projections.workers import Workers


def projections(ground: Ground, feeds: Feeds) -> None:
    """Every generation of every read model, followed from here."""
    at_work = workers(ground, feeds)
    ground.checks["read models"] = none_stopped(at_work)
    ground.background(at_work.run())
    ground.background(Meter(ground.databases.pool(READS), ground.readers).run())
    ground.telemetry.metrics.probe("consumers", consumers(ground.databases.pool(READS)))


def none_stopped(workers: Workers) -> Check:
    """A read model that has stopped makes the process unfit to serve; one that is behind does not."""

    async def check() -> None:
        if names := sorted({c.name for c in workers.consumers if c.health.status is Status.STOPPED}):
            raise Unfit(f"stopped: {', '.join(names)}")

    return check


def relay(ground: Ground) -> None:
    """Publishes every log of this process to its topic, or stands by for who does."""
    from infra.kafka.relay import Relay  # only who has to do with Kafka imports its client
    from infra.kafka.topics import Topics

    settings = ground.settings
    if settings.kafka_bootstrap is None:
        raise SettingsRefused("the relay publishes to Kafka: set CHOBO_KAFKA_BOOTSTRAP")
    topics = Topics(
        settings.kafka_bootstrap,
        prefix=settings.topic_prefix,
        partitions=settings.topic_partitions,
        retention_hours=settings.topic_retention_hours,
    )
    tracing = ground.telemetry.tracing
    at_work = [
        Relay(
            ground.databases.conninfo(context.name),
            context.name,
            topics,
            ground.wakeups[context.name],
            arrived=tracing.arrived if tracing else None,
        )
        for context in ground.contexts
    ]
    for each in at_work:
        ground.background(each.run())
    ground.telemetry.metrics.probe("relays", relays(at_work))
