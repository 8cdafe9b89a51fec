"""Takedown: plan what is removed, rewrite the records, apply a signed statement."""

from archive.redaction.apply import finish, unfinished
from archive.redaction.plan import Plan, plan_redaction, redact

__all__ = ["Plan", "finish", "plan_redaction", "redact", "unfinished"]
