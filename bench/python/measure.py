"""The same protocol as lib/measure.mjs: the first call apart, warm-up dropped, calls until the budget is spent; both clocks."""

import json
import os
import sys
import time


def send(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def busy_of_all():
    """Seconds of processor time of the machine, or None."""
    try:
        with open("/proc/stat") as stat:
            ticks = [int(word) for word in stat.readline().split()[1:9]]
        return (sum(ticks) - ticks[3] - ticks[4]) / 100
    except OSError:
        return None


def middle(values):
    return sorted(values)[len(values) // 2]


def measure(figure, budget):
    metric, step = figure["metric"], figure["step"]
    calls, warm = figure.get("calls", 1), figure.get("warm", 3)
    least, most = figure.get("least", 3), figure.get("most", 400)
    losses = []

    def once():
        start, busy = time.perf_counter(), time.process_time()
        loss = step()
        wall, processor = time.perf_counter() - start, time.process_time() - busy
        if isinstance(loss, float) and len(losses) < 4:
            losses.append(loss)
        return 1e3 * wall, 1e3 * processor

    first = once()
    begin = time.perf_counter()
    spent = lambda: 1e3 * (time.perf_counter() - begin)
    for _ in range(min(warm, 1) if first[0] > budget else warm):
        if spent() < budget:
            once()
    times = []
    others, own = busy_of_all(), time.process_time()
    begin = time.perf_counter()
    while not times or (len(times) < least and spent() < 3 * budget) or (spent() < budget and len(times) < most):
        times.append(once())
    elapsed = spent() / 1e3
    foreign = None if others is None else max(0, busy_of_all() - others - (time.process_time() - own)) / elapsed
    while losses and len(losses) < 4:
        once()

    def of(clock):
        values = [pair[clock] for pair in times]
        return {"ms": middle(values) / calls, "min": min(values) / calls, "first": first[clock] / calls}

    out = {"metric": metric, "wall": of(0), "processor": of(1), "iterations": len(times), "foreign": foreign}
    if "work" in figure:
        out.update(work=figure["work"], unit=figure["unit"])
    if losses:
        out["losses"] = [losses[0], losses[3]]
    if "check" in figure:
        out["check"] = float(figure["check"]())
    return out


def run(programs, versions):
    """child.py's main part: argv is workload, budget and, for a cold start, the time at which the process was started."""
    workload, budget = sys.argv[2], float(sys.argv[3])
    started = float(sys.argv[4]) if len(sys.argv) > 4 else None
    send({"versions": versions})
    for figure in programs[workload]():
        if started is not None:
            figure["step"]()
            wall = time.time() * 1e3 - started
            send({"metric": figure["metric"], "wall": {"ms": wall}, "processor": {"ms": 1e3 * time.process_time()}})
            return
        send({"starting": figure["metric"]})
        try:
            send(measure(figure, budget))
        except Exception as error:  # one figure may fail, the others go on
            send({"metric": figure["metric"], "error": str(error)[:300]})


def threads():
    return int(os.environ.get("BENCH_THREADS", "1"))
