"""Runs checks one after another and shows what they find as they find it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Protocol

from infra.bootstrap import CONTEXTS
from infra.cli.event_list import chosen
from infra.cli.show import show_line
from infra.databases import Databases
from infra.keys import PersonalKeys
from infra.settings import Settings
from infra.verify.finding import Finding, Tally
from infra.verify.log import LogCheck

SOUND, WRONG = 0, 1  # exit codes


class Check(Protocol):
    """Something that can be verified. `tally` is complete when all findings have been taken."""

    @property
    def tally(self) -> Tally: ...

    def findings(self) -> AsyncIterator[Finding]: ...


def run(checks: AsyncIterator[Check], *, as_json: bool) -> int:
    """The exit code."""
    return asyncio.run(shown(checks, as_json=as_json))


async def shown(checks: AsyncIterator[Check], *, as_json: bool) -> int:
    wrong = 0
    async for check in checks:
        async for finding in check.findings():
            if as_json:
                show_line(finding.row())
            else:
                print(line(finding), flush=True)
        wrong += check.tally.wrong
        if as_json:
            show_line(check.tally.row())
        else:
            print(summary(check.tally), flush=True)
    return WRONG if wrong else SOUND


def line(finding: Finding) -> str:
    marked = "repaired" if finding.repaired else "WRONG" if finding.wrong else "note"
    where = f" at {finding.position}" if finding.position is not None else ""
    stream = f" {finding.stream}" if finding.stream is not None else ""
    return f"  {marked:<9}{finding.code:<20} {finding.place}{where}{stream}: {finding.detail}"


def summary(tally: Tally) -> str:
    verdict = f"{tally.wrong} wrong" if tally.wrong else "nothing wrong"
    repaired = f", {tally.repaired} repaired" if tally.repaired else ""
    return f"{tally.place}: {tally.checked} checked, {verdict}{repaired}"


async def logs(settings: Settings, contexts: Iterable[str]) -> AsyncIterator[Check]:
    names = chosen(contexts)
    async with Databases(settings, [context.name for context in CONTEXTS]) as databases:
        keys = PersonalKeys(databases.pool("users"), settings.master_key_bytes())
        for name in names:
            yield LogCheck(databases.conninfo(name), name, keys)
