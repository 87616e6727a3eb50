"""An S3 server for tests: moto's in a process of its own, or `TEST_S3_ENDPOINT` with the keys of the environment."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3

__all__ = ["ENVIRONMENT", "REGION", "bucket", "client", "endpoint"]

VARIABLE = "TEST_S3_ENDPOINT"
REGION = "us-east-1"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
SERVED = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


def environment() -> Mapping[str, str]:
    """The keys that the server takes: moto takes any."""
    if VARIABLE in os.environ:
        return {name: os.environ[name] for name in KEYS}
    return {"AWS_ACCESS_KEY_ID": "AKIAOFTHETESTS00", "AWS_SECRET_ACCESS_KEY": "the-secret-of-the-tests"}


ENVIRONMENT = environment()


@cache
def endpoint() -> str:
    """Where it is served; it begins with the first test that asks, and ends with this process, however that ends."""
    if VARIABLE in os.environ:
        return os.environ[VARIABLE]
    serving = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SERVED],
        stdin=subprocess.PIPE,  # it ends when the other end is gone
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    _KEPT.append(serving)
    assert serving.stdout is not None
    return f"http://127.0.0.1:{int(serving.stdout.readline())}"


_KEPT: list[Any] = []


@cache
def client() -> Any:
    """Another client than the one that is tested."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint(),
        region_name=REGION,
        aws_access_key_id=ENVIRONMENT["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
    )


@contextmanager
def bucket() -> Iterator[str]:
    """The name of an empty bucket that exists for as long as this is open."""
    name = f"aggregator-test-{secrets.token_hex(8)}"
    client().create_bucket(Bucket=name)
    try:
        yield name
    finally:
        client().delete_bucket_policy(Bucket=name)
        while listed := client().list_objects_v2(Bucket=name).get("Contents"):  # a thousand at a time
            client().delete_objects(Bucket=name, Delete={"Objects": [{"Key": item["Key"]} for item in listed]})
        client().delete_bucket(Bucket=name)
