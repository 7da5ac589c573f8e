"""Lists a bucket, once for each line of its input, with the SDK for C++ that is part of pyarrow."""

import json
import os
import re
import sys

import pyarrow
from pyarrow import fs

BUCKET = "orders"


def ask(s3):
    answer = {"sdk": pyarrow.__version__}
    try:
        s3.get_file_info(fs.FileSelector(BUCKET))
        answer["bucket"] = BUCKET
    except OSError as failure:
        words = str(failure)
        code = re.search(r"AWS Error ([A-Z_]+)", words)
        codes = {"INVALID_ACCESS_KEY_ID": "InvalidAccessKeyId"}
        answer |= {"error": codes.get(code and code[1], "NoCredentials"), "words": words}
    return answer


# It knows the variable for S3's endpoint, but not that a URL may be without TLS.
scheme, _, address = os.environ["AWS_ENDPOINT_URL"].partition("://")
s3 = fs.S3FileSystem(scheme=scheme, endpoint_override=address)
for _ in sys.stdin:
    print(json.dumps(ask(s3)), flush=True)
