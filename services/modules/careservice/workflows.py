"""How an application for a service for an elder is handled: the street takes it up and passes it on to the institution."""

from services.kernel.workflow.spec import APPROVE, REFUSE, Choice, Flow, MatterSpec, Step
from services.modules.careservice.words import KINDS_SERVED

MATTERS = (
    MatterSpec(
        key="care_service",
        title="养老服务申请",
        category="养老服务",
        prefix="YS",
        duty="cases.view",
        opens="cases.street",
        form="care-service",
        serves=KINDS_SERVED,
        about="care_place",
        sources=(Choice("one_stop", "一网通办"), Choice("community", "社区事务受理")),
        help="为自己或家里的老人申请入住、日间照护、助餐、上门护理。街镇受理后和机构商定，结果发到“我的消息”。",
        flow=Flow((Step("street", "街镇受理", "cases.street", days=5, remind=1, outcomes=(APPROVE, REFUSE)),)),
    ),
)
