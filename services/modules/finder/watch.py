"""What supervisors see of reports: places that somebody says are wrong on the map."""

from services.kernel.watching.spec import Indicator

INDICATORS = (
    Indicator(
        key="reports",
        title="“这里有误”待核对",
        level="warn",
        meaning="群众报告机构资料有误、还没有核对完的，要在 5 个工作日内答复。",
        ledger="place-reports",
        asks=(("f.state", "new"), ("f.state", "seen")),
        act="核对并答复",
        tells=("what", "state", "due_on"),
        order=50,
    ),
)
