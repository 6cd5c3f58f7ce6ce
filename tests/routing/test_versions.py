from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from routing.graph import GraphStore, NoGraph, UnknownTraveller, build_graph
from routing.search import reach
from routing.snap import snap
from routing.travellers import TRAVELLERS, Network, Traveller
from routing.versions import CURRENT, AlreadyBuilding, Hold, VersionedFolder
from tests.routing.drawing import PLANE, Drawing, graph_of

WALK = TRAVELLERS["walk"]
ROOT = Path(__file__).resolve().parents[2]


def publish(store: VersionedFolder, name: str, text: str) -> Path:
    with store.building(name) as folder:
        (folder / "data").write_text(text)
    current = store.current()
    assert current is not None
    return current


def test_before_the_first_version_there_is_none(tmp_path):
    store = GraphStore(tmp_path / "graphs")
    assert store.versions.current() is None
    with pytest.raises(NoGraph) as refusal:
        store.current()
    assert "路网" in refusal.value.message


def test_a_reader_keeps_its_version_while_a_new_one_appears(tmp_path):
    store = GraphStore(tmp_path)
    before = graph_of(Drawing("A---B").edges(), tmp_path)
    same = store.current()
    assert store.current() is same
    again = graph_of(Drawing("A---B---C").edges(), tmp_path)
    assert again.meta.edges == 2
    assert store.current().meta.edges == 2
    # The old graph still answers, from its own files.
    assert len(reach(before, [snap(before, 0, 0, WALK)], WALK, 900).node) == 2
    assert sum(1 for _ in tmp_path.glob("v-*")) == 2


def test_a_version_goes_when_its_last_reader_has_gone(tmp_path):
    store = VersionedFolder(tmp_path)
    first = publish(store, "one", "1")
    hold = Hold(first)
    second = publish(store, "two", "2")
    assert first.exists()
    hold.close()
    assert store.remove_unused() == [first.name]
    assert not first.exists()
    assert second.exists()
    with pytest.raises(FileNotFoundError):
        Hold(first)


def test_publishing_the_same_again_gets_a_folder_of_its_own(tmp_path):
    store = VersionedFolder(tmp_path)
    first = publish(store, "same", "1")
    hold = Hold(first)
    second = publish(store, "same", "2")
    assert first != second
    assert (first / "data").read_text() == "1"
    assert (second / "data").read_text() == "2"
    hold.close()


def test_a_build_that_fails_changes_nothing(tmp_path):
    store = VersionedFolder(tmp_path)
    first = publish(store, "one", "1")
    stamp = store.stamp()
    with pytest.raises(IsADirectoryError), store.building("two") as folder:
        folder.write_text("half")
    assert store.current() == first
    assert store.stamp() == stamp
    assert not list(tmp_path.glob(".building-*"))


BUILD = """
import sys, time
from pathlib import Path
from routing.versions import VersionedFolder
with VersionedFolder(Path(sys.argv[1])).building("killed") as folder:
    (folder / "data").write_text("half")
    print("building", flush=True)
    time.sleep(60)
"""


