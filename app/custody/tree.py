"""A Merkle tree that only grows, with the roots of its complete subtrees: a proof takes some twenty of them; pure."""

from collections.abc import Iterable

from app.custody.merkle import EMPTY, consistency_proof, inclusion_path, node_hash, split


class Tree:
    """The hashes of leaves, or of whole subtrees of one size, and what stands above them (RFC 9162, section 2.1)."""

    def __init__(self, hashes: Iterable[bytes] = ()) -> None:
        """Begin with some hashes."""
        self._levels: list[list[bytes]] = [[]]
        self.extend(hashes)

    def __len__(self) -> int:
        """Return how many hashes there are."""
        return len(self._levels[0])

    def extend(self, hashes: Iterable[bytes]) -> None:
        """Add hashes at the end."""
        for one in hashes:
            level = 0
            self._levels[0].append(one)
            while len(self._levels[level]) % 2 == 0:
                left, right = self._levels[level][-2:]
                level += 1
                if level == len(self._levels):
                    self._levels.append([])
                self._levels[level].append(node_hash(left, right))

    def root(self, size: int) -> bytes:
        """Return the root over the first hashes."""
        return self.root_of(0, size) if size else EMPTY

    def root_of(self, first: int, end: int) -> bytes:
        """Return the root over the hashes from one place up to another, as a tree of the RFC has them together."""
        count = end - first
        if count & (count - 1) == 0:
            return self._levels[count.bit_length() - 1][first // count]
        middle = first + split(count)
        return node_hash(self.root_of(first, middle), self.root_of(middle, end))

    def path(self, index: int, size: int) -> list[bytes]:
        """Return the path from a hash to the root over the first `size` (RFC 9162, section 2.1.3.1)."""
        return inclusion_path(self.root_of, size, index)

    def consistency(self, begins: int, size: int) -> list[bytes]:
        """Return the proof that the first hashes begin the first `size` (RFC 9162, section 2.1.4.1)."""
        return consistency_proof(self.root_of, size, begins)
