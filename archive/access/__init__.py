"""Access rules and takedown statements: what is kept and not shown, and what was removed for good."""

from archive.access.redaction_statement import Statement
from archive.access.replicate_rules import Copied
from archive.access.rule_store import Named
from archive.access.rules import Rule

__all__ = ["Copied", "Named", "Rule", "Statement"]
