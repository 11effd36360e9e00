"""An operation as it is looked up is a line of the audit log."""

from __future__ import annotations

from projections.audited import AuditRow as OperationRow

__all__ = ["OperationRow"]
