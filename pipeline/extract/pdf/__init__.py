"""PDF files: their text by page and paragraph, their metadata, and pictures of their pages.

PDFium reads characters, pictures, outlines and links, pypdf the XMP packet and the values of forms. The order of the
words, and what is a paragraph, a note or a running head, is found here, from the places of the characters.
"""
