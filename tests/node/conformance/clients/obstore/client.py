"""Lists a bucket, once for each line of its input, with the Rust crate object_store."""

import json
import os
import re
import sys

import obstore
from obstore.store import S3Store

BUCKET = "orders"


def ask(s3):
    answer = {"sdk": obstore.__version__}
    try:
        s3.list_with_delimiter()
        answer["bucket"] = BUCKET
    except Exception as failure:
        words = str(failure)
        code = re.search(r"<Code>(\w+)</Code>", words)
        answer |= {"error": code[1] if code else "NoCredentials", "words": words}
    return answer


# It takes the credentials and the region from the environment.
s3 = S3Store(BUCKET, endpoint=os.environ["AWS_ENDPOINT_URL"], client_options={"allow_http": True})
for _ in sys.stdin:
    print(json.dumps(ask(s3)), flush=True)
