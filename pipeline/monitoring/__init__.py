"""Monitoring of runs: pings, metrics, and logs in JSON lines."""
