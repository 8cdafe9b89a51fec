"""The plain bytes of a file that is compressed, member a record or all in one, or not at all; and where each came from.

Members are gzip members or Zstandard frames; a file may have both, and plain records between them.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from archive.importers.compressed import (
    BEGINNING,
    DICTIONARY,
    LARGEST_DICTIONARY,
    LONGEST,
    MAGIC,
    OUT,
    Dictionary,
    Member,
    dictionary_of,
    member_at,
)

_STEP = 1 << 13  # bytes given to a member at once: what follows a damaged member is looked for from there on
VERSION = re.compile(rb"WARC/\d", re.IGNORECASE)  # how a WARC record begins
_AT_LINE = re.compile(rb"\nWARC/\d", re.IGNORECASE)
_LINE = 7  # bytes of it
_EITHER = re.compile(rb"(" + BEGINNING.pattern + rb")|\n(?i:WARC)/\d")
_BETWEEN = b"\0\r\n"  # bytes between members
_TWICE = 4  # plain bytes to a compressed one, of what was compressed before
_FREE = 256 << 20  # plain bytes of a member before its ratio counts
_RATIO = 400  # plain bytes to a compressed one: deflate gives 1,032 at most, and records of text some 20
_MOST = 1_032  # of the whole file, where the rest is left: Zstandard gives 30,000 and more


class Damage(Exception):
    """The file is damaged here; `offset` is the byte of the file at which the damaged part begins."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        self.reason = reason


