"""Runs: recorded into the spool, committed to a store, and the files of runs that were never committed."""
