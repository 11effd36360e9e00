"""A user and credentials to tell stories about."""

from __future__ import annotations

from uuid import UUID

from domain.actor import Actor, Role
from domain.ids import ClaimId, UserId
from domain.users import credentials as c
from domain.users import user as u
from domain.users.events import PasswordSet, UserActivated, UserRegistered
from domain.users.values import Settings
from domain.value import Address
from tests.specification import Specification, a

HANA = UserId(UUID("01900000-0000-7000-8000-000000000001"))
CLAIM = ClaimId(UUID("01900000-0000-5000-8000-0000000000c1"))
HOME = UUID("01900000-0000-7000-8000-0000000000a1")
WORK = UUID("01900000-0000-7000-8000-0000000000a2")

ADMIN = Actor(UUID("01900000-0000-7000-8000-0000000000ad"), frozenset({Role.ADMIN}))
HERSELF = Actor(HANA, frozenset({Role.CUSTOMER}))

ADDRESS = Address(name="Hana Ito", line1="1 Sakura", postal_code="100-0001", city="Tokyo", country="JP")

of_user = Specification(HANA, u.evolve)
of_credentials = Specification(c.credentials_id(HANA), c.evolve)

registered = a(UserRegistered, email="hana@example.org", display_name="Hana", email_claim=CLAIM, settings=Settings())
activated = a(UserActivated)
password_set = a(PasswordSet, user_id=HANA, password_hash="hash of one")
