"""What a PDF file says of itself: Info, XMP, language, outline, links, form values; and what is no title or author."""

from __future__ import annotations

import pytest

from archive.model import Article, OutlineEntry
from pipeline.discover.outlinks import Hop
from pipeline.extract.article import read
from pipeline.extract.pdf.metadata import iso_date
from pipeline.extract.tasks import Page, Reading, Task
from tests.pdf_files import column, pdf, stream

XMP = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmp:CreateDate="2024-03-05T10:15+01:00">
 <dc:title><rdf:Alt><rdf:li xml:lang="x-default">The Ruling in Full</rdf:li></rdf:Alt></dc:title>
 <dc:creator><rdf:Seq><rdf:li>Ada Judge</rdf:li><rdf:li>Bea Clerk</rdf:li></rdf:Seq></dc:creator>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""
FIELD = "<</Type/Annot/Subtype/Widget/Rect[100 {0} 300 {1}]/FT/{2}/T({3})/V{4}>>"


def reading(data: bytes, task: Task = Task.ARTICLE) -> Reading:
    return read(Page("http://x.example/files/a.pdf", data, "application/pdf", task))


def article(data: bytes) -> Article:
    found = reading(data).article
    assert found is not None
    return found


def test_info_and_xmp_are_both_kept_and_the_packet_comes_first() -> None:
    data = pdf(
        column(["Text."]),
        info="/Title(Microsoft Word - ruling.doc)/Author(anonymous)/Subject(Berths)/Keywords(quay; tax)"
        "/CreationDate(D:2019)",
        catalog="/Metadata 100 0 R/Lang(en-GB)",
        objects={100: stream(XMP, "/Type/Metadata/Subtype/XML")},
    )
    found = article(data)
    assert (found.title, found.author, found.date) == ("The Ruling in Full", "Ada Judge; Bea Clerk", "2024-03-05")
    assert (found.description, found.tags, found.language) == ("Berths", ("quay", "tax"), "en-GB")
    assert found.structure is not None
    stated = dict(found.structure.properties)
    assert (stated["Title"], stated["xmp:title"]) == ("Microsoft Word - ruling.doc", "The Ruling in Full")
    assert (stated["CreationDate"], stated["xmp:createdate"]) == ("D:2019", "2024-03-05T10:15+01:00")


def test_a_file_name_is_no_title_and_a_programs_default_no_author() -> None:
    lines = [(72, 780, 20, "The Quay Is Closed"), *column(["And this is what the paper says of it."], y=740)]
    found = article(pdf(lines, info="/Title(statement-final.docx)/Author(Admin)"))
    assert (found.title, found.author) == ("The Quay Is Closed", None)


def test_outline_links_and_form_values() -> None:
    fields = {
        110: FIELD.format(600, 620, "Tx", "name", "(Zinaida)").encode(),
        111: FIELD.format(560, 580, "Btn", "agree", "/Yes").encode(),
        112: FIELD.format(520, 540, "Btn", "refuse", "/Off").encode(),
        113: b"<</Type/Annot/Subtype/Link/Rect[72 700 200 720]/A<</S/URI/URI(../law/1?x=2)>>>>",
        114: b"<</Type/Annot/Subtype/Link/Rect[72 700 200 720]/A<</S/URI/URI(javascript:alert)>>>>",
        120: b"<</Type/Outlines/First 121 0 R/Last 121 0 R/Count 2>>",
        121: b"<</Title(Facts)/Parent 120 0 R/Dest[12 0 R/Fit]/First 122 0 R/Last 122 0 R>>",
        122: b"<</Title(Of the quay)/Parent 121 0 R>>",
    }
    data = pdf(
        column(["Application"]),
        column(["To the court"]),
        catalog="/Outlines 120 0 R/AcroForm<</Fields[110 0 R 111 0 R 112 0 R]>>",
        page="/Annots[110 0 R 111 0 R 112 0 R 113 0 R 114 0 R]",
        objects=fields,
    )
    found = article(data)
    assert found.structure is not None
    assert found.structure.outline == (OutlineEntry(1, "Facts", 2), OutlineEntry(2, "Of the quay"))
    assert found.structure.fields == (("name", "Zinaida"), ("agree", "Yes"))
    assert (found.text or "").split("\n")[-2:] == ["name: Zinaida", "agree: Yes"]
    assert found.links == ("http://x.example/law/1?x=2",)
    only_links = reading(data, Task.FRAME)
    assert only_links.article is None
    assert [link.url for link in only_links.findings.of(Hop.LINK)] == [*found.links]


def test_a_form_that_pypdf_cannot_read_costs_no_text() -> None:
    objects = {110: b"<</FT/Tx/T(a)/V(b)/Kids[110 0 R]/Parent 110 0 R>>"}
    found = reading(pdf(column(["The text."]), catalog="/AcroForm<</Fields[110 0 R]>>", objects=objects))
    assert found.article is not None
    assert (found.article.text or "").startswith("The text.")
    assert found.problem is None


@pytest.mark.parametrize(
    ("stated", "iso"),
    [
        ("D:2019", "2019"), ("D:201903", "2019-03"), ("20190506", "2019-05-06"),
        ("D:20190506101500Z", "2019-05-06T10:15:00Z"),
        ("D:20190506101500+05'30'", "2019-05-06T10:15:00+05:30"), ("D:20190506101500Z00'00'", "2019-05-06T10:15:00Z"),
        ("D:20190506101500-08'00", "2019-05-06T10:15:00-08:00"),
        ("2019-05-06T10:15+02:00", "2019-05-06T10:15:00+02:00"),
        ("D:20191340", None), ("yesterday", None), ("", None),
    ],
)  # fmt: skip
def test_dates_as_files_write_them(stated: str, iso: str | None) -> None:
    assert iso_date(stated) == iso
