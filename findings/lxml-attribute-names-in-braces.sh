#!/usr/bin/env bash
# lxml 6.1.3 (libxml2 2.14.6), Python 3.11: HTML allows an attribute name that begins with "{" (WHATWG HTML §13.1.2.3), and
# templates of scripts leave such names in pages. lxml keeps the attribute and lists its name in keys(), but none of the
# ways to read it by that name finds it, and dict(element.attrib) raises KeyError for the whole element: a name that begins
# with "{" is taken for one in an XML namespace. Expected: a name that keys() lists can be read, as "@click" and "a:b" can.
#
# Output seen:
#   keys: ['{item}name', '{{b}}', '@click', 'a:b']
#   read: {'{item}name': None, '{{b}}': None, '@click': 'go', 'a:b': 'c'}
#   dict(attrib): KeyError
#
# Exits 0 while lxml behaves so, 1 when it behaves otherwise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -r -- "${work:?}"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check lxml==6.1.3
cat >"$work/try.py" <<'PY'
import sys

from lxml import html

paragraph = html.fromstring('<div><p {item}name="x" {{b}}="y" @click="go" a:b="c">text</p></div>').find(".//p")
keys = paragraph.keys()
read = {key: paragraph.get(key) for key in keys}
try:
    whole = str(dict(paragraph.attrib))
except KeyError:
    whole = "KeyError"
print("keys:", keys)
print("read:", read)
print("dict(attrib):", whole)
seen = (keys, list(read.values()), whole)
sys.exit(seen != (["{item}name", "{{b}}", "@click", "a:b"], [None, None, "go", "c"], "KeyError"))
PY
"$work/venv/bin/python" "$work/try.py"
