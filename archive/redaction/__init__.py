"""Takedown: plan what is removed, rewrite the records, apply a signed statement."""
