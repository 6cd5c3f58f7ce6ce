"""How a service point is registered: the street reviews, two look at it, the district approves, the city files big ones."""

from services.kernel.workflow.spec import APPROVE, REFUSE, Choice, Fact, Flow, MatterSpec, Outcome, Parallel, Step

SERVICE_POINT = MatterSpec(
    key="service_point",
    title="社区服务点登记",
    category="社区服务",
    prefix="FW",
    duty="cases.view",
    opens="cases.street",
    form="service-point",
    named_by="point_name",
    sources=(Choice("one_stop", "一网通办"), Choice("community", "社区事务受理")),
    help="在社区里设服务点前办理登记。街镇审核、现场核查以后由区里审批，面积 500 平方米及以上的再由市里备案。",
    facts=(Fact("area", "面积（平方米）", "number"), Fact("night", "晚上开放", "flag")),
    flow=Flow(
        (
            Step("street", "街镇审核", "cases.street", days=5, dispatch="grab"),
            Parallel(
                "review",
                (
                    (
                        Step(
                            "site", "现场核查", "cases.street", days=3, dispatch="rule", when="area > 100",
                            fills=("site_area", "site_finding"),
                        ),
                    ),
                    (Step("papers", "资料复核", "cases.district", level="district", days=3, dispatch="hand"),),
                ),
            ),
            Step(
                "district", "区审批", "cases.district", level="district", days=5, remind=2,
                outcomes=(APPROVE, REFUSE, Outcome("again", "退街镇重审", to="street", opinion=True)),
            ),
            Step("city", "市备案", "cases.city", level="city", days=10, when="area >= 500", outcomes=(APPROVE,)),
        )
    ),
)  # fmt: skip

MATTERS = (SERVICE_POINT,)
