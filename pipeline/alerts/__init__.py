"""Telling people what happened to what they watch: events, the outbox they wait in, and the channels they leave by."""
