"""Which request or webhook goes wrong, by rules that a test sets."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from infra.gateway.faults import WEBHOOK_FAULTS, Fault


class Rule(BaseModel):
    """`route` is a pattern of `POST /v1/refunds` or `WEBHOOK refund.created`. It holds `times` times, None for ever."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    route: Annotated[str, Field(min_length=1)] = "*"
    fault: Fault
    times: int | None = Field(None, ge=1)
    probability: float = Field(1.0, ge=0, le=1)
    seed: int = 0
    seconds: float = Field(60.0, ge=0, le=3600)  # of a delay, or until a time-out ends in a broken connection


@dataclass(slots=True)
class Standing:
    rule: Rule
    random: Random
    left: int | None

    def holds(self, route: str) -> bool:
        rule = self.rule
        of_webhook = route.startswith("WEBHOOK ")
        fits = of_webhook is (rule.fault in WEBHOOK_FAULTS) and fnmatchcase(route, rule.route)
        if self.left == 0 or not fits or self.random.random() >= rule.probability:
            return False
        self.left = None if self.left is None else self.left - 1
        return True


@dataclass(slots=True)
class Misfortune:
    """The first rule that holds decides."""

    standing: list[Standing] = field(default_factory=list)

    def add(self, *rules: Rule) -> None:
        self.standing += [Standing(rule, Random(rule.seed), rule.times) for rule in rules]  # noqa: S311  # repeatable

    def clear(self) -> None:
        self.standing.clear()

    def of(self, route: str) -> Rule | None:
        return next((standing.rule for standing in self.standing if standing.holds(route)), None)
