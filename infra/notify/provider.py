"""SMS and push through a provider's HTTP API: one POST of JSON for each message.

The provider is given the user's id and knows the telephone numbers and devices that belong to it, as those that take an
`external id` do: neither is ever in our own books. The notification's id is the Idempotency-Key.
"""

from __future__ import annotations

from typing import Final

import httpx
from pydantic import SecretStr

from infra.notify.channel import Deferred, Letter, Undeliverable

TIMEOUT: Final = 20.0  # seconds; less than a to-do worker's lease
AGAIN: Final = frozenset({401, 403, 408, 409, 425, 429})
"""Of the 4xx those that are about us or the moment, not about the message."""


class HttpProvider:
    """`kind` is "sms" or "push". `client` is closed by who made it."""

    def __init__(self, client: httpx.AsyncClient, url: str, key: SecretStr | None, kind: str) -> None:
        self._client = client
        self._url = url
        self._key = key
        self._kind = kind

    async def send(self, letter: Letter) -> str:
        """The provider's id, or ours where it gives none. Raises Undeliverable, Deferred."""
        try:
            answer = await self._client.post(self._url, json=self._body(letter), headers=self._headers(letter))
        except httpx.HTTPError as error:
            raise Deferred(f"the {self._kind} provider cannot be reached: {type(error).__name__}") from None
        if answer.status_code in AGAIN or answer.is_server_error:
            raise Deferred(f"the {self._kind} provider answered {answer.status_code}")
        if not answer.is_success:
            code = f"PROVIDER_{answer.status_code}"
            raise Undeliverable(code, f"the {self._kind} provider answered {answer.status_code}")
        return reference(answer, letter)

    def _body(self, letter: Letter) -> dict[str, str]:
        """A short message: what it is about. The rest is read in the shop."""
        return {
            "id": str(letter.id),
            "kind": self._kind,
            "to": str(letter.user_id),
            "locale": letter.locale,
            "text": letter.subject,
        }

    def _headers(self, letter: Letter) -> dict[str, str]:
        headers = {"idempotency-key": str(letter.id)}
        if self._key is not None:
            headers["authorization"] = f"Bearer {self._key.get_secret_value()}"
        return headers


def reference(answer: httpx.Response, letter: Letter) -> str:
    try:
        body = answer.json()
    except ValueError:
        body = None
    id = body.get("id") if isinstance(body, dict) else None
    return str(id)[:255] if id else str(letter.id)
