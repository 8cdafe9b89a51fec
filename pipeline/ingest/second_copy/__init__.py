"""A second copy of what was captured, in another archive: asked for, retried, read back and compared."""
