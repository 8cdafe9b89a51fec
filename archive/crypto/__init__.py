"""Merkle trees, signed notes and time stamps: the arithmetic of proof, without a store."""

from archive.crypto.signed_note import PublicKey, Signer

__all__ = ["PublicKey", "Signer"]
