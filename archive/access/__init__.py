"""Access rules and takedown statements: what is kept and not shown, and what was removed for good."""
