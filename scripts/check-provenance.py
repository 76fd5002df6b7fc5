#!/usr/bin/env python3
"""Whether what `heirloom provenance` writes is a Provenance Run Crate, as roc-validator sees it.

    python3 -m venv V && V/bin/pip install roc-validator
    V/bin/python scripts/check-provenance.py CRATE [--level required|recommended|optional] [--contexts DIRECTORY]

The validator reads the JSON-LD contexts that a crate names from the network. Where there is none, DIRECTORY holds them: ro-crate.json
(https://w3id.org/ro/crate/1.1/context) and workflow-run.json (https://w3id.org/ro/terms/workflow-run/context).
Status 0 when every requirement of the level is met, 1 when not.
"""
import argparse
import collections
import email.message
import io
import pathlib
import sys
import urllib.response

PROFILE = "provenance-run-crate"
CONTEXTS = {
    "https://w3id.org/ro/crate/1.1/context": "ro-crate.json",
    "https://w3id.org/ro/terms/workflow-run/context": "workflow-run.json",
}


def serve_contexts(directory):
    """Answers for the two contexts from files; everything else goes to the network as before."""
    import rdflib.parser
    from rocrate_validator.utils import http

    texts = {url: (directory / name).read_bytes() for url, name in CONTEXTS.items()}
    texts |= {url.rstrip("/") + "/": text for url, text in texts.items()}
    over_network = rdflib.parser._urlopen

    def open_url(request):
        text = texts.get(request.full_url)
        if text is None:
            return over_network(request)
        headers = email.message.Message()
        headers["Content-Type"] = "application/ld+json"
        return urllib.response.addinfourl(io.BytesIO(text), headers, request.full_url, 200)

    rdflib.parser._urlopen = open_url
    requester = http.HttpRequester()
    get = requester.get

    class Response:
        status_code = 200
        ok = True
        headers = {"Content-Type": "application/ld+json"}

        def __init__(self, text):
            self.content, self.text = text, text.decode()

        def json(self):
            import json

            return json.loads(self.text)

        def raise_for_status(self):
            pass

    def answer(url, *words, **options):
        return Response(texts[url]) if url in texts else get(url, *words, **options)

    for kind in (requester, type(requester)):
        try:
            setattr(kind, "get", answer if kind is requester else lambda self, url, *w, **o: answer(url, *w, **o))
        except AttributeError:
            pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("crate", type=pathlib.Path)
    parser.add_argument("--level", default="required", choices=["required", "recommended", "optional"])
    parser.add_argument("--contexts", type=pathlib.Path)
    options = parser.parse_args()
    if options.contexts:
        serve_contexts(options.contexts)
    from rocrate_validator import services
    from rocrate_validator.models import Severity, ValidationSettings

    settings = ValidationSettings(
        rocrate_uri=str(options.crate),
        profile_identifier=PROFILE,
        requirement_severity=getattr(Severity, options.level.upper()),
    )
    result = services.validate(settings)
    found = collections.OrderedDict()
    for issue in result.get_issues():
        found.setdefault((issue.severity.name, issue.check.identifier, issue.message), []).append(str(issue.violatingEntity or ""))
    for (severity, check, message), entities in found.items():
        print(f"{severity}  {check}  {message}  ({len(entities)}: {', '.join(entities[:3])})")
    print(f"{options.crate}: {PROFILE} {options.level}: {'passed' if not found else f'{len(found)} findings'}")
    return 0 if not found else 1


if __name__ == "__main__":
    sys.exit(main())
