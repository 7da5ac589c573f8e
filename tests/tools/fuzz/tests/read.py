"""Reads what the layouts wrote as Python programs do: a line of JSON for each on standard input.

Prints those that were read as something else than was meant, and last how many it read.
"""

import configparser
import json
import os
import sys

import botocore.configloader
import botocore.credentials
import botocore.exceptions
import botocore.session

os.environ.clear()

COMMAND = (
    "/var/run/awscredentials.dev/credential-process"
    " --file /var/run/secrets/awscredentials.dev/credentials.json --ttl 1080"
)


def misread(case, data):
    for name in ("credentials", "config", "config-process"):
        with open(name, "wb") as file:
            file.write(data.get(name, "").encode())
    pair = {"aws_access_key_id": case["id"], "aws_secret_access_key": case["secret"]}
    profile = {"region": case["region"]} if case["region"] else None

    if botocore.configloader.raw_config_parse("credentials") != {"default": pair}:
        return "raw_config_parse"
    if botocore.configloader.load_config("config").get("profiles", {}).get("default") != profile:
        return "load_config"

    process = dict(profile or {}, credential_process=COMMAND)
    if botocore.configloader.load_config("config-process").get("profiles", {}) != {"default": process}:
        return "load_config of the process"
    if botocore.configloader.raw_config_parse("config-process") != {"default": process}:
        return "raw_config_parse of the process"
    if botocore.credentials.SharedCredentialProvider("config-process", "default").load():
        return "SharedCredentialProvider of the process"

    provider = botocore.credentials.SharedCredentialProvider("credentials", "default")
    found = provider.load()
    if (found.access_key, found.secret_key, found.token) != (case["id"], case["secret"], None):
        return "SharedCredentialProvider"

    ini = configparser.RawConfigParser()
    ini.read("credentials", encoding="utf-8")
    if dict(ini["default"]) != pair:
        return "configparser"

    meant = {"Version": 1, "AccessKeyId": case["id"], "SecretAccessKey": case["secret"]}
    if json.loads(data["credentials.json"]) != meant:
        return "json"
    return None


def misread_of_source(case):
    with open("source", "w", encoding="utf-8", newline="") as file:
        file.write(case["file"])
    try:
        found = botocore.credentials.SharedCredentialProvider("source", "default").load()
    except botocore.exceptions.ConfigParseError:
        # Another profile that botocore refuses.
        return None if case["others"] else "refused"
    if (found.access_key, found.secret_key, found.token) != (case["id"], case["secret"], None):
        return "SharedCredentialProvider of a source"
    return None


count = 0
for line in sys.stdin:
    case = json.loads(line)
    count += 1
    try:
        what = misread_of_source(case) if "file" in case else misread(case, case["data"])
    except Exception as error:
        what = repr(error)
    if what:
        print(what, json.dumps(case))
print(count)
