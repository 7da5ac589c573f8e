"""Asks STS who it is, once for each line of its input, with one client for as long as it lives."""

import json
import os
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError


def make_session():
    if "SERVICE_BINDING_ROOT" not in os.environ:
        return boto3.Session()
    from pyservicebinding import binding

    [bound] = binding.ServiceBinding().bindings("aws")
    return boto3.Session(
        aws_access_key_id=bound["access-key-id"],
        aws_secret_access_key=bound["secret-access-key"],
        region_name=bound["region"],
    )


def ask(session, sts):
    answer = {"sdk": boto3.__version__}
    try:
        answer["arn"] = sts.get_caller_identity()["Arn"]
    except ClientError as refused:
        answer["error"] = refused.response["Error"]["Code"]
    except BotoCoreError as failure:
        answer |= {"error": "NoCredentials", "words": str(failure)}
    if credentials := session.get_credentials():
        answer["key"] = credentials.get_frozen_credentials().access_key[-4:]
    return answer


session = make_session()
sts = session.client("sts")
for _ in sys.stdin:
    print(json.dumps(ask(session, sts)), flush=True)
