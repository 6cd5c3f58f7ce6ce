"""The channels that are declared, and what the containers that open our pages bring of their own. Pure.

A further channel is one more ``Channel``; a further app with a title bar of its own is one more ``Container``.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Share = Literal["link", "menu", "code"]


class Container(NamedTuple):
    """What opens our pages: whether it has a title bar with a way back, how one passes a page on, how its User-Agent tells it.

    ``share``: a ``link`` to copy, the ``menu`` of the container, or a ``code`` to be read by one's own telephone.
    """

    key: str
    name: str
    bar: bool
    share: Share
    mark: str = ""


BROWSER: Final = Container("browser", "浏览器", bar=False, share="link")
WECHAT: Final = Container("wechat", "微信", bar=True, share="menu", mark="MicroMessenger/")
CITIZEN: Final = Container("citizen", "随申办", bar=True, share="link")
"""Its User-Agent is not published: the channel says it."""
SCREEN: Final = Container("screen", "公用屏幕", bar=False, share="code")
CONTAINERS: Final = (WECHAT, CITIZEN, SCREEN, BROWSER)


class Channel(NamedTuple):
    """One way in: its key, the short code of its address, its name, what opens it, and whether it begins in 长辈版.

    ``shared``: many people use one device after each other, so each begins anew. ``use`` says where its address or QR code goes.
    """

    key: str
    code: str
    name: str
    container: Container
    elder: bool
    use: str
    shared: bool = False


_MENU: Final = "填进公众号的自定义菜单，或放在推文的“阅读原文”里。"
CHANNELS: Final = (
    Channel("citizen_app", "ssb", "随申办", CITIZEN, False, "把网址报给一网通办移动端，作为“养老一张图”的入口。"),
    Channel("wechat_release", "shfb", "微信公众号“上海发布”", WECHAT, False, _MENU),
    Channel("wechat_civil", "shmz", "微信公众号“上海民政”", WECHAT, False, _MENU),
    Channel("wechat_adviser", "ylgw", "微信公众号“上海养老顾问”", WECHAT, True, "填进公众号的自定义菜单，老人点开就是长辈版。"),
    Channel("pad", "pad", "养老顾问点的 PAD", SCREEN, True, "设成 PAD 浏览器的主页。下一位来时点一次主页，就从头开始。", True),
    Channel("kiosk", "ping", "社区大屏、自助终端", SCREEN, True, "设成终端浏览器的主页。下一位来时回到主页，就从头开始。", True),
    Channel("paper", "zhi", "纸质二维码", BROWSER, True, "印在海报、手册、便民卡上，用手机扫。"),
    Channel("phone", "tel", "电话、短信", BROWSER, False, "接电话时报给对方，或写进短信；网址短，好记。"),
)  # fmt: skip
BY_KEY: Final = {one.key: one for one in CHANNELS}
BY_CODE: Final = {one.code: one for one in CHANNELS}
ENTRY_PAGES: Final = {
    "elder-map": "养老一张图",
    "elder-assistant": "个人助手",
    "places": "全部机构",
    "find": "找服务",
}
"""The pages a channel may open, by their names in the house."""
USUAL_ENTRY: Final = "elder-map"


def container_for(key: str, agent: str) -> Container:
    """Return what opens a page: what its User-Agent says, else what the channel (by key, '' none) is opened by.

    An address of an official account that somebody opens outside of it is opened by a browser.
    """
    told = next((one for one in CONTAINERS if one.mark and one.mark in agent), None)
    if told is not None:
        return told
    channel = BY_KEY.get(key)
    return channel.container if channel and not channel.container.mark else BROWSER
