"""What is known of a user: addresses and signing in."""

from __future__ import annotations

from datetime import datetime

import strawberry

from projections.users.row import AddressRow, SignInsRow, UserRow
from read_api.scalars import Address, Long, address, id_of


@strawberry.type(description="An address of a user's address book.")
class AddressBookEntry:
    id: strawberry.ID = strawberry.field(description="Its id in the address book.")
    address: Address = strawberry.field(description="The address.")
    is_default: bool = strawberry.field(description="Whether it is used when none is chosen.")


@strawberry.type(description="How a user has signed in so far.")
class SignIns:
    count: Long = strawberry.field(description="How often they signed in.")
    last_at: datetime | None = strawberry.field(description="When they did so last.")
    locked_until: datetime | None = strawberry.field(
        description="Until when no password is taken, after repeated failures. May lie in the past."
    )


def entry(row: AddressRow, of: UserRow) -> AddressBookEntry:
    shown = address(row.address)
    assert shown is not None
    return AddressBookEntry(id=id_of(row.id), address=shown, is_default=row.id == of.default_address_id)


def signed_in(row: SignInsRow) -> SignIns:
    return SignIns(count=Long(row.sign_ins), last_at=row.last_sign_in, locked_until=row.locked_until)
