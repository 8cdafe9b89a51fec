"""Merkle trees against the reference vectors of Certificate Transparency, and every proof of small trees."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.crypto import merkle

# The leaves and roots that implementations of RFC 6962 have in common, as their test data name them.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
NODES = {  # of the levels above: level and number
    (0, 1): "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    (0, 2): "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
    (0, 4): "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    (1, 0): "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    (1, 1): "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    (1, 2): "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    (1, 3): "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    (2, 0): "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    (2, 1): "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
}
PUBLISHED = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]


def node(level: int, number: int) -> bytes:
    return bytes.fromhex(NODES[level, number])


def test_leaves_and_nodes_are_hashed_apart() -> None:
    assert merkle.leaf_hash(b"L123456").hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    both = merkle.node_hash(b"N123", b"N456").hex()
    assert both == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    one, other = PUBLISHED[:2]
    assert merkle.leaf_hash(one + other) != merkle.node_hash(one, other)


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size: int) -> None:
    assert merkle.root_of(PUBLISHED[:size]).hex() == ROOTS[size]
    assert merkle.roots_at(PUBLISHED, {size, 99}) == {size: bytes.fromhex(ROOTS[size])}


def test_proofs_are_the_published_ones() -> None:
    assert merkle.inclusion(PUBLISHED[:1], 0) == ()
    assert merkle.inclusion(PUBLISHED, 0) == (node(0, 1), node(1, 1), node(2, 1))
    assert merkle.inclusion(PUBLISHED, 5) == (node(0, 4), node(1, 3), node(2, 0))
    assert merkle.inclusion(PUBLISHED[:3], 2) == (node(1, 0),)
    assert merkle.inclusion(PUBLISHED[:5], 1) == (PUBLISHED[0], node(1, 1), node(0, 4))
    assert merkle.consistency(PUBLISHED[:1], 1) == ()
    assert merkle.consistency(PUBLISHED, 1) == (node(0, 1), node(1, 1), node(2, 1))
    assert merkle.consistency(PUBLISHED, 6) == (node(1, 2), node(1, 3), node(2, 0))
    assert merkle.consistency(PUBLISHED[:5], 2) == (node(1, 1), node(0, 4))


def test_every_proof_of_small_trees_shows_what_it_should_and_nothing_else() -> None:
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(20)]
    roots = [merkle.root_of(leaves[:size]) for size in range(21)]
    for size in range(1, 21):
        for index in range(size):
            proof = merkle.inclusion(leaves[:size], index)
            assert merkle.included(leaves[index], index, size, proof, roots[size])
            for other in range(size + 2):
                assert merkle.included(leaves[index], other, size, proof, roots[size]) == (other == index)
            assert not merkle.included(leaves[(index + 1) % 20], index, size, proof, roots[size])
        for smaller in range(1, size + 1):
            proof = merkle.consistency(leaves[:size], smaller)
            assert merkle.extends((smaller, roots[smaller]), (size, roots[size]), proof)
            for other in range(size + 2):
                held = merkle.extends((other, roots[smaller]), (size, roots[size]), proof)
                assert held == (other == smaller), (other, smaller, size)
            assert not merkle.extends((smaller, roots[smaller - 1]), (size, roots[size]), proof)


@settings(deadline=None)  # timings decide nothing
@given(st.data())
def test_no_altered_proof_holds(data: st.DataObject) -> None:
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(data.draw(st.integers(2, 64)))]
    size, root = len(leaves), merkle.root_of(leaves)
    index = data.draw(st.integers(0, size - 1))
    smaller = data.draw(st.integers(1, size - 1))
    inclusion, consistency = merkle.inclusion(leaves, index), merkle.consistency(leaves, smaller)
    old = merkle.root_of(leaves[:smaller])
    for proof in (inclusion, consistency):
        for altered in _altered(data, proof):
            assert not merkle.included(leaves[index], index, size, altered, root) or altered == inclusion
            assert not merkle.extends((smaller, old), (size, root), altered) or altered == consistency


def _altered(data: st.DataObject, proof: merkle.Proof) -> list[merkle.Proof]:
    at = data.draw(st.integers(0, max(len(proof) - 1, 0)))
    flipped = bytes([proof[at][0] ^ 1]) + proof[at][1:] if proof else b""
    return [
        proof[:-1],
        proof[1:],
        (*proof, bytes(32)),
        (*proof[:at], flipped, *proof[at + 1 :]),
        tuple(reversed(proof)),
    ]


@pytest.mark.parametrize(("size", "index"), [(0, 0), (3, 3), (3, -1)])
def test_there_is_no_proof_of_what_is_not_there(size: int, index: int) -> None:
    with pytest.raises(ValueError, match="leaves"):
        merkle.inclusion(PUBLISHED[:size], index)
    with pytest.raises(ValueError, match="leaves"):
        merkle.consistency(PUBLISHED[:size], size + 1)
