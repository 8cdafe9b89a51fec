"""Documents of word processors: paragraphs, tables, notes, what was deleted, metadata, bombs and passwords."""

from __future__ import annotations

import io
import zipfile

import pytest

from archive.model import Article, OutlineEntry
from pipeline.extract.article import read, to_markdown
from pipeline.extract.tasks import Page, Reading

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"
RUN = "<w:r><w:t>{}</w:t></w:r>"
CORE = (
    '<p xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:t="http://purl.org/dc/terms/"><dc:title>Statement</dc:title>'
    "<dc:creator>Z. Zand</dc:creator><t:created>2024-03-05T10:00:00Z</t:created></p>"
)
STYLES = f'<w:styles {W}><w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style></w:styles>'
NOTES = (
    f'<w:footnotes {W}><w:footnote w:type="separator"><w:p>{RUN.format("-")}</w:p></w:footnote>'
    f"<w:footnote><w:p>{RUN.format('See the minutes.')}</w:p></w:footnote></w:footnotes>"
)
RELATIONS = (
    '<r><Relationship Type="http://x/hyperlink" Target="/law"/><Relationship Type="http://x/image" Target="a"/></r>'
)
BODY = (
    f'<w:p><w:pPr><w:pStyle w:val="berschrift1"/></w:pPr>{RUN.format("The quay")}</w:p>'
    f"<w:sdt><w:sdtContent><w:p>{RUN.format('It is')}<w:r><w:tab/></w:r><w:ins>{RUN.format('closed')}</w:ins>"
    f"<w:del><w:r><w:delText>open</w:delText></w:r></w:del>{RUN.format('.')}</w:p></w:sdtContent></w:sdt>"
    f"<w:tbl><w:tr><w:tc><w:p>{RUN.format('Berth')}</w:p></w:tc><w:tc><w:p>{RUN.format('3')}</w:p></w:tc></w:tr></w:tbl>"
)
NAMES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:'
    'text:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:xlink="http://www.w3.org/1999/xlink"'
)
CONTENT = (
    f'<office:document-content {NAMES}><office:body><office:text><text:h text:outline-level="2">The quay</text:h>'
    "<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>"
    '<text:list><text:list-item><text:p>It is<text:s text:c="2"/>closed<text:note><text:note-citation>1'
    "</text:note-citation><text:note-body><text:p>See the minutes.</text:p></text:note-body></text:note>.</text:p>"
    "</text:list-item></text:list><table:table><table:table-row><table:table-cell><text:p>Berth</text:p>"
    '</table:table-cell><table:table-cell><text:p><text:a xlink:href="/law">3</text:a></text:p></table:table-cell>'
    "</table:table-row></table:table></office:text></office:body></office:document-content>"
)


def packed(parts: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name, data, zipfile.ZIP_STORED if name == "mimetype" else None)
    return out.getvalue()


def docx(body: str = BODY, **parts: str | bytes) -> bytes:
    document = f"<w:document {W}><w:body>{body}</w:body></w:document>"
    return packed(
        {
            "[Content_Types].xml": "<Types/>",
            "word/document.xml": document,
            "word/styles.xml": STYLES,
            "word/footnotes.xml": NOTES,
            "word/_rels/document.xml.rels": RELATIONS,
            "docProps/core.xml": CORE,
            **parts,
        }
    )


def odt(content: str = CONTENT, **parts: str | bytes) -> bytes:
    return packed({"mimetype": ODT, "content.xml": content, "meta.xml": CORE, **parts})


def reading(data: bytes, kind: str) -> Reading:
    return read(Page("http://x.example/a", data, kind))


def article(data: bytes, kind: str) -> Article:
    found = reading(data, kind)
    assert found.problem is None, found.problem
    assert found.article is not None
    return found.article


@pytest.mark.parametrize(
    ("data", "kind", "level"),
    [
        (docx(), DOCX, 1), (docx(), "application/octet-stream", 1), (odt(), ODT, 2),
        (odt(), "application/octet-stream", 2),
    ],
    ids=["docx", "docx of no type", "odt", "odt of no type"],
)  # fmt: skip
def test_text_notes_tables_and_metadata(data: bytes, kind: str, level: int) -> None:
    found = article(data, kind)
    assert (found.text or "").split("\n") == ["The quay", "It is closed.", "Berth | 3", "1 See the minutes."]
    assert found.structure is not None
    assert [each.kind for each in found.structure.paragraphs] == ["heading", "text", "text", "note"]
    assert found.structure.outline == (OutlineEntry(level, "The quay"),)
    assert (found.title, found.author, found.date) == ("Statement", "Z. Zand", "2024-03-05")
    assert found.links == ("http://x.example/law",)
    markdown = to_markdown(Page("http://x.example/a", data, kind))
    assert markdown == "# Statement\n\n## The quay\n\nIt is closed.\n\nBerth | 3\n\n---\n\n1 See the minutes."


LACKING = {
    "empty": (docx("", **{"word/footnotes.xml": f"<w:footnotes {W}/>"}), DOCX, "no-text-layer"),
    "encrypted": (b"\xd0\xcf\x11\xe0" + bytes(600), DOCX, "password"),
    "encrypted odt": (odt(**{"META-INF/manifest.xml": "<m><encryption-data/></m>"}), ODT, "password"),
    "damaged": (docx()[:-200], DOCX, "extraction-failed"),
    "no XML": (docx(**{"word/document.xml": "<w:document"}), DOCX, "extraction-failed"),
    "bomb": (docx(**{"word/document.xml": b" " * (80 << 20)}), DOCX, "extraction-failed"),
    "one paragraph, often": (docx(f"<w:p>{RUN.format('Some words.')}</w:p>" * 100_000), DOCX, "extraction-failed"),
    "entities": (odt('<!DOCTYPE a [<!ENTITY b "x">]><a xmlns="urn:x">&b;</a>'), ODT, "no-text-layer"),
}


@pytest.mark.parametrize("name", LACKING)
def test_a_document_without_a_text_says_why(name: str) -> None:
    data, kind, outcome = LACKING[name]
    found = reading(data, kind)
    assert (found.outcome, found.article and found.article.text) == (outcome, None)
    assert found.problem


def test_other_zip_files_are_left_alone() -> None:
    sheet = packed({"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"})
    for data in (sheet, packed({"a.txt": "a"})):
        found = reading(data, "application/octet-stream")
        assert found.problem is None
        assert found.article is not None
        assert (found.article.text, found.article.structure) == (None, None)
