"""What `chobo import` does: the command API in this very process, on the databases of the installation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx

from commands.app import app
from commands.router import RESOURCES, ROUTES
from domain import products
from domain.actor import service
from domain.claim import Claim, ClaimStatus
from domain.operations.kinds import OperationKind
from domain.products.sku import normalised
from infra.assembly.access import tokens_of
from infra.assembly.ground import laid
from infra.assembly.writing import WriteLoops, command_api, services, write_loops
from infra.batch import plans
from infra.batch.importer import Answer, Batch, Importer, Post
from infra.batch.lines import read
from infra.batch.plans import Resolve
from infra.batch.results import Outcome, Result, Results
from infra.claims import HiddenClaims
from infra.cli.log_tools import recorded
from infra.cli.show import show_line
from infra.contexts import CONTEXTS
from infra.duties import Duty
from infra.settings import Settings
from infra.tokens import Tokens

DONE, SOME_REFUSED = 0, 1  # exit codes
A_DAY: Final = 86_400  # seconds that the import's token lasts

KINDS: Final = {
    "products": (OperationKind.PRODUCTS_IMPORT, plans.products, plans.products_subject),
    "stock": (OperationKind.STOCK_IMPORT, plans.stock, plans.stock_subject),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    kind: str
    file: Path
    batch: str
    results: Path | None
    at_once: int
    dry_run: bool

    @property
    def results_path(self) -> Path | None:
        if self.dry_run:
            return None
        return self.results or self.file.with_name(f"{self.file.name}.results.jsonl")


async def run(settings: Settings, wanted: Wanted, reason: str, *, as_json: bool) -> int:
    """The exit code. Raises GivenUp."""
    kind, plan, subject = KINDS[wanted.kind]
    batch = Batch(wanted.kind, wanted.batch, plan, subject)
    async with shop(settings) as (post, resolve):
        with Results(wanted.results_path) as results:
            importer = Importer(batch, post, resolve, results, at_once=wanted.at_once, dry_run=wanted.dry_run)
            if wanted.dry_run:
                await importer.run(read(wanted.file), teller(as_json=as_json))
            else:
                facts = {"file": wanted.file.name, "batch": wanted.batch}
                async with recorded(settings, kind, wanted.kind, {**facts}, reason) as outcome:
                    try:
                        await importer.run(read(wanted.file), teller(as_json=as_json))
                    finally:
                        outcome.update(counted(importer))
    if as_json:
        show_line({"counts": counted(importer)})
    else:
        print(", ".join(f"{count} {name}" for name, count in counted(importer).items()) or "no lines")
    return DONE if importer.counts.keys() <= {Outcome.OK, Outcome.DONE_BEFORE} else SOME_REFUSED


def counted(importer: Importer) -> dict[str, Any]:
    return {str(outcome): importer.counts[outcome] for outcome in Outcome if importer.counts[outcome]}


def teller(*, as_json: bool) -> Any:
    """For people only what did not go well; as JSON every line."""

    def tell(result: Result) -> None:
        if as_json:
            show_line(result.told())
        elif result.outcome not in {Outcome.OK, Outcome.DONE_BEFORE}:
            print(f"line {result.line}: {result.outcome}, {result.code}: {result.detail}", flush=True)

    return tell


@asynccontextmanager
async def shop(settings: Settings) -> AsyncIterator[tuple[Post, Resolve]]:
    """The command API without a network: the same checks, keys and answers as over HTTP."""
    async with AsyncExitStack() as stack:
        ground = await laid(settings, frozenset({Duty.COMMANDS}), CONTEXTS, stack)
        loops = await write_loops(ground)
        tokens = tokens_of(ground)
        api = await command_api(ground, loops, tokens, services(ground, loops, tokens))
        served = app(api, ROUTES, RESOURCES, jwks=tokens.public_keys)
        transport = httpx.ASGITransport(served)
        client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://import"))
        yield poster(client, tokens), resolver(loops, HiddenClaims(settings.claim_secret.get_secret_value()))


def poster(client: httpx.AsyncClient, tokens: Tokens) -> Post:
    token = tokens.lasting(service("import"), A_DAY)

    async def post(path: str, body: Mapping[str, Any], key: str) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        response = await client.post(path, json=body, headers=headers)
        return Answer(response.status_code, response.json(), float(response.headers.get("retry-after", 1)))

    return post


def resolver(loops: WriteLoops, claims: HiddenClaims) -> Resolve:
    loop = loops[products.CONTEXT.name]

    async def resolve(sku: str) -> UUID | None:
        id = claims.claim_id("sku", normalised(sku))
        claim = (await loop.states([id])).get(id, Claim)
        return claim.holder if claim and claim.status is ClaimStatus.TAKEN else None

    return resolve
