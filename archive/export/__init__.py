"""WACZ 1.1.1 files: what an archive holds, packed for other readers."""

from archive.crypto.wacz_signature import WaczSigner
from archive.export.csv_table import csv_line, write_csv
from archive.export.parquet import write_parquet
from archive.export.wacz import Hashing, Package
from archive.export.wacz_check import wacz_steps
from archive.export.warc_records import Out, copy_records, copy_warc, write_warcinfo

__all__ = [
    "Hashing",
    "Out",
    "Package",
    "WaczSigner",
    "copy_records",
    "copy_warc",
    "csv_line",
    "wacz_steps",
    "write_csv",
    "write_parquet",
    "write_warcinfo",
]
