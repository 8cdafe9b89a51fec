"""Failures of what is sent on behalf of the user."""

from __future__ import annotations


class DeliveryError(Exception):
    """A message could not be sent; its text names hosts, never a path, a user or a secret.

    `permanent`: asking again at once is useless. `uncertain`: it may have arrived all the same. `after`: the seconds
    that the server asks to be left alone, 0 where it says nothing.
    """

    def __init__(self, text: str, *, permanent: bool = False, uncertain: bool = False, after: float = 0) -> None:
        super().__init__(text)
        self.permanent = permanent
        self.uncertain = uncertain
        self.after = after
