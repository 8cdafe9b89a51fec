"""Telling machines how a run went: pings, metrics, and logs in JSON lines."""
