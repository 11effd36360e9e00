"""Command messages: what is asked for, strictly typed. A message's fields are the body of its POST."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from domain.actor import ANONYMOUS, Actor


class Command(BaseModel):
    """A request to change something.

    Who asks and (unless the message creates something) which aggregate is meant do not come from the body:
    they are set by `bind`, from the token and the path.
    """

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
    )

    # Slots rather than private attributes: those are copied deeply for every message, at more cost than deciding it.
    __slots__ = ("_by", "_target")

    def bind(self, *, by: Actor, target: UUID | None = None) -> Self:
        """Sets who asks and, for commands that change something, the aggregate. Returns self."""
        object.__setattr__(self, "_by", by)
        if target is not None:
            object.__setattr__(self, "_target", target)
        return self

    @property
    def by(self) -> Actor:
        by: Actor = getattr(self, "_by", ANONYMOUS)
        return by

    @property
    def aimed(self) -> bool:
        """Whether `bind` has set the aggregate."""
        return hasattr(self, "_target")

    @property
    def target(self) -> UUID:
        """The aggregate the command is for: the path's id, or the `id` of what is created."""
        try:
            target: UUID = self._target  # type: ignore[attr-defined]  # a slot
        except AttributeError:
            target = self._created()
        return target

    def _created(self) -> UUID:
        id: UUID | None = getattr(self, "id", None)
        if id is None:
            raise TypeError(f"{type(self).__name__} was not bound to an aggregate")
        return id
