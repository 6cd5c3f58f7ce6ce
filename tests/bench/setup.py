"""B16: from a bare Debian 12 to a usable map. Makes a bare system in a folder, clones the repository into it and times ``./run start``.

Needs root. Everything happens in mount and process namespaces of its own, so nothing stays mounted or running whatever fails.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.bench.report import Bar

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S, OWN_LIMIT_S = 240.0, 60.0
# Steps of ./run that fetch and unpack other people's work; all the rest of the time is our own.
FETCHING = ("Installing Debian packages", "Installing Python packages", "Bundling the front-end libraries")
PAGES = ("health", "", "api/v1/circle?lon=121.4737&lat=31.2304&minutes=15&mode=walk&kinds=nursery")
SETTINGS = (
    "PIP_",
    "UV_",
    "SSL_CERT",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)
SETTINGS += ("http_proxy", "https_proxy", "no_proxy")
# The command runs as the first process of its own process namespace: when it ends, everything it started ends.
INSIDE = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc"]
ENTER = """
mount -t proc proc "$0/proc"
mount --rbind /dev "$0/dev"
for folder in $FOLDERS; do mkdir -p "$0$folder"; mount --bind -o ro "$folder" "$0$folder"; done
exec chroot "$0" /bin/bash /srv/measure
"""
MEASURE = """
cd /srv/quantu
status=0
./run start || status=$?
echo $status >/srv/started.new
mv /srv/started.new /srv/started
while [ $status = 0 ] && [ ! -e /srv/leave ]; do sleep 0.2; done
./run stop || true
exit $status
"""


def run() -> list[Bar]:
    """Return two bars: the whole time to health page, first page and first circle, and our own part of it, in seconds."""
    if os.geteuid() != 0:
        raise SystemExit("./run bench setup needs root: it makes a whole system in a folder")
    _have_debootstrap()
    signal.signal(signal.SIGTERM, _end_once)
    folder = Path(tempfile.mkdtemp(prefix="quantu-setup-", dir="/var/tmp"))
    try:
        system = folder / "system"
        _make_bare_system(system)
        _copy_settings(system)
        return _measure(system)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end_once(*_: object) -> None:
    """End with everything cleaned up; a second signal does not break off the cleaning."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit("ended from outside")


def _have_debootstrap() -> None:
    if shutil.which("debootstrap") is None:
        subprocess.run(
            ["apt-get", "install", "-y", "--no-install-recommends", "debootstrap"], check=True, stdout=sys.stderr
        )


