"""Merkle trees: the published vectors of Certificate Transparency, and proofs that one flipped bit breaks."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.custody import merkle
from app.custody.merkle import EMPTY, extends, includes, leaf_hash, node_hash, over, root
from app.custody.tree import Tree

# The tests of Google's certificate-transparency and trillian code: eight leaves, their roots and some proofs.
DATA = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
LEAVES = [leaf_hash(bytes.fromhex(data)) for data in DATA]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSIONS = [
    (1, 0, []),
    (8, 0, [A, B, C]),
    (8, 5, [D, E, ROOTS[3]]),
    (3, 2, [ROOTS[1]]),
    (5, 1, [ROOTS[0], B, D]),
]
CONSISTENCIES = [(1, 1, []), (1, 8, [A, B, C]), (6, 8, [F, E, ROOTS[3]]), (2, 5, [B, D])]

sizes = st.integers(1, 70)


def inclusion_path(leaves: list[bytes], index: int) -> list[bytes]:
    """The path over leaves, and by a tree that keeps what stands above them: it is the same."""
    path = merkle.inclusion_path(over(leaves), len(leaves), index)
    assert Tree(leaves).path(index, len(leaves)) == path
    return path


def consistency_proof(leaves: list[bytes], first: int) -> list[bytes]:
    """The proof over leaves, and by a tree that went on growing: it is the same."""
    proof = merkle.consistency_proof(over(leaves), len(leaves), first)
    assert Tree([*leaves, *leaves]).consistency(first, len(leaves)) == proof
    return proof


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(index.to_bytes(4, "big")) for index in range(size)]


def flipped(value: bytes, bit: int) -> bytes:
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_the_empty_tree_is_the_hash_of_nothing():
    assert root([]) == EMPTY == hashlib.sha256(b"").digest()
    assert EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(1, 9))
def test_the_published_roots(size):
    assert root(LEAVES[:size]).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("size", "index", "path"), INCLUSIONS)
def test_the_published_inclusion_paths(size, index, path):
    found = inclusion_path(LEAVES[:size], index)
    assert [one.hex() for one in found] == path
    assert includes(bytes.fromhex(ROOTS[size - 1]), size, LEAVES[index], index, found)


@pytest.mark.parametrize(("first", "size", "proof"), CONSISTENCIES)
def test_the_published_consistency_proofs(first, size, proof):
    found = consistency_proof(LEAVES[:size], first)
    assert [one.hex() for one in found] == proof
    assert extends(bytes.fromhex(ROOTS[first - 1]), first, bytes.fromhex(ROOTS[size - 1]), size, found)


def recursive(leaves: list[bytes]) -> bytes:
    """The definition of the RFC, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(recursive(leaves[:k]), recursive(leaves[k:]))


def test_every_leaf_and_every_beginning_of_every_small_tree_is_proved():
    for size in range(1, 34):
        leaves = leaves_of(size)
        top = root(iter(leaves))
        assert top == recursive(leaves)
        for index in range(size):
            path = inclusion_path(leaves, index)
            told = [at for at in range(size) if includes(top, size, leaves[index], at, path)]
            assert told == [index]
        for first in range(1, size + 1):
            proof = consistency_proof(leaves, first)
            told = [at for at in range(1, size + 1) if extends(root(leaves[:first]), at, top, size, proof)]
            assert told == [first]


@given(sizes, st.data())
def test_one_flipped_bit_breaks_an_inclusion(size, data):
    leaves = leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    path, top = inclusion_path(leaves, index), root(leaves)
    pieces = [top, leaves[index], *path]
    at, bit = data.draw(st.integers(0, len(pieces) - 1)), data.draw(st.integers(0, 255))
    pieces[at] = flipped(pieces[at], bit)
    assert not includes(pieces[0], size, pieces[1], index, pieces[2:])


@given(sizes, st.data())
def test_one_flipped_bit_breaks_a_consistency(size, data):
    leaves = leaves_of(size)
    first = data.draw(st.integers(1, size))
    pieces = [root(leaves[:first]), root(leaves), *consistency_proof(leaves, first)]
    at, bit = data.draw(st.integers(0, len(pieces) - 1)), data.draw(st.integers(0, 255))
    pieces[at] = flipped(pieces[at], bit)
    assert not extends(pieces[0], first, pieces[1], size, pieces[2:])


@given(sizes, st.data())
def test_a_changed_leaf_changes_the_root(size, data):
    leaves = leaves_of(size)
    before = root(leaves)
    at, bit = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, 255))
    leaves[at] = flipped(leaves[at], bit)
    assert root(leaves) != before


@given(st.integers(2, 70), st.data())
def test_a_proof_that_is_cut_lengthened_or_turned_round_proves_nothing(size, data):
    leaves = leaves_of(size)
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size - 1))
    path, proof, top = inclusion_path(leaves, index), consistency_proof(leaves, first), root(leaves)
    for wrong in (path[:-1], path[1:], [*path, top], [top, *path], path[::-1] if len(path) > 1 else []):
        assert not includes(top, size, leaves[index], index, wrong)
    for wrong in (proof[:-1], proof[1:], [*proof, top], [top, *proof], proof[::-1] if len(proof) > 1 else []):
        assert not extends(root(leaves[:first]), first, top, size, wrong)


@pytest.mark.parametrize(("size", "index"), [(0, 0), (1, 1), (8, 8), (8, -1), (0, -1)])
def test_there_is_no_path_to_a_leaf_that_is_not_there(size, index):
    with pytest.raises(ValueError, match=f"there is no leaf {index} in a tree of {size}"):
        inclusion_path(LEAVES[:size], index)
    assert not includes(root(LEAVES[:size]), size, LEAVES[0], index, [])


@pytest.mark.parametrize(("first", "size"), [(0, 8), (9, 8), (-1, 8), (0, 0), (1, 0)])
def test_there_is_no_proof_for_a_beginning_that_cannot_be(first, size):
    with pytest.raises(ValueError, match=f"a tree of {size} does not begin with a tree of {first}"):
        consistency_proof(LEAVES[:size], first)
    assert not extends(EMPTY, first, root(LEAVES[:size]), size, [])


def test_a_node_and_a_leaf_are_never_taken_for_one_another():
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)
    assert not includes(root(LEAVES[:2]), 1, leaf_hash(left + right), 0, [])
