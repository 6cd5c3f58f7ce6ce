"""What strangers upload: every honest type passes, every trick is refused with its reason, and nothing hidden survives."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from geo.errors import BadInput, CityError, TooLarge
from services.kernel.documents.checking import Checked, check_file
from services.kernel.documents.names import LONGEST, ending_contradicts, plain_name
from services.kernel.documents.reasons import REASONS
from services.kernel.documents.spec import IMAGES, MEGABYTE, FileType, Purpose
from tests.services.kernel.documents.files import (
    action,
    body,
    pdf,
    picture,
    relationship,
    repacked,
    sheet,
    word,
)

ANY = Purpose("any", "任意", frozenset(FileType), most_bytes=2 * MEGABYTE)


def check(folder: Path, data: bytes, name: str = "文件", purpose: Purpose = ANY) -> Checked:
    source = folder / "source"
    source.write_bytes(data)
    return check_file(source, folder / "target", name=name, purpose=purpose)


@pytest.mark.parametrize(
    ("data", "type"),
    [
        (picture("JPEG"), FileType.JPEG),
        (picture("PNG"), FileType.PNG),
        (picture("WEBP"), FileType.WEBP),
        (pdf(pages=3), FileType.PDF),
        (word("您好"), FileType.DOCX),
        (sheet(), FileType.XLSX),
    ],
    ids=lambda value: str(value) if isinstance(value, FileType) else "",
)
def test_honest_files_pass(tmp_path: Path, data: bytes, type: FileType) -> None:
    checked = check(tmp_path, data, f"材料{type.suffix}")
    assert (checked.type, checked.name) == (type, f"材料{type.suffix}")
    if type not in IMAGES:
        assert (tmp_path / "target").read_bytes() == data  # rewriting would break a signature
    if type is FileType.PDF:
        assert checked.facts == {"pages": 3}


def two_parts() -> bytes:
    with pytest.warns(UserWarning, match="Duplicate name"):
        return repacked(word(), then=lambda archive: archive.writestr("word/document.xml", body("")))


def png_claiming(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack("!I", len(data)) + name + data + struct.pack("!I", zlib.crc32(name + data))

    header = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def embedded(document: pikepdf.Pdf) -> None:
    document.attachments["notes.txt"] = pikepdf.AttachedFileSpec(document, b"hello", filename="notes.txt")


def hidden_script(document: pikepdf.Pdf) -> None:
    deep = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))
    for _ in range(40):
        deep = pikepdf.Dictionary(A=pikepdf.Array([deep]))
    document.pages[0].obj["/PieceInfo"] = deep


def field_script(document: pikepdf.Pdf) -> None:
    code = document.make_stream(b"app.alert(1)")
    document.Root.AA = pikepdf.Dictionary(WC=pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=code))


CONTENT_TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">{}</Types>'
MACRO_TYPE = CONTENT_TYPES.format(
    '<Override PartName="/word/document.xml" ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/>'
).encode()
ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + body("<w:p>&b;</w:p>")
RELS = "word/_rels/document.xml.rels"
CUT_FIELD = "".join(f"<w:r><w:instrText>{part}</w:instrText></w:r>" for part in (" D", "DEA", "UTO c:\\\\x"))
BAD = {
    "nothing": (b"", "file_empty"),
    "text": ("你好".encode(), "file_unknown"),
    "html": (b"<html><script>alert(1)</script></html>", "file_unknown"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "file_unknown"),
    "programme": (b"MZ" + bytes(200), "file_unknown"),
    "heic": (b"\0\0\0\x18ftypheic" + bytes(100), "file_heic"),
    "old word": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "file_old_office"),
    "plain zip": (repacked(sheet())[:4] + b"", "file_broken"),
    "rar": (b"Rar!\x1a\x07\x00" + bytes(50), "file_archive"),
    "jpeg cut short": (picture("JPEG", (400, 400))[:900], "file_broken"),
    "png of lies": (png_claiming(100, 100), "file_broken"),
    "png of four thousand million pixels": (png_claiming(65_000, 65_000), "image_too_many_pixels"),
    "pdf cut short": (pdf()[:200], "file_broken"),
    "pdf without an order": (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n", "file_broken"),
    "pdf with a password": (pdf(encryption=pikepdf.Encryption(owner="o", user="u")), "pdf_encrypted"),
    "pdf with restrictions": (pdf(encryption=pikepdf.Encryption(owner="o", user="")), "pdf_encrypted"),
    "pdf that runs script": (pdf(action(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))), "pdf_active"),
    "pdf with script deep down": (pdf(hidden_script), "pdf_active"),
    "pdf with script in packed objects": (
        pdf(field_script, object_stream_mode=pikepdf.ObjectStreamMode.generate),
        "pdf_active",
    ),
    "pdf with a name written in codes": (
        pdf(action(S=pikepdf.Name("/JavaScriptxx"))).replace(b"/JavaScriptxx", b"/J#61vaScript"),
        "pdf_active",
    ),
    "pdf that starts a programme": (pdf(action(S=pikepdf.Name.Launch, F=pikepdf.String("cmd.exe"))), "pdf_active"),
    "pdf that sends a form": (pdf(action(S=pikepdf.Name.SubmitForm, F=pikepdf.String("http://x"))), "pdf_active"),
    "pdf with a file inside": (pdf(embedded), "pdf_attachments"),
    "pdf of 501 pages": (pdf(pages=501), "pdf_too_many_pages"),
    "pdf that is a zip too": (pdf() + repacked(sheet()), "file_polyglot"),
    "pdf with something after it": (pdf() + b"MZ" + bytes(100), "file_polyglot"),
    "pdf after something": (b"GIF89a" + pdf(), "file_polyglot"),
    "zip that begins as a pdf": (b"%PDF-1.7\n" + sheet(), "file_polyglot"),
    "word after something": (b"PK\x03\x04%PDF-1.4" + word(), "file_polyglot"),
    "word cut short": (word()[:2000], "file_broken"),
    "word with macros": (repacked(word(), {"word/vbaProject.bin": b"x"}), "office_macro"),
    "word that says it has macros": (repacked(word(), {"[Content_Types].xml": MACRO_TYPE}), "office_macro"),
    "word with a template elsewhere": (repacked(word(), {RELS: relationship("attachedTemplate")}), "office_external"),
    "word with a picture elsewhere": (repacked(word(), {RELS: relationship("image")}), "office_external"),
    "word with an object": (repacked(word(), {"word/embeddings/oleObject1.bin": b"x"}), "office_embedded"),
    "word with entities": (repacked(word(), {"word/document.xml": ENTITIES}), "office_external"),
    "word with a field that asks a programme": (
        repacked(word(), {"word/document.xml": body('<w:p><w:fldSimple w:instr="DDE a b"/></w:p>')}),
        "office_external",
    ),
    "word with such a field in pieces": (
        repacked(word(), {"word/document.xml": body(f"<w:p>{CUT_FIELD}</w:p>")}),
        "office_external",
    ),
    "word with two bodies": (two_parts, "file_polyglot"),
    "word with a part outside": (repacked(word(), {"../../etc/passwd.xml": b"<a/>"}), "file_broken"),
    "word with broken markup": (repacked(word(), {"word/document.xml": b"<a><b></a>"}), "file_broken"),
    "excel that unpacks without end": (repacked(sheet(), {"xl/media/x.bin": bytes(400_000_000)}), "file_exploded"),
    "excel with links to other books": (repacked(sheet(), {"xl/externalLinks/externalLink1.xml": b"<a/>"}), "office_external"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_refused_with_their_reason(tmp_path: Path, case: str) -> None:
    data, code = BAD[case]
    with pytest.raises(CityError) as refused:
        check(tmp_path, data() if callable(data) else data)
    assert refused.value.code == code
    assert "{" not in refused.value.message
    assert refused.value.message.endswith("。")


def test_every_reason_has_a_case_or_a_test_of_its_own() -> None:
    own = {"file_type_refused", "file_name_contradicts"}
    assert set(REASONS) - {code for _, code in BAD.values()} == own


def test_a_link_that_people_follow_stays(tmp_path: Path) -> None:
    linked = repacked(word(), {RELS: relationship("hyperlink")})
    assert check(tmp_path, linked).type is FileType.DOCX
    web = pdf(action(S=pikepdf.Name.URI, URI=pikepdf.String("https://example.com")))
    assert check(tmp_path, web).type is FileType.PDF


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_where_a_photo_was_taken_does_not_survive(tmp_path: Path, format: str) -> None:
    data = picture(format, gps=True)
    assert b"PhoneMaker" in data
    check(tmp_path, data, purpose=Purpose("photo", "照片", IMAGES))
    kept = (tmp_path / "target").read_bytes()
    assert b"PhoneMaker" not in kept
    assert b"secret" not in kept
    with Image.open(io.BytesIO(kept)) as image:
        assert dict(image.getexif()) == {}
        assert {"exif", "comment", "icc_profile"} & set(image.info) == set()
        red, _, blue = image.convert("RGB").getpixel((4, 24))
        assert red > 200
        assert blue < 60


def test_a_photo_held_sideways_stands_upright(tmp_path: Path) -> None:
    checked = check(tmp_path, picture("JPEG", (64, 48), turned=True))
    assert checked.facts == {"width": 48, "height": 64}
    with Image.open(tmp_path / "target") as image:
        top, bottom = image.getpixel((24, 4)), image.getpixel((24, 60))
    assert top[0] > 200
    assert bottom[2] > 200


def test_what_follows_a_picture_is_left_behind(tmp_path: Path) -> None:
    check(tmp_path, picture("JPEG") + repacked(sheet()))
    assert not zipfile.is_zipfile(tmp_path / "target")


def test_each_purpose_takes_its_own_types_and_size(tmp_path: Path) -> None:
    photo = Purpose("photo", "照片", IMAGES, most_bytes=MEGABYTE)
    with pytest.raises(BadInput, match=r"这里不收PDF，请上传JPG 图片、PNG 图片、WebP 图片。") as refused:
        check(tmp_path, pdf(), purpose=photo)
    assert refused.value.code == "file_type_refused"
    with pytest.raises(TooLarge, match=r"文件有 1\.1 MB，最多 1 MB"):
        check(tmp_path, bytes(1_100_000), purpose=photo)


@pytest.mark.parametrize(
    ("name", "data", "fine"),
    [
        ("照片.png", picture("JPEG"), True),  # common, and harmless: the kept name tells the truth
        ("合同.pdf", picture("JPEG"), False),
        ("照片.jpg", pdf(), False),
        ("表.docx", sheet(), False),
        ("没有后缀", pdf(), True),
        ("photo.exe", picture("JPEG"), True),
    ],
)
def test_a_name_may_not_claim_another_family(tmp_path: Path, name: str, data: bytes, fine: bool) -> None:
    if fine:
        assert check(tmp_path, data, name).name.endswith((".jpg", ".pdf"))
    else:
        with pytest.raises(BadInput) as refused:
            check(tmp_path, data, name)
        assert refused.value.code == "file_name_contradicts"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("营业执照.PDF", "营业执照.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\me\\执照.pdf", "执照.pdf"),
        ("执照\u202efdp.exe", "执照fdp.exe.pdf"),
        ("a\x00b\nc\u200b.pdf", "abc.pdf"),
        ('<img src="x">.pdf', "_img src=_x__.pdf"),
        ("...", "文件.pdf"),
        ("", "文件.pdf"),
        (".pdf", "文件.pdf"),
        ("/", "文件.pdf"),
        ("长" * 500 + ".pdf", "长" * 116 + ".pdf"),
    ],
)
def test_names_are_made_harmless(given: str, kept: str) -> None:
    assert plain_name(given, FileType.PDF) == kept
    assert len(kept) <= LONGEST


def test_an_ending_behind_an_unseen_sign_still_counts() -> None:
    assert ending_contradicts("照片.pd\u200bf", FileType.JPEG)
    assert not ending_contradicts("照片", FileType.JPEG)
