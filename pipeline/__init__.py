"""Doing: capturing, extracting, the story of a run, and the command line."""
