"""What an execute request of OGC API – Processes says: inputs unwrapped, outputs and the form of the answer. No HTTP here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from geo.errors import BadInput, TooLarge
from layers.processes.actions import INPUT_BYTES, check_names
from layers.processes.documents import TRANSMISSIONS
from layers.processes.spec import RESULT, Mode, ProcessSpec

RESPONSES: Final = ("raw", "document")
KNOWN: Final = {"inputs", "outputs", "response", "subscriber"}
QUALIFIED: Final = {"value", "mediaType", "encoding", "schema", "format"}
Fetch = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Execute:
    """A request: the inputs as the process reads them, and whether the result is wanted raw or in a document, by value or not."""

    inputs: dict[str, Any]
    response: str
    transmission: str

    @property
    def reply(self) -> dict[str, str]:
        """Return how the result is wanted, to be kept with the run."""
        return {"response": self.response, "transmission": self.transmission}


def read_execute(body: bytes, *, spec: ProcessSpec, fetch: Fetch) -> Execute:
    """Read the body of a request for a process; ``fetch`` gives the value behind a reference, at most one for each input.

    Raises ``BadInput`` and ``TooLarge``.
    """
    if len(body) > INPUT_BYTES:
        raise TooLarge("inputs_too_large", f"请求超过 {INPUT_BYTES // 1_000_000} MB。请先上传成图层，再按图层处理。")
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadInput("request_invalid", "请求不是有效的 JSON，请检查后重发。") from None
    if not isinstance(said, dict) or set(said) - KNOWN:
        raise BadInput("request_invalid", "请求要是一个 JSON 对象，只含 inputs、outputs 和 response。")
    if "subscriber" in said:
        raise BadInput("callbacks_not_offered", "不提供回调。请用返回的任务地址查询进度。")
    inputs, response = said.get("inputs", {}), said.get("response", "raw")
    if not isinstance(inputs, dict):
        raise BadInput("request_invalid", "inputs 要是一个 JSON 对象。")
    check_names(spec, inputs)
    if response not in RESPONSES:
        raise BadInput("request_invalid", "response 可用 raw 和 document。")
    return Execute(
        {name: _unwrapped(value, fetch) for name, value in inputs.items()}, response, _transmission(said.get("outputs"))
    )


def _unwrapped(value: Any, fetch: Fetch) -> Any:
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("href"), str):
        return fetch(value["href"])
    return value["value"] if "value" in value and not set(value) - QUALIFIED else value


def _transmission(outputs: Any) -> str:
    """Return how the one output is wanted; without a word, by value."""
    if outputs in (None, {}):
        return "value"
    if not isinstance(outputs, dict) or set(outputs) != {RESULT} or not isinstance(outputs[RESULT], dict):
        raise BadInput("output_unknown", f"outputs 里只能写 {RESULT}。", known=[RESULT])
    mode = outputs[RESULT].get("transmissionMode", "value")
    if mode not in TRANSMISSIONS:
        raise BadInput("transmission_unknown", "transmissionMode 可用 value 和 reference。", known=list(TRANSMISSIONS))
    return str(mode)


def mode_of(spec: ProcessSpec, prefer: str) -> Mode:
    """Return how a process runs for somebody with these preferences: one that has one way only runs that way."""
    if len(spec.modes) == 1:
        return spec.modes[0]
    wishes = {wish.strip().lower() for wish in prefer.replace(";", ",").split(",")}
    return "async" if "respond-async" in wishes else "sync"
