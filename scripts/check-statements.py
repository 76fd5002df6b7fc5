#!/usr/bin/env python3
"""Checks the statements that `heirloom reproduce --key` writes with nothing of Heirloom's: DSSE and Ed25519 by the package cryptography.

    python3 -m venv V && V/bin/pip install cryptography
    V/bin/python scripts/check-statements.py PUBLIC-KEY ENVELOPE…

Every envelope must have a signature by the key over the pre-authentication encoding of its payload; every payload must be an in-toto
Statement v1, and where its predicate is SLSA's provenance v1 or a reproduction's, have the members these need. An envelope with one bit of the
payload or of the signature changed must be refused. Status 0 when all of it is so.
"""
import base64
import hashlib
import json
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def encoding(kind, payload):
    return b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])


def is_signed(key, kind, payload, signature):
    try:
        key.verify(signature, encoding(kind, payload))
        return True
    except InvalidSignature:
        return False


def check_provenance(predicate):
    definition, details = predicate["buildDefinition"], predicate["runDetails"]
    assert re.match(r"[a-z]+:", definition["buildType"]), "buildType is a URI"
    assert definition["externalParameters"]["instance"]
    for dependency in definition["resolvedDependencies"]:
        assert re.fullmatch(r"[0-9a-f]{64}", dependency["digest"]["sha256"]), dependency
    assert re.match(r"[a-z]+:", details["builder"]["id"]), "the builder's id is a URI"
    for name in ("startedOn", "finishedOn"):
        assert TIME.fullmatch(details["metadata"][name]), name
    assert details["metadata"]["invocationId"]


def check_reproduction(predicate):
    assert isinstance(predicate["reproduced"], bool)
    assert predicate["lock"].startswith("sha256:")
    counts = {}
    for output in predicate["outputs"]:
        counts[output["verdict"]] = counts.get(output["verdict"], 0) + 1
        if output["verdict"] == "identical":
            assert output["locked"] == output["found"], output
        if output["verdict"] == "differs":
            assert output["locked"] != output["found"] and (output.get("causes") or output.get("follows")), output
    assert counts == {name: count for name, count in predicate["counts"].items() if count}, "the counts are those of the rows"


PREDICATES = {"https://slsa.dev/provenance/v1": check_provenance, "urn:heirloom:predicate:reproduction:v1": check_reproduction}


def check(path, key, identifier):
    with open(path) as file:
        envelope = json.load(file)
    kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"], validate=True)
    assert kind == b"application/vnd.in-toto+json"
    signatures = [base64.b64decode(entry["sig"], validate=True) for entry in envelope["signatures"]]
    assert all(entry["keyid"] == identifier for entry in envelope["signatures"]), "the key is named by the digest of its encoding"
    assert any(is_signed(key, kind, payload, signature) for signature in signatures), "the signature is not this key's"
    for place in (0, len(payload) // 2, len(payload) - 1):
        changed = payload[:place] + bytes([payload[place] ^ 1]) + payload[place + 1 :]
        assert not any(is_signed(key, kind, changed, signature) for signature in signatures), "a changed payload passes"
    assert not is_signed(key, kind, payload, bytes([signatures[0][0] ^ 1]) + signatures[0][1:]), "a changed signature passes"
    assert not is_signed(key, b"text/plain", payload, signatures[0]), "another type passes"
    statement = json.loads(payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] and all(re.fullmatch(r"[0-9a-f]{64}", s["digest"]["sha256"]) and s["name"] for s in statement["subject"])
    PREDICATES[statement["predicateType"]](statement["predicate"])
    return statement["predicateType"]


def main(public_key, *envelopes):
    with open(public_key, "rb") as file:
        key = serialization.load_pem_public_key(file.read())
    encoded = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    identifier = hashlib.sha256(encoded).hexdigest()
    kinds = [check(path, key, identifier) for path in envelopes]
    for kind in sorted(set(kinds)):
        print(f"{kinds.count(kind):4d}  {kind}")
    return 0 if kinds else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
