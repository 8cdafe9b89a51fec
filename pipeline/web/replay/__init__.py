"""Captured pages as they were, on an origin of their own: nothing they hold can reach the interface or the web."""
