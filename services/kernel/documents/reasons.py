"""Why a file is not taken: a code for programs and a sentence for people that says what to do."""

from __future__ import annotations

from typing import Final

from geo.errors import BadInput, CityError, TooLarge

REASONS: Final[dict[str, str]] = {
    "file_empty": "这个文件是空的。请重新保存一份再上传。",
    "file_unknown": "认不出这是什么文件。请上传{types}。",
    "file_type_refused": "这里不收{found}，请上传{types}。",
    "file_name_contradicts": "文件名说的和内容不一样：内容其实是{found}。请改正后缀，或重新导出一份再上传。",
    "file_heic": "这是 HEIC 照片，别的电脑打不开。请在手机“设置 - 相机 - 格式”里选“兼容性最佳”，或转成 JPG 再上传。",
    "file_old_office": "这是旧版 Office 文件，或加了密码。请去掉密码，另存为 .docx 或 .xlsx 再上传。",
    "file_archive": "不收压缩包。请解压后把里面的文件一个个上传。",
    "file_broken": "这个文件读不出来，可能没有传完或已损坏。请重新保存一份再上传。",
    "file_exploded": "这个文件展开后太大，或读了太久还没读完。请另存或压缩一份再上传。",
    "file_polyglot": "这个文件里还藏着另一种文件。请用原来的软件重新导出一份再上传。",
    "image_too_many_pixels": "图片的像素太多（最多 8 千万）。请缩小后再上传。",
    "pdf_encrypted": "这份 PDF 加了密码或限制。请去掉密码，另存一份再上传。",
    "pdf_active": "这份 PDF 里有会自己运行的内容（{found}）。请用“打印为 PDF”另存一份再上传。",
    "pdf_attachments": "这份 PDF 里还夹带了附件。请把附件单独上传，PDF 用“打印为 PDF”另存一份。",
    "pdf_too_many_pages": "页数太多，最多 500 页。请分成几份再上传。",
    "office_macro": "文件里有宏。请另存为不带宏的 .docx 或 .xlsx 再上传。",
    "office_external": "文件里引用了外面的内容（{found}）。请把它改成直接放进文件里，再上传。",
    "office_embedded": "文件里嵌了别的对象（{found}）。请去掉它，或把它单独上传。",
}
TEMPLATE_REASONS: Final[dict[str, str]] = {
    "template_syntax": "模板里有写错的地方：{found}。请改好再上传。",
    "template_forbidden": "模板里用了不允许的写法：{found}。只能用字段、循环、判断和几个简单的过滤器。",
    "template_field_unknown": "模板里用到了没有的字段：{found}。可用的字段列在页面上。",
    "template_failed": "文书没能生成：{found}。请检查模板里的循环和判断。",
    "field_missing": "缺少“{found}”，补上以后才能生成文书。",
}
_LARGE: Final = frozenset({"file_exploded", "image_too_many_pixels", "pdf_too_many_pages"})


class Refused(Exception):
    """Raised where files are read or made: a code of ``REASONS`` or ``TEMPLATE_REASONS``, and what was found."""

    def __init__(self, code: str, found: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.found = found


def refusal(code: str, *, found: str = "", types: str = "") -> CityError:
    """Return the named error that tells somebody why a file is not taken, or a document not made."""
    kind = TooLarge if code in _LARGE else BadInput
    sentence = REASONS.get(code) or TEMPLATE_REASONS[code]
    return kind(code, sentence.format(found=found, types=types))
