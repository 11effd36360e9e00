"""Documents that are asked for by their hash: those of a signed list, and those that clients made known before."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

from read_api.errors import DocumentNotAllowed, InvalidPersistedQuery, PersistedQueryNotFound
from read_api.lately import Lately

MOST: Final = 1_000
MOST_BYTES: Final = 5_000_000
HASH: Final = re.compile("[0-9a-f]{64}")
SHAPE: Final = 'extensions.persistedQuery must be {"version": 1, "sha256Hash": the SHA-256 of the document in hex}'
PURPOSE: Final = b"chobo documents 1\0"


class ListRefused(Exception):
    """A list of documents cannot be used."""


class _List(BaseModel):
    """The file. `signature` is over all of `documents`: hash -> text."""

    model_config = ConfigDict(extra="forbid", strict=True)

    documents: dict[str, str]
    signature: str


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def signed_list(texts: Iterable[str], secret: str) -> bytes:
    """The file that `opened_list` reads, for an installation with the same secret."""
    documents = {hash_of(text): text for text in sorted(texts)}
    return to_json(_List(documents=documents, signature=signature(documents, secret)), indent=2) + b"\n"


def opened_list(content: bytes, secret: str) -> Mapping[str, str]:
    """Documents by hash. Raises ListRefused."""
    try:
        found = _List.model_validate_json(content)
        given = b64decode(found.signature, validate=True)
    except (ValidationError, ValueError):
        raise ListRefused("it is not a file that `chobo documents` has made") from None
    if not hmac.compare_digest(given, b64decode(signature(found.documents, secret))):
        raise ListRefused("its signature is not of this installation: make it anew with `chobo documents`")
    return MappingProxyType(found.documents)


def signature(documents: Mapping[str, str], secret: str) -> str:
    content = to_json(sorted(documents.items()))
    return b64encode(hmac.digest(secret.encode(), PURPOSE + content, sha256)).decode()


class Persisted:
    """`listed` are documents by hash; with `only` no others are executed.

    What clients make known is remembered once it is valid, up to a number and an amount; the least used goes first.
    """

    def __init__(self, listed: Mapping[str, str] = MappingProxyType({}), *, only: bool = False) -> None:
        self._listed = listed
        self._only = only
        self._told: Lately[str, str] = Lately(MOST, MOST_BYTES, len)

    def text(self, query: str | None, extensions: Mapping[str, Any] | None) -> str | None:
        """The document that is meant; None if none is. Raises InvalidPersistedQuery, PersistedQueryNotFound,
        DocumentNotAllowed.
        """
        given = (extensions or {}).get("persistedQuery")
        if given is None:
            return query if query is None else self._allowed(query)
        hash = hash_in(given)
        if query is None:
            return self._known(hash)
        if hash_of(query) != hash:
            raise InvalidPersistedQuery(f"sha256Hash is not that of the document, which is {hash_of(query)}")
        return self._allowed(query)

    def remember(self, query: str | None, extensions: Mapping[str, Any] | None) -> None:
        """What `text` has taken and is valid: from now on it may be asked for by its hash, if it came with that."""
        if query is None or not (extensions or {}).get("persistedQuery"):
            return
        if (hash := hash_of(query)) not in self._listed:
            self._told.put(hash, query)

    def _allowed(self, text: str) -> str:
        if self._only and (hash := hash_of(text)) not in self._listed:
            raise DocumentNotAllowed(hash)
        return text

    def _known(self, hash: str) -> str:
        if (text := self._listed.get(hash)) is not None:
            return text
        if self._only:
            raise DocumentNotAllowed(hash)
        if (text := self._told.get(hash)) is None:
            raise PersistedQueryNotFound
        return text


def hash_in(given: Any) -> str:
    """Of `extensions.persistedQuery`. Raises InvalidPersistedQuery."""
    hash = given.get("sha256Hash") if isinstance(given, dict) and given.get("version") == 1 else None
    if not isinstance(hash, str) or not HASH.fullmatch(hash):
        raise InvalidPersistedQuery(SHAPE)
    return hash
