"""Pages in the encodings they are in, whatever they say."""

from __future__ import annotations

import pytest

from pipeline.extract.encoding import decode

RUSSIAN = "Суд отклонил иск: свобода слова, пишет редакция, не пустой звук. Комментарий редакции."
JAPANESE = "最高裁判所は本日、表現の自由に関する判決を言い渡した。社説はこれを支持する。"
FRENCH = "L’arrêté a été annulé — « à tort », écrit l’éditorialiste. Coût : 5 €."
KOREAN = "대법원은 오늘 표현의 자유에 관한 판결을 선고했다."
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
