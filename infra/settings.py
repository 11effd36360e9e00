"""Every setting: its variable `CHOBO_*`, default, meaning. The one place where the environment is read."""

from __future__ import annotations

import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from domain.notifications.events import Channel

PREFIX: Final = "CHOBO_"
FOR_TESTS: Final = frozenset({"CHOBO_FULL", "CHOBO_REQUIRE"})
DEFAULT_SECRET: Final = urlsafe_b64encode(b"for development only, never sold").decode()
KEY_BYTES: Final = 32
MIN_SECRET: Final = 32
MIN_WEBHOOK_SECRET: Final = 16
ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")


class Profile(StrEnum):
    PRODUCTION = "production"
    DEVELOPMENT = "development"


class FeedKind(StrEnum):
    STORE = "store"
    KAFKA = "kafka"


class SmtpSecurity(StrEnum):
    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class SettingsRefused(Exception):
    """Settings are missing, malformed or unknown. The message has a line for each."""


def parts(text: str) -> list[str]:
    """What is separated by commas."""
    return [part for part in map(str.strip, text.split(",")) if part]


def secret(meaning: str) -> Any:
    return Field(default=SecretStr(DEFAULT_SECRET), description=meaning)


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    profile: Profile = Field(Profile.PRODUCTION, description="production refuses missing and default secrets")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    data: Path = Field(Path("data"), description="directory of `chobo up`: the embedded PostgreSQL and its secrets")

    database_url: SecretStr | None = Field(
        None, description="PostgreSQL 18 or later, of every context and read model that has none of its own"
    )
    users_database_url: SecretStr | None = Field(None, description="database of the log of users and of the keys")
    products_database_url: SecretStr | None = Field(None, description="database of the log of products")
    orders_database_url: SecretStr | None = Field(None, description="database of the log of orders")
    payments_database_url: SecretStr | None = Field(None, description="database of the log of payments")
    sagas_database_url: SecretStr | None = Field(None, description="database of the log of sagas")
    notifications_database_url: SecretStr | None = Field(None, description="database of the log of notifications")
    operations_database_url: SecretStr | None = Field(None, description="database of the log of operations")
    read_database_url: SecretStr | None = Field(None, description="database of read models and checkpoints")
    feed: FeedKind = Field(FeedKind.STORE, description="what read models follow: store (the log itself) or kafka")
    kafka_bootstrap: str | None = Field(None, min_length=1, description="brokers as host:port, separated by commas")
    topic_prefix: str = Field(
        "chobo", pattern="^[a-zA-Z0-9_-]{1,100}$", description="topics are named by it and the context: chobo.orders"
    )
    topic_partitions: int = Field(8, ge=1, le=64, description="partitions of each topic; more can be set at any time")
    topic_retention_hours: int = Field(168, ge=1, description="time a topic keeps events; the log keeps them for ever")
    commands_url: str | None = Field(
        None,
        pattern="^https?://",
        description="command API that saga commands are sent to; unset: the write loops of the process itself",
    )
    replay_processes: int = Field(2, ge=1, le=32, description="processes that build a generation of a read model")
    todo_at_once: int = Field(64, ge=1, le=1000, description="pieces of work that one process does at a time")
    pool_size: int = Field(8, ge=1, le=1000, description="most connections of each pool")

    master_key: SecretStr = secret("wraps the personal-data keys: 32 bytes in base64; losing it erases every user")
    erasure_list: Path | None = Field(
        None, description="file outside of all databases and backups: who was erased; a restored backup repeats it"
    )
    claim_secret: SecretStr = secret("hides e-mails and SKUs in the ids of claims; may never change")
    cursor_secret: SecretStr = secret("signs the cursors of the read API")
    token_keys: SecretStr = secret("signs access tokens: a JWK set of private keys, of which the first signs")
    operator_email: str = Field("operator@chobo.example", description="first operator, registered at the first start")
    operator_password: SecretStr | None = Field(None, description="of the first operator; unset registers none")
    gateway_url: str | None = Field(
        None, pattern="^https?://", description="where the payment gateway is; unset: Stripe itself, else a sandbox"
    )
    gateway_key: SecretStr = secret("the payment gateway's secret API key")
    gateway_webhook_secrets: SecretStr = secret(
        "sign the payment gateway's webhooks: one, or two separated by a comma while one is rotated"
    )
    gateway_return_url: str = Field(
        "https://shop.chobo.example/paid",
        pattern="^https?://",
        description="the page that payers come back to",
    )
    verify_payments_hours: float = Field(
        1.0, ge=0, description="hours between comparisons of payments with gateway and orders; 0: none by itself"
    )
    token_issuer: str = Field("chobo", min_length=1, description="`iss` and `aud` of access tokens")
    token_access_seconds: int = Field(300, ge=10, le=86_400, description="life of an access token")
    session_days: int = Field(30, ge=1, le=365, description="life of a session from its last refresh")

    public_url: str = Field(
        "http://127.0.0.1:8000",
        pattern="^https?://[^/]+(/.*)?$",
        description="the shop as customers see it: for links in mails",
    )
    activation_by_mail: bool = Field(False, description="an account can be used once its owner followed a mailed link")
    mail_from: str = Field(
        "Chobo <shop@chobo.example>",
        pattern=r"^[^\r\n<>@]*<[^@\s<>]+@[^@\s<>]+>$|^[^@\s<>]+@[^@\s<>]+$",
        description="sender of mails, as name <address>",
    )
    staff_email: str | None = Field(
        None, description="where mails to the staff go; unset: to the first operator's address"
    )
    smtp_host: str | None = Field(None, min_length=1, description="mail server; unset: mails are not sent")
    smtp_port: int = Field(587, ge=1, le=65_535, description="port of the mail server")
    smtp_security: SmtpSecurity = Field(
        SmtpSecurity.STARTTLS, description="starttls, tls (from the first byte on, usually port 465) or none"
    )
    smtp_user: str | None = Field(None, description="name at the mail server; unset: none is asked for")
    smtp_password: SecretStr | None = Field(None, description="password at the mail server")
    mail_directory: Path | None = Field(
        None, description="without a mail server: directory in which mails are kept; unset: that one is sent is logged"
    )
    sms_url: str | None = Field(None, pattern="^https?://", description="where text messages are posted; unset: none")
    sms_key: SecretStr | None = Field(None, description="bearer token for that address")
    push_url: str | None = Field(None, pattern="^https?://", description="where push messages are posted; unset: none")
    push_key: SecretStr | None = Field(None, description="bearer token for that address")

    max_body_bytes: int = Field(262_144, ge=1_024, description="longest body of a command")
    max_query_bytes: int = Field(100_000, ge=1_024, description="longest body of a GraphQL request")
    rate_limits: float = Field(
        1.0, ge=0, le=1_000, description="multiplies how much clients may ask for a minute; 0: no limits"
    )
    trusted_proxies: str = Field(
        "", description="addresses or networks, separated by commas, whose X-Forwarded-For is believed"
    )
    prefer_wait_seconds: int = Field(30, ge=0, le=300, description="longest `Prefer: wait` of a command; 0: none")
    introspection: bool | None = Field(
        None,
        description="answer GraphQL queries about the schema itself; unset: in development, and where GraphiQL is",
    )
    documents: Path | None = Field(None, description="file of GraphQL documents that `chobo documents` has signed")
    documents_only: bool = Field(False, description="execute no other GraphQL documents than those of the file")
    cors_origins: str = Field(
        "", description="origins, separated by commas, whose pages may ask: https://shop.example; * for all"
    )
    max_streams: int = Field(
        20, ge=1, le=10_000, description="subscriptions, and connections, that somebody may have open at one process"
    )
    graphiql: bool = Field(False, description="show GraphiQL at /graphql")
    consistency_seconds: float = Field(5.0, ge=0, le=60, description="longest wait for a Consistency-Token's events")
    stop_seconds: float = Field(10.0, ge=0, le=600, description="time that open requests get at a graceful stop")
    home_country: str = Field("DE", pattern="^[A-Z]{2}$", description="the shop's own country: shipping and tax")
    hash_threads: int = Field(2, ge=1, le=64, description="threads that hash passwords")
    otlp_endpoint: str | None = Field(
        None,
        pattern="^https?://",
        description="where spans go by OTLP over HTTP, such as http://jaeger:4318; unset: none",
    )
    trace_ratio: float = Field(1.0, ge=0, le=1, description="part of the traces begun here that is recorded")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error")

    @field_validator("master_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr) -> SecretStr:
        try:
            size = len(urlsafe_b64decode(value.get_secret_value()))
        except ValueError:
            raise ValueError("it is not base64") from None
        if size != KEY_BYTES:
            raise ValueError(f"it has {size} bytes, it must have {KEY_BYTES}")
        return value

    @field_validator("claim_secret", "cursor_secret")
    @classmethod
    def _is_long(cls, value: SecretStr) -> SecretStr:
        if len(value) < MIN_SECRET:
            raise ValueError(f"it has {len(value)} characters, it must have at least {MIN_SECRET}")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for part in parts(value):
            ip_network(part)
        return value

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: str) -> str:
        for part in parts(value):
            if part != "*" and not ORIGIN.fullmatch(part):
                raise ValueError(f"{part[:100]!r} is no origin such as https://shop.example")
        return value

    @field_validator("gateway_webhook_secrets")
    @classmethod
    def _are_one_or_two(cls, value: SecretStr) -> SecretStr:
        sizes = [len(part.strip()) for part in value.get_secret_value().split(",")]
        if len(sizes) > 2 or min(sizes) < MIN_WEBHOOK_SECRET:
            raise ValueError(
                f"it has {len(sizes)} parts, the shortest of {min(sizes)} characters; "
                f"it must be one or two, separated by a comma, of at least {MIN_WEBHOOK_SECRET}"
            )
        return value

    @model_validator(mode="after")
    def _only_what_there_is(self) -> Self:
        if self.documents_only and self.documents is None:
            raise ValueError("CHOBO_DOCUMENTS_ONLY needs CHOBO_DOCUMENTS, a file that `chobo documents` makes")
        return self

    @model_validator(mode="after")
    def _production_has_its_own(self) -> Self:
        defaults = [variable(name) for name, value in self if is_default_secret(value)]
        if self.profile is Profile.PRODUCTION and defaults:
            raise ValueError(
                f"production needs secrets of its own: set {', '.join(defaults)} "
                "(or CHOBO_PROFILE=development to try things)"
            )
        return self

    @classmethod
    def read(
        cls, environment: Mapping[str, str] | None = None, /, *, defaults: Mapping[str, Any] | None = None, **flags: Any
    ) -> Self:
        """Flags that are not None go before the environment's variables, and these before `defaults`.

        Raises SettingsRefused.
        """
        given = {k: v for k, v in (os.environ if environment is None else environment).items() if k.startswith(PREFIX)}
        refuse_unknown(given)
        values = dict(defaults or {})
        values |= {k.removeprefix(PREFIX).lower(): v for k, v in given.items() if v and k not in FOR_TESTS}
        values |= {k: v for k, v in flags.items() if v is not None}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise SettingsRefused("\n".join(complaints(error))) from None

    def database_of(self, context: str) -> str | None:
        """The conninfo of a context's log, or of the read models (`read`). None when no setting names one."""
        own: SecretStr | None = getattr(self, f"{context}_database_url", None)
        chosen = own or self.database_url
        return chosen.get_secret_value() if chosen else None

    def webhook_secrets(self) -> list[str]:
        return [part.strip() for part in self.gateway_webhook_secrets.get_secret_value().split(",")]

    @property
    def channels(self) -> frozenset[Channel]:
        """By which somebody can be told something here."""
        urls = {Channel.SMS: self.sms_url, Channel.PUSH: self.push_url}
        return frozenset({Channel.EMAIL, Channel.IN_APP, *(channel for channel, url in urls.items() if url)})

    @property
    def introspects(self) -> bool:
        """Whether the schema is told to who asks for it. In production there is the file, which nobody waits for."""
        shown = self.graphiql or self.profile is Profile.DEVELOPMENT
        return shown if self.introspection is None else self.introspection

    def origins(self) -> list[str]:
        return parts(self.cors_origins)

    def master_key_bytes(self) -> bytes:
        return urlsafe_b64decode(self.master_key.get_secret_value())


