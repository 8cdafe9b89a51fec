"""Documents of word processors: Office Open XML (.docx, ECMA-376) and OpenDocument (.odt, ISO/IEC 26300)."""
