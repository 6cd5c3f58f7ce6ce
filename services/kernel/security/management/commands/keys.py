"""The keys of this installation: list them, rotate, seal everything anew, drop an old one."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from geo.errors import CityError
from geo.jobs.actions import run_job, start_job
from geo.jobs.models import Job, JobState
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.crypto.house import house_keys
from services.crypto.port import PURPOSE_NAMES, Purpose
from services.crypto.rotation import JOB, drop_key, rotate_keys, uses_of_keys

ACTOR = "system"
KEEP = "请马上另存密钥库（./run backup 设了口令时会一并保存）。"


class Command(BaseCommand):
    """``list`` (the default), ``rotate [PURPOSE…]``, ``reseal``, ``drop ID``; none of them shows a key."""

    help = "密钥：list 列出，rotate 轮换并重新加密，reseal 继续重新加密，drop 编号 删除不再需要的旧密钥。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", nargs="?", default="list", choices=["list", "rotate", "reseal", "drop"])
        parser.add_argument("names", nargs="*", help="rotate：seal blind sign；drop：密钥编号")
        parser.add_argument("--here", action="store_true", help="在本命令里做完，不交给后台")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['act']}")(options["names"], here=options["here"])
        except CityError as fault:
            raise CommandError(fault.message) from fault
        except ValueError as fault:
            raise CommandError("密钥用途只能是 seal（加密）、blind（盲索引）、sign（签名）。") from fault

    def _list(self, names: list[str], *, here: bool) -> None:
        notes, uses = house_keys().notes(), uses_of_keys()
        for note in notes:
            used = f"  {uses[note.id]} 条（含文件）" if note.purpose is Purpose.SEAL else ""
            newest = "  正在使用" if note.newest else ""
            self.stdout.write(f"{note.id}  {PURPOSE_NAMES[note.purpose]}  {note.made_on}{used}{newest}")
        if uses[""]:
            self.stdout.write(f"还有 {uses['']} 个文件没有加密，请运行 ./run keys reseal。")

    def _rotate(self, names: list[str], *, here: bool) -> None:
        purposes = [Purpose(name) for name in names] or [Purpose.SEAL, Purpose.BLIND]
        with transaction.atomic():
            made, job = rotate_keys(actor=ACTOR, purposes=purposes)
            detail = {"keys": [note.id for note in made], "purposes": [note.purpose.value for note in made]}
            record_audit(act=AuditAct.KEYS_ROTATED, actor=ACTOR, detail=detail)
        for note in made:
            self.stdout.write(f"已增加{PURPOSE_NAMES[note.purpose]}密钥 {note.id}，从现在起使用。")
        self.stdout.write(KEEP)
        self._follow(job, here=here)

    def _reseal(self, names: list[str], *, here: bool) -> None:
        running = Job.objects.filter(kind=JOB, state__in=[JobState.QUEUED, JobState.RUNNING]).first()
        self._follow(running or start_job(kind=JOB, actor=ACTOR), here=here)

    def _drop(self, names: list[str], *, here: bool) -> None:
        if len(names) != 1:
            raise CommandError("请写明要删除的一把密钥的编号：./run keys drop 编号")
        note = drop_key(key_id=names[0])
        record_audit(act=AuditAct.KEY_DROPPED, actor=ACTOR, detail={"key": note.id, "purpose": note.purpose.value})
        self.stdout.write(
            f"已删除{PURPOSE_NAMES[note.purpose]}密钥 {note.id}。以前的备份要用它才能打开，请确认另有保存。"
        )

    def _follow(self, job: Job, *, here: bool) -> None:
        if not here:
            self.stdout.write(
                f"后台正在重新加密（任务 {str(job.pk)[:8]}），进度见 /desk/security；中断后会自动接着做。"
            )
            return
        job = run_job(job_id=job.pk)
        if job.state != JobState.DONE:
            raise CommandError(job.error.get("message") or "没有完成，请再运行 ./run keys reseal --here。")
        told = job.result
        self.stdout.write(
            f"已查看 {told['seen']} 条、{told['files_seen']} 个文件，"
            f"重新加密 {told['renewed']} 条、{told['files_renewed']} 个文件。"
        )
        for each in job.result["broken"]:
            self.stdout.write(f"  打不开：{each['table']} {each['row']}")
        if job.result["broken"]:
            raise CommandError("有内容打不开，旧密钥请继续保留，并检查这些记录。")
