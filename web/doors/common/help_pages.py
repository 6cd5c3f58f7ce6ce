"""Pages that only speak: help, for families and for staff."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from geo.addresses.parsing import full_text, parse
from geo.addresses.standardising.actions import KEPT_DAYS
from geo.addresses.standardising.outcomes import Status
from services.access.clients.registry import operations
from services.integrations.signing import APP, MOMENT, NONCE, SIGNATURE, WINDOW_S, signed_text, signing_text


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain finding services to parents and elders."""
    return render(request, "help/index.html")


def worked_example() -> dict[str, Any]:
    """Return a signature step by step, computed by the very functions that check one."""
    secret, path, query = (
        "example-secret-of-the-documentation",
        "/api/v1/platform/institutions",
        "region=310101&limit=2",
    )
    text = signing_text("GET", path, query, moment="1767196800", nonce="5f0c9d2e7ab14d3f8c6e1b2a90d47f33", body=b"")
    return {
        "secret": secret,
        "asked": f"{path}?{query}",
        "text": text,
        "signature": signed_text(secret, text),
        "names": (APP, MOMENT, NONCE, SIGNATURE),
        "window": WINDOW_S,
        "operations": operations().values(),
    }


class Example(NamedTuple):
    """A way of writing an address that staff meet, and why it is read as it is."""

    written: str
    why: str

    @property
    def standard(self) -> str:
        """Return what it is read as, by the very grammar that reads lists."""
        return full_text(parse(self.written))


EXAMPLES: Final = (
    Example("杨浦云杉路一百零五弄二十三号601", "区名写全，中文数字改成数字，补上“室”"),
    Example("上海市闸北区云杉路１００弄5＃", "旧区名换成现名，全角数字改成半角，# 就是号"),
    Example("云杉路100弄5号（近望舒路）13800138000", "参照物和电话不算地址"),
    Example("云杉路100巷5号甲2幢301", "巷就是弄；甲是附号，连在号后面"),
    Example("四川北路5号", "是四川北路，不是四川省"),
    Example("浦东望舒村陆家宅三组8号", "村里的地址读成村、宅、组、号"),
    Example("云杉路120-100号", "号码前大后小，调过来，请核对"),
)


@require_safe
def help_browse(request: HttpRequest) -> HttpResponse:
    """Say how families narrow and order the list of all institutions."""
    return render(request, "help/browse.html")


@require_safe
def help_elder(request: HttpRequest) -> HttpResponse:
    """Explain the map of elders to elders and families, and its desk to staff."""
    return render(request, "help/elder.html")


@require_safe
def help_channels(request: HttpRequest) -> HttpResponse:
    """Say to families where the map of elders is opened: apps, official accounts, codes, screens, by telephone."""
    return render(request, "help/channels.html")


@require_safe
def help_addresses(request: HttpRequest) -> HttpResponse:
    """Explain to staff how addresses are read, what each result means, and what to do next."""
    context = {"examples": EXAMPLES, "statuses": list(Status), "kept_days": KEPT_DAYS}
    return render(request, "help/addresses.html", context)


@require_safe
def help_ledgers(request: HttpRequest) -> HttpResponse:
    """Explain to staff how ledgers are searched, read and taken away."""
    return render(request, "help/ledgers.html")


@require_safe
def help_imports(request: HttpRequest) -> HttpResponse:
    """Explain to staff how a spreadsheet comes into a ledger."""
    return render(request, "help/imports.html")


@require_safe
def help_upkeep(request: HttpRequest) -> HttpResponse:
    """Explain to staff how places are added, corrected, taken down and merged."""
    return render(request, "help/upkeep.html")


@require_safe
def help_advisers(request: HttpRequest) -> HttpResponse:
    """Explain to staff how advisory points, advisers and their work are kept."""
    return render(request, "help/advisers.html")


@require_safe
def help_messages(request: HttpRequest) -> HttpResponse:
    """Explain to staff messages, short messages, notices and knowledge."""
    return render(request, "help/messages.html")


@require_safe
def help_forms(request: HttpRequest) -> HttpResponse:
    """Explain to staff and residents how forms are composed and filled in."""
    return render(request, "help/forms.html")


@require_safe
def help_files(request: HttpRequest) -> HttpResponse:
    """Explain files, their checks and documents to staff."""
    return render(request, "help/files.html")


@require_safe
def help_rules(request: HttpRequest) -> HttpResponse:
    """Explain to staff how rules are written, tried and published."""
    return render(request, "help/rules.html")


@require_safe
def help_security(request: HttpRequest) -> HttpResponse:
    """Explain to keepers of security how integrity is checked and keys are rotated."""
    return render(request, "help/security.html")


@require_safe
def help_logs(request: HttpRequest) -> HttpResponse:
    """Explain to administrators how logs are searched, changes undone, and warnings set."""
    return render(request, "help/logs.html")


@require_safe
def help_access(request: HttpRequest) -> HttpResponse:
    """Explain to everyone how accounts, signing in and one's own data work, and to staff how they are kept."""
    return render(request, "help/access.html")


@require_safe
def help_cases(request: HttpRequest) -> HttpResponse:
    """Explain to staff how cases are handled."""
    return render(request, "help/cases.html")


@require_safe
def developer_page(request: HttpRequest) -> HttpResponse:
    """Explain to developers how the API is called: with a key, and for platforms of districts with signatures."""
    return render(request, "help/developer.html", worked_example())
