"""Merkle trees and their proofs, exactly as RFC 9162 has them (section 2.1; the same as RFC 6962); pure."""

import hashlib
from collections.abc import Callable, Iterable, Sequence

RootOf = Callable[[int, int], bytes]  # the root over the leaves from one place up to another: a node of the tree
EMPTY = hashlib.sha256(b"").digest()  # the root of a tree without leaves


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf: SHA-256 over 0x00 and its data (RFC 9162, section 2.1.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node: SHA-256 over 0x01 and its two children (RFC 9162, section 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """Return the root over hashes of leaves, holding one hash a level (RFC 9162, section 2.1.2)."""
    whole: list[tuple[int, bytes]] = []  # complete subtrees from the left: how high each is, and its root
    for leaf in leaves:
        height, right = 0, leaf
        while whole and whole[-1][0] == height:
            right = node_hash(whole.pop()[1], right)
            height += 1
        whole.append((height, right))
    if not whole:
        return EMPTY
    _, found = whole.pop()
    while whole:
        found = node_hash(whole.pop()[1], found)
    return found


def over(leaves: Sequence[bytes]) -> RootOf:
    """Return what gives the root over any of these hashes of leaves."""
    return lambda first, end: root(leaves[first:end])


def inclusion_path(root_of: RootOf, size: int, index: int) -> list[bytes]:
    """Return the hashes that lead from one leaf to the root, from the bottom (RFC 9162, section 2.1.3.1).

    Raises:
        ValueError: there is no leaf of this index.
    """
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    first, end, path = 0, size, []
    while end - first > 1:
        middle = first + split(end - first)
        if index < middle:
            path.append(root_of(middle, end))
            end = middle
        else:
            path.append(root_of(first, middle))
            first = middle
    return path[::-1]


def consistency_proof(root_of: RootOf, size: int, begins: int) -> list[bytes]:
    """Return the hashes by which the tree of the first leaves is seen to begin the whole (RFC 9162, section 2.1.4.1).

    Raises:
        ValueError: the whole has fewer leaves, or `begins` is none: then there is nothing to prove.
    """
    if not 0 < begins <= size:
        raise ValueError(f"a tree of {size} does not begin with a tree of {begins}")
    first, end, proof = 0, size, []
    while begins != end:
        middle = first + split(end - first)
        if begins <= middle:
            proof.append(root_of(middle, end))
            end = middle
        else:
            proof.append(root_of(first, middle))
            first = middle
    if first:  # a smaller tree that is no node of its own is proved with what it ends with
        proof.append(root_of(first, end))
    return proof[::-1]


def split(size: int) -> int:
    """Return the largest power of two that is smaller than a size of two or more."""
    return 1 << (size - 1).bit_length() - 1


def includes(top: bytes, size: int, leaf: bytes, index: int, path: Sequence[bytes]) -> bool:
    """Tell whether a path proves that a tree has this leaf hash at this index (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, found = index, size - 1, leaf
    for other in path:
        if last == 0:
            return False
        if here & 1 or here == last:
            found = node_hash(other, found)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            found = node_hash(found, other)
        here, last = here >> 1, last >> 1
    return last == 0 and found == top


def extends(first_top: bytes, first: int, top: bytes, size: int, proof: Sequence[bytes]) -> bool:
    """Tell whether a proof shows that a tree begins with a smaller one, unchanged (RFC 9162, section 2.1.4.2)."""
    if first == size:
        return size > 0 and not proof and first_top == top
    if not 0 < first < size or not proof:
        return False
    # A first tree that is complete is a node of the whole, and so is not in the proof.
    start, *others = [first_top, *proof] if first & (first - 1) == 0 else proof
    here, last = first - 1, size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    old = new = start
    for other in others:
        if last == 0:
            return False
        if here & 1 or here == last:
            old, new = node_hash(other, old), node_hash(other, new)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            new = node_hash(new, other)
        here, last = here >> 1, last >> 1
    return last == 0 and old == first_top and new == top
