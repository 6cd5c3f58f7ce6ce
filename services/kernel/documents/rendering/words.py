"""Word templates: which fields one uses, what it may not do, and filling it in. Runs in the child only.

A template is a stranger's programme: its tags are parsed first, and only names, loops, conditions and a few filters pass.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from docx.opc.exceptions import PackageNotFoundError
from docxtpl import DocxTemplate
from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import SandboxedEnvironment

from services.kernel.documents.reasons import Refused

FILTERS: Final = frozenset({"default", "join", "length", "upper", "lower", "trim", "first", "last"})
_TESTS: Final = frozenset({"defined", "undefined", "none"})
_ALLOWED: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const, nodes.For,
    nodes.If, nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr,
    nodes.Concat,
)  # fmt: skip
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
"""The date of every part: a document says when it was made in its text, not in its wrapping."""


def environment() -> SandboxedEnvironment:
    """Return the sandbox in which tags are evaluated: values are escaped, an unknown name is an error."""
    return SandboxedEnvironment(autoescape=True, undefined=StrictUndefined)


def fields_used(path: Path) -> list[str]:
    """Return the names of the fields a template uses. Raises ``Refused`` for tags that are wrong or not allowed."""
    names: set[str] = set()
    for source in _sources(path):
        try:
            parsed = environment().parse(source)
        except TemplateSyntaxError as fault:
            raise Refused("template_syntax", _said(fault)) from fault
        _check(parsed)
        names |= find_undeclared_variables(parsed)
    return sorted(names)


def fill(path: Path, data: dict[str, Any]) -> bytes:
    """Return a template filled with data. Raises ``Refused`` when a tag fails."""
    fields_used(path)
    document = _open(path)
    try:
        document.render(data, jinja_env=environment(), autoescape=True)
    except UndefinedError as fault:
        raise Refused("template_failed", f"用到了没有的内容（{fault.message or ''}）"[:120]) from fault
    except SecurityError as fault:
        raise Refused("template_forbidden", "取内部属性") from fault
    except (TemplateError, TypeError, ValueError) as fault:
        raise Refused("template_failed", _said(fault)) from fault
    out = io.BytesIO()
    document.save(out)
    return _same_each_time(out.getvalue())


def _open(path: Path) -> DocxTemplate:
    try:
        template = DocxTemplate(str(path))
        template.init_docx()
    except (PackageNotFoundError, KeyError, ValueError) as fault:
        raise Refused("file_broken") from fault
    return template


def _sources(path: Path) -> Iterator[str]:
    """Yield every text of a template in which tags are looked for."""
    template = _open(path)
    yield template.patch_xml(template.get_xml())
    for uri in (template.HEADER_URI, template.FOOTER_URI):
        for _, part in template.get_headers_footers(uri):
            yield template.patch_xml(template.get_part_xml(part))
    for part in template.docx.part.package.iter_parts():
        if part.partname.endswith(("/footnotes.xml", "/endnotes.xml")):
            yield template.patch_xml(part.blob.decode("utf-8", "replace"))
    properties = template.docx.core_properties
    for name in ("author", "comments", "identifier", "language", "subject", "title"):
        yield str(getattr(properties, name) or "")


def _check(parsed: nodes.Template) -> None:
    for node in parsed.find_all(nodes.Node):
        found = ""
        if isinstance(node, nodes.Getattr):
            found = node.attr if node.attr.startswith("_") else ""
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            found = str(node.arg.value) if str(node.arg.value).startswith("_") else ""
        elif isinstance(node, nodes.Filter):
            found = "" if node.name in FILTERS else f"过滤器 {node.name}"
        elif isinstance(node, nodes.Test):
            found = "" if node.name in _TESTS else f"判断 {node.name}"
        elif not isinstance(node, (*_ALLOWED, nodes.Keyword)):
            found = type(node).__name__
        if found:
            raise Refused("template_forbidden", found[:60])


def _said(fault: Exception) -> str:
    return str(getattr(fault, "message", None) or fault)[:120]


def _same_each_time(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(out, "w") as after:
        for member in sorted(before.infolist(), key=lambda one: one.filename != "[Content_Types].xml"):
            plain = zipfile.ZipInfo(member.filename, _MOMENT)
            plain.compress_type, plain.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            after.writestr(plain, before.read(member))
    return out.getvalue()
