"""What stands in an address without being one: telephone numbers, postcodes, remarks in brackets, places it is merely near."""

from __future__ import annotations

import re
from typing import Final

from geo.addresses.parsing.fields import Cut, Field
from geo.addresses.parsing.numbers import GAP
from geo.addresses.parsing.vocabulary import NUMERALS, one_of, vocabulary

_WORDS: Final = vocabulary().grammar["words"]
_LABEL: Final = rf"(?:(?:{one_of(_WORDS['phone'])})[:号码]{{0,3}})?"
PHONE: Final = re.compile(
    rf"""{_LABEL}
    (?<!\d)(?:
        (?:\+?86[-,]?)?1[3-9]\d[-,]?\d{{4}}[-,]?\d{{4}}
      | 0\d{{2,3}}-?[2-9]\d{{6,7}}
      | \(0\d{{2,3}}\)[2-9]\d{{6,7}}
      | 400-?\d{{3}}-?\d{{4}}
      | (?:(?<=[号室弄;,:话机线真)(])|^)[2-9]\d{{7}}
    )(?![\d弄号室层楼幢栋单])(?:[-转]\d{{1,5}}(?!\d))?""",
    re.VERBOSE,
)
_POSTCODE: Final = re.compile(
    rf"(?:(?:{one_of(_WORDS['postcode'])}):?\d{{6}}|(?:^|(?<=[;,(){GAP}室号]))20[0-2]\d{{3}}(?=[;,(){GAP}]|$|[\u4e00-\u9fff]{{2}}))(?![\d弄号室层楼幢栋单-])"
)
_TOO_LONG: Final = re.compile(r"(?<!\d)\d{9,}[Xx]?(?!\d)")
"""Longer than any door and unlike a telephone's: the number of an identity card or of an account."""
_LONG_NUMBER: Final = re.compile(r"[\d,)-][\d,-]{5}")
"""What must be there for any of these; most addresses have none."""
_CONTACT: Final = re.compile(
    rf"(?:{one_of(_WORDS['contact'])}):?[\u4e00-\u9fff]{{2,4}}?(?:先生|女士|小姐)?(?=$|[{GAP};,()]|收)"
)
_NEAR: Final = re.compile(rf"(?:^|(?<=[号弄室楼层路街道村;,(]))(?:{one_of(_WORDS['near'])})[^;,()\d\#]{{2,30}}")
_JOINED_NAMES: Final = re.compile(r"[\u4e00-\u9fff]{2,12}(?:-{1,4}[\u4e00-\u9fff]{2,12}){1,6}")
_DASHES: Final = re.compile(r"-{1,4}")
_NUMBER: Final = rf"(?:\d{{1,9}}|[{NUMERALS}]{{1,9}})"
_DOOR: Final = re.compile(
    rf"(?:[甲乙丙丁A-Z]|(?:{_NUMBER}-?){{1,3}}(?:支弄|弄|巷|号楼|号|幢|栋|座|单元|层|楼|室)[甲乙丙丁]?|[单双]号?){{1,6}}"
)
_ADDRESS: Final = re.compile(rf"[\u4e00-\u9fff](?:路|街|道|村){_NUMBER}(?:-\d{{1,6}})?(?:弄|巷|号)")
_QUALIFIER: Final = re.compile(rf"[\u4e00-\u9fffA-Za-z\d]{{0,8}}(?:{one_of(_WORDS['qualifiers'])})")
_LANDMARK: Final = re.compile(
    rf"(?:{one_of(_WORDS['near'])})|(?:{one_of(word for word in _WORDS['beside'] if len(word) > 1)}|旁|边|口)$"
)


def set_aside_contacts(field: Field) -> None:
    """Take out telephone numbers, postcodes, numbers too long for an address, and the names of people to ask for."""
    if len(field.body) >= 6 and _LONG_NUMBER.search(field.body):
        field.cut([Cut(*match.span(), "phone", GAP) for match in PHONE.finditer(field.body)])
        field.cut([Cut(*match.span(), "postcode", GAP) for match in _POSTCODE.finditer(field.body)])
        field.cut([Cut(*match.span(), "long_number", GAP) for match in _TOO_LONG.finditer(field.body)])
    if "人" in field.body:
        field.cut([Cut(*match.span(), "contact", GAP) for match in _CONTACT.finditer(field.body)])


def open_brackets(field: Field) -> None:
    """Read on through brackets that hold part of the address, and set the others aside with a reason."""
    body = field.body
    if "(" not in body and ")" not in body:
        return
    pairs = _pairs(body)
    outside = _without(body, pairs)
    cuts: list[Cut] = []
    for start, end in pairs:
        content = body[start + 1 : end - 1]
        reason = _reason(content, outside)
        if reason:
            cuts.append(Cut(start, end, reason))
        else:
            cuts += [Cut(start, start + 1, "bracket"), Cut(end - 1, end, "bracket")]
    field.cut(cuts)


def _pairs(body: str) -> list[tuple[int, int]]:
    """Return the outermost pairs of brackets; one without a partner is left for punctuation."""
    found: list[tuple[int, int]] = []
    opened: list[int] = []
    for index, char in enumerate(body):
        if char == "(":
            opened.append(index)
        elif char == ")" and opened:
            start = opened.pop()
            while found and found[-1][0] > start:
                found.pop()
            found.append((start, index + 1))
    return found


def _without(body: str, pairs: list[tuple[int, int]]) -> str:
    kept, done = [], 0
    for start, end in pairs:
        kept.append(body[done:start])
        done = end
    return "".join((*kept, body[done:]))


def _reason(content: str, outside: str) -> str:
    """Return why the content of a bracket is no part of the address, ``""`` when it is one."""
    if not content:
        return "bracket"
    if _DOOR.fullmatch(content):
        return ""
    if _ADDRESS.search(content):
        return "other_address" if _ADDRESS.search(outside) else ""
    if _LANDMARK.search(content):
        return "landmark"
    return "qualifier" if _QUALIFIER.fullmatch(content) else "note"


def join_names(field: Field) -> None:
    """Take out the dashes between names that open the text: 上海-浦东-某路. Behind a number they mean something."""
    if "-" not in field.body:
        return
    front = _JOINED_NAMES.match(field.body)
    if front is not None:
        field.cut([Cut(*dashes.span(), "punctuation") for dashes in _DASHES.finditer(front[0])])


def set_aside_near(field: Field) -> None:
    """Take out 近某路 and 靠近某站, unless they are all there is."""
    body = field.body
    if "近" not in body and "邻" not in body:
        return
    cuts = [Cut(*match.span(), "landmark") for match in _NEAR.finditer(body)]
    if cuts and cuts[0].start == 0 and cuts[0].end == len(body):
        return
    field.cut(cuts)
