"""The bench compares tools that answer the same question, and its table says what it found."""

import numpy as np
import pytest

from benchmarks.graphs import grid
from benchmarks.measure import Job, Section, at_least, interleaved
from benchmarks.peers import Scipy
from benchmarks.table import page, spell
from benchmarks.walking import AnswerError, Ours, nearest_section, searches


def test_every_search_is_timed_beside_peers_that_answer_the_same():
    sections = list(searches([grid(12)], ["T1", "T2", "T3"], ["scipy", "networkx"]))
    tools = [[timing.tool.split(" ")[0] for timing in section.timings] for section in sections[1:]]
    assert tools == [
        ["lifecircle", "scipy", "networkx"],
        ["lifecircle", "scipy", "networkx"],
        ["lifecircle", "lifecircle,", "scipy", "networkx"],
    ]
    text = page(sections)
    for section in sections:
        assert section.work in text


def test_a_peer_with_another_answer_is_not_timed():
    graph = grid(12)

    class Wrong(Scipy):
        def nearest_m(self, answer):
            return super().nearest_m(answer) + 0.001

    with pytest.raises(AnswerError, match="scipy"):
        nearest_section(Ours(graph), [Wrong(graph)])


def test_a_tool_measured_on_a_part_of_the_work_is_scaled_up_and_says_so():
    jobs = [
        Job("whole", lambda: np.sort(np.arange(200_000))),
        Job("part", lambda: np.sort(np.arange(200_000)), part=(1, 50)),
    ]
    whole, part = interleaved(jobs, rounds=2)
    assert part.cpu_s > 5 * whole.cpu_s
    assert part.note == "scaled up from 1 of 50"
    assert not whole.note


def test_a_mark_is_missed_when_the_peer_is_not_slow_enough():
    timings = interleaved(
        [Job("ours", lambda: sum(range(200_000))), Job("peer", lambda: sum(range(200_000)))], rounds=3
    )
    assert [mark.met for mark in at_least("sums", timings, "peer", 100)] == [False]
    assert at_least("sums", timings, "absent", 100) == []
    assert "**missed**" in page([Section("sums", timings, at_least("sums", timings, "peer", 100))])


@pytest.mark.parametrize(
    ("seconds", "text"), [(1234.5, "1,234 s"), (1.5, "1.5 s"), (0.0021, "2.1 ms"), (2.5e-6, "2.5 us")]
)
def test_times_are_spelt_in_the_unit_that_suits_them(seconds, text):
    assert spell(seconds) == text
