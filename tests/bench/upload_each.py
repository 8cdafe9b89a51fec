"""The usual way to a bucket: one boto3 put a file. python -m tests.bench.upload_each FOLDER BUCKET ENDPOINT."""

from __future__ import annotations

import sys
from pathlib import Path

import boto3
from botocore.config import Config


def main(folder: str, bucket: str, endpoint: str) -> None:
    config = Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required")
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=config)
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file():
            client.put_object(Bucket=bucket, Key=f"peer/{path.relative_to(folder)}", Body=path.read_bytes())


main(*sys.argv[1:])
