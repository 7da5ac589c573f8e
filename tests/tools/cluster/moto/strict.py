"""What moto leaves out: AWS's errors in AWS's shape, clocks, deactivated keys, user ids."""

import secrets
from datetime import datetime, timezone
from xml.sax.saxutils import escape

from moto.iam import models as iam_models
from moto.iam.models import get_account_id_from, iam_backends
from moto.utilities.utils import get_partition

TIME = "%Y%m%dT%H%M%SZ"
NAMESPACES = {
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
}
UNKNOWN_KEY = {
    "s3": (403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
    None: (403, "InvalidClientTokenId", "The security token included in the request is invalid."),
}


def error(service, status, code, message):
    """An error in the words and shape of the service."""
    inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    request_id = "<RequestId>00000000-0000-4000-8000-000000000000</RequestId>"
    if service == "s3":
        xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}{request_id}</Error>'
    else:
        kind = "Sender" if status < 500 else "Receiver"
        namespace = NAMESPACES.get(service, NAMESPACES["sts"])
        xml = (
            f'<ErrorResponse xmlns="{namespace}"><Error><Type>{kind}</Type>{inner}</Error>'
            f"{request_id}</ErrorResponse>"
        )
    return status, [("Content-Type", "text/xml")], xml.encode()


def skew(service, signed_at):
    """The refusal if the clocks differ too much, otherwise nothing."""
    now = datetime.now(timezone.utc)
    try:
        signed = datetime.strptime(signed_at, TIME).replace(tzinfo=timezone.utc)
    except ValueError:
        return error(service, 400, "IncompleteSignature", "X-Amz-Date is missing or no date.")
    ahead = (signed - now).total_seconds()
    here = now.strftime(TIME)
    if service == "s3":
        if abs(ahead) > 900:
            text = "The difference between the request time and the current time is too large."
            return error(service, 403, "RequestTimeTooSkewed", text)
    elif ahead < -300:
        text = f"Signature expired: {signed_at} is now earlier than {here} - 5 min."
        return error(service, 403, "SignatureDoesNotMatch", text)
    elif ahead > 300:
        text = f"Signature not yet current: {signed_at} is still later than {here} + 5 min."
        return error(service, 403, "SignatureDoesNotMatch", text)
    return None


def is_inactive(key_id, region):
    backend = iam_backends[get_account_id_from(key_id)][get_partition(region)]
    key = backend.access_keys.get(key_id)
    return key is not None and key.status != "Active"


make_user = iam_models.User.__init__


def make_user_as_aws_does(self, *args, **kwargs):
    """AWS's ids tell what kind of thing they belong to."""
    make_user(self, *args, **kwargs)
    self.id = "AIDA" + "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(17))


iam_models.User.__init__ = make_user_as_aws_does
