"""Runs on their way into a store."""
