"""Pages in the encodings they are in, whatever they say."""

from __future__ import annotations

import pytest
from webencodings import LABELS

from pipeline.extract.declared_charset import codec_of, declared
from pipeline.extract.encoding import decode

RUSSIAN = "Суд отклонил иск: свобода слова, пишет редакция, не пустой звук. Комментарий редакции."
JAPANESE = "最高裁判所は本日、表現の自由に関する判決を言い渡した。社説はこれを支持する。"
FRENCH = "L’arrêté a été annulé — « à tort », écrit l’éditorialiste. Coût : 5 €."
KOREAN = "대법원은 오늘 표현의 자유에 관한 판결을 선고했다."
HEBREW = "הנמל נסגר ביום שלישי"
THAI = "ท่าเรือปิดในวันอังคาร"
CHINESE = "最高法院今天就言论自由作出判决，社论表示支持。"


def page(text: str, encoding: str, declared: str | None = None, pad: int = 0) -> bytes:
    meta = f"<meta charset='{declared}'>" if declared else ""
    return f"<html><!--{'x' * pad}--><head>{meta}</head><body>{text}</body></html>".encode(encoding)


@pytest.mark.parametrize(
    ("body", "content_type", "text", "encoding"),
    [
        (page(RUSSIAN, "windows-1251"), "text/html; charset=windows-1251", RUSSIAN, "cp1251"),
        (page(RUSSIAN, "windows-1251", "windows-1251"), "text/html", RUSSIAN, "cp1251"),
        (page(RUSSIAN, "koi8-r", "koi8-r"), None, RUSSIAN, "koi8-r"),
        (page(JAPANESE, "shift_jis", "Shift_JIS"), "text/html", JAPANESE, "cp932"),
        (page(JAPANESE, "euc_jp"), "text/html; charset=EUC-JP", JAPANESE, "euc_jp"),
        (page(JAPANESE, "iso2022_jp", "iso-2022-jp"), None, JAPANESE, "iso2022_jp"),
        (page(KOREAN, "euc_kr", "euc-kr"), None, KOREAN, "cp949"),
        (page(CHINESE, "gb18030", "gb2312"), None, CHINESE, "gb18030"),
        (page(FRENCH, "cp1252"), "text/html; charset=iso-8859-1", FRENCH, "cp1252"),
        (page(FRENCH, "utf-8"), "text/html; charset=iso-8859-1", FRENCH, "utf-8"),
        (page(FRENCH, "utf-8", "windows-1252"), "text/html", FRENCH, "utf-8"),
        (page(FRENCH, "cp1252", "windows-1252"), "text/html; charset=utf-8", FRENCH, "cp1252"),
        (page(FRENCH, "utf-8"), None, FRENCH, "utf-8"),
        (page(RUSSIAN, "windows-1251", "windows-1251", pad=3000), None, RUSSIAN, "cp1251"),
        ("\ufeff".encode("utf-16-le") + page(FRENCH, "utf-16-le"), "text/html", FRENCH, "utf-16-le"),
        ("\ufeff".encode("utf-16-be") + page(FRENCH, "utf-16-be"), "text/html", FRENCH, "utf-16-be"),
        (b"\xef\xbb\xbf" + page(FRENCH, "utf-8"), "text/html; charset=iso-8859-1", FRENCH, "utf-8"),
        (page(RUSSIAN * 5, "windows-1251"), "text/html", RUSSIAN, "cp1251"),
        (page(HEBREW, "iso8859_8", "iso-8859-8-i"), None, HEBREW, "iso8859-8"),
        (page(HEBREW, "iso8859_8", "logical"), None, HEBREW, "iso8859-8"),
        (page(THAI, "cp874", "windows-874"), None, THAI, "cp874"),
        (page("Порт", "cp1251", "x-cp1251"), None, "Порт", "cp1251"),
        (page("Порт закрыт", "koi8_r", "koi8"), None, "Порт закрыт", "koi8-r"),
        (page("Порт", "koi8_r"), "text/html; charset=KOI", "Порт", "koi8-r"),
        (page("Порт", "mac_cyrillic", "x-mac-ukrainian"), None, "Порт", "mac-cyrillic"),
        (page("Żółw", "iso8859_2", "csISOLatin2"), None, "Żółw", "iso8859-2"),
        (page("žlutý", "cp1250", "x-cp1250"), None, "žlutý", "cp1250"),
        (page("中文", "gbk", "csGB2312"), None, "中文", "gb18030"),
        (page("一", "gbk", "gbk"), None, "一", "gb18030"),
        (page("株式会社①", "euc_jis_2004", "x-euc-jp"), None, "株式会社①", "euc_jp"),
        (page("“é”", "cp1252", "us-ascii"), None, "“é”", "cp1252"),
        (page("é", "utf-8", "utf-16"), None, "é", "utf-8"),
        (page("é\xff", "cp1252", "x-user-defined"), None, "éÿ", "cp1252"),
        (page("a é", "cp1252"), "text/html; charset=x-user-defined", "a \uf7e9", "x-user-defined"),
        (page("plain", "utf-16-le"), "text/html; charset=utf-16", "plain", "utf-16-le"),
        (page("é", "utf-16-be"), None, "é", "utf-16-be"),
        (b"<p>\xcf\x98\xee", "text/html; charset=windows-1251", "П\x98о", "cp1251"),
        ('@charset "koi8";a{content:"Порт"}'.encode("koi8_r"), "text/css", "Порт", "koi8-r"),
        (page("plain", "ascii"), "text/html; charset=no-such-thing", "plain", "utf-8"),
        (page("plain", "ascii"), "text/html; charset=base64", "plain", "utf-8"),
    ],
)
def test_pages_are_read_in_the_encoding_they_are_in(
    body: bytes, content_type: str | None, text: str, encoding: str
) -> None:
    decoded, name = decode(body, content_type)
    assert text in decoded
    assert name == encoding


