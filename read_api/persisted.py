"""Documents that are asked for by their hash: those of a signed list, and those that clients made known before."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

from read_api.errors import DocumentNotAllowed, InvalidPersistedQuery, PersistedQueryNotFound

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

    What clients make known is remembered up to a number and an amount; the least used goes first.
    """

    def __init__(self, listed: Mapping[str, str] = MappingProxyType({}), *, only: bool = False) -> None:
        self._listed = listed
        self._only = only
        self._told: OrderedDict[str, str] = OrderedDict()
        self._bytes = 0

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
        self._allowed(query)
        self._remember(hash, query)
        return query

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
        self._told.move_to_end(hash)
        return text

    def _remember(self, hash: str, text: str) -> None:
        if hash in self._listed or hash in self._told:
            return
        self._told[hash] = text
        self._bytes += len(text)
        while len(self._told) > MOST or self._bytes > MOST_BYTES:
            _, forgotten = self._told.popitem(last=False)
            self._bytes -= len(forgotten)


def hash_in(given: Any) -> str:
    """Of `extensions.persistedQuery`. Raises InvalidPersistedQuery."""
    hash = given.get("sha256Hash") if isinstance(given, dict) and given.get("version") == 1 else None
    if not isinstance(hash, str) or not HASH.fullmatch(hash):
        raise InvalidPersistedQuery(SHAPE)
    return hash