@dataclass(frozen=True, slots=True)
class Row:
    """A line of `chobo settings`. `value` and `default` are text; secrets are masked."""

    name: str
    value: str
    default: str
    meaning: str
    secret: bool


def rows(settings: Settings) -> Iterator[Row]:
    for name, field in Settings.model_fields.items():
        shown = masked if is_secret(name) else text
        value, default = shown(getattr(settings, name)), shown(field.default)
        yield Row(variable(name), value, default, field.description or "", is_secret(name))


def variable(field: str) -> str:
    return PREFIX + field.upper()


def masked(value: SecretStr | None) -> str:
    if value is None:
        return ""
    return "(development only)" if is_default_secret(value) else "(set)"


def text(value: object) -> str:
    return "" if value is None else str(value)


def is_secret(field: str) -> bool:
    return "SecretStr" in str(Settings.model_fields[field].annotation)


def is_default_secret(value: object) -> bool:
    return isinstance(value, SecretStr) and value.get_secret_value() == DEFAULT_SECRET


def refuse_unknown(given: Mapping[str, str]) -> None:
    known = {variable(name) for name in Settings.model_fields} | FOR_TESTS
    if unknown := sorted(given.keys() - known):
        raise SettingsRefused("\n".join(_unknown(name, known) for name in unknown))


def _unknown(name: str, known: set[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"{name} is not a setting" + (f"; did you mean {near[0]}?" if near else "; `chobo settings` lists them all")


def complaints(error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        message = problem["msg"].removeprefix("Value error, ")
        if not problem["loc"]:
            yield message
            continue
        field = str(problem["loc"][0])
        given = "" if is_secret(field) else f"={problem['input']}"
        yield f"{variable(field)}{given} is refused: {message}"


def new_secret() -> str:
    """Fit for every secret but the token keys: 32 random bytes in base64."""
    return urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()
