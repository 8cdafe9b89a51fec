"""Fetch URLs over HTTP and record every exchange byte for byte."""
