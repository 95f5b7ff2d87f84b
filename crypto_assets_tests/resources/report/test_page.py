"""The page as text: what is embedded in it stays data, and its policy lets only its scripts run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib

import pytest

from crypto_assets.resources.report.page import embedded, page
from crypto_assets_tests.helpers.report_page import embedded_text

HOSTILE = ["</script><script>alert(1)</script>", "<!--", "[/x]", "\"'&\\", "\u202eBTC\x00\u2028"]


@pytest.mark.parametrize("value", HOSTILE)
def test_embedded_values_come_back_and_end_no_element(value):
    text = embedded({"columns": {"ticker": [value]}})
    assert "<" not in text
    assert json.loads(text) == {"columns": {"ticker": [value]}}


def test_what_is_embedded_cannot_stand_for_another_part_of_the_page():
    made = page("a {{script}} b", {"name": "{{library}}"}, ["{{style}}"])
    assert json.loads(embedded_text(made, "facts")) == {"name": "{{library}}"}
    assert "<title>a {{script}} b</title>" in made


def test_the_policy_allows_the_scripts_of_the_page_by_their_hashes_and_no_request():
    made = page("t", {}, [])
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', made)[1]
    library = zlib.decompress(base64.b64decode(embedded_text(made, "library")))
    script = re.search(r"<script>(.*?)</script>", made, re.DOTALL)[1].encode()
    for allowed in (library, script):
        digest = base64.b64encode(hashlib.sha256(allowed).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert not re.search(r"https?:|connect-src|unsafe-eval|script-src[^;]*unsafe", policy)


def test_the_page_names_no_place_outside_of_it():
    made = page("t", {}, [])
    own = made.replace(embedded_text(made, "library"), "")
    assert not re.search(r'(?:src|href|action)="(?!data:,")', own)
    assert "@import" not in own
    assert "url(" not in own
