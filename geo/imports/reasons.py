"""Why a row, or a whole file, is not taken: the one table of reason codes and what people read beside each."""

from __future__ import annotations

from typing import Final

ROW_REASONS: Final[dict[str, str]] = {
    "missing_value": "必填的一栏是空的，请补上后再导入。",
    "not_a_number": "这一栏应当是数字。",
    "not_a_date": "这一栏应当是日期，如 2024-09-01。",
    "not_a_flag": "这一栏应当填是或否。",
    "out_of_range": "数值超出合理范围，请核对。",
    "unknown_value": "这一栏的取值不在规定的范围内。",
    "unknown_kind": "类别代码不在设施类别表中，请核对。",
    "too_long": "文字过长，请缩短。",
    "not_used": "这一类数据目前不使用，未导入。",
    "ragged_row": "这一行的栏数与表头不同。",
    "duplicate_id": "同一来源中编号重复，只保留第一行。",
    "no_position": "没有坐标，按地址也未能定位，请补充坐标或更完整的地址。",
    "bad_position": "坐标不是有效的数字。",
    "outside_system": "坐标超出所声明坐标系的范围。",
    "outside_city": "位置不在本市范围内。",
    "axes_swapped": "经度和纬度像是填反了。",
    "wrong_shape": "图形类型不对，例如应当是面却给了点。",
    "empty_shape": "图形是空的。",
    "invalid_shape": "图形自相交或不封闭，无法使用。",
    "too_many_vertices": "图形的顶点太多，请化简后再导入。",
    "too_many_rings": "图形的环太多，请拆分后再导入。",
    "too_deep": "图形嵌套层数太多。",
    "no_code": "按名称查不到对应的区划代码。",
    "unknown_region": "区划代码或名称不在已发布的区划中。",
    "unknown_parent": "上级区划不存在。",
    "same_as_other": "另一个来源已有同名、同类、同地点的设施，不重复导入。",
    "no_address": "门牌地址无法识别。",
    "bad_hours": "开放时间的写法无法识别。",
    "capacity_contradiction": "空余数大于总数，请核对。",
    "not_whole": "这一栏应当是整数。",
    "in_future": "日期不能晚于今天。",
    "not_for_kind": "这种类型没有这一项，请把这一格清空。",
    "unknown_record": "没有这个编号的记录，它可能已停用；要新增的话请把编号留空。",
    "kind_differs": "这个编号的记录是另一种类型；类型不能用导入更改，请核对编号。",
    "outside_scope": "不在您的管辖范围内，不能导入；请核对，或交给管辖它的单位。",
    "other_district": "位置不在这里写的区，请核对区、地址或坐标。",
    "duplicate_row": "与文件里的另一行说的是同一条，请只留一行。",
    "datum_missing": "写了坐标，但这份文件没有选坐标系。请清空坐标，或者重新上传并选好坐标系。",
    "left_out": "按您的要求不导入这一行。",
}
"""Reason codes of single rows. The rest of the file is still taken."""

WARNINGS: Final[dict[str, str]] = {
    "shape_repaired": "图形有自相交，已按几何规则修正后导入，请抽查。",
    "correction_stale": "来源中的值在人工更正之后又变了，更正仍然生效，请复核。",
    "correction_lost": "人工更正所指的行已不在来源中。",
    "correction_caught_up": "人工补录的行，来源中已经有了，改用来源的行。",
    "encoding_guessed": "文件不是 UTF-8，已按 GB18030 读取。",
    "district_differs": "坐标所在的区与文件里写的区不一致，按坐标归属。",
    "value_ignored": "个别栏的取值无法识别，已按未填处理。",
    "geocoded": "来源没有坐标，按地址定位，误差半径已注明。",
    "region_overlap": "有区划互相重叠，重叠处按代码较小的归属；面积见报告。",
    "region_gap": "有区划没有被下级铺满，空隙处归上级；面积见报告。",
    "region_beyond_parent": "有区划超出上级边界，已按下级边界修正上级；面积见报告。",
    "region_label_outside": "区划的名称点不在边界内，已改用面内的点。",
    "region_repaired": "区划边界有自相交等错误，已修复，请抽查。",
    "roads_nodes_derived": "道路没有节点编号，已按共用的端点连接，请抽查路口。",
    "roads_crossing": "有道路相交却没有共用的点，已按立体交叉处理，不在此处连通。",
}
"""What is worth saying though the row was taken."""

DOUBTS: Final[dict[str, str]] = {
    "file_missing": "找不到文件。",
    "file_unreadable": "文件读不出来，可能不完整或已损坏，请重新取得后再导入。",
    "file_truncated": "文件不完整，可能没有传完，请重新取得后再导入。",
    "file_too_large": "文件太大，超出导入上限。",
    "archive_unsafe": "压缩包里有不安全的路径或链接，已拒绝。",
    "archive_bomb": "压缩包展开后过大，已拒绝。",
    "encoding_unknown": "文字编码既不是 UTF-8 也不是 GB18030，请另存为 UTF-8 后再导入。",
    "format_unknown": "不认识这种文件格式。可用：CSV、XLSX、GeoJSON、OSM PBF、ZIP 打包的 Shapefile。",
    "reader_died": "读取这个文件时进程被终止，文件可能是恶意构造的，已拒绝。",
    "column_missing": "文件里缺少声明中的列，请核对表头。",
    "manifest_invalid": "导入说明文件（quantu-import.toml）有误。",
    "nothing_accepted": "没有一行可用，请按拒绝原因检查文件。",
    "wrong_datum": "整批位置与已发布的同名地点、行政区或道路不符，所声明的坐标系很可能不对，已拒绝；请核对 datum 后重新导入。",
    "axes_swapped_batch": "整批经纬度（或横纵坐标）像是颠倒了，已拒绝。",
    "deletion_guard": "这次导入会停用来源中过多的已有数据；若确属实情，请加 --allow-removal 再导入。",
    "real_published": "这一类已经发布了真实数据，不能再发布演示数据。",
}
"""Why a whole source is refused: nothing of it is published."""

_ALL: Final = {**ROW_REASONS, **WARNINGS, **DOUBTS}


def sentence(code: str) -> str:
    """Return the Chinese sentence of a code; an unlisted code is a programming error and raises ``KeyError``."""
    return _ALL[code]
