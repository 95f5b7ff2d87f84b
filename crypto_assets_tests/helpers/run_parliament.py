"""Prints what parliament finds in the policies on standard input, both as a list in JSON.

A program of its own: importing parliament warns (of setuptools' `pkg_resources`, of files that it
leaves open), and a warning fails a test here.
"""

from __future__ import annotations

import json
import sys

from parliament import analyze_policy_string


def main() -> None:
    findings = [
        f"{finding.issue}: {finding.detail} {finding.location}"
        for document in json.load(sys.stdin)
        for finding in analyze_policy_string(document).findings
    ]
    json.dump(findings, sys.stdout)


if __name__ == "__main__":
    main()