def _debian_source() -> tuple[str, str]:
    """Return the codename of the release we run on and the mirror this machine's own settings name for it."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    codename = release["VERSION_CODENAME"].strip('"')
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=True,
    )
    mirrors = [line.split()[0] for line in listing.stdout.splitlines() if line.split()[1] == codename]
    if not mirrors:
        raise SystemExit(f"apt on this machine names no mirror of {codename}")
    return codename, mirrors[0]


def _make_bare_system(system: Path) -> None:
    codename, mirror = _debian_source()
    sys.stderr.write("making a bare system …\n")
    log = system.parent / "debootstrap.log"
    with log.open("w") as output:
        done = subprocess.run(
            ["unshare", "--mount", "debootstrap", "--variant=minbase", codename, str(system), mirror],
            stdout=output,
            stderr=output,
        )
    if done.returncode:
        raise SystemExit(f"debootstrap failed:\n{log.read_text()[-3000:]}")


def _copy_settings(system: Path) -> None:
    """Copy what tells apt, pip and npm of this machine where to fetch from and whom to trust."""
    codename = _debian_source()[0]
    (system / "etc/apt/sources.list").write_text("")
    for file in [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*.*")]:
        if file.is_file() and _is_of_debian(file.read_text(encoding="utf-8"), codename):
            shutil.copy(file, system / "etc/apt/sources.list.d" / file.name)
    for file in Path("/etc/apt/apt.conf.d").iterdir():
        if "Acquire::http" in file.read_text(encoding="utf-8"):
            shutil.copy(file, system / "etc/apt/apt.conf.d" / file.name)
    home = Path.home()
    pairs = [
        (Path("/etc/resolv.conf"), "etc/resolv.conf"),
        (Path("/etc/pip.conf"), "etc/pip.conf"),
        (Path("/etc/hosts"), "etc/hosts"),
    ]
    pairs += [
        (home / name, f"root/{name}")
        for name in (".config/pip/pip.conf", ".pip/pip.conf", ".config/uv/uv.toml", ".npmrc")
    ]
    for source, target in pairs:
        if source.is_file():
            (system / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, system / target)
    for folder in ("etc/ssl/certs", "usr/local/share/ca-certificates"):
        if Path("/", folder).is_dir():
            shutil.copytree(
                Path("/", folder), system / folder, dirs_exist_ok=True, symlinks=False, ignore_dangling_symlinks=True
            )


def _is_of_debian(source: str, codename: str) -> bool:
    """Whether an apt source is Debian's own: in its release, and signed by its keyring or by apt's default."""
    return codename in source.split() and ("debian-archive-keyring" in source or "signed-by" not in source.lower())


def _local_indexes() -> list[str]:
    """Return the folders that pip's settings name as sources: they are part of the settings."""
    listing = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    words = listing.replace("'", " ").replace("=", " ").replace("file://", " ").split()
    folders = {Path(word) for word in words if word.startswith("/") and Path(word).is_dir()}
    tops = {Path(*folder.parts[:3]) for folder in folders if len(folder.parts) > 2}
    return sorted(str(folder) for folder in tops if not folder.is_relative_to("/etc"))


def _measure(system: Path) -> list[Bar]:
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(system / "srv/quantu")], check=True)
    (system / "srv/measure").write_text(MEASURE)
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if name.startswith(SETTINGS)}
    environment |= {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "PORT": str(port),
    }
    environment["FOLDERS"] = " ".join(_local_indexes())
    began = time.time()
    inside = subprocess.Popen(
        [*INSIDE, ENTER, str(system)], env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr
    )
    try:
        started = system / "srv/started"
        while not started.exists():
            if inside.poll() is not None:
                raise SystemExit(f"./run start failed in the bare system (exit {inside.returncode})")
            time.sleep(0.1)
        if int(started.read_text()):
            raise SystemExit("./run start failed in the bare system; its own words are above")
        for page in PAGES:
            _fetch(f"http://127.0.0.1:{port}/{page}")
        whole = time.time() - began
        (system / "srv/leave").touch()
        inside.wait(timeout=60)
    finally:
        inside.kill()
        inside.wait()
    steps = _steps(system / "srv/quantu/.local/logs/steps.tsv")
    fetching = sum(seconds for title, seconds in steps if title.startswith(FETCHING))
    note = "; ".join(f"{title} {seconds:.0f} s" for title, seconds in steps if seconds >= 1)
    return [
        Bar("B16", round(whole, 1), LIMIT_S, round(LIMIT_S / whole, 2), "s, bare Debian 12 to the first circle", note),
        Bar(
            "B16 own",
            round(whole - fetching, 1),
            OWN_LIMIT_S,
            round(OWN_LIMIT_S / (whole - fetching), 2),
            "s, without fetching and unpacking packages",
        ),
    ]


def _steps(file: Path) -> list[tuple[str, float]]:
    rows = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()]
    return [(title, float(end) - float(begin)) for begin, end, _, title in rows if not title.startswith("Stopping")]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _fetch(url: str) -> None:
    """Read a page, waiting while it is not ready (the road graph may still be under way)."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + LIMIT_S
    while True:
        try:
            with opener.open(url, timeout=30) as answer:
                answer.read()
            return
        except urllib.error.URLError as problem:
            if time.monotonic() > until:
                raise SystemExit(f"{url} does not answer as it should: {problem}") from problem
            time.sleep(0.5)
