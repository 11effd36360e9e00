"""Carries out the lines of a file, many at once, those of one subject in their order."""

from __future__ import annotations

import asyncio
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Protocol

from infra.batch.lines import BadLine, Line
from infra.batch.plans import Resolve, Step
from infra.batch.results import Outcome, Result, Results

PATIENCE: Final = 60.0  # seconds for which a command that nobody takes is sent again
AHEAD: Final = 8  # lines that wait in each lane

Plan = Callable[[Line, Resolve], Awaitable[list[Step]]]
Subject = Callable[[Line], str]


@dataclass(frozen=True, slots=True)
class Answer:
    """Of the command API: its status and body, and the seconds after which it wants to be asked again."""

    status: int
    body: Mapping[str, Any]
    retry_after: float = 1.0


class Post(Protocol):
    async def __call__(self, path: str, body: Mapping[str, Any], key: str) -> Answer: ...


class GivenUp(Exception):
    def __init__(self, line: int, answer: Answer) -> None:
        super().__init__(
            f"line {line} was answered {answer.body.get('code')} for {PATIENCE:g} s: {answer.body.get('detail')}."
            " Start it again later: what is done is not repeated"
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """`name` is what sets this delivery, price list or count apart from another that says the same."""

    kind: str
    name: str
    plan: Plan
    subject: Subject

    def key(self, line: Line, step: int, attempt: int) -> str:
        said = sha256(f"{self.kind}/{self.name}/{line.name}".encode()).hexdigest()[:40]
        return f"import/{self.kind}/{said}/{step}/{attempt}"


class Importer:
    def __init__(
        self, batch: Batch, post: Post, resolve: Resolve, results: Results, *, at_once: int, dry_run: bool
    ) -> None:
        self.counts: Counter[Outcome] = Counter()
        self._batch = batch
        self._post = post
        self._resolve = resolve
        self._results = results
        self._at_once = at_once
        self._dry_run = dry_run

    async def run(self, lines: Iterable[Line], told: Callable[[Result], None]) -> None:
        """Raises GivenUp; then what was done is in the results, and the rest is for the next run."""
        lanes: list[asyncio.Queue[Line | None]] = [asyncio.Queue(AHEAD) for _ in range(self._at_once)]
        try:
            async with asyncio.TaskGroup() as group:
                for lane in lanes:
                    group.create_task(self._lane(lane, told))
                for line in lines:
                    await lanes[zlib.crc32(self._batch.subject(line).encode()) % self._at_once].put(line)
                for lane in lanes:
                    await lane.put(None)
        except* GivenUp as group_of_one:
            raise group_of_one.exceptions[0] from None

    async def _lane(self, lane: asyncio.Queue[Line | None], told: Callable[[Result], None]) -> None:
        while (line := await lane.get()) is not None:
            result = await self._result(line)
            self.counts[result.outcome] += 1
            if result.outcome is not Outcome.DONE_BEFORE:
                self._results.add(result)
            told(result)

    async def _result(self, line: Line) -> Result:
        if self._results.is_done(line.name):
            return Result(line.number, Outcome.DONE_BEFORE, line.name)
        try:
            steps = await self._steps(line)
        except BadLine as fault:
            return Result(line.number, Outcome.INVALID, line.name, code="INVALID_LINE", detail=str(fault))
        return Result(line.number, Outcome.OK, line.name) if self._dry_run else await self._sent(line, steps)

    async def _steps(self, line: Line) -> list[Step]:
        """Raises BadLine."""
        if line.fault:
            raise BadLine(line.fault)
        steps = await self._batch.plan(line, self._resolve)
        for step in steps:
            step.check()
        return steps

    async def _sent(self, line: Line, steps: list[Step]) -> Result:
        """In order; the first that is refused ends it."""
        answer = Answer(500, {})
        for number, step in enumerate(steps):
            key = self._batch.key(line, number, self._results.refusals(line.name, number))
            answer = await self._answered(line, step, key)
            if step.made and answer.body.get("code") == "ALREADY_EXISTS":
                answer = Answer(200, {"id": step.body["id"]})
            elif answer.status >= 400:
                code, detail = answer.body.get("code"), answer.body.get("detail")
                outcome = Outcome.FAILED if answer.status >= 500 else Outcome.REFUSED
                return Result(line.number, outcome, line.name, code=code, detail=detail, step=number)
        id, version = answer.body.get("id"), answer.body.get("version")
        return Result(line.number, Outcome.OK, line.name, id=id, version=version)

    async def _answered(self, line: Line, step: Step, key: str) -> Answer:
        """The same command with the same key, until somebody takes it."""
        ends = asyncio.get_running_loop().time() + PATIENCE
        while (answer := await self._post(step.path, step.body, key)).body.get("retryable"):
            if asyncio.get_running_loop().time() + answer.retry_after > ends:
                raise GivenUp(line.number, answer)
            await asyncio.sleep(answer.retry_after)
        return answer
