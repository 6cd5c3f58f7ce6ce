"""Documents from templates: the text people read, the same bytes each time, and data that tries to be a programme."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import docx
import pypdfium2
import pytest
from docx.shared import Pt

from geo.errors import CityError
from services.kernel.documents.reasons import TEMPLATE_REASONS
from services.kernel.documents.registry import template_specs
from services.kernel.documents.rendering import documents
from services.kernel.documents.rendering.documents import Text, complete, fields_of_template, render_document
from services.kernel.documents.rendering.layout import layout_of
from services.kernel.documents.spec import TemplateField, TemplateSpec
from services.kernel.documents.templates.queries import declared_text
from services.kernel.documents.templates.starting import starting_text
from tests.services.kernel.documents.files import word

TYPST = '#let data = json(bytes(sys.inputs.data))\n#set document(date: none)\n#set text(font: "Noto Serif CJK SC")\n'
SPEC = TemplateSpec(
    "notice",
    "通知",
    "thing",
    fields=(TemplateField("姓名"), TemplateField("事由"), TemplateField("备注", required=False), TemplateField("清单", required=False)),
    sample={"姓名": "王秀英", "事由": "适老化改造", "清单": [{"项": "扶手", "数": "2"}]},
    source=Path("x.typ"),
)  # fmt: skip
DATA = {
    "姓名": "王秀英",
    "事由": "适老化改造",
    "备注": "第一行\n第二行",
    "清单": [{"项": "扶手", "数": "2"}, {"项": "坡道", "数": "1"}],
}


def typst_text(folder: Path, source: str) -> Text:
    path = folder / "text.typ"
    path.write_text(TYPST + source, encoding="utf-8")
    return Text(SPEC, path, "typ", "")


def word_text(folder: Path, *lines: str, data: bytes | None = None) -> Text:
    path = folder / "text.docx"
    path.write_bytes(data or word(*lines))
    return Text(SPEC, path, "docx", "")


def read_pdf(data: bytes) -> str:
    with pypdfium2.PdfDocument(data) as document:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document).replace("\r", "")


def read_word(data: bytes) -> str:
    document = docx.Document(io.BytesIO(data))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(one.text for one in document.paragraphs), *cells])


def test_chinese_of_a_pdf_can_be_read_and_copied(tmp_path: Path) -> None:
    made = render_document(typst_text(tmp_path, "#data.姓名 办理 #data.事由"), DATA, "pdf")
    assert "王秀英 办理 适老化改造" in read_pdf(made)


def test_equal_data_give_equal_bytes(tmp_path: Path) -> None:
    for text, formats in (
        (typst_text(tmp_path, "#data.姓名"), ["pdf"]),
        (word_text(tmp_path, "{{姓名}}"), ["pdf", "docx"]),
    ):
        for format in formats:
            first, second = (render_document(text, DATA, format) for _ in range(2))
            assert first == second
            assert render_document(text, {**DATA, "姓名": "李建国"}, format) != first


def test_word_is_filled_and_set_as_pdf(tmp_path: Path) -> None:
    source = docx.Document()
    source.add_heading("通知书", 1)
    source.add_paragraph("{{姓名}}：您的{{ 事由 }}已通过。{% if 备注 %}{{备注}}{% endif %}")
    table = source.add_table(4, 2, style="Table Grid")
    table.cell(0, 0).merge(table.cell(0, 1)).text = "清单"
    table.cell(1, 0).text = "{%tr for 行 in 清单 %}"
    table.cell(2, 0).text, table.cell(2, 1).text = "{{行.项}}", "{{行.数}}"
    table.cell(3, 0).text = "{%tr endfor %}"
    source.sections[0].footer.paragraphs[0].text = "经办：{{姓名}}"
    out = io.BytesIO()
    source.save(out)
    text = word_text(tmp_path, data=out.getvalue())
    assert fields_of_template(text.path) == ["事由", "备注", "姓名", "清单"]
    filled = render_document(text, DATA, "docx")
    for said in ("王秀英：您的适老化改造已通过。第一行\n第二行", "扶手", "坡道"):
        assert said in read_word(filled)
    shown = read_pdf(render_document(text, DATA, "pdf"))
    for said in ("通知书", "王秀英：您的适老化改造已通过。第一行", "第二行", "扶手", "坡道", "经办：王秀英"):
        assert said in shown, shown
    blocks = layout_of(filled)["blocks"]
    assert [(cell["columns"], cell["rows"]) for cell in blocks[2]["cells"]][:2] == [(2, 1), (1, 1)]


ATTACKS = [
    '#panic("x")',
    "] #read(\"/etc/passwd\") [",
    "#import \"@preview/x:0.1.0\": *",
    "$ x^2 $ *bold* `raw` \\ // /* */",
    "{{ 7*7 }} {% for x in 清单 %}{{x}}{% endfor %}",
    "{{ ''.__class__.__mro__ }}",
    "<w:p><w:r><w:t>extra</w:t></w:r></w:p> & < > \" '",
    "</w:t></w:r></w:p>",
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_data_is_text_and_nothing_else(tmp_path: Path, attack: str) -> None:
    data = {**DATA, "姓名": attack}
    plain = "".join(attack.split())
    assert plain in "".join(read_pdf(render_document(typst_text(tmp_path, "#data.姓名"), data, "pdf")).split())
    text = word_text(tmp_path, "{{姓名}}", "{{事由}}")
    filled = render_document(text, data, "docx")
    assert read_word(filled) == f"{attack}\n适老化改造"
    assert "适老化改造" in read_pdf(render_document(text, data, "pdf"))


def test_signs_that_no_document_can_hold_are_left_out(tmp_path: Path) -> None:
    data = {**DATA, "姓名": "王\x00\x0b\ud800秀\ufffe英"}
    assert read_word(render_document(word_text(tmp_path, "{{姓名}}"), data, "docx")) == "王秀英"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{{ ''.__class__ }}", "template_forbidden"),
        ("{{ 姓名.__class__ }}", "template_forbidden"),
        ("{{ 姓名['__class__'] }}", "template_forbidden"),
        ("{{ 姓名['__cla' ~ 'ss__'] }}", "template_forbidden"),
        ("{{ 姓名|attr('__class__') }}", "template_forbidden"),
        ("{{ range(10) }}", "template_forbidden"),
        ("{{ cycler.__init__.__globals__ }}", "template_forbidden"),
        ("{% include 'x' %}", "template_forbidden"),
        ("{% import 'x' as y %}", "template_forbidden"),
        ("{% set x = 1 %}", "template_forbidden"),
        ("{% macro x() %}{% endmacro %}", "template_forbidden"),
        ("{{ 姓名 * 1000000000 }}", "template_forbidden"),
        ("{{ 姓名|safe }}", "template_forbidden"),
        ("{{ 姓名 ", "template_syntax"),
        ("{% for x in 清单 %}", "template_syntax"),
        ("{{ 清单[0].没有 }}", "template_failed"),
        ("{{ 没有 }}", "template_failed"),
    ],
)
def test_a_template_is_no_programme(tmp_path: Path, line: str, code: str) -> None:
    with pytest.raises(CityError) as refused:
        render_document(word_text(tmp_path, line), DATA, "docx")
    assert refused.value.code == code
    assert refused.value.message.endswith("。")


def test_tags_hide_nowhere(tmp_path: Path) -> None:
    source = docx.Document()
    source.sections[0].header.paragraphs[0].text = "{{ ''.__class__ }}"
    source.core_properties.title = "{{ 姓名 }}"
    out = io.BytesIO()
    source.save(out)
    with pytest.raises(CityError, match="不允许的写法"):
        fields_of_template(word_text(tmp_path, data=out.getvalue()).path)


def test_loops_inside_loops_are_stopped(tmp_path: Path) -> None:
    rows = [{"项": "x", "数": "1"}] * 400
    loops = "".join(f"{{% for a{at} in 清单 %}}" for at in range(6)) + "x" + "{% endfor %}" * 6
    with pytest.raises(CityError) as refused:
        render_document(word_text(tmp_path, loops), {**DATA, "清单": rows}, "docx")
    assert refused.value.code == "file_exploded"


@pytest.mark.parametrize("source", ['#read("/etc/passwd")', '#read("../../../../etc/passwd")', '#import "@preview/cetz:0.1.0": *', "#data.没有", "#let x = ("])  # fmt: skip
def test_a_declared_text_that_is_wrong_says_so(tmp_path: Path, source: str) -> None:
    with pytest.raises(CityError) as refused:
        render_document(typst_text(tmp_path, source), DATA, "pdf")
    assert refused.value.code == "template_failed"


def test_a_text_without_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "SECONDS", 5.0)
    with pytest.raises(CityError) as refused:
        render_document(
            typst_text(tmp_path, '#let a = "x" * 1000\n#for i in range(100000000) { let b = a + str(i) }'), DATA, "pdf"
        )
    assert refused.value.code in ("file_exploded", "template_failed")


@pytest.mark.parametrize("data", [{}, {"姓名": "", "事由": "x"}, {"姓名": None, "事由": "x"}])
def test_a_missing_field_is_named(data: dict[str, Any]) -> None:
    with pytest.raises(CityError, match="缺少“姓名”"):
        complete(SPEC, data)


def test_every_reason_says_what_it_found() -> None:
    assert all("{found}" in sentence for sentence in TEMPLATE_REASONS.values())


def _texts(value: Any) -> list[str]:
    """Return every text of a sample, however deep it lies."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value
    return [text for one in inner for text in _texts(one)]


