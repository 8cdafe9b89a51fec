"""Merkle trees as RFC 6962 §2.1 has them, over SHA-256: their roots, proofs, and what proofs say.

A tree is handled by the hashes of its leaves. A proof is a tuple of hashes, in the order of the RFC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

SIZE = 32  # bytes of a hash
EMPTY = hashlib.sha256().digest()  # the root of a tree without leaves
LEAF = b"\x00"  # before a leaf's bytes, so that no leaf can pass for a node

Proof = tuple[bytes, ...]


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf that holds these bytes."""
    return hashlib.sha256(LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node above two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(slots=True, eq=False)
class Growing:
    """A tree that leaves are appended to, in memory that grows with the logarithm of its size."""

    size: int = 0
    _whole: list[bytes] = field(default_factory=list)  # roots of whole subtrees, the largest first: one a bit of size

    def append(self, leaf: bytes) -> None:
        """Add a leaf by its hash."""
        self.size += 1
        size = self.size
        while size % 2 == 0:
            leaf = node_hash(self._whole.pop(), leaf)
            size //= 2
        self._whole.append(leaf)

    def root(self) -> bytes:
        """Return the root of the tree as it is now."""
        if not self._whole:
            return EMPTY
        found = self._whole[-1]
        for larger in reversed(self._whole[:-1]):
            found = node_hash(larger, found)
        return found


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaves, given by their hashes (RFC 6962 §2.1)."""
    tree = Growing()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def roots_at(leaves: Iterable[bytes], sizes: Collection[int]) -> dict[int, bytes]:
    """Return the roots that a tree had at those of the sizes that it reached, in one pass."""
    tree = Growing()
    found = {0: EMPTY} if 0 in sizes else {}
    for leaf in leaves:
        tree.append(leaf)
        if tree.size in sizes:
            found[tree.size] = tree.root()
    return found


def inclusion(leaves: Sequence[bytes], index: int) -> Proof:
    """Return the audit path of a leaf (RFC 6962 §2.1.1); raises ValueError where the tree has no such leaf."""
    if not 0 <= index < len(leaves):
        raise ValueError(f"a tree of {len(leaves)} leaves has none at {index}")
    path: list[bytes] = []
    start, end = 0, len(leaves)
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(root_of(leaves[middle:end]))
            end = middle
        else:
            path.append(root_of(leaves[start:middle]))
            start = middle
    return tuple(reversed(path))


def consistency(leaves: Sequence[bytes], size: int) -> Proof:
    """Return the proof that the tree of the first `size` leaves was only appended to (RFC 6962 §2.1.2).

    Raises ValueError.
    """
    if not 0 < size <= len(leaves):
        raise ValueError(f"a tree of {len(leaves)} leaves never grew from one of {size}")
    path: list[bytes] = []
    start, end, is_known = 0, len(leaves), True
    while size < end:
        middle = start + _split(end - start)
        if size <= middle:
            path.append(root_of(leaves[middle:end]))
            end = middle
        else:
            path.append(root_of(leaves[start:middle]))
            start, is_known = middle, False
    if not is_known:
        path.append(root_of(leaves[start:end]))
    return tuple(reversed(path))


def included(leaf: bytes, index: int, size: int, proof: Proof, root: bytes) -> bool:
    """Whether a proof shows that the tree of a size and root has this leaf at an index (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size or len(leaf) != SIZE:
        return False
    at, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at % 2 or at == last:
            found = node_hash(sibling, found)
            while at % 2 == 0 and at:
                at, last = at // 2, last // 2
        else:
            found = node_hash(found, sibling)
        at, last = at // 2, last // 2
    return last == 0 and found == root


def extends(old: tuple[int, bytes], new: tuple[int, bytes], proof: Proof) -> bool:
    """Whether a proof shows that a tree, size and root, was appended to and became another (RFC 9162 §2.1.4.2).

    Of an empty tree nothing can be shown.
    """
    (size, root), (larger, grown) = old, new
    if size == larger:
        return not proof and root == grown and (size > 0 or root == EMPTY)
    return 0 < size < larger and _grew(size, root, larger, grown, proof)


def _grew(size: int, root: bytes, larger: int, grown: bytes, proof: Proof) -> bool:
    path = list(proof)
    if size & (size - 1) == 0:  # the old tree is one whole subtree of the new one
        path.insert(0, root)
    if not path:
        return False
    at, last = size - 1, larger - 1
    while at % 2:
        at, last = at // 2, last // 2
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at % 2 or at == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while at % 2 == 0 and at:
                at, last = at // 2, last // 2
        else:
            after = node_hash(after, sibling)
        at, last = at // 2, last // 2
    return last == 0 and before == root and after == grown


def _split(count: int) -> int:
    """Return the largest power of two below a count of two or more."""
    return 1 << (count - 1).bit_length() - 1
