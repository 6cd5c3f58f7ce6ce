"""Why a file of a scene is not taken: the one table of reasons and what people read beside each."""

from __future__ import annotations

from typing import Final

from geo.errors import BadInput

REASONS: Final[dict[str, str]] = {
    "scene_file_kind": "请上传 .glb，或 .zip（里面是 3D Tiles，或 .gltf 和它的贴图）。",
    "scene_no_entry": "压缩包里没有 tileset.json，也没有唯一的 .glb 或 .gltf。请把模型文件夹整个压缩后再传。",
    "scene_two_entries": "压缩包里有几个模型。请一次只传一个。",
    "scene_other_kind": "这里要的是另一种模型：3D Tiles 传到“模型集”，glTF 传到“单体模型”。",
    "scene_too_many_files": "文件太多。请按街镇或街坊分成几个再传。",
    "scene_too_large": "模型展开后太大。请按街镇或街坊分成几个再传。",
    "scene_truncated": "文件不完整，长度和它自己写的不一样。请重新导出。",
    "scene_wrong_magic": "不是它的名称说的那种文件。请重新导出。",
    "scene_json": "JSON 读不懂。请重新导出。",
    "scene_json_large": "JSON 太大。请导出为二进制（.glb），或拆成几个瓦片集。",
    "scene_gltf_version": "只收 glTF 2.0。请用导出工具转成 2.0。",
    "scene_tiles_version": "只收 3D Tiles 1.0 和 1.1。",
    "scene_extension": "用了浏览器里不支持的扩展。",
    "scene_draco": "用了 Draco 压缩，浏览器里解不开。请导出时关掉网格压缩（gltf-transform 的 copy 命令也能去掉）。",
    "scene_meshopt": "用了 meshopt 压缩，浏览器里解不开。请导出时关掉网格压缩（gltf-transform 的 copy 命令也能去掉）。",
    "scene_ktx": "贴图是 KTX2，浏览器里解不开。请导出为 JPEG、PNG 或 WebP 贴图。",
    "scene_rtc": "用了旧的 CESIUM_RTC 扩展。请重新导出，把原点写成变换矩阵或 b3dm 的 RTC_CENTER。",
    "scene_content": "瓦片的格式不收。只收 b3dm、glb 和 gltf；i3dm、pnts、cmpt 请转换后再传。",
    "scene_implicit": "用了隐式切片（implicit tiling）。请导出为逐块写明的 tileset.json。",
    "scene_uri": "文件里写了外面的网址或不安全的路径。所有文件都要在包里，用相对路径。",
    "scene_missing": "缺文件：写到了，但包里没有。",
    "scene_loop": "tileset.json 互相引用，绕成了圈。",
    "scene_too_deep": "层数太多。",
    "scene_too_many_tiles": "瓦片太多。请分成几个再传。",
    "scene_outside_buffer": "里面的数据超出了文件的范围。请重新导出。",
    "scene_nodes": "节点的结构不对：绕成了圈，或一个节点有几个上级。请重新导出。",
    "scene_number": "里面有不是数字的坐标。请重新导出。",
    "scene_skin": "带骨骼或变形动画的模型不收。请导出静态模型。",
    "scene_image": "贴图要是 JPEG、PNG 或 WebP，长和宽最多 8192 像素。",
    "scene_volume": "瓦片的范围（boundingVolume）写得不对。",
    "scene_transform": "变换矩阵写得不对。",
    "scene_empty": "里面没有看得见的东西。",
    "scene_too_wide": "模型太大：单体模型最大 5 公里，模型集最大 60 公里。请核对单位是不是米。",
    "scene_nowhere": "模型的坐标既不在地面上，也不在原点附近。请导出为地心坐标（EPSG:4978）或以原点为中心的米。",
    "scene_reader_died": "读取这个文件时进程被终止：它太大，或者是恶意构造的。请分成几个再传。",
}


class SceneRefused(BadInput):
    """A file of a scene is refused for a reason of ``REASONS``."""

    def __init__(self, code: str, what: str = "") -> None:
        """Keep the reason, and ``what`` it was seen in: a file of the package, a name, a figure."""
        super().__init__(code, f"{REASONS[code]}（{what[:120]}）" if what else REASONS[code])
