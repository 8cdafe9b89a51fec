"""Merkle trees, signed notes and time stamps: the arithmetic of proof, without a store."""
