"""How each generation of each read model stands, and what may be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from projections import generations, lag
from projections.comparison import verdict
from projections.generations import Generation, State
from projections.lag import Standing
from projections.models import MODELS
from projections.pool import Pool, connected

TONES: Final = {
    State.BUILDING: "busy",
    State.READY: "wait",
    State.LIVE: "good",
    State.KEPT: "quiet",
    State.CANCELLED: "quiet",
    State.DROPPED: "quiet",
}
ABOUT: Final = {
    State.BUILDING: "it is built from the log, beside the live one",
    State.READY: "it is built and kept up, readers do not see it yet",
    State.LIVE: "what readers see",
    State.KEPT: "what readers saw before; kept up, so that they can be led back",
    State.CANCELLED: "given up, its tables are gone",
    State.DROPPED: "thrown away, its tables are gone",
}


@dataclass(frozen=True, slots=True)
class Built:
    """How far a build is; the rate is events a second since it began."""

    done: int
    total: int
    rate: float
    left: float | None

    @property
    def share(self) -> float:
        return self.done / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A generation, with where it stands in each log it is made of; `others` are those of its model."""

    generation: Generation
    logs: Sequence[Standing]
    others: Sequence[Generation]
    now: datetime

    @property
    def tone(self) -> str:
        return TONES[self.generation.status]

    @property
    def about(self) -> str:
        """What its state means; one as of a moment follows nothing."""
        g = self.generation
        return f"as of {g.until}, not followed any further" if g.until and self.logs else ABOUT[g.status]

    @property
    def built(self) -> Built | None:
        if self.generation.status is not State.BUILDING:
            return None
        done, total = sum(log.done for log in self.logs), sum(log.total or 0 for log in self.logs)
        seconds = (self.now - self.generation.created_at).total_seconds()
        rate = done / seconds if seconds > 0 else 0.0
        return Built(done, total, rate, (total - done) / rate if rate else None)

    @property
    def parked(self) -> int:
        return sum(log.parked for log in self.logs)

    @property
    def behind(self) -> int:
        return sum(log.events for log in self.logs)

    @property
    def seconds(self) -> float:
        return max((log.seconds or 0.0 for log in self.logs), default=0.0)

    @property
    def reasons(self) -> list[str]:
        """Why a consumer of it waits or has stopped."""
        return [f"{log.status.lower()}: {log.reason}" for log in self.logs if log.reason]

    @property
    def verdict(self) -> str:
        found = self.generation.compared
        return "" if found is None else verdict(found)

    @property
    def differences(self) -> Sequence[dict[str, Any]]:
        return self.generation.compared["named"] if self.generation.compared else []

    # -- what may be done ----------------------------------------------------------------------------------------------

    @property
    def may_compare(self) -> bool:
        return self.generation.status in {State.READY, State.KEPT}

    @property
    def may_switch(self) -> bool:
        return self.generation.status is State.READY and self.generation.until is None

    @property
    def reasons_to_look(self) -> list[str]:
        """What speaks against a switch: it takes force then."""
        found = []
        if self.generation.compared is None:
            found.append("it was not compared with the live one")
        elif not self.generation.compared["equal"]:
            found.append(f"it differs from the live one: {self.verdict}")
        if self.parked:
            found.append(f"{self.parked} of its sequences are parked")
        return found

    @property
    def leads_back_to(self) -> Generation | None:
        """What readers would see after a roll-back."""
        kept = [g for g in self.others if g.status is State.KEPT]
        return kept[-1] if kept and self.generation.status is State.LIVE else None

    @property
    def may_cancel(self) -> bool:
        return self.generation.status is State.BUILDING or self.may_switch

    @property
    def may_drop(self) -> bool:
        status, until = self.generation.status, self.generation.until
        return status is State.KEPT or (status is State.READY and until is not None)


@dataclass(frozen=True, slots=True)
class ModelShown:
    name: str
    contexts: Sequence[str]
    generations: Sequence[Shown]

    @property
    def live(self) -> Shown | None:
        return next((g for g in self.generations if g.generation.status is State.LIVE), None)

    @property
    def candidate(self) -> Shown | None:
        """What is on its way to being live."""
        return next((g for g in self.generations if g.generation.is_candidate), None)


async def models(pool: Pool, now: datetime, name: str | None = None, *, ended: bool = False) -> list[ModelShown]:
    """Every read model of this release, or the one; the newest generation first."""
    async with connected(pool) as connection:
        found = await generations.listed(connection, name, ended=ended)
        logs = await lag.standings(connection, name)
    return [
        ModelShown(
            model.name,
            model.contexts,
            [
                Shown(g, [log for log in logs if log.name == g.name], [o for o in found if o.model == g.model], now)
                for g in reversed(found)
                if g.model == model.name
            ],
        )
        for model in sorted(MODELS, key=lambda model: model.name)
        if name in (None, model.name)
    ]
