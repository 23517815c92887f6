"""A memo with a bound: what was worked out last is kept, what was not asked for longest is let go."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")


class Sized(Protocol):
    """Something that knows how many bytes it takes."""

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        ...


class Large:
    """Remembers what is large, up to so many bytes in all; what is larger than half of that is not kept."""

    def __init__(self, most: int) -> None:
        """Remember at most so many bytes."""
        self._most = most
        self._values: OrderedDict[Hashable, Sized] = OrderedDict()
        self._lock = threading.Lock()
        self._size = 0

    def get(self, key: Hashable) -> Any:
        """Return what is remembered for a key, or None."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: Hashable, value: Sized) -> None:
        """Remember a value."""
        with self._lock:
            before = self._values.pop(key, None)
            self._size -= 0 if before is None else before.size
            if 2 * value.size > self._most:
                return
            self._values[key] = value
            self._size += value.size
            while self._size > self._most:
                self._size -= self._values.popitem(last=False)[1].size


class Text(NamedTuple):
    """Bytes, as `Large` remembers them."""

    text: bytes

    @property
    def size(self) -> int:
        """How many they are."""
        return len(self.text)


class Memo(Generic[T]):
    """Remembers so many values, for the event loop and the threads of heavy readings alike."""

    def __init__(self, most: int) -> None:
        """Remember at most so many."""
        self._most = most
        self._values: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> T | None:
        """Return what is remembered for a key."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: Hashable, value: T) -> None:
        """Remember a value."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            if len(self._values) > self._most:
                self._values.popitem(last=False)
