"""An archive in more than one store: its primary and replicas, and what brings one store what another holds."""

from archive.access.replicate_rules import Copied
from archive.copies.replica_set import ReplicaSet

__all__ = ["Copied", "ReplicaSet"]
