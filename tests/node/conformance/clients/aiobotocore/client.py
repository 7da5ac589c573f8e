"""Asks STS who it is, once for each line of its input, with one client for as long as it lives."""

import asyncio
import json
import sys

import aiobotocore
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError


async def ask(session, sts):
    answer = {"sdk": aiobotocore.__version__}
    try:
        answer["arn"] = (await sts.get_caller_identity())["Arn"]
    except ClientError as refused:
        answer["error"] = refused.response["Error"]["Code"]
    except BotoCoreError as failure:
        answer |= {"error": "NoCredentials", "words": str(failure)}
    if credentials := await session.get_credentials():
        answer["key"] = (await credentials.get_frozen_credentials()).access_key[-4:]
    return answer


async def main():
    session = get_session()
    async with session.create_client("sts") as sts:
        for _ in sys.stdin:
            print(json.dumps(await ask(session, sts)), flush=True)


asyncio.run(main())
