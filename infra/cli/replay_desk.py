"""What `chobo replay` and `chobo models` do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from domain.ids import OperationId, new_id
from domain.operations.events import Facts
from domain.operations.kinds import OperationKind
from infra.cli.databases import opened
from infra.cli.operating import operating
from infra.cli.show import show, show_line
from infra.contexts import CONTEXTS
from infra.databases import READS, Databases
from infra.event_log.reader import LogReader
from infra.keys import PersonalKeys
from infra.replaying import compared
from infra.settings import Settings
from projections import comparison, generations
from projections.generations import Generation, State
from projections.lag import Meter, Standing, standings
from projections.models import MODELS
from projections.pool import Pool, connected
from projections.replay import ReplayRefused, Replays, Until

LOOK: Final = 0.5  # seconds between looks at progress

Fits = Callable[[Generation], bool]


def run(work: Coroutine[Any, Any, int | None]) -> None:
    """Its number is the exit code."""
    raise typer.Exit(asyncio.run(work) or 0)


def moment(text: str | None) -> Until | None:
    """`p1234`, `1234` or a time; one without a zone is UTC."""
    if text is None:
        return None
    if text.removeprefix("p").isdecimal():
        return Until(int(text.removeprefix("p")))
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"--until {text}: say a position as p1234 or a time as 2026-01-31T12:00:00Z") from None
    return Until(at if at.tzinfo else at.replace(tzinfo=UTC))


# --- which generation is meant -------------------------------------------------------------------------------------


def switchable(g: Generation) -> bool:
    return g.status is State.READY and g.until is None


def seen_by_readers(g: Generation) -> bool:
    return g.status is State.LIVE


def cancellable(g: Generation) -> bool:
    return g.status in {State.BUILDING, State.READY}


def droppable(g: Generation) -> bool:
    return g.status is State.KEPT or (g.status is State.READY and g.until is not None)


def found(settings: Settings, name: str, fits: Fits) -> Generation:
    """`orders@2`, or the one generation of `orders` that the verb can be about. Raises ReplayRefused."""
    return asyncio.run(_found(settings, name, fits))


async def _found(settings: Settings, name: str, fits: Fits) -> Generation:
    async with at_desk(settings) as (pool, replays):
        return await one(pool, replays, name, fits)


async def one(pool: Pool, replays: Replays, name: str, fits: Fits) -> Generation:
    model, _, number = name.partition("@")
    if number:
        return await replays.generation(model, int(number) if number.isdecimal() else 0)
    async with connected(pool) as connection:
        standing = await generations.listed(connection, replays.model(model).name)
    fitting = [g for g in standing if fits(g)]
    if len(fitting) == 1:
        return fitting[0]
    there = ", ".join(f"{g.name} {g.status}" for g in fitting or standing)
    raise ReplayRefused(f"{'several generations' if fitting else 'no generation'} of {model} can be meant: {there}")


@asynccontextmanager
async def at_desk(settings: Settings) -> AsyncIterator[tuple[Pool, Replays]]:
    async with opened(settings, [c.name for c in CONTEXTS]) as databases:
        pool = databases.pool(READS)
        yield pool, Replays(pool, MODELS, readers(settings, databases))


def readers(settings: Settings, databases: Databases) -> dict[str, LogReader]:
    keys = PersonalKeys(databases.pool("users"), settings.master_key_bytes())
    return {c.name: LogReader(databases.pool(c.name), c.name, keys) for c in CONTEXTS}


# --- what changes something: asked for like over HTTP, done by a worker ----------------------------------------------


async def start(
    settings: Settings, model: str, until: Until | None, reason: str, *, watching: bool, as_json: bool
) -> None:
    id = OperationId(new_id())
    at = until.moment if until else None
    parameters: Facts = {"until": at.isoformat() if isinstance(at, datetime) else at}
    async with operating(settings) as operations:
        result = await operations.request(OperationKind.REPLAY_START, model, parameters, reason, id=id)
    tell(result, as_json=as_json)
    if until and not as_json:
        print(f"When it is READY, read it in the read database in the schema {result['schema']}; nothing follows it.")
    if watching:
        await watch(settings, model, as_json=as_json)


async def switch(settings: Settings, aim: Generation, reason: str, *, force: bool, as_json: bool) -> None:
    await ask(settings, OperationKind.REPLAY_SWITCH, aim, {"force": force}, reason, as_json=as_json)


async def roll_back(settings: Settings, aim: Generation, reason: str, *, force: bool, as_json: bool) -> None:
    await ask(settings, OperationKind.REPLAY_ROLLBACK, aim, {"force": force}, reason, as_json=as_json)


async def cancel(settings: Settings, aim: Generation, reason: str, *, as_json: bool) -> None:
    await ask(settings, OperationKind.REPLAY_CANCEL, aim, {}, reason, as_json=as_json)


async def drop(settings: Settings, aim: Generation, reason: str, *, as_json: bool) -> None:
    await ask(settings, OperationKind.REPLAY_DROP, aim, {}, reason, as_json=as_json)


async def ask(
    settings: Settings, kind: OperationKind, aim: Generation, parameters: Facts, reason: str, *, as_json: bool
) -> None:
    async with operating(settings) as operations:
        tell(await operations.request(kind, str(aim.replay), parameters, reason), as_json=as_json)


async def compare(settings: Settings, name: str, reason: str, *, as_json: bool) -> int:
    """Recorded as on the dashboard, but carried out here: no worker has to run, and the rows that differ are named."""
    async with at_desk(settings) as (pool, replays), operating(settings) as operations:
        other = await one(pool, replays, name, switchable)
        async with operations.carried_out(OperationKind.REPLAY_COMPARE, str(other.replay), {}, reason) as result:
            found = await replays.compare(other)
            result.update(compared(found))
    summary = found.summary()
    if as_json:
        show_line(summary)
    else:
        print(f"{found.other} against {found.live}: {sum(found.rows.values())} rows, {comparison.verdict(summary)}")
        show((summary["named"]), as_json=False)
    return 0 if found.equal else 1


def tell(result: Facts, *, as_json: bool) -> None:
    if as_json:
        show_line(result)
    else:
        print(f"{result['generation']} is {result['status']}")


# --- what only looks -------------------------------------------------------------------------------------------------


async def show_list(settings: Settings, model: str | None, *, ended: bool, as_json: bool) -> None:
    async with at_desk(settings) as (pool, _), connected(pool) as connection:
        rows = await generations.listed(connection, model, ended=ended)
    show(map(told if as_json else short, rows), as_json=as_json)


async def show_models(settings: Settings, model: str | None, *, as_json: bool) -> None:
    async with opened(settings, [c.name for c in CONTEXTS]) as databases:
        await Meter(databases.pool(READS), readers(settings, databases)).measure()
        async with connected(databases.pool(READS)) as connection:
            rows = await standings(connection, model)
    show(map(standing_told if as_json else standing_short, rows), as_json=as_json)


def verdict(g: Generation) -> str:
    return comparison.verdict(g.compared) if g.compared else "It was not compared with the live one."


def told(g: Generation) -> dict[str, Any]:
    return {
        "generation": g.name,
        "status": str(g.status),
        "replay": str(g.replay),
        "until": g.until,
        "schema": g.schema,
        "createdAt": g.created_at,
        "builtAt": g.built_at,
        "liveAt": g.live_at,
        "endedAt": g.ended_at,
        "comparedAt": g.compared_at,
        "compared": g.compared,
    }


def short(g: Generation) -> dict[str, Any]:
    return {
        "generation": g.name,
        "status": str(g.status) + (f" as of {g.until}" if g.until else ""),
        "created": _at(g.created_at),
        "built": _at(g.built_at),
        "live since": _at(g.live_at) if g.status is State.LIVE else "",
        "compared": comparison.verdict(g.compared) if g.compared else "",
        "replay": str(g.replay),
    }


def _at(time: datetime | None) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds") if time else ""


def standing_told(s: Standing) -> dict[str, Any]:
    return {
        "model": s.model,
        "generation": s.generation,
        "status": s.state,
        "until": s.until,
        "context": s.context,
        "floor": s.floor,
        "behind": s.events,
        "seconds": s.seconds,
        "slices": dict(s.slices),
        "parked": s.parked,
        "worker": s.status,
        "reason": s.reason,
        "built": s.done,
        "toBuild": s.total,
    }


def standing_short(s: Standing) -> dict[str, Any]:
    return {
        "model": s.name,
        "status": s.state + (f" as of {s.until}" if s.until else ""),
        "context": s.context,
        "position": s.floor,
        "events behind": s.events,
        "seconds": "" if s.seconds is None else f"{s.seconds:.1f}",
        "parked": s.parked,
        "worker": s.status + (f": {s.reason}" if s.reason else ""),
    }


# --- watching --------------------------------------------------------------------------------------------------------


class Rate:
    """Events a second, from what was done when it was first looked at."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[float, int]] = {}

    def of(self, name: str, done: int) -> float:
        at, before = self._first.setdefault(name, (time.monotonic(), done))
        seconds = time.monotonic() - at
        return (done - before) / seconds if seconds else 0.0


