"""The audit log: what anybody of the shop had done, or was refused, whichever read model knows of it."""

from __future__ import annotations

from typing import Final

from projections.merged import Merged
from projections.operations.projector import operations
from projections.sagas.actions import saga_actions
from projections.users.role_changes import role_changes

AUDIT: Final = Merged([operations.table, saga_actions.table, role_changes.table])
