"""How advisory points and advisers are applied for and changed: the street reviews, the district approves."""

from __future__ import annotations

from typing import Final

from services.kernel.workflow.spec import APPROVE, REFUSE, Choice, Flow, MatterSpec, Outcome, Step

_BACK: Final = Outcome("again", "退街镇重审", to="street", opinion=True)
_FLOW: Final = Flow(
    (
        Step("street", "街镇审核", "cases.street", days=5, remind=2),
        Step(
            "district",
            "区级审批",
            "cases.district",
            level="district",
            days=5,
            remind=2,
            outcomes=(APPROVE, REFUSE, _BACK),
        ),
    )
)


def _matter(key: str, title: str, form: str, named_by: str, help: str) -> MatterSpec:
    return MatterSpec(
        key=key, title=title, category="养老服务", flow=_FLOW, duty="cases.view", prefix="YL", form=form, named_by=named_by,
        opens="cases.street", sources=(Choice("one_stop", "一网通办"),), help=help,
    )  # fmt: skip


MATTERS = (
    _matter("adviser_site_new", "养老顾问点申请", "adviser-site-new", "adviser_site_name",
            "设立养老顾问点前申请。街镇审核、区级审批通过后，顾问点进入台账并显示在地图上。"),
    _matter("adviser_site_change", "养老顾问点变更申请", "adviser-site-change", "",
            "顾问点改名、搬迁、换电话、调整咨询内容、暂停或关闭时申请。只填要变更的内容。"),
    _matter("adviser_new", "养老顾问员申请", "adviser-new", "adviser_name",
            "到顾问点担任养老顾问员前申请，要有养老顾问员证书。"),
    _matter("adviser_change", "养老顾问员变更申请", "adviser-change", "",
            "顾问员调动、暂离、返岗、离任或换联系方式时申请。只填要变更的内容。"),
)  # fmt: skip