async def watch(settings: Settings, model: str | None, *, as_json: bool) -> None:
    """Until nothing is being built any more."""
    rate, seen = Rate(), set[str]()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[text]}"),
        console=Console(),
        disable=as_json,
    ) as bars:
        tasks: dict[str, Any] = {}
        async with at_desk(settings) as (pool, _):
            while building := await progress(pool, model, seen, rate):
                for row in building:
                    if as_json:
                        show_line(row)
                        continue
                    name = row["generation"]
                    if name not in tasks:
                        tasks[name] = bars.add_task(name, total=row["total"], text="")
                    bars.update(tasks[name], total=row["total"], completed=row["done"], text=line(row))
                if all(row["status"] != State.BUILDING for row in building):
                    return
                await asyncio.sleep(LOOK)
    if not as_json:
        print("Nothing is being built.")


async def progress(pool: Pool, model: str | None, seen: set[str], rate: Rate) -> Sequence[dict[str, Any]]:
    """Of what is being built, and of what was when it was last looked at."""
    async with connected(pool) as connection:
        found = await standings(connection, model)
    seen |= {s.name for s in found if s.state == State.BUILDING}
    return [row_of([s for s in found if s.name == name], rate) for name in sorted(seen) if _stands(found, name)]


def _stands(found: Sequence[Standing], name: str) -> bool:
    return any(s.name == name for s in found)


def row_of(contexts: Sequence[Standing], rate: Rate) -> dict[str, Any]:
    first = contexts[0]
    done, total = sum(s.done for s in contexts), sum(s.total or 0 for s in contexts)
    per_second = rate.of(first.name, done)
    return {
        "generation": first.name,
        "status": first.state,
        "done": done if first.state == State.BUILDING else total,
        "total": total,
        "rate": round(per_second),
        "secondsLeft": round((total - done) / per_second, 1) if per_second else None,
        "parked": sum(s.parked for s in contexts),
    }


def line(row: dict[str, Any]) -> str:
    left = "" if row["secondsLeft"] is None else f", {row['secondsLeft']:.0f} s left"
    parked = f", {row['parked']} PARKED" if row["parked"] else ""
    if row["status"] != State.BUILDING:
        return f"{row['total']:,} events, {row['status']}{parked}"
    return f"{row['done']:,} of {row['total']:,} events, {row['rate']:,}/s{left}{parked}"
