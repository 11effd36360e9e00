"""Runs checks one after another and shows what they find as they find it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Protocol

from typer import BadParameter

from domain.operations.events import Facts
from domain.operations.kinds import OperationKind
from infra.cli.databases import opened
from infra.cli.event_list import chosen
from infra.cli.log_tools import conninfo
from infra.cli.operating import operating
from infra.cli.show import show_line
from infra.contexts import CONTEXTS
from infra.databases import READS
from infra.event_log.reader import LogReader
from infra.keys import PersonalKeys
from infra.settings import Settings, SettingsRefused
from infra.verify.finding import Finding, Tally
from infra.verify.log import LogCheck
from infra.verify.mending import Mending
from infra.verify.models import ModelCheck
from infra.verify.topic import TopicCheck
from projections.generations import FOLLOWED, listed
from projections.model import Model
from projections.models import MODELS
from projections.pool import connected

SOUND, WRONG = 0, 1  # exit codes


class Check(Protocol):
    """Something that can be verified. `tally` is complete when all findings have been taken."""

    @property
    def tally(self) -> Tally: ...

    def findings(self) -> AsyncIterator[Finding]: ...


async def verify_logs(settings: Settings, contexts: Iterable[str], *, as_json: bool) -> int:
    """The exit code, as of all of these."""
    wrong, _ = await shown(logs(settings, chosen(contexts)), as_json=as_json)
    return WRONG if wrong else SOUND


async def verify_models(
    settings: Settings, names: Iterable[str], *, deep: bool, repair: str | None, as_json: bool
) -> int:
    """`repair` is the reason for repairing; None looks only."""
    models = wanted(names)
    if repair is None:
        wrong, _ = await shown(generations(settings, models, deep=deep, repair=False), as_json=as_json)
        return WRONG if wrong else SOUND
    facts: Facts = {"models": [model.name for model in models], "deep": deep}
    async with (
        operating(settings) as operations,
        operations.carried_out(OperationKind.VERIFY_REPAIR, "models", facts, repair) as result,
    ):
        wrong, repaired = await shown(generations(settings, models, deep=deep, repair=True), as_json=as_json)
        result |= {"repaired": repaired, "wrong": wrong}
    return WRONG if wrong else SOUND


async def verify_topics(settings: Settings, contexts: Iterable[str], *, repair: str | None, as_json: bool) -> int:
    """`repair` is the reason for repairing; None looks only."""
    names = chosen(contexts)
    if repair is None:
        wrong, _ = await shown(topics(settings, names, repair=False), as_json=as_json)
        return WRONG if wrong else SOUND
    async with (
        operating(settings) as operations,
        operations.carried_out(OperationKind.VERIFY_REPAIR, "topics", {"topics": [*names]}, repair) as result,
    ):
        wrong, repaired = await shown(topics(settings, names, repair=True), as_json=as_json)
        result |= {"repaired": repaired, "wrong": wrong}
    return WRONG if wrong else SOUND


async def shown(checks: AsyncIterator[Check], *, as_json: bool) -> tuple[int, int]:
    """How much is wrong and how much was repaired."""
    wrong = repaired = 0
    async for check in checks:
        async for finding in check.findings():
            if as_json:
                show_line(finding.told())
            else:
                print(line(finding), flush=True)
        wrong, repaired = wrong + check.tally.wrong, repaired + check.tally.repaired
        if as_json:
            show_line(check.tally.told())
        else:
            print(summary(check.tally), flush=True)
    return wrong, repaired


def line(finding: Finding) -> str:
    marked = "repaired" if finding.repaired else "WRONG" if finding.wrong else "note"
    where = f" at {finding.position}" if finding.position is not None else ""
    stream = f" {finding.stream}" if finding.stream is not None else ""
    return f"  {marked:<9}{finding.code:<20} {finding.place}{where}{stream}: {finding.detail}"


def summary(tally: Tally) -> str:
    verdict = f"{tally.wrong} wrong" if tally.wrong else "nothing wrong"
    repaired = f", {tally.repaired} repaired" if tally.repaired else ""
    return f"{tally.place}: {tally.checked} checked, {verdict}{repaired}"


def wanted(names: Iterable[str]) -> list[Model]:
    known = {model.name: model for model in MODELS}
    if unknown := sorted(set(names) - known.keys()):
        raise BadParameter(f"unknown read model {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in names] or list(MODELS)


async def logs(settings: Settings, contexts: Iterable[str]) -> AsyncIterator[Check]:
    async with opened(settings, [context.name for context in CONTEXTS], reads=False) as databases:
        keys = PersonalKeys(databases.pool("users"), settings.master_key_bytes())
        for name in contexts:
            yield LogCheck(databases.conninfo(name), name, keys)


async def topics(settings: Settings, contexts: Iterable[str], *, repair: bool) -> AsyncIterator[Check]:
    """Raises SettingsRefused when there is no Kafka."""
    bootstrap = settings.kafka_bootstrap or kept_broker(settings)
    if bootstrap is None:
        raise SettingsRefused("no Kafka: set CHOBO_KAFKA_BOOTSTRAP, or say --kafka")
    for name in contexts:
        topic = f"{settings.topic_prefix}.{name}"
        yield TopicCheck(conninfo(settings, name), name, bootstrap, topic, repair=repair)


def kept_broker(settings: Settings) -> str | None:
    """The address of the broker of a `chobo up --kafka` on this data directory."""
    path = settings.data / "kafka" / "server.properties"
    if not path.exists():
        return None
    properties = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    return properties["advertised.listeners"].partition("//")[2]


async def generations(settings: Settings, models: Iterable[Model], *, deep: bool, repair: bool) -> AsyncIterator[Check]:
    """Every generation that has been built, with those that only wait to be switched to."""
    async with opened(settings, [context.name for context in CONTEXTS]) as databases:
        keys = PersonalKeys(databases.pool("users"), settings.master_key_bytes())
        pool = databases.pool(READS)
        for model in models:
            conninfos = {name: databases.conninfo(name) for name in model.contexts}
            readers = {name: LogReader(databases.pool(name), name, keys) for name in model.contexts}
            async with connected(pool) as connection:
                standing = [g for g in await listed(connection, model.name) if g.status in FOLLOWED]
            for one in standing:
                mend = Mending(pool, readers, model, one).mend if repair else None
                yield ModelCheck(databases.conninfo(READS), conninfos, model, one, keys, deep=deep, mend=mend)
