"""Who may ask what. Each root field names one of these; a field that names none does not get into the schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission

from domain.access import Unauthenticated
from domain.actor import Actor
from domain.errors import Forbidden
from read_api.context import Asked

Resolver = Callable[..., Any]


def root(access: type[BasePermission], description: str, *extensions: FieldExtension) -> Callable[[Resolver], Any]:
    """Makes a root field of a resolver."""
    field: Callable[[Resolver], Any] = strawberry.field(
        permission_classes=[access], description=description, extensions=list(extensions)
    )
    return field


def stream(access: type[BasePermission], description: str) -> Callable[[Resolver], Any]:
    """Makes a subscription of an asynchronous generator."""
    field: Callable[[Resolver], Any] = strawberry.subscription(permission_classes=[access], description=description)
    return field


def computed(description: str, *extensions: FieldExtension) -> Callable[[Resolver], Any]:
    """Makes a field of a type of a resolver, for what is only worked out when it is asked for."""
    field: Callable[[Resolver], Any] = strawberry.field(description=description, extensions=list(extensions))
    return field


class Public(BasePermission):
    """Everybody; what they see is for the resolver to say."""

    def has_permission(self, source: Any, info: Asked, **kwargs: Any) -> bool:
        return True


class SignedIn(BasePermission):
    """Whoever is signed in; what they see is for the resolver to say."""

    def has_permission(self, source: Any, info: Asked, **kwargs: Any) -> bool:
        require_signed_in(info.context.actor)
        return True


class Staff(BasePermission):
    """Those who work in the shop."""

    def has_permission(self, source: Any, info: Asked, **kwargs: Any) -> bool:
        actor = info.context.actor
        require_signed_in(actor)
        if not actor.in_charge:
            raise Forbidden("only staff may ask for this")
        return True


def require_signed_in(actor: Actor) -> None:
    """Raises Unauthenticated."""
    if actor.id is None and not actor.in_charge:
        raise Unauthenticated
