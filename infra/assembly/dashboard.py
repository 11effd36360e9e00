"""The dashboard: what it looks at, and the command API that it acts through."""

from __future__ import annotations

import httpx
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from starlette.routing import Mount
from starlette.types import ASGIApp

from commands.denials import Denials
from commands.services import Services
from domain import sagas, users
from domain.actor import Actor
from infra.assembly.ground import Ground
from infra.assembly.writing import WriteLoops
from infra.dashboard import ByHttp, Denied, DryRuns, InProcess, KeptMails
from infra.databases import READS
from infra.event_log.browsed import BrowsedLog
from infra.event_log.log import KeyStore
from infra.keys import NoKeys
from infra.limiting import Addresses, networks
from infra.mail.kept import MailDirectory
from infra.parked import Park
from infra.rules import RULES
from infra.settings import Profile, Settings
from infra.tokens import Tokens
from projections.models import MODELS
from sagas.dashboard.alive import Alive
from sagas.dashboard.app import dashboard
from sagas.dashboard.desk import Desk
from sagas.dashboard.healthy import Healthy
from sagas.dashboard.live import News
from sagas.dashboard.past import Past
from sagas.dashboard.port import Commands
from sagas.dashboard.session import Sessions
from sagas.dashboard.stories import Stories
from sagas.dashboard.versions import Versions
from sagas.orchestrator import SagaSink
from sagas.processes import PROCESSES


def pages(ground: Ground, loops: WriteLoops, tokens: Tokens, used: Services, api: ASGIApp) -> Mount:
    """`api` is the command API of this process."""
    reads = ground.databases.pool(READS)
    sealed, contexts = logs(ground, NoKeys()), {context.name: context for context in ground.contexts}
    return dashboard(
        Desk(
            reads=reads,
            sealed=sealed,
            opened=logs(ground, ground.keys),
            contexts=contexts,
            commands=commands(ground, api),
            trying=DryRuns(Park(reads, MODELS, RULES, ground.readers, [SagaSink(PROCESSES, None)])),
            mails=KeptMails(kept(ground.settings)),
            denials=Denied(Denials(loops, used), used.now),
            token=lambda actor: access_token(tokens, actor),
            sessions=Sessions(session_secret(ground.settings)),
            news=News(reads),
            healthy=Healthy(reads, sealed[sagas.CONTEXT.name]),
            stories=Stories(sealed[sagas.CONTEXT.name]),
            alive=Alive(sealed[users.CONTEXT.name]),
            past=Past(contexts, sealed),
            versions=Versions(reads),
            stopping=ground.stopping,
            address=Addresses(networks(ground.settings.trusted_proxies)).whole,
            in_production=ground.settings.profile is Profile.PRODUCTION,
        )
    )


def session_secret(settings: Settings) -> bytes:
    """A key that does nothing but this: whatever else somebody gets at, they cannot make themselves a session."""
    return HKDF(SHA256(), 32, salt=None, info=b"chobo dashboard sessions").derive(settings.master_key_bytes())


def kept(settings: Settings) -> MailDirectory | None:
    """Where mails are kept instead of sent."""
    return MailDirectory(settings.mail_directory) if settings.mail_directory and not settings.smtp_host else None


def logs(ground: Ground, keys: KeyStore) -> dict[str, BrowsedLog]:
    """By context."""
    return {c.name: BrowsedLog(ground.databases.pool(c.name), c.name, keys) for c in ground.contexts}


def access_token(tokens: Tokens, actor: Actor) -> str:
    return tokens.access(actor)[0]


def commands(ground: Ground, api: ASGIApp) -> Commands:
    """By HTTP where a setting names the command API."""
    url = ground.settings.commands_url
    if url is None:
        return InProcess(api)
    client = httpx.AsyncClient(base_url=url)
    ground.stack.push_async_callback(client.aclose)
    return ByHttp(client)
