"""PDF files, written object by object: each has just what a test is about."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Sequence

from pypdf import PdfReader, PdfWriter

WIDTH, HEIGHT = 595, 842
Placed = tuple[float, float, float, str]  # x and y of a line's baseline, its size, its text


def escaped(text: str) -> bytes:
    data = text.encode("cp1252")
    for mark in (b"\\", b"(", b")"):
        data = data.replace(mark, b"\\" + mark)
    return data


def drawn(lines: Iterable[Placed]) -> bytes:
    """A content stream that draws lines in Helvetica."""
    drawing = [b"/F1 %g Tf 1 0 0 1 %g %g Tm (%b) Tj" % (size, x, y, escaped(text)) for x, y, size, text in lines]
    return b"BT\n" + b"\n".join(drawing) + b"\nET"


def column(text: Sequence[str], x: float = 72, y: float = 760, size: float = 10, leading: float = 12) -> list[Placed]:
    """Lines one below another."""
    return [(x, y - at * leading, size, line) for at, line in enumerate(text)]


def stream(data: bytes, entries: str = "") -> bytes:
    packed = zlib.compress(data)
    return b"<</Length %d/Filter/FlateDecode %b>>stream\n%b\nendstream" % (len(packed), entries.encode(), packed)


def written(objects: dict[int, bytes], trailer: str = "") -> bytes:
    """A file of numbered objects; 1 is the catalog."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = {}
    for number, body in sorted(objects.items()):
        places[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in places.items():
        out += b"%d 1\n%010d 00000 n \n" % (number, place)
    size = max(objects) + 1
    out += f"trailer\n<</Size {size}/Root 1 0 R {trailer}>>\nstartxref\n{table}\n%%EOF\n".encode()
    return bytes(out)


FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"


def pdf(
    *pages: Iterable[Placed] | bytes,
    catalog: str = "",
    info: str = "",
    page: str = "",
    objects: dict[int, bytes] | None = None,
    font: bytes = FONT,
) -> bytes:
    """A file with a page for each of `pages`, lines or a content stream; `objects` are further ones, from 100 on."""
    numbers = [10 + 2 * at for at in range(len(pages))]
    kids = " ".join(f"{number} 0 R" for number in numbers)
    found = {
        1: f"<</Type/Catalog/Pages 2 0 R {catalog}>>".encode(),
        2: f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>".encode(),
        3: font,
        4: f"<<{info}>>".encode("latin-1"),
        **(objects or {}),
    }
    for number, lines in zip(numbers, pages, strict=True):
        pictures = "/XObject<</Im 100 0 R>>" if objects else ""
        found[number] = (
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {WIDTH} {HEIGHT}]/Contents {number + 1} 0 R"
            f"/Resources<</Font<</F1 3 0 R>>{pictures}>> {page}>>"
        ).encode()
        found[number + 1] = stream(lines if isinstance(lines, bytes) else drawn(lines))
    return written(found, "/Info 4 0 R")


def scan(pages: int = 1) -> bytes:
    """Pages that are pictures."""
    entries = "/Type/XObject/Subtype/Image/Width 16/Height 16/BitsPerComponent 8/ColorSpace/DeviceGray"
    picture = stream(bytes(range(64)) * 4, entries)
    drawing = b"q %d 0 0 %d 0 0 cm /Im Do Q" % (WIDTH, HEIGHT)
    return pdf(*[drawing] * pages, objects={100: picture})


def encrypted(data: bytes, user: str, owner: str = "owner") -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.encrypt(user, owner, algorithm="AES-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def without_map(text: str) -> bytes:
    """A page whose font numbers its glyphs and says nowhere which letters they are."""
    system = b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
    inner = b"<</Type/Font/Subtype/CIDFontType2/BaseFont/ABCDEF+Odd%b/DW 500/FontDescriptor 101 0 R>>" % system
    box = b"/FontBBox[0 0 500 700]/ItalicAngle 0/Ascent 700/Descent 0/CapHeight 700/StemV 80"
    described = b"<</Type/FontDescriptor/FontName/ABCDEF+Odd/Flags 4%b>>" % box
    font = b"<</Type/Font/Subtype/Type0/BaseFont/ABCDEF+Odd/Encoding/Identity-H/DescendantFonts[100 0 R]>>"
    glyphs = "".join(f"{ord(letter) + 500:04x}" for letter in text).encode()
    drawing = b"BT /F1 10 Tf 1 0 0 1 72 700 Tm <%b> Tj ET" % glyphs
    return pdf(drawing, font=font, objects={100: inner, 101: described})


def shared_pages(depth: int) -> bytes:
    """Ten to the power of `depth` pages in a tree whose nodes are the same node ten times."""
    found = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        3: FONT,
        4: stream(drawn(column(["One page that stands for all."]))),
        2 + 3 * depth: b"<</Type/Page/Contents 4 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>>>",
    }
    for level in range(depth):
        number, below = 2 + 3 * level, 2 + 3 * (level + 1)
        count = 10 ** (depth - level)
        found[number] = f"<</Type/Pages/Kids[{f'{below} 0 R ' * 10}]/Count {count}>>".encode()
    return written(found)


def bomb(size: int) -> bytes:
    """A page in an object stream of so many bytes, packed twice."""
    packer = zlib.compressobj(9)
    head = b"10 0 <</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>> "
    once = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    twice = zlib.compress(once + block * (size >> 20) + packer.flush(), 9)
    filters = "/Type/ObjStm/N 1/First 5/Filter[/FlateDecode/FlateDecode]"
    packed = f"<<{filters}/Length {len(twice)}>>stream\n".encode() + twice + b"\nendstream"
    found = {1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Kids[10 0 R]/Count 1>>", 5: packed}
    plain = written(found)
    out = plain[: plain.index(b"xref\n0 1")]
    entries = {number: (1, plain.index(b"%d 0 obj" % number), 0) for number in found}
    entries |= {0: (0, 0, 255), 6: (1, len(out), 0), 10: (2, 5, 0)}
    rows = b"".join(
        bytes([kind]) + place.to_bytes(4, "big") + bytes([more]) for _, (kind, place, more) in sorted(entries.items())
    )
    index = " ".join(f"{number} 1" for number in sorted(entries))
    table = f"<</Type/XRef/Size 11/Root 1 0 R/W[1 4 1]/Index[{index}]/Length {len(rows)}>>stream\n".encode() + rows
    return out + b"6 0 obj\n%b\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % (table, len(out))
