"""The dictionaries (码表) that enrolment begins with; staff of the city keep them from there."""

from __future__ import annotations

from typing import Final

from services.kernel.forms.spec import Dictionary, Term

_PROVINCES: Final = (
    ("110000", "北京市"), ("120000", "天津市"), ("130000", "河北省"), ("140000", "山西省"), ("150000", "内蒙古自治区"),
    ("210000", "辽宁省"), ("220000", "吉林省"), ("230000", "黑龙江省"), ("310000", "上海市"), ("320000", "江苏省"),
    ("330000", "浙江省"), ("340000", "安徽省"), ("350000", "福建省"), ("360000", "江西省"), ("370000", "山东省"),
    ("410000", "河南省"), ("420000", "湖北省"), ("430000", "湖南省"), ("440000", "广东省"), ("450000", "广西壮族自治区"),
    ("460000", "海南省"), ("500000", "重庆市"), ("510000", "四川省"), ("520000", "贵州省"), ("530000", "云南省"),
    ("540000", "西藏自治区"), ("610000", "陕西省"), ("620000", "甘肃省"), ("630000", "青海省"), ("640000", "宁夏回族自治区"),
    ("650000", "新疆维吾尔自治区"), ("710000", "台湾省"), ("810000", "香港特别行政区"), ("820000", "澳门特别行政区"),
    ("990000", "国外"),
)  # fmt: skip
_NATIONS: Final = (
    "汉族", "蒙古族", "回族", "藏族", "维吾尔族", "苗族", "彝族", "壮族",
    "布依族", "朝鲜族", "满族", "侗族", "瑶族", "白族", "土家族", "哈尼族",
    "哈萨克族", "傣族", "黎族", "傈僳族", "佤族", "畲族", "高山族", "拉祜族",
    "水族", "东乡族", "纳西族", "景颇族", "柯尔克孜族", "土族", "达斡尔族", "仫佬族",
    "羌族", "布朗族", "撒拉族", "毛南族", "仡佬族", "锡伯族", "阿昌族", "普米族",
    "塔吉克族", "怒族", "乌孜别克族", "俄罗斯族", "鄂温克族", "德昂族", "保安族", "裕固族",
    "京族", "塔塔尔族", "独龙族", "鄂伦春族", "赫哲族", "门巴族", "珞巴族", "基诺族",
)  # fmt: skip
_COUNTRIES: Final = (
    ("156", "中国"), ("344", "中国香港"), ("446", "中国澳门"), ("158", "中国台湾"), ("840", "美国"), ("392", "日本"),
    ("410", "韩国"), ("826", "英国"), ("124", "加拿大"), ("036", "澳大利亚"), ("250", "法国"), ("276", "德国"),
    ("702", "新加坡"), ("643", "俄罗斯"), ("356", "印度"), ("999", "其他国家"),
)  # fmt: skip
_RELATIONS: Final = (
    ("self", "本人"), ("parent", "父母"), ("grandparent", "祖父母、外祖父母"), ("relative", "其他亲属"), ("other", "非亲属"),
)  # fmt: skip


def _terms(*pairs: tuple[str, str]) -> tuple[Term, ...]:
    return tuple(Term(code, label) for code, label in pairs)


DICTIONARIES: Final = (
    Dictionary("province", "省份", _terms(*_PROVINCES)),
    Dictionary("country", "国籍、地区", _terms(*_COUNTRIES)),
    Dictionary("nation", "民族", _terms(*((f"{number:02d}", name) for number, name in enumerate(_NATIONS, 1)))),
    Dictionary("sex", "性别", _terms(("male", "男"), ("female", "女"))),
    Dictionary("hukou_nature", "户口性质", _terms(("family", "家庭户"), ("collective", "集体户"), ("none", "未落户"))),
    Dictionary(
        "hukou_category",
        "户籍类别",
        _terms(
            ("local", "本市户籍"),
            ("permit", "持《上海市居住证》"),
            ("blue", "非本市户籍、持有效签注"),
            ("foreign", "港澳台或外籍"),
        ),
    ),
    Dictionary("relation", "与幼儿关系", _terms(*_RELATIONS)),
    Dictionary(
        "housing",
        "住房性质",
        _terms(
            ("owned", "自有产权房"),
            ("public", "公有住房"),
            ("rented", "租赁住房"),
            ("lodging", "借住"),
            ("other", "其他"),
        ),
    ),
    Dictionary(
        "document_type",
        "证件类型",
        _terms(
            ("id", "居民身份证"),
            ("passport", "护照"),
            ("hmt", "港澳台居民居住证或通行证"),
            ("other", "其他证件"),
        ),
    ),
    Dictionary(
        "permit_points",
        "居住证积分",
        _terms(("reached", "已达标准分值"), ("not_reached", "未达标准分值"), ("none", "未办理积分")),
    ),
    Dictionary(
        "transfer_reason",
        "转园原因",
        _terms(("moved", "搬家"), ("work", "父母工作变动"), ("health", "身体原因"), ("other", "其他")),
    ),
    Dictionary(
        "certificate_category",
        "材料分类",
        _terms(
            ("SF", "身份类"),
            ("HJ", "户籍类"),
            ("JZ", "居住类"),
            ("FC", "房产类"),
            ("JK", "健康类"),
            ("QT", "其他类"),
        ),
    ),
    Dictionary(
        "catchment_entry",
        "入园情况",
        _terms(("local", "户口和住址一致"), ("apart", "户口和住址不一致"), ("elsewhere", "外省市户口")),
    ),
    Dictionary(
        "catchment_doubt",
        "哪里不对",
        _terms(
            ("address", "地址读错了，或地图上的位置不对"),
            ("rule", "片区或规则和公布的不一样"),
            ("moved", "动迁、换门牌或街镇调整过"),
            ("other", "其他"),
        ),
    ),
    Dictionary(
        "matter", "事项", _terms(("enrolment", "入园报名"), ("transfer", "幼儿转园"), ("upgrade", "托班升小班"))
    ),
)
