"""What a page is: a row of `pages.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

from starlette.responses import Response

from sagas.dashboard.visit import Visit

LOOK: Final = "operations:look"
"""What everybody of the shop may do; customers may not."""

Show = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """`GET path`, or what is posted there, for who may do `scope` (`commands/access.py`).

    A page with a `menu` entry is in the menu, in the order of `pages.py`. A POST has a form whose CSRF token was
    checked; what it does is done through the command API (`Visit.post`), which asks for roles again and records it.
    `kind` is what the audit log calls it when it is refused; it is about the last id in the path, else the path.
    """

    path: str
    show: Show
    menu: str = ""
    scope: str = ""
    method: Literal["GET", "POST"] = "GET"
    kind: str = ""

    def __post_init__(self) -> None:
        """Closed unless it says for whom it is open: only what is looked at may be left to everybody of the shop."""
        if self.method == "POST" and not self.scope:
            raise TypeError(f"POST {self.path} must say who may do it")

    @property
    def needs(self) -> str:
        return self.scope or LOOK
