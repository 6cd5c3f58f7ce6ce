"""The advisers for elders among the business modules."""

from services.kernel.module.spec import Hook, ModuleSpec, Periodic

_ACTIONS = "services.modules.advisers.actions"
_CHECKS = "services.modules.advisers.checks"

MODULE = ModuleSpec(
    key="advisers",
    title="养老顾问",
    system="“民服务·真为侬”养老服务综合子系统",
    summary="养老顾问点和顾问员的申请与变更、工作记录、人员不足预警和主题查询。",
    icon="message-square",
    order=100,
    checked=(
        Hook("adviser-new", f"{_CHECKS}:check_new_adviser"),
        Hook("adviser-change", f"{_CHECKS}:check_adviser_change"),
        Hook("adviser-record", f"{_CHECKS}:check_record"),
    ),
    recorded=(Hook("adviser-record", f"{_ACTIONS}:write_record"),),
    ended=(
        Hook("adviser_site_new", f"{_ACTIONS}:enter_site"),
        Hook("adviser_site_change", f"{_ACTIONS}:change_site"),
        Hook("adviser_new", f"{_ACTIONS}:enter_adviser"),
        Hook("adviser_change", f"{_ACTIONS}:change_adviser"),
    ),
    periodic=(
        Periodic("judge-advisers", "services.modules.advisers.judge_all", 24 * 3600.0),
        Periodic("pull-elders", "services.modules.advisers.pull_elders", 24 * 3600.0),
    ),
)
