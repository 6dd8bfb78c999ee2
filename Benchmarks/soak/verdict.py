"""What a soak must show, and the page that says whether it did. No process, no clock: tested with made-up figures."""

import dataclasses
import statistics

ENGINES = 4
MEMORY_GROWTH = 1.10  # the last fifth of the time against the second fifth
LOAD_SHARE = 0.9  # of the wanted load that must have been there most of the time
DESCRIPTOR_SLACK = 20
# Of the streams, how many one death may break: an even share is a quarter, and three engines carry it all meanwhile.
BROKEN_SHARE = 0.5
# Gauges that are zero when nothing is under way; their series are summed.
WORK_GAUGES = (
    "neap_in_flight_requests", "neap_endpoint_in_flight_requests", "neap_queue_depth", "neap_scheduler_works",
    "neap_buffered_body_bytes",
)


@dataclasses.dataclass
class Plan:
    """What was asked for. Times in seconds."""

    idle: int
    streams: int
    seconds: float
    every: float


@dataclasses.dataclass
class Reading:
    """The gateway at one moment; `at` in seconds since all streams were to be open."""

    at: float
    megabytes: float
    in_flight: float
    connections: float


@dataclasses.dataclass
class Observed:
    readings: list[Reading]
    deaths: int
    # What `sse_load` printed.
    client: dict
    idle_closed: int
    descriptors_before: int
    descriptors_after: int
    # The gateway's gauges and counters once the load had gone, series of one name summed.
    left: dict[str, float]
    # Engines that were not back in rotation.
    missing: list[str]
    exit_code: int


@dataclasses.dataclass
class Row:
    name: str
    value: str
    good: bool


def between(readings: list[Reading], plan: Plan, start: float, end: float) -> list[Reading]:
    """Those in a part of the planned time, given as shares of it."""
    return [one for one in readings if start * plan.seconds <= one.at < end * plan.seconds]


def load_rows(plan: Plan, seen: Observed) -> list[Row]:
    """That the load was there at all: without it nothing else means anything."""
    during = between(seen.readings, plan, 0, 1)
    if not during:
        return [Row("readings while the load lasted", "none", False)]
    streams = statistics.median(one.in_flight for one in during)
    idle = statistics.median(one.connections - one.in_flight for one in during)
    expected = max(1, int(plan.seconds / plan.every) - 1)
    broken = seen.client["errors"] / max(1, seen.deaths) / plan.streams
    return [
        Row("open streams, median", f"{streams:.0f} of {plan.streams}", streams >= LOAD_SHARE * plan.streams),
        Row("idle connections, median", f"{idle:.0f} of {plan.idle}", idle >= LOAD_SHARE * plan.idle),
        Row("deaths of an engine", str(seen.deaths), seen.deaths >= expected),
        Row("streams finished", f"{seen.client['streams']:,}", seen.client["streams"] > 0),
        Row(
            "streams broken, and per death", f"{seen.client['errors']:,}, {broken:.0%} of the open ones",
            broken <= BROKEN_SHARE,
        ),
        Row("chunks out of order", str(seen.client["bad_order"]), seen.client["bad_order"] == 0),
    ]


def memory_row(plan: Plan, seen: Observed) -> Row:
    name = "memory, second fifth / last fifth of the time"
    second = [one.megabytes for one in between(seen.readings, plan, 0.2, 0.4)]
    last = [one.megabytes for one in between(seen.readings, plan, 0.8, 1)]
    if not second or not last:
        return Row(name, "not read", False)
    before, after = statistics.mean(second), statistics.mean(last)
    return Row(name, f"{before:.1f} / {after:.1f} MB", after <= before * MEMORY_GROWTH)


def leak_rows(plan: Plan, seen: Observed) -> list[Row]:
    rows = [Row(f"`{name}` after the load", f"{seen.left.get(name, -1):.0f}", seen.left.get(name) == 0)
            for name in WORK_GAUGES]
    open_now = seen.left.get("neap_client_connections", -1)
    ignored = seen.left.get("neap_scheduler_ignored_events_total", -1)
    return [
        *rows,
        # The one that asks is open.
        Row("client connections after the load", f"{open_now:.0f}", 0 <= open_now <= 1),
        Row("events the scheduler could not place", f"{ignored:.0f}", ignored == 0),
        Row(
            "file descriptors before / after", f"{seen.descriptors_before} / {seen.descriptors_after}",
            seen.descriptors_after <= seen.descriptors_before + DESCRIPTOR_SLACK,
        ),
        memory_row(plan, seen),
        Row("engines not back in rotation", ", ".join(seen.missing) or "none", not seen.missing),
        Row("exit code after the drain", str(seen.exit_code), seen.exit_code == 0),
    ]


def judge(plan: Plan, seen: Observed) -> list[Row]:
    return load_rows(plan, seen) + leak_rows(plan, seen)


def page(plan: Plan, seen: Observed, rows: list[Row], machine: str) -> str:
    delay = seen.client["delay_us"]
    peak = max((one.megabytes for one in seen.readings), default=0)
    passed = all(row.good for row in rows)
    return "\n".join([
        "# Soak",
        "",
        machine,
        f"{plan.idle:,} idle connections and {plan.streams:,} open streams for {plan.seconds:.0f} s; one of {ENGINES} mock "
        f"engines dies every {plan.every:.0f} s and comes back after half of that.",
        "",
        f"**{'Passed' if passed else 'Failed'}**: {sum(row.good for row in rows)} of {len(rows)} checks.",
        "",
        "| check | value | |",
        "|---|---|---|",
        *(f"| {row.name} | {row.value} | {'ok' if row.good else '**no**'} |" for row in rows),
        "",
        f"Peak memory {peak:.1f} MB. Idle connections that the gateway closed and the load opened again: "
        f"{seen.idle_closed}. {seen.client['chunks_per_s']:,} chunks/s; from an engine's send to the client's receive "
        f"p50 {delay['p50'] / 1e3:.1f} ms, p99 {delay['p99'] / 1e3:.1f} ms.",
        "",
    ])
