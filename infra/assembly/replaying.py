"""The generations of read models: what follows them, builds them, and leads readers from one to the next."""

from __future__ import annotations

from collections.abc import Collection

from infra.assembly.feeding import Feeds
from infra.assembly.ground import Ground
from infra.build_processes import BuildProcesses
from infra.databases import READS
from infra.event_log.store_feed import StoreFeed
from projections.build import Builder
from projections.feed import Feed
from projections.models import MODELS
from projections.replay import Replays
from projections.workers import Workers


def replays(ground: Ground) -> Replays:
    parts = 2 * ground.settings.replay_processes
    return Replays(ground.databases.pool(READS), MODELS, ground.readers, parts=parts)


def workers(ground: Ground, feeds: Feeds) -> Workers:
    """Follows every generation from here. What is large is built in processes of its own."""
    build = BuildProcesses(ground.settings, builder(ground).build)
    pool = ground.databases.pool(READS)
    return Workers(pool, MODELS, feeds.of, replays(ground), build.build, moved=feeds.moved)


def builder(ground: Ground) -> Builder:
    """Builds in this process."""

    def part(context: str, slices: Collection[int], upto: int) -> Feed:
        return StoreFeed(ground.readers[context], ground.wakeups[context], slices, upto=upto)

    pool = ground.databases.pool(READS)
    return Builder(ground.databases.conninfo(READS), pool, {model.name: model for model in MODELS}, part)
