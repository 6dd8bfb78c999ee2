"""The soak's checks can fail: each with figures that one defect would give."""

import copy
import sys

import pytest
from neaptest.processes import ROOT

sys.path.insert(0, str(ROOT / "Benchmarks/soak"))

from verdict import WORK_GAUGES, Observed, Plan, Reading, judge, page  # noqa: E402

PLAN = Plan(idle=100, streams=200, seconds=300, every=10)


def good() -> Observed:
    client = {
        "streams": 9000, "errors": 1400, "bad_order": 0, "chunks_per_s": 400, "delay_us": {"p50": 300, "p99": 2000},
    }
    left = {**dict.fromkeys(WORK_GAUGES, 0.0), "neap_client_connections": 1.0, "neap_scheduler_ignored_events_total": 0.0}
    return Observed(
        readings=[Reading(at, 80 + at % 3, 200, 300) for at in range(-10, 300)], deaths=29, client=client, idle_closed=300,
        descriptors_before=20, descriptors_after=21, left=left, missing=[], exit_code=0,
    )


def test_a_sound_gateway_passes():
    rows = judge(PLAN, good())
    assert all(row.good for row in rows), rows
    assert "**Passed**" in page(PLAN, good(), rows, "machine")


def readings(**changes):
    def change(seen):
        for one in seen.readings:
            for name, value in changes.items():
                setattr(one, name, value(one) if callable(value) else value)

    return change


DEFECTS = {
    "the load never came": (readings(in_flight=10), "open streams"),
    "idle connections were refused": (readings(connections=210), "idle connections"),
    "hardly an engine died": (lambda seen: (setattr(seen, "deaths", 20), seen.client.update(errors=900)), "deaths"),
    "no stream came to its end": (lambda seen: seen.client.update(streams=0), "streams finished"),
    "deaths break the streams of other engines": (lambda seen: seen.client.update(errors=6000), "streams broken"),
    "chunks overtake each other": (lambda seen: seen.client.update(bad_order=1), "out of order"),
    "memory grows": (readings(megabytes=lambda one: 80 + one.at / 10), "memory"),
    "memory was not read": (lambda seen: setattr(seen, "readings", seen.readings[:100]), "memory"),
    "connections stay": (lambda seen: seen.left.update(neap_client_connections=3.0), "client connections"),
    "events went astray": (lambda seen: seen.left.update(neap_scheduler_ignored_events_total=1.0), "could not place"),
    "descriptors leak": (lambda seen: setattr(seen, "descriptors_after", 60), "file descriptors"),
    "an engine stays out": (lambda seen: seen.missing.append("http://a (ejected)"), "rotation"),
    "the drain was cut": (lambda seen: setattr(seen, "exit_code", 1), "exit code"),
    **{f"{name} stays up": (lambda seen, name=name: seen.left.update({name: 1.0}), name) for name in WORK_GAUGES},
    **{f"{name} is not told": (lambda seen, name=name: seen.left.pop(name), name) for name in WORK_GAUGES},
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_fails_its_check_alone(defect):
    change, name = DEFECTS[defect]
    seen = copy.deepcopy(good())
    change(seen)
    rows = judge(PLAN, seen)
    assert [row.name for row in rows if not row.good and name in row.name], rows
    assert len([row for row in rows if not row.good]) == 1, rows
    assert "**Failed**" in page(PLAN, seen, rows, "machine")