class Plain:
    """A file's plain bytes, in bounded memory. Not for use by two threads at once."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = _steps(pieces)
        self._raw = b""  # read from the file, and not used
        self._raw_at = 0  # the offset of its first byte
        self._ahead = bytearray()  # plain bytes that nobody took
        self._at = 0  # the plain offset of their first one
        # Plain offsets at which members begin, where in the file, and whether these bytes lie there as they are.
        self._marks: deque[tuple[int, int, bool]] = deque()
        self._inflating: Member | None = None
        self._member = 0  # where the present member begins
        self._given = 0  # plain bytes of it,
        self._total = 0  # and of all members
        self._dictionary: Dictionary | None = None
        self._unusable = 1  # bytes that damage is known to take up
        self._more()
        self.packed = MAGIC.match(self._raw) is not None or self._raw.startswith(b"\x1f\x8b")
        self._mixed = False  # it has members behind bytes that are plain
        if not self.packed:
            self._marks.append((0, 0, True))

    @property
    def offset(self) -> int:
        """Where in the file the next byte comes from: its own place, or that of the member it is in."""
        while len(self._marks) > 1 and self._marks[1][0] <= self._at:
            self._marks.popleft()
        if not self._marks:
            return self._raw_at
        begun, place, as_it_is = self._marks[0]
        return place + (self._at - begun if as_it_is else 0)

    @property
    def packed_twice(self) -> bool:
        """Whether what comes next was compressed before the file was; raises Damage."""
        return self.packed and MAGIC.match(self.peek(LONGEST)) is not None

    def unpack(self) -> bool:
        """Go on with members where plain bytes end at one; returns whether they do. Raises Damage."""
        if self.packed or not MAGIC.match(self.peek(LONGEST)):
            return False
        place = self.offset
        if not self._marks[0][2]:
            return False
        self._raw, self._raw_at = bytes(self._ahead) + self._raw, place
        self._ahead.clear()
        self.packed = self._mixed = True
        return True

    @property
    def consumed(self) -> int:
        """Bytes of the file that were used."""
        return self._raw_at

    def readline(self, limit: int) -> bytes:
        """Return a line with its end, or as much of it as the limit allows; raises Damage."""
        return self.take(len(self.peek_line(limit)))

    def peek(self, size: int) -> bytes:
        """Return the next bytes, which stay there; fewer at the end. Raises Damage."""
        while len(self._ahead) < size and self._fill():
            pass
        return bytes(self._ahead[:size])

    def peek_line(self, limit: int) -> bytes:
        """Return the next line with its end, which stays there, or as much of it as the limit allows; raises Damage."""
        searched = 0
        while (end := self._ahead.find(b"\n", searched, limit)) < 0 and len(self._ahead) < limit:
            searched = len(self._ahead)
            if not self._fill():
                break
        return bytes(self._ahead[: end + 1 if end >= 0 else limit])

    def read(self, size: int) -> bytes:
        """Return some of the next bytes, up to so many; none at the end. Raises Damage."""
        if not self._ahead:
            self._fill()
        return self.take(size)

    def skip_blank(self) -> None:
        """Pass over line ends; raises Damage."""
        while self._ahead or self._fill():
            left = self._ahead.lstrip(b"\r\n")
            self.take(len(self._ahead) - len(left))
            if left:
                return

    def skip_to_record(self, most: int) -> int:
        """Pass over bytes up to the next line that begins a WARC record, or to the end, or some more than `most`.

        Returns how many were passed over. What is at hand is taken to be the beginning of a line. Raises Damage.
        """
        passed = 0
        if VERSION.match(self.peek(_LINE)):
            return passed
        while (line := _AT_LINE.search(self._ahead)) is None:
            passed += len(self.take(max(len(self._ahead) - _LINE, 0)))  # the rest may begin what is looked for
            if passed > most:
                return passed
            if not self._fill():
                return passed + len(self.take(len(self._ahead)))
        return passed + len(self.take(line.start() + 1))

    def search(self, pattern: re.Pattern[bytes], size: int) -> re.Match[bytes] | None:
        """Look for a pattern in the next bytes, up to so many; raises Damage."""
        while True:
            found = pattern.search(self._ahead, 0, size)
            if found or len(self._ahead) >= size or not self._fill():
                return found

    def take(self, size: int) -> bytes:
        """Of the bytes that are at hand, up to so many."""
        data = bytes(self._ahead[:size])
        del self._ahead[:size]
        self._at += len(data)
        return data

    def resume(self) -> bool:
        """Go on, after damage, at the next member, or plain record of a file that has both; False without one."""
        self._at += len(self._ahead)
        self._ahead.clear()
        self._inflating = None
        if not self.packed or self._is_bomb:
            return False
        self._drop(self._unusable)
        self._unusable = 1
        while True:
            found = (_EITHER if self._mixed else BEGINNING).search(self._raw)
            if found is not None:
                is_member = not self._mixed or found[1] is not None
                self._drop(found.start() + (not is_member))
                self._marks.clear()
                if not is_member:
                    self._begin_plain()
                return True
            self._drop(max(len(self._raw) - _LINE, 0))
            if not self._more():
                return False

    def _drop(self, count: int) -> None:
        self._raw, self._raw_at = self._raw[count:], self._raw_at + count

    def _more(self) -> bool:
        piece = next(self._pieces, b"")
        self._raw += piece
        return bool(piece)

    def _fill(self) -> bool:
        """Have more plain bytes; False at the end."""
        if not self._raw and not self._more():
            if self._inflating is not None:
                raise Damage(self._member, f"the {self._inflating.name} breaks off before its end")
            return False
        if not self.packed:
            self._ahead += self._raw
            self._drop(len(self._raw))
            return True
        return self._inflate()

    def _inflate(self) -> bool:
        if self._inflating is None:
            if not self._begin():
                return False
            if not self.packed:
                return self._fill()
        member = self._inflating
        assert member is not None, "a member was begun"
        try:
            out, left = member.feed(self._raw)
        except ValueError as error:
            raise Damage(self._member, f"the {member.name} is damaged: {error}") from error
        self._raw, self._raw_at = left, self._raw_at + len(self._raw) - len(left)
        self._given += len(out)
        self._total += len(out)
        self._ahead += out
        if self._given > _FREE and self._given > _RATIO * (self._raw_at - self._member):
            left_out = ", and the rest of the file is left out" if self._is_bomb else ""
            raise Damage(
                self._member, f"the {member.name} is a bomb: {self._given:,} bytes and more in very few{left_out}"
            )
        if self._is_bomb:
            raise Damage(self._member, "the file is a bomb: it unpacks to far more than it is; the rest is left out")
        if member.eof:
            self._inflating = None
        return True

    @property
    def _is_bomb(self) -> bool:
        """Whether so much came out of the file that the rest of it is not looked at."""
        return self._total > 2 * _FREE + _MOST * self._raw_at

    def _begin(self) -> bool:
        """Begin the member that the file is at, or the plain records; zero bytes and line ends are passed over."""
        if self._raw_at == 0 and self._raw.startswith(DICTIONARY):
            self._take_dictionary()
        while not self._raw.lstrip(_BETWEEN):
            self._drop(len(self._raw))
            if not self._more():
                return False
        self._drop(len(self._raw) - len(self._raw.lstrip(_BETWEEN)))
        if len(self._raw) < _LINE:
            self._more()
        if VERSION.match(self._raw):
            self._begin_plain()
            return True
        member = member_at(self._raw, self._dictionary)
        if member is None:
            raise Damage(self._raw_at, "bytes that are no gzip member, Zstandard frame or WARC record")
        self._member, self._given = self._raw_at, 0
        self._marks.append((self._at + len(self._ahead), self._raw_at, False))
        self._inflating = member
        return True

    def _take_dictionary(self) -> None:
        """Take the dictionary by which the file's frames are packed, from the frame at its beginning; raises Damage."""
        size = int.from_bytes(self._raw[4:8], "little")
        try:
            if size > LARGEST_DICTIONARY:
                raise ValueError(f"it is larger than {LARGEST_DICTIONARY:,} bytes")
            held = [self._raw]
            missing = 8 + size - len(self._raw)
            while missing > 0 and (piece := next(self._pieces, b"")):
                held.append(piece)
                missing -= len(piece)
            self._raw = b"".join(held)
            if missing > 0:
                raise ValueError("it breaks off")
            self._dictionary = dictionary_of(self._raw[8 : 8 + size])
        except ValueError as error:
            self._unusable = min(8 + size, len(self._raw))
            raise Damage(0, f"the file's Zstandard dictionary cannot be used: {error}") from error
        self._drop(8 + size)

    def _begin_plain(self) -> None:
        self.packed = False
        self._marks.append((self._at + len(self._ahead), self._raw_at, True))


def unpacked(plain: Plain) -> Iterator[bytes]:
    """Yield what a file that was compressed twice holds, for another `Plain`; raises Damage."""
    given = 0
    while piece := plain.read(OUT):
        given += len(piece)
        if given > _FREE and given > _TWICE * plain.consumed:
            raise Damage(plain.offset, f"it is a bomb: {given:,} bytes that are compressed again in very few")
        yield piece


def _steps(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for at in range(0, len(piece), _STEP):
            yield piece[at : at + _STEP]


def first_bytes(path: Path, size: int) -> bytes:
    """Return the first bytes of a file, unpacked, as far as they can be; raises OSError."""
    with path.open("rb") as file, suppress(Damage):
        return Plain(iter(lambda: file.read(_STEP), b"")).peek(size)
    return b""
