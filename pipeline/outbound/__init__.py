"""Requests that leave on behalf of the user, and text that leaves with them."""
