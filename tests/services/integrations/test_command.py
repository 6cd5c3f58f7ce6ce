"""``./run manage sms_simulator`` serves the contract, says how to connect to it, and stops when it is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from django.core.cache import cache

from services.integrations.http import Upstream
from services.integrations.sms.client import Gateway
from services.integrations.sms.schemas import Code
from services.integrations.sms.simulator import MAGIC

ROOT = Path(__file__).resolve().parents[3]


def test_the_command_serves_and_stops() -> None:
    cache.clear()
    environment = os.environ | {"QUANTU_SMS_APP": "", "QUANTU_SMS_SECRET": "", "PYTHONUNBUFFERED": "1"}
    running = subprocess.Popen(
        [sys.executable, "manage.py", "sms_simulator", "--port", "0"], cwd=ROOT, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert running.stdout
        said = {}
        lines = []
        while len(lines) < 5 + len(MAGIC):
            line = running.stdout.readline()
            assert line, "the simulator ended by itself"
            lines.append(line)
            name, found, value = line.strip().partition("=")
            if found:
                said[name] = value
        assert set(said) == {"QUANTU_SMS_URL", "QUANTU_SMS_APP", "QUANTU_SMS_SECRET", "QUANTU_INSIDE_HOSTS"}
        upstream = Upstream(key="command", name="模拟器", root=said["QUANTU_SMS_URL"], inside=True)
        gateway = Gateway(upstream, said["QUANTU_SMS_APP"], said["QUANTU_SMS_SECRET"])
        assert gateway.send(message_id="m1", phones=["13800000000"], content="您好")[0].code == Code.ACCEPTED
        assert gateway.receipts().receipts[0].message_id == "m1"
        running.send_signal(signal.SIGINT)
        rest, _ = running.communicate(timeout=20)
        assert (running.returncode, rest.strip()) == (0, "已停止。")
    finally:
        running.kill()
        running.wait()
