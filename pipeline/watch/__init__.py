"""Sources that are captured again and again: the list of them, when each is due, and what happened to their pages."""