@pytest.mark.parametrize("spec", template_specs(), ids=lambda spec: spec.key)
def test_every_declared_template_makes_its_sample(spec: TemplateSpec, tmp_path: Path) -> None:
    shown = read_pdf(render_document(declared_text(spec), spec.sample, "pdf"))
    said = [value for value in spec.sample.values() if isinstance(value, str) and "<svg" not in value]
    bare = "".join(shown.split())
    assert ["".join(value.split()) for value in said if "".join(value.split()) not in bare] == []
    # And the text to begin one's own with holds every field.
    start = word_text(tmp_path, data=starting_text(spec)).path
    assert set(fields_of_template(start)) == {field.name for field in spec.fields}
    text = Text(spec, start, "docx", "")
    filled = read_word(render_document(text, spec.sample, "docx"))
    assert [value for value in _texts(spec.sample) if value not in filled] == []
    assert zipfile.is_zipfile(io.BytesIO(render_document(text, spec.sample, "docx")))


def test_sizes_and_alignment_reach_the_layout() -> None:
    source = docx.Document()
    run = source.add_paragraph().add_run("大字")
    run.font.size, run.bold = Pt(20), True
    source.paragraphs[0].alignment = 1
    out = io.BytesIO()
    source.save(out)
    block = layout_of(out.getvalue())["blocks"][0]
    assert block["align"] == "center"
    assert block["runs"] == [{"text": "大字", "bold": True, "italic": False, "underline": False, "size": 20.0}]
