"""Tricky addresses, one by one: what is written on the left, what a careful reader understands on the right.

``road=云杉路 lane=100`` are parts; ``|`` stands between several addresses; ``+code`` is a note and ``-code`` a reason to ignore.
"""

from __future__ import annotations

import pytest

from geo.addresses.parsing import Gazetteer, Parsed, read, roads_of

KNOWN = Gazetteer(
    roads=roads_of(
        ["云杉路", "望舒路", "长河路", "滨江新城路", "浦东望江路", "新村路", "花园弄", "大路", "一村", "机场新村"]
    ),
    communities=frozenset(["浦东望江苑", "云杉路小区"]),
)

CASES = """
# regions, all and some, in any order of completeness
上海市杨浦区五角场街道云杉路100弄5号601室 → district=杨浦区 street=五角场街道 road=云杉路 lane=100 number=5 room=601
中国上海市杨浦区云杉路5号 → district=杨浦区 road=云杉路 number=5 -country
上海杨浦区云杉路5号 → district=杨浦区 road=云杉路 number=5
上海云杉路5号 → road=云杉路 number=5
云杉路5号 310110198001011234 → road=云杉路 number=5 -long_number
31011019800101123X云杉路5号 → road=云杉路 number=5 -long_number
杨浦云杉路5号 → district=杨浦区 road=云杉路 number=5
五角场街道办事处云杉路5号 → street=五角场街道 road=云杉路 number=5 -idle
杨浦区五角场街道办事处云杉二村5号 → district=杨浦区 street=五角场街道 estate=云杉二村 number=5 -idle
浦东新区云杉路5号 → district=浦东新区 road=云杉路 number=5
浦东云杉路5号 → district=浦东新区 road=云杉路 number=5
杨浦区五角场街道 → district=杨浦区 street=五角场街道 +no_base
徐泾镇云杉路5号 → street=徐泾镇 road=云杉路 number=5
青浦徐泾云杉路5号 → district=青浦区 street=徐泾镇 road=云杉路 number=5
青浦徐泾镇云杉路5号 → district=青浦区 street=徐泾镇 road=云杉路 number=5
惠南镇八一路5号 → street=惠南镇 road=八一路 number=5
横沙乡望舒村3组8号 → street=横沙乡 village=望舒村 group=3 number=8
上海市市辖区杨浦区云杉路5号 → district=杨浦区 road=云杉路 number=5 -idle
上海市上海市杨浦区云杉路5号 → district=杨浦区 road=云杉路 number=5 -repeated
杨浦区杨浦区云杉路5号 → district=杨浦区 road=云杉路 number=5 -repeated
徐汇区五角场街道云杉路5号 → district=徐汇区 street=五角场街道 road=云杉路 number=5 +district_other
徐汇区，五角场街道，云杉路5号 → district=徐汇区 street=五角场街道 road=云杉路 number=5 +district_other
五角场街道徐汇区云杉路5号 → district=徐汇区 street=五角场街道 road=云杉路 number=5 +district_other
上海自由贸易试验区临港新片区云杉路5号 → zone=自由贸易试验区临港新片区 road=云杉路 number=5
闵行区云杉路5号上海闵行望舒中心 → district=闵行区 road=云杉路 number=5 place=闵行望舒中心
上海市黄浦区云杉路5号上海市黄浦区云杉路5号 → district=黄浦区 road=云杉路 number=5 -repeated
上海市云杉路5号，上海市望舒路7号 → road=云杉路 number=5 | road=望舒路 number=7
上海市云杉路5号上海市徐汇区望舒路7号 → road=云杉路 number=5 | district=徐汇区 road=望舒路 number=7
云杉路5号第一百货7楼 → road=云杉路 number=5 place=第一百货 floor=7
云杉路5号C楼 → road=云杉路 number=5 building=C
长宁区虹桥镇云杉路5号 → district=长宁区 street=虹桥镇 road=云杉路 number=5 +district_other
闵行区虹桥镇云杉路5号 → district=闵行区 street=虹桥镇 road=云杉路 number=5
上海上海市浦东新区曹路镇云杉路5号 → district=浦东新区 street=曹路镇 road=云杉路 number=5
浦东区云杉路5号 → district=浦东新区 road=云杉路 number=5
静安静安寺望舒新苑5号 → district=静安区 street=静安寺街道 estate=望舒新苑 number=5
奉贤区奉浦社区云杉路5号 → district=奉贤区 committee=奉浦社区 road=云杉路 number=5
徐汇区徐家汇中心望舒苑5号 → district=徐汇区 place=徐家汇中心 estate=望舒苑 number=5
杨浦区望舒居委会云杉路5号 → district=杨浦区 committee=望舒居委会 road=云杉路 number=5
杨浦区第三居民区云杉路5号 → district=杨浦区 committee=第三居民区 road=云杉路 number=5
# names of the past
闸北区云杉路5号 → district=静安区 road=云杉路 number=5 +old_name
卢湾区云杉路5号 → district=黄浦区 road=云杉路 number=5 +old_name
南市区云杉路5号 → district=黄浦区 road=云杉路 number=5 +old_name
南汇区云杉路5号 → district=浦东新区 road=云杉路 number=5 +old_name
南汇县云杉路5号 → district=浦东新区 road=云杉路 number=5 +old_name
崇明县云杉路5号 → district=崇明区 road=云杉路 number=5 +old_name
川沙县云杉路5号 → district=浦东新区 road=云杉路 number=5 +old_name
虹口区提篮桥街道云杉路5号 → district=虹口区 street=北外滩街道 road=云杉路 number=5 +old_name
杨浦区五角场镇云杉路5号 → district=杨浦区 street=长海路街道 road=云杉路 number=5 +old_name
浦东新区芦潮港镇云杉路5号 → district=浦东新区 street=南汇新城镇 road=云杉路 number=5 +old_name
闸北云杉路5号 → district=静安区 road=云杉路 number=5 +old_name
# roads whose beginning looks like a region, and regions whose end looks like a road
长宁路5号 → road=长宁路 number=5
长宁区长宁支路5号 → district=长宁区 road=长宁支路 number=5
宝山路5弄 → road=宝山路 lane=5
普陀路5号 → road=普陀路 number=5
黄浦路5号 → road=黄浦路 number=5
浦东南路5号 → road=浦东南路 number=5
上海浦东南路5号 → road=浦东南路 number=5
浦东大道5号 → road=浦东大道 number=5
青浦大道5号 → road=青浦大道 number=5
上海路5号 → road=上海路 number=5
上海-浦东-云杉路5号 → district=浦东新区 road=云杉路 number=5 -punctuation
上海市-浦东新区-云杉路5号-601室 → district=浦东新区 road=云杉路 number=5 room=601 -punctuation
Pudong云杉路5号 → road=云杉路 place=Pudong number=5
上海市上海路5号 → road=上海路 number=5
镇宁路5号 → road=镇宁路 number=5
古镇路5号 → road=古镇路 number=5
真如镇路5号 → road=真如镇路 number=5
景德镇东路5号 → road=景德镇东路 number=5
南京东路街道南京东路5号 → street=南京东路街道 road=南京东路 number=5
四川北路街道云杉路5号 → street=四川北路街道 road=云杉路 number=5
嘉定镇街道云杉路5号 → street=嘉定镇街道 road=云杉路 number=5
嘉定城中路5号 → district=嘉定区 road=城中路 number=5
崇明北门路5号 → district=崇明区 road=北门路 number=5
静安南京西路5号 → district=静安区 road=南京西路 number=5
# the shape of road names
中山东一路5号 → road=中山东一路 number=5
中山东1路5号 → road=中山东一路 number=5
中山南二路5弄6号 → road=中山南二路 lane=5 number=6
环湖西三路5号 → road=环湖西三路 number=5
云杉北路5号 → road=云杉北路 number=5
云杉大道5号 → road=云杉大道 number=5
云杉公路5号 → road=云杉公路 number=5
外马路5号 → road=外马路 number=5
云杉街5号 → road=云杉街 number=5
云杉支路5号 → road=云杉支路 number=5
云杉公路辅路5号 → road=云杉公路辅路 number=5
云杉路步行街5号 → road=云杉路步行街 number=5
虹镇老街5号 → road=虹镇老街 number=5
艾叶弄5号 → road=艾叶弄 number=5
竹丝巷5号 → road=竹丝巷 number=5
云城道5号 → road=云城道 number=5
花园石桥路5号 → road=花园石桥路 number=5
新村路5弄 → road=新村路 lane=5
年家浜路5号 → road=年家浜路 number=5
一二八纪念路5弄 → road=一二八纪念路 lane=5
三门路5号 → road=三门路 number=5
五号沟路5号 → road=五号沟路 number=5
九江路五号 → road=九江路 number=5
陆九房路5号 → road=陆九房路 number=5
云杉路贰拾叁号 → road=云杉路 number=23
312国道5号 → road=312国道 number=5
8号路5号 → road=8号路 number=5
云杉路北段5号 → road=云杉路 section=北段 number=5
云杉路二段5号 → road=云杉路 section=二段 number=5
延安高架路 → road=延安高架路 +elevated_road
内环高架路 → road=内环高架路 +elevated_road
外环线 → road=外环线 +elevated_road
S20外环高速 → road=S20外环高速 +elevated_road
孙环路5号 → road=孙环路 number=5
# lanes
云杉路100弄 → road=云杉路 lane=100
云杉路100巷5号 → road=云杉路 lane=100 number=5
云杉路100衖5號 → road=云杉路 lane=100 number=5
云杉路100弄3支弄5号 → road=云杉路 lane=100 sub_lane=3 number=5
云杉路100弄甲支弄5号 → road=云杉路 lane=100 sub_lane=甲 number=5
云杉路100甲弄5号 → road=云杉路 lane=100甲 number=5
云杉路100-120弄 → road=云杉路 lane=100 lane_upto=120
云杉路120-100弄 → road=云杉路 lane=100 lane_upto=120 +range_backwards
云杉路100弄、102弄 → road=云杉路 lane=100 | road=云杉路 lane=102
云杉路100、102弄 → road=云杉路 lane=100 | road=云杉路 lane=102
云杉路100弄20弄5号 → road=云杉路 lane=100 sub_lane=20 number=5
云杉路208号室 → road=云杉路 number=208
云杉路100弄33号房 → road=云杉路 lane=100 number=33
云杉路100弄3门 → road=云杉路 lane=100 unit=3
云杉路5号商铺 → road=云杉路 number=5
云杉路5号望舒商城B526 → road=云杉路 number=5 place=望舒商城 room=B526 +sign_missing
云杉路100弄内5号 → road=云杉路 lane=100 number=5 -idle
# numbers and what hangs on them
云杉路5 → road=云杉路 number=5 +sign_missing
云杉路5# → road=云杉路 number=5
云杉路#5 → road=云杉路 number=5
云杉路No.5 → road=云杉路 number=5
云杉路№5 → road=云杉路 number=5
云杉路005号 → road=云杉路 number=5
云杉路５号 → road=云杉路 number=5
云杉路五号 → road=云杉路 number=5
云杉路二十三号 → road=云杉路 number=23
云杉路廿三号 → road=云杉路 number=23
云杉路两号 → road=云杉路 number=2
云杉路一〇五号 → road=云杉路 number=105
云杉路一百零五弄二十号 → road=云杉路 lane=105 number=20
云杉路5号甲 → road=云杉路 number=5 suffix=甲
云杉路5甲号 → road=云杉路 number=5 suffix=甲
云杉路5乙 → road=云杉路 number=5 suffix=乙
云杉路5号之2 → road=云杉路 number=5 suffix=之2
云杉路5号之2，101室 → road=云杉路 number=5 suffix=之2 room=101
云杉路5号临 → road=云杉路 number=5 suffix=临
云杉路5号之二 → road=云杉路 number=5 suffix=之2
云杉路5之2号 → road=云杉路 number=5 suffix=之2
云杉路5号附2号 → road=云杉路 number=5 suffix=之2
云杉路45-2号 → road=云杉路 number=45 suffix=-2 +range_or_suffix
云杉路45号-2 → road=云杉路 number=45 suffix=-2
云杉路5号A → road=云杉路 number=5 suffix=A
云杉路5A号 → road=云杉路 number=5A
云杉路临5号 → road=云杉路 number=5 suffix=临
云杉路5号（甲） → road=云杉路 number=5 suffix=甲 -bracket
# ranges, lists and sides
云杉路4-77号 → road=云杉路 number=4 upto=77
云杉路4至77号 → road=云杉路 number=4 upto=77
云杉路4到77号 → road=云杉路 number=4 upto=77
云杉路4～77号 → road=云杉路 number=4 upto=77
云杉路4--77号 → road=云杉路 number=4 upto=77
云杉路120-100号 → road=云杉路 number=100 upto=120 +range_backwards
云杉路1-99单号 → road=云杉路 number=1 upto=99 parity=odd
云杉路1-99号(单号) → road=云杉路 number=1 upto=99 parity=odd -bracket
云杉路2-100双号 → road=云杉路 number=2 upto=100 parity=even
云杉路2-100号双 → road=云杉路 number=2 upto=100 parity=even
云杉路12、14、16号 → road=云杉路 number=12 | road=云杉路 number=14 | road=云杉路 number=16
云杉路12号、14号 → road=云杉路 number=12 | road=云杉路 number=14
云杉路12，14，16号 → road=云杉路 number=12 | road=云杉路 number=14 | road=云杉路 number=16
云杉路12和14号 → road=云杉路 number=12 | road=云杉路 number=14
云杉路1-9、12号 → road=云杉路 number=1 upto=9 | road=云杉路 number=12
云杉路100弄5号、7号 → road=云杉路 lane=100 number=5 | road=云杉路 lane=100 number=7
云杉路100弄5号101、102室 → road=云杉路 lane=100 number=5 room=101 | road=云杉路 lane=100 number=5 room=102
# below the number
云杉路5号2幢3单元4层401室 → road=云杉路 number=5 building=2 unit=3 floor=4 room=401
云杉路100弄5号楼601 → road=云杉路 lane=100 building=5 room=601 +sign_missing
云杉路5号A座1203室 → road=云杉路 number=5 building=A room=1203
云杉路5号二楼 → road=云杉路 number=5 floor=2
云杉路5号底楼 → road=云杉路 number=5 floor=1
云杉路5号地下一层 → road=云杉路 number=5 floor=-1
云杉路5号B1层 → road=云杉路 number=5 floor=B1
云杉路5号12F → road=云杉路 number=5 floor=12
云杉路5号3门401 → road=云杉路 number=5 unit=3 room=401 +sign_missing
云杉路5号甲室 → road=云杉路 number=5 room=甲
云杉路5号前楼 → road=云杉路 number=5 room=前楼
云杉路5号亭子间 → road=云杉路 number=5 room=亭子间
云杉路5号1A室 → road=云杉路 number=5 room=1A
云杉路5号101-105室 → road=云杉路 number=5 room=101-105
云杉路5号601 → road=云杉路 number=5 room=601 +sign_missing
云杉路5号-601 → road=云杉路 number=5 room=601 +sign_missing
云杉路100弄5-601 → road=云杉路 lane=100 number=5 room=601 +range_or_room
云杉路100弄5一601室 → road=云杉路 lane=100 number=5 room=601 +range_or_room
云杉路100弄5-601室 → road=云杉路 lane=100 number=5 room=601 +range_or_room
云杉路100弄5-2-401 → road=云杉路 lane=100 number=5 unit=2 room=401 +range_or_room
云杉路100弄5号2-401室 → road=云杉路 lane=100 number=5 unit=2 room=401 +range_or_room
云杉路5号3楼12号 → road=云杉路 number=5 floor=3 room=12
云杉路5号6-7楼 → road=云杉路 number=5 floor=6-7
云杉路100弄5号 601 → road=云杉路 lane=100 number=5 room=601 +sign_missing
云杉路100弄 5 601 → road=云杉路 lane=100 number=5 room=601 +sign_missing
# villages
望舒村3组8号 → village=望舒村 group=3 number=8
望舒村三组8号 → village=望舒村 group=3 number=8
望舒村第3组8号 → village=望舒村 group=3 number=8 -idle
望舒村3队 → village=望舒村 group=3
望舒村8号 → village=望舒村 number=8
望舒村3村民小组8号 → village=望舒村 group=3 number=8
望舒村陆家宅3组8号 → village=望舒村 hamlet=陆家宅 group=3 number=8
望舒村陆家宅8号 → village=望舒村 hamlet=陆家宅 number=8
陈家镇望舒村云杉路8号 → street=陈家镇 village=望舒村 road=云杉路 number=8
望舒村村委会 → committee=望舒村村委会
建新村3队8号 → village=建新村 group=3 number=8
# named instead of a road
鞍山五村33号 → estate=鞍山五村 number=33
鞍山5村33号 → estate=鞍山五村 number=33
云杉新村12号601室 → estate=云杉新村 number=12 room=601
云杉小区12号楼601室 → estate=云杉小区 building=12 room=601
云杉苑3幢 → estate=云杉苑 building=3
云杉公寓501室 → estate=云杉公寓 room=501
树德里12号 → estate=树德里 number=12
云杉坊12号 → estate=云杉坊 number=12
云杉四村三街坊236号 → estate=云杉四村 block=三街坊 number=236
云杉新村南区5号 → estate=云杉新村 block=南区 number=5
云杉苑东区5号 → estate=云杉苑 block=东区 number=5
云杉新村3区5号 → estate=云杉新村 block=三区 number=5
云杉苑二期5号 → estate=云杉苑 block=二期 number=5
云杉苑C区5号 → estate=云杉苑 block=C区 number=5
云杉路5号A区601 → road=云杉路 number=5 block=A区 room=601 +sign_missing
云杉家园望舒苑5号 → estate=云杉家园望舒苑 number=5
云杉五村望舒苑5幢 → estate=云杉五村望舒苑 building=5
云杉住宅小区望舒路5号 → estate=云杉住宅小区 road=望舒路 number=5
云杉新村花园路5号 → estate=云杉新村 road=花园路 number=5
云杉城市花园5号 → estate=云杉城市花园 number=5
云杉大学城望舒里外17号楼 → estate=云杉大学城望舒里外 building=17
望舒酒店式公寓5层 → estate=望舒酒店式公寓 floor=5
望舒广场单栋单栋第25层2504 → place=望舒广场 floor=25 room=2504
云杉云杉七村云杉七村5号 → estate=云杉七村 number=5 -repeated
云杉四村四村5号 → estate=云杉四村 number=5 -repeated
九亭九亭望舒苑5号 → estate=九亭望舒苑 number=5 -repeated
云杉路市光一村5号 → along=云杉路 estate=市光一村 number=5
云杉路望舒二村5号 → along=云杉路 estate=望舒二村 number=5
云杉路100弄望舒苑5号 → road=云杉路 lane=100 estate=望舒苑 number=5
望舒苑云杉路100弄5号 → road=云杉路 lane=100 number=5 estate=望舒苑
云杉路100弄5号望舒苑 → road=云杉路 lane=100 number=5 estate=望舒苑
云杉路100弄,望舒四村 → road=云杉路 lane=100 estate=望舒四村
云杉路100弄5号，望舒四村7号 → road=云杉路 lane=100 number=5 | estate=望舒四村 number=7
1933老场坊 → estate=1933老场坊 +place_only
# sites, landmarks, crossings
云杉路5号望舒大厦12楼1203室 → road=云杉路 number=5 place=望舒大厦 floor=12 room=1203
望舒大学云杉路5号 → place=望舒大学 road=云杉路 number=5
人民路小学 → place=人民路小学 +place_only
长寿路桥 → place=长寿路桥 +place_only
云杉路望舒小学 → road=云杉路 place=望舒小学
上海中学 → place=上海中学 +place_only
静安寺 → place=静安寺 +place_only
云杉路5号近望舒路 → road=云杉路 number=5 -landmark
云杉路5号（近望舒路） → road=云杉路 number=5 -landmark
云杉路5号(地铁9号线望舒站旁) → road=云杉路 number=5 -landmark
云杉路5号对面 → road=云杉路 number=5 +beside -landmark
云杉路100弄幼儿园边 → road=云杉路 lane=100 +beside -landmark
近望舒路 → road=望舒路 +beside -idle
云杉路望舒路路口 → road=云杉路 crossing=望舒路 +crossing
云杉路望舒路口 → road=云杉路 crossing=望舒路 +crossing
云杉路与望舒路交叉口 → road=云杉路 crossing=望舒路 +crossing
云杉路、望舒路 → road=云杉路 | road=望舒路
# contacts, brackets, pictures
云杉路5号13800138000 → road=云杉路 number=5 -phone
云杉路5号 电话:138-0013-8000 → road=云杉路 number=5 -phone
收货人：李大路5号 → place=收货人 road=李大路 number=5
云杉路5号收件人杉望舒女士收 → road=云杉路 number=5 -contact
云杉路5号021-65650000 → road=云杉路 number=5 -phone
云杉路5号 200433 → road=云杉路 number=5 -postcode
邮编200433云杉路5号 → road=云杉路 number=5 -postcode
云杉路5号（望舒苑三期） → road=云杉路 number=5 -qualifier
云杉路5号【快递放门口】 → road=云杉路 number=5 -landmark
云杉路5号（原望舒厂） → road=云杉路 number=5 -note
望舒苑（云杉路100弄）5号 → road=云杉路 lane=100 estate=望舒苑 number=5 -bracket
云杉路100弄5号（望舒路20弄） → road=云杉路 lane=100 number=5 -other_address
云杉路5号😀601室 → road=云杉路 number=5 room=601 -symbol
云杉路5号( → road=云杉路 number=5 -punctuation
# written twice, run together
云杉路100弄5号云杉路100弄5号 → road=云杉路 lane=100 number=5 -repeated
云杉路100弄34云杉路100弄3401层0102 → road=云杉路 lane=100 number=34 floor=1 room=102 +run_together +sign_missing -repeated
望舒苑年家浜路100弄34年家浜路100弄3401层0102 → road=年家浜路 lane=100 number=34 estate=望舒苑 floor=1 room=102 +run_together +sign_missing -repeated
云杉苑040412层1202 → estate=云杉苑 building=4 unit=4 floor=12 room=1202 +run_together
上海市,杨浦区,云杉路100弄,5号,601室 → district=杨浦区 road=云杉路 lane=100 number=5 room=601
云杉路100弄5号;望舒路7号 → road=云杉路 lane=100 number=5 | road=望舒路 number=7
杨浦区云杉路5号/徐汇区望舒路7号 → district=杨浦区 road=云杉路 number=5 | district=徐汇区 road=望舒路 number=7
云杉路100弄5号云杉路102弄6号 → road=云杉路 lane=100 number=5 | road=云杉路 lane=102 number=6
# elsewhere
江苏省昆山市花桥镇云杉路5号 → city=江苏省 district=昆山市 street=花桥镇 road=云杉路 number=5 +other_city
江苏昆山花桥镇云杉路5号 → city=江苏省 district=昆山市 street=花桥镇 road=云杉路 number=5 +other_city
苏州市云杉路5号 → city=苏州市 road=云杉路 number=5 +other_city
苏州工业园区云杉路5号 → city=苏州市 zone=工业园区 road=云杉路 number=5 +other_city
北京市朝阳区云杉路5号 → city=北京市 district=朝阳区 road=云杉路 number=5 +other_city
浙江省嘉善县云杉路5号 → city=浙江省 district=嘉善县 road=云杉路 number=5 +other_city
浙江省浙江省嘉兴市云杉路5号 → city=浙江省嘉兴市 road=云杉路 number=5 +other_city -repeated
浙江嘉兴云杉路5号 → city=浙江省嘉兴市 road=云杉路 number=5 +other_city
甘肃省武威市凉州区云杉路5号 → city=甘肃省武威市 district=凉州区 road=云杉路 number=5 +other_city
湖南省湘西土家族苗族自治州永顺县云杉路5号 → city=湖南省湘西土家族苗族自治州 district=永顺县 road=云杉路 number=5 +other_city
江苏省仙桃市云杉路5号 → city=江苏省 district=仙桃市 road=云杉路 number=5 +other_city
瓯海区郭溪街道云杉路5号 → district=瓯海区 street=郭溪街道 road=云杉路 number=5 +district_unknown
晋安区云杉路5号 → district=晋安区 road=云杉路 number=5 +district_unknown
云杉工业区望舒路5号 → zone=云杉工业区 road=望舒路 number=5
望舒旅游区云杉路5号 → zone=望舒旅游区 road=云杉路 number=5
云杉小区望舒路5号 → estate=云杉小区 road=望舒路 number=5
"""