def test_a_killed_build_leaves_the_current_version_and_its_litter_is_swept(tmp_path):
    store = VersionedFolder(tmp_path)
    first = publish(store, "one", "1")
    process = subprocess.Popen([sys.executable, "-c", BUILD, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == b"building\n"
    with pytest.raises(AlreadyBuilding), store.building("two"):
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert store.current() == first
    assert (first / "data").read_text() == "1"
    assert len(list(tmp_path.glob(".building-*"))) == 1
    second = publish(store, "two", "2")
    assert store.current() == second
    assert not list(tmp_path.glob(".building-*"))


READ = """
import sys
from pathlib import Path
from routing.graph import GraphStore
store = GraphStore(Path(sys.argv[1]))
graph = store.current()
print(graph.meta.edges, flush=True)
for _ in sys.stdin:
    print(store.current().meta.edges, graph.metres.sum() > 0, flush=True)
"""


def test_another_process_notices_the_new_version_and_keeps_the_old_alive(tmp_path):
    graph_of(Drawing("A---B").edges(), tmp_path)
    first = GraphStore(tmp_path).versions.current()
    assert first is not None
    reader = subprocess.Popen(
        [sys.executable, "-c", READ, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert reader.stdin is not None
    assert reader.stdout is not None
    with reader.stdin, reader.stdout:
        assert reader.stdout.readline().split() == ["1"]
        graph_of(Drawing("A---B---C").edges(), tmp_path)
        assert first.exists()
        reader.stdin.write("\n")
        reader.stdin.flush()
        assert reader.stdout.readline().split() == ["2", "True"]
    reader.wait(timeout=10)
    assert GraphStore(tmp_path).versions.remove_unused() == [first.name]


def test_a_reader_overtaken_by_a_swap_asks_again(tmp_path, monkeypatch):
    store = GraphStore(tmp_path)
    graph_of(Drawing("A---B---C").edges(), tmp_path)
    real = VersionedFolder.current
    answers = [tmp_path / "v-gone"]
    monkeypatch.setattr(VersionedFolder, "current", lambda self: answers.pop() if answers else real(self))
    assert store.current().meta.edges == 2
    assert not answers


def test_a_graph_of_another_format_is_not_read(tmp_path):
    graph_of(Drawing("A---B").edges(), tmp_path)
    folder = VersionedFolder(tmp_path).current()
    assert folder is not None
    meta = folder / "meta.json"
    meta.write_text(meta.read_text().replace('"format": 1', '"format": 0'))
    with pytest.raises(NoGraph):
        GraphStore(tmp_path).current()


def test_a_traveller_the_graph_does_not_serve_is_refused(tmp_path):
    graph = Drawing("A---B").graph(tmp_path)
    camel = Traveller("camel", "骑骆驼", Network.FOOT, speed_mps=1.0, access_mps=1.0)
    with pytest.raises(UnknownTraveller):
        snap(graph, 0, 0, camel)


def test_the_arrays_are_mapped_and_cannot_be_written(tmp_path):
    graph = Drawing("A---B").graph(tmp_path)
    for array in (graph.pieces, graph.metres, graph.travel(WALK).arc, graph.travel(WALK).roads.table.cell):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[0]
    maps = Path("/proc/self/maps").read_text()
    assert graph.meta.version in maps


def test_every_traveller_prices_what_it_may_use(tmp_path):
    graph = Drawing("A--##--B..C~~D").graph(tmp_path)
    usable = {key: int((travel.cost["forward"] >= 0).sum()) for key, travel in graph.travels.items()}
    assert usable == {"walk": 2, "elder": 2, "pram": 1, "wheelchair": 1, "bicycle": 1, "car": 1}


def test_kerbs_and_bridges_slow_wheels_only(tmp_path):
    drawing = Drawing("A-==-B")
    plain, kerbed = drawing.graph(tmp_path / "a"), drawing.graph(tmp_path / "b", kerb=np.array([True]))
    walk, wheelchair = TRAVELLERS["walk"], TRAVELLERS["wheelchair"]
    cost = {
        name: graph.travels[key].cost["forward"][0] / 1000
        for name, graph, key in (
            ("walk", kerbed, "walk"),
            ("chair", plain, "wheelchair"),
            ("kerb", kerbed, "wheelchair"),
        )
    }
    assert cost["walk"] == pytest.approx(250 / walk.speed_mps, abs=0.01)
    assert cost["chair"] == pytest.approx(250 / wheelchair.speed_mps * wheelchair.bridge_factor, abs=0.01)
    assert cost["kerb"] == pytest.approx(cost["chair"] + wheelchair.kerb_s, abs=0.01)


def test_stale_pointers_are_noticed_at_the_cost_of_a_stat(tmp_path):
    store = VersionedFolder(tmp_path)
    publish(store, "one", "1")
    first = store.stamp()
    time.sleep(0.01)
    publish(store, "two", "2")
    assert store.stamp() != first
    assert (tmp_path / CURRENT).read_text() == "v-two\n"


def test_no_roads_make_no_graph(tmp_path):
    edges = Drawing("A---B").edges()
    with pytest.raises(Exception, match="没有任何道路") as refusal:
        build_graph(edges.take(np.zeros(0, dtype=np.int64)), PLANE, VersionedFolder(tmp_path), source="", as_of="")
    assert refusal.value.code == "roads.empty"  # type: ignore[attr-defined]
