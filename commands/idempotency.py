"""Idempotency keys as clients send them, and as they are stored."""

from __future__ import annotations

import re
from datetime import timedelta
from hashlib import blake2b
from typing import Final
from uuid import UUID

from commands.codes import IDEMPOTENCY_KEY_REQUIRED, INVALID_HEADER
from commands.message import Command
from commands.problems import Problem
from commands.reply import Key
from commands.route import IGNORED, REQUIRED, Route
from commands.services import Services
from domain.actor import Actor, service

KEPT: Final = timedelta(days=7)
SAGAS: Final = service("sagas")
"""Whose keys are kept until the saga has ended, by whatever way its commands come."""
PRINTABLE: Final = re.compile(rb"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")


def client_key(route: Route, header: bytes | None) -> bytes | None:
    """The header's value, or None. Raises Problem when it is missing where required, or malformed."""
    if route.key is IGNORED:
        return None
    if header is None:
        if route.key is REQUIRED:
            raise Problem(IDEMPOTENCY_KEY_REQUIRED, f"POST {route.path} needs a header Idempotency-Key")
        return None
    if not PRINTABLE.fullmatch(header):
        raise Problem(
            INVALID_HEADER, "Idempotency-Key takes 1 to 255 printable ASCII characters", {"header": "Idempotency-Key"}
        )
    return header


def key(text: bytes, route: Route, command: Command, target: UUID | None, services: Services) -> Key:
    """The key as stored. It belongs to the principal and the route, so two clients' keys never meet.

    The digest is made under a secret: what is stored must be of no use for guessing an erased person's address.
    """
    digest = services.claims.digest(said(command, target))
    keep_until = None if command.by == SAGAS else services.now() + KEPT
    return Key(key_id(command.by, route, text), digest, keep_until)


def key_id(by: Actor, route: Route, text: bytes) -> UUID:
    return UUID(bytes=blake2b(f"{by}|{route.path}|".encode() + text, digest_size=16).digest())


def said(command: Command, target: UUID | None) -> bytes:
    """What the client said, in the order of the message's fields: ids made for it on arrival do not count.

    Secrets are masked by their type, so a key sent again with another password is not noticed.
    """
    return command.__pydantic_serializer__.to_json(command, exclude_unset=True) + (target.bytes if target else b"")
