"""The comparison: pinned peers, fair turns, a chart that any viewer draws."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

from bench.peers import install
from bench.peers.chart import svg
from bench.peers.rounds import KINDS, Standing, turns

PACKAGES = install.HERE / "node" / "package.json"


def standing(name: str, cpu: float, syncs: float) -> Standing:
    costs = dict.fromkeys(KINDS, cpu)
    return Standing(name, syncs, syncs, costs, dict.fromkeys(KINDS, 100.0))


def test_every_round_is_begun_by_another_and_nobody_is_left_out() -> None:
    order = list(turns(["a", "b", "c"], 3))
    assert [name for name, kind in order if kind == "login"] == list("abcbcacab")
    assert len(order) == len(set(order)) * 3


def test_the_chart_is_plain_and_names_everyone() -> None:
    drawn = svg([standing("ours", 1.5, 1.0), standing("<theirs> & co", 3.0, 0.0)])
    tree = ElementTree.fromstring(drawn)  # noqa: S314 (made above)
    words = [node.text for node in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert words.count("ours") == words.count("<theirs> & co *") == len(KINDS)
    assert not re.search(r"<script|<style|href|\son\w+=", drawn)


def test_durable_is_who_waits_for_the_disk() -> None:
    assert standing("ours", 1, 1.03).durable == "yes"
    assert standing("theirs", 1, 0.02).durable == "no"
    assert Standing("unknown").durable == "not traced"


def test_every_peer_is_pinned_exactly_and_no_file_says_where_it_comes_from() -> None:
    pins = json.loads(PACKAGES.read_text("utf-8"))["dependencies"].values()
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", pin) for pin in pins)
    wanted = (install.HERE / "flask_security" / "requirements.txt").read_text("utf-8")
    lines = [line for line in wanted.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w-]+==[\d.]+", line) for line in lines)
    lock = PACKAGES.with_name("package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock


def test_a_change_of_pins_installs_anew(tmp_path: Path) -> None:
    pins = tmp_path / "pins"
    pins.write_text("a==1", "utf-8")
    install._mark(tmp_path, [pins])
    assert install._is_fresh(tmp_path, [pins])
    pins.write_text("a==2", "utf-8")
    assert not install._is_fresh(tmp_path, [pins])
