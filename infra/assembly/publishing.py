"""Logs on their way to Kafka, and from there to consumers. Only who asks for it imports Kafka's client."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from infra.assembly.ground import Ground
from infra.databases import READS
from infra.health import Check, Unfit
from infra.kafka.floors import Floors
from infra.kafka.kafka_feed import KafkaFeed
from infra.kafka.relay import Relay, Role
from infra.kafka.topics import Topics
from infra.settings import Settings, SettingsRefused
from infra.telemetry.probes import relays
from projections.feed import Feed


def topics_of(settings: Settings) -> Topics:
    if settings.kafka_bootstrap is None:
        raise SettingsRefused("no Kafka: set CHOBO_KAFKA_BOOTSTRAP, or run `chobo up --kafka`")
    return Topics(
        settings.kafka_bootstrap,
        prefix=settings.topic_prefix,
        partitions=settings.topic_partitions,
        retention_hours=settings.topic_retention_hours,
    )


def relay(ground: Ground) -> None:
    """Publishes every log of this process to its topic, or stands by for who does."""
    topics, tracing = topics_of(ground.settings), ground.telemetry.tracing
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
    ground.checks["relay"] = none_waits(at_work)
    ground.telemetry.metrics.probe("relays", relays(at_work))


def none_waits(at_work: Sequence[Relay]) -> Check:
    """Who leads and who stands by are both ready; who waits for the broker or for somebody's help is not."""

    async def check() -> None:
        if waiting := [each.health.context for each in at_work if each.health.role is Role.WAITING]:
            raise Unfit(f"waiting: {', '.join(waiting)}")

    return check


def feed_of(ground: Ground, consumer: str, context: str) -> AbstractAsyncContextManager[Feed]:
    """A consumer's share of a topic."""
    topics = topics_of(ground.settings)
    return KafkaFeed(topics, ground.databases.pool(context), ground.readers[context], consumer)


def floors(ground: Ground) -> None:
    """Kept near the heads, as if the consumers followed the logs."""
    logs = {context.name: ground.databases.pool(context.name) for context in ground.contexts}
    ground.background(Floors(ground.databases.pool(READS), logs).run())