def test_bytes_that_fit_nothing_are_replaced_and_never_raise() -> None:
    decoded, _ = decode(page(FRENCH, "utf-8") + b"\xff\xfe\x80", "text/html; charset=utf-8")
    assert FRENCH in decoded
    decode(bytes(range(256)) * 20, None)
    assert decode(b"", None) == ("", "utf-8")


def test_encodings_that_no_browser_knows_are_none() -> None:
    for label in ("idna", "punycode", "undefined", "utf-7", "unicode_escape"):
        text, name = decode(b"\xff\xe9 +AGE- \\u0061", f"text/html; charset={label}")
        assert "+AGE- \\u0061" in text
        assert name.replace("-", "_") != label.replace("-", "_")


HIDDEN = [
    "<style>{pad}</style><meta charset=x-cp1251>",
    "<style>a>b{{}}{pad}</style><meta content='text/html; charset=x-cp1251' http-equiv='Content-Type'>",
    "<style>{pad}</style><meta name=a content='charset=koi8-r'><meta charset=cp1251>",
    "<script>'<meta charset=koi8-r><body>'{pad}</script><META/CHARSET = 'X-CP1251' />",
    "<title>{pad}<body></title><!--<meta charset=koi8-r>--><meta name='>' charset=\"windows-1251\">",
    "<!-- > --><meta charset=nonsense><link title='{pad}'><meta charset=cp1251>",
    "<body><meta charset=cp1251>",
]


@pytest.mark.parametrize("head", HIDDEN)
@pytest.mark.parametrize("length", [0, 200_000])
def test_a_declaration_is_found_wherever_browsers_find_it(head: str, length: int) -> None:
    start = f"<!doctype html><html><head>{head.format(pad='x' * length)}"
    assert decode(f"{start}<body>Порт".encode("cp1251"), "text/html")[1] == "cp1251"


def test_what_is_no_declaration_is_none() -> None:
    for text in (
        "<body>" + "x" * 2000 + "<meta charset=koi8-r>",
        "<style><meta charset=koi8-r></style>",
        "<!--<meta charset=koi8-r>",
    ):
        assert declared(text.encode(), None) == [], text
    hostile = [b"<!--", b"<style>", b"<meta ", b"<meta '", b'<meta charset="', b"<title", b"<meta a=b "]
    for piece in hostile:
        declared(piece * (1_000_000 // len(piece)), None)


def test_every_label_of_the_standard_is_known() -> None:
    unread = {label for label in LABELS if codec_of(f" {label.upper()}\n") is None}
    assert unread == {"iso-2022-cn", "iso-2022-cn-ext", "replacement"}
    body = bytes(range(256)) * 20
    for label in LABELS:
        decode(body, f"text/html; charset={label}")
