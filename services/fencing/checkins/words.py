"""What is said of a check-in: to who made it, so that he knows what to do next, and in its record."""

from __future__ import annotations

from typing import Final

from django.utils import timezone

from services.fencing.checkins.judging import Judgement, Verdict, Window
from services.fencing.checkins.models import Act, Face

FACES: Final = {
    Face.MISSING: "没有做人脸核验。请先同意人脸核验并拍照；不方便的，用“说明情况”。",
    Face.DIFFERENT: "照片和您登记的底照不一致。请正对镜头、到亮一些的地方重拍一次；还不行，用“说明情况”。",
    Face.NOT_LIVE: "没有看到动作。请按提示做动作，再拍一次。",
    Face.UNCLEAR: "看不清脸。请擦一下镜头、正对着拍，再试一次。",
    Face.NOT_ENROLLED: "核验平台里还没有您的底照，请联系单位登记。这次请用“说明情况”。",
}
"""What to do when a face is not confirmed."""


def metres(count: int) -> str:
    """Return a distance in words."""
    return f"{count / 1000:.1f} 公里" if count >= 1_000 else f"{count} 米"


def sentence(judgement: Judgement, act: str, window: Window, accuracy_m: float | None) -> str:
    """Return what a judgement comes to, and what to do next where it does not count."""
    verb = Act(act).label
    reasons = judgement.reasons
    if judgement.verdict is Verdict.UNLOCATED:
        return f"没有拿到位置。请在手机设置里打开定位、允许本页面使用，再点“{verb}”；还不行，用“说明情况”。"
    if judgement.verdict is Verdict.OUTSIDE:
        if "beyond_city" in reasons:
            return "位置不在本市。请检查手机有没有开模拟定位，到了服务地址再试。"
        return f"离服务地址约 {metres(judgement.distance_m or 0)}。请到了再{verb}；地址写错了的，用“说明情况”。"
    if judgement.verdict is Verdict.UNTIMELY:
        return _untimely(reasons, verb, window)
    if judgement.verdict is Verdict.VAGUE:
        vague = f"定位误差约 {metres(round(accuracy_m or 0))}，还不能确定您已到。"
        return f"{vague}请走到窗边或室外，打开手机的“精确位置”，再点“{verb}”。"
    near = "" if judgement.distance_m is None else f"，离服务地址约 {metres(judgement.distance_m)}"
    return f"{'到位' if judgement.verdict is not Verdict.LIKELY else '在服务地址附近'}{near}"


def _untimely(reasons: tuple[str, ...], verb: str, window: Window) -> str:
    if "too_early" in reasons:
        first = timezone.localtime(window.begins - window.early)
        return f"还没到时间，{first:%H:%M} 起可以{verb}。"
    if "too_late" in reasons:
        last = timezone.localtime(window.ends + window.late)
        return f"已经过了可以{verb}的时间（到 {last:%H:%M}）。请用“说明情况”写明原因。"
    return f"这片服务区域现在不在服务时间。请在开放时间{verb}，或用“说明情况”写明原因。"
