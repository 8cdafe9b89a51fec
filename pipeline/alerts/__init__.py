"""Alerts about watched pages: events, the outbox where they wait, and the channels that send them."""
