"""moto behind a web server, as strict as AWS where it is not.

moto checks signatures and policies. What it leaves out is added around it: a deactivated key is
refused, clocks may not differ by more than AWS allows, an unsigned request is refused, and errors
of the query protocol have AWS's shape. Every request is remembered.

Paths below /-/ (no bucket can have that name) are for the tests:
  POST /-/call   {"service", "method", "params"}: a call of boto3 by the administrator
  POST /-/fault  {"service", "status", "code", "message", "times"}: refuse the next calls
  GET  /-/log    every signed or refused request but the administrator's
"""

import argparse
import io
import json
import os
import re
import signal
import socket
import sys
import threading
import time
import traceback
from urllib.parse import parse_qs
from xml.sax.saxutils import unescape

# The caller's environment may have an AWS profile or a proxy.
for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
    del os.environ[name]
# This directory must stay free of caches.
sys.dont_write_bytecode = True
# Three requests are unchecked: they create the administrator, its policy and its key.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "3"

import boto3  # noqa: E402
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402
from moto.server import (  # noqa: E402
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from strict import UNKNOWN_KEY, error, is_inactive, skew  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
CREDENTIAL = re.compile(r"^AWS4-HMAC-SHA256 .*?Credential=([^/,]+)/(\d{8})/([^/,]+)/([^/,]+)/aws4_request")


class Request:
    """What the layer has to know of a request."""

    def __init__(self, environ):
        self.path = environ.get("PATH_INFO", "/")
        self.method = environ["REQUEST_METHOD"]
        self.authorization = environ.get("HTTP_AUTHORIZATION", "")
        self.signed_at = environ.get("HTTP_X_AMZ_DATE", "")
        self.user_agent = environ.get("HTTP_USER_AGENT", "")
        query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        self.action = "ListObjectsV2" if "list-type" in query else self.method
        form = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
        if form:
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            self.action = parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
        found = CREDENTIAL.match(self.authorization)
        self.key_id, _, self.region, self.service = found.groups() if found else ("", "", "", "")
        if not found:
            self.service = "sts" if form else "s3"
        self.is_signed = found is not None


class Layer:
    """The WSGI application around moto's."""

    def __init__(self):
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.lock = threading.Lock()
        self.log = []
        self.faults = []
        self.administrator = None
        self.call = None

    def __call__(self, environ, start_response):
        path = environ.get("PATH_INFO", "/")
        if path.startswith("/-/"):
            status, headers, body = self.control(path, environ)
        else:
            request = Request(environ)
            status, headers, body = self.answer(request, environ)
            self.remember(request, status, body)
        headers = [(k, v) for k, v in headers if k.lower() not in ("content-length", "date")]
        if environ["REQUEST_METHOD"] != "HEAD":
            headers.append(("Content-Length", str(len(body))))
        start_response(f"{status} Status", headers)
        return [body]

    def answer(self, request, environ):
        service = request.service
        # moto's own control paths could disable the checks.
        if request.path.startswith("/moto-api"):
            return error(service, 404, "NotFound", "There is nothing here.")
        if not request.authorization:
            if service == "s3":
                return error(service, 403, "AccessDenied", "Access Denied")
            text = "Request is missing Authentication Token"
            return error(service, 403, "MissingAuthenticationToken", text)
        if not request.is_signed:
            return error(service, 400, "IncompleteSignature", "Authorization lacks a credential.")
        if is_inactive(request.key_id, request.region):
            return error(service, *UNKNOWN_KEY.get(service, UNKNOWN_KEY[None]))
        return self.fault(request) or skew(service, request.signed_at) or self.ask_moto(request, environ)

    def ask_moto(self, request, environ):
        seen = {}

        def start_response(status, headers, _error=None):
            seen.update(status=int(status.split()[0]), headers=headers)

        try:
            body = b"".join(self.moto(environ, start_response))
        except Exception:
            traceback.print_exc()
            return error(request.service, 500, "InternalFailure", "moto failed.")
        if seen["status"] >= 400 and b"<ErrorResponse><Errors>" in body.replace(b"\n", b""):
            text = body.decode()
            code, message = (
                unescape(re.search(f"<{name}>(.*?)</{name}>", text, re.S).group(1))
                for name in ("Code", "Message")
            )
            return error(request.service, seen["status"], code, message)
        return seen["status"], seen["headers"], body

    def fault(self, request):
        with self.lock:
            for fault in self.faults:
                if fault["service"] == request.service and fault["times"] > 0:
                    if request.key_id != self.administrator:
                        fault["times"] -= 1
                        return error(request.service, fault["status"], fault["code"], fault["message"])
        return None

    def remember(self, request, status, body):
        if request.key_id and request.key_id == self.administrator:
            return
        code = re.search(rb"<Code>(.*?)</Code>", body) if status >= 400 else None
        entry = {
            "at": time.time(),
            "key_id": request.key_id,
            "service": request.service,
            "region": request.region,
            "action": request.action,
            "path": request.path,
            "status": status,
            "code": code.group(1).decode() if code else None,
            "user_agent": request.user_agent,
        }
        with self.lock:
            self.log.append(entry)

    def control(self, path, environ):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status, answer = 200, {}
        try:
            if path == "/-/log":
                with self.lock:
                    answer = list(self.log)
            elif path == "/-/fault":
                with self.lock:
                    self.faults.append(json.loads(body))
            elif path == "/-/call" and self.call:
                answer = self.call(**json.loads(body))
            else:
                status, answer = 404, {"error": f"no {path}"}
        except (ClientError, KeyError, TypeError, ValueError) as failure:
            status, answer = 400, {"error": str(failure)}
        return status, [("Content-Type", "application/json")], json.dumps(answer, default=str).encode()


class QuietHandler(MotoRequestHandler):
    def log_request(self, *_args):
        pass


def administrate(layer, url, ca):
    """Makes the administrator, in whose name /-/call works. From then on moto checks everything."""
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})

    def client(service, key):
        credentials = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        return boto3.Session(**credentials, region_name="us-east-1").client(
            service, endpoint_url=url, verify=ca, config=config
        )

    iam = client("iam", {"AccessKeyId": "AKIABOOTSTRAP0000000", "SecretAccessKey": "none"})
    iam.create_user(UserName="administrator")
    iam.put_user_policy(UserName="administrator", PolicyName="all", PolicyDocument=json.dumps(ALL))
    key = iam.create_access_key(UserName="administrator")["AccessKey"]
    layer.administrator = key["AccessKeyId"]
    layer.log.clear()
    clients = {service: client(service, key) for service in ("iam", "s3", "sts")}

    def call(service, method, params):
        answer = getattr(clients[service], method)(**params)
        answer.pop("ResponseMetadata", None)
        return answer

    layer.call = call


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bind", default="127.0.0.1")
    parser.add_argument("--announce", required=True, help="HOST:PORT that is told our port once we are ready")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--ca", help="the authority that signed the certificate")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    tls = (args.cert, args.key) if args.cert else None
    layer = Layer()
    server = make_server(
        args.bind, 0, layer, threaded=True, request_handler=QuietHandler, ssl_context=tls
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    scheme = "https" if tls else "http"
    administrate(layer, f"{scheme}://{args.bind}:{server.server_port}", args.ca)
    host, port = args.announce.rsplit(":", 1)
    with socket.create_connection((host, int(port))) as waiting:
        waiting.sendall(f"{server.server_port}\n".encode())
    thread.join()


if __name__ == "__main__":
    main()
