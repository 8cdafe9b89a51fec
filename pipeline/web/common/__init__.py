"""What pages, replay and interfaces for programs share: responses, host checks, reading the archive."""
