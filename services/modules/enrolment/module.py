"""Enrolment among the business modules."""

from services.kernel.module.spec import ModuleSpec

MODULE = ModuleSpec(
    key="enrolment",
    title="入园登记与报名",
    system="上海学前教育综合管理子系统",
    summary="适龄幼儿入园登记、验证和报名用的字段、材料和表单。",
    icon="baby",
    order=10,
)
