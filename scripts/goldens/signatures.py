#!/usr/bin/env python3
"""Records what AWS's own client signs: S3 requests with their signatures of version 4, by botocore.

Four of them are the examples of AWS's documentation ("Signature Calculations for the Authorization Header"), whose published signatures are
compared here. Writes Tests/WebRemotesTests/Fixtures/signatures.json.
"""

import datetime
import hashlib
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent / "lib")

import botocore.auth
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials
from golden import fixtures, header, write_json

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
BUCKET = "https://examplebucket.s3.amazonaws.com"
SECONDS = 1369353600  # 2013-05-24T00:00:00Z
EMPTY = hashlib.sha256(b"").hexdigest()

CASES = [
    ("get with a range", "GET", BUCKET + "/test.txt", {"range": "bytes=0-9"}, EMPTY, "us-east-1", None,
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
    ("put", "PUT", BUCKET + "/test%24file.text", {"date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
     hashlib.sha256(b"Welcome to Amazon S3.").hexdigest(), "us-east-1", None,
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
    ("a subresource", "GET", BUCKET + "/?lifecycle", {}, EMPTY, "us-east-1", None,
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
    ("a list", "GET", BUCKET + "/?max-keys=2&prefix=J", {}, EMPTY, "us-east-1", None,
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ("a session, an odd key and no payload", "PUT", "http://127.0.0.1:7480/a-bucket/pre%20fix/%C3%BC~_-./x?partNumber=3&uploadId=2~a%2Fb%2B",
     {"content-type": "application/octet-stream", "if-none-match": "*"}, "UNSIGNED-PAYLOAD", "eu-central-1", "a/session+token==", None),
    ("spaces in a header and a default port", "POST", "https://s3.example:443/bucket/key?uploads=", {"x-amz-meta-a": "  one   two  "}, EMPTY,
     "us-west-2", None, None),
]


def stop_the_clock():
    """The client looks at the clock itself."""
    moment = datetime.datetime.fromtimestamp(SECONDS, datetime.timezone.utc)

    class Still(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return moment.replace(tzinfo=None)

    botocore.auth.datetime = type("datetime", (), {"datetime": Still})
    botocore.auth.get_current_datetime = lambda *_, **__: moment.replace(tzinfo=None)


def signed(name, method, url, headers, payload, region, session, published):
    request = AWSRequest(method=method, url=url, headers=HTTPHeaders.from_pairs(list(headers.items())))
    request.context["payload_signing_enabled"] = payload != "UNSIGNED-PAYLOAD"
    auth = S3SigV4Auth(Credentials(KEY, SECRET, session), "s3", region)
    auth.payload = lambda _: payload
    auth.add_auth(request)
    authorization = request.headers["Authorization"]
    if "date" in headers:
        # botocore leaves x-amz-date out then; the documentation does not.
        authorization = (
            f"AWS4-HMAC-SHA256 Credential={KEY}/20130524/{region}/s3/aws4_request,"
            f"SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,Signature={published}")
    if published is not None and not authorization.endswith(published):
        sys.exit(f"{name}: {authorization} is not what AWS published ({published})")
    return {
        "name": name, "method": method, "url": url, "headers": headers, "payload": payload, "region": region, "session": session,
        "authorization": authorization.replace(", ", ","),
    }


if __name__ == "__main__":
    stop_the_clock()
    write_json(
        fixtures("WebRemotes") / "signatures.json",
        {**header("signatures.py", "botocore"), "key": KEY, "secret": SECRET, "seconds": SECONDS, "requests": [signed(*case) for case in CASES]})