WITH_NAMES = """
长寿云杉路5号 → place=长寿 road=云杉路 number=5
复兴云杉路5号 → place=复兴 road=云杉路 number=5
滨江新城路5号 → road=滨江新城路 number=5
浦东望江路5号 → road=浦东望江路 number=5
浦东望江苑5号 → estate=浦东望江苑 number=5
中大路5号 → road=中大路 number=5 +road_unknown
无名路5号 → road=无名路 number=5 +road_unknown
花园弄5号 → road=花园弄 number=5
# whatever stands before a known village is part of its name
云杉一村1-53号 → estate=云杉一村 number=1 upto=53
望舒花苑一村5号 → estate=望舒花苑一村 number=5
望舒机场新村9号 → estate=望舒机场新村 number=9
机场新村9号 → estate=机场新村 number=9
一村9号 → village=一村 number=9
"""


def rows(table: str) -> list[tuple[str, str]]:
    lines = [line for line in table.strip().splitlines() if line and not line.startswith("#")]
    return [(text, meant) for text, _, meant in (line.partition(" → ") for line in lines)]


def shown(parsed: Parsed, asked: str) -> str:
    """Return what was read in the words of the table, its notes and reasons cut to those the row asks for."""
    said = []
    for reading in parsed.addresses:
        parts = {k: v for k, v in reading.parts._asdict().items() if v and k != "text"}
        said.append(" ".join(f"{name}={value}" for name, value in sorted(parts.items())))
    codes = {f"+{note}" for reading in parsed.addresses for note in reading.notes}
    codes |= {f"-{piece.reason}" for piece in parsed.ignored}
    wanted = {word for word in asked.split() if word[0] in "+-"}
    return " ".join([" | ".join(said), *sorted(codes & wanted)])


def in_order(meant: str) -> str:
    words = [word for word in meant.split() if word[0] not in "+-"]
    addresses = [" ".join(sorted(part.split())) for part in " ".join(words).split(" | ")]
    return " ".join([" | ".join(addresses), *sorted(word for word in meant.split() if word[0] in "+-")])


def doubts(parsed: Parsed) -> set[str]:
    return {note for reading in parsed.addresses for note in reading.notes} - {"place_only"}


@pytest.mark.parametrize(("text", "meant"), rows(CASES))
def test_the_language_alone(text: str, meant: str) -> None:
    parsed = read(text)
    assert shown(parsed, meant) == in_order(meant)
    # A doubt that the table does not ask for would be one too many.
    assert doubts(parsed) <= {word[1:] for word in meant.split() if word[0] == "+"}, parsed.addresses


@pytest.mark.parametrize(("text", "meant"), rows(WITH_NAMES))
def test_with_names_that_are_known(text: str, meant: str) -> None:
    assert shown(read(text, KNOWN), meant) == in_order(meant)


def test_there_are_as_many_as_were_promised() -> None:
    assert len(rows(CASES)) >= 150
    assert len({text for text, _ in rows(CASES)}) == len(rows(CASES))
