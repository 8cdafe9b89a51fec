"""The certificates of a time-stamp answer put in the order that DER asks for, which many authorities do not keep.

They are not covered by the signature (RFC 5652 §5.1), so putting them in order changes nothing of what was signed.
"""

from __future__ import annotations

_SEQUENCE, _SET, _OBJECT, _FIRST = 0x30, 0x31, 0x06, 0xA0  # tags (X.690 §8.14: the context's first is 0xA0)
_INTEGER = 0x02


def in_order(answer: bytes) -> bytes:
    """Return a TimeStampResp (RFC 3161 §2.4.2) with its certificates sorted (X.690 §11.6).

    Raises ValueError for no DER.
    """
    start, end = _inside(answer, 0, _SEQUENCE)
    at = _after(answer, start, _SEQUENCE)  # the status
    if at == end:  # a refusal: no token, no certificates
        return answer
    content, _ = _inside(answer, at, _SEQUENCE)
    signed, _ = _inside(answer, _after(answer, content, _OBJECT), _FIRST)
    at, _ = _inside(answer, signed, _SEQUENCE)
    for tag in (_INTEGER, _SET, _SEQUENCE):  # version, algorithms, what is signed
        at = _after(answer, at, tag)
    if answer[at : at + 1] != bytes([_FIRST]):
        return answer
    start, end = _inside(answer, at, _FIRST)
    return answer[:start] + b"".join(sorted(_each(answer, start, end))) + answer[end:]


def _each(data: bytes, at: int, end: int) -> list[bytes]:
    found = []
    while at < end:
        _, after = _bounds(data, at)
        found.append(data[at:after])
        at = after
    if at != end:
        raise ValueError("an element reaches beyond what holds it")
    return found


def _inside(data: bytes, at: int, tag: int) -> tuple[int, int]:
    """Where the content of the element at a place begins and ends, which must have a tag."""
    if data[at : at + 1] != bytes([tag]):
        raise ValueError(f"no element of tag {tag:#x} at byte {at:,}")
    return _bounds(data, at)


def _after(data: bytes, at: int, tag: int) -> int:
    return _inside(data, at, tag)[1]


def _bounds(data: bytes, at: int) -> tuple[int, int]:
    """Where an element's content begins and ends (X.690 §8.1.3, definite form)."""
    head = data[at + 1 : at + 2]
    if not head:
        raise ValueError("it breaks off")
    start, length = at + 2, head[0]
    if length & 0x80:
        count = length & 0x7F
        if not 0 < count <= 4:
            raise ValueError(f"no length at byte {at + 1:,}")
        length = int.from_bytes(data[start : start + count])
        start += count
    if start + length > len(data):
        raise ValueError("it breaks off")
    return start, start + length
