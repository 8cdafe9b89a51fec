"""Takedown: plan what is removed, rewrite the records, apply a signed statement."""

from archive.redaction.apply import finish, kept_for, overtaken
from archive.redaction.plan import Plan, finish_overtaken, plan_redaction, redact

__all__ = ["Plan", "finish", "finish_overtaken", "kept_for", "overtaken", "plan_redaction", "redact"]
