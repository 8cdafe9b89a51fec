"""Collections, labels and notes of users: signed additions beside the runs, never changed in place."""

from archive.annotations.additions import Addition, Subject, Words
from archive.annotations.annotation_store import Annotations, Signed
from archive.annotations.said import Said

__all__ = ["Addition", "Annotations", "Said", "Signed", "Subject", "Words"]
