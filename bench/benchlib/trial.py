"""One trial: one side under one load, in steady state."""
import dataclasses
import json
import statistics
import subprocess
import time

from . import media
from .publisher import Publisher
from .servers import INGEST, OURS, OURS_NO_SYNC, Server


@dataclasses.dataclass(frozen=True)
class Load:
    title: str
    clip: str
    connections: int


HIGH = Load("20 x 6 Mbit/s", "6M", 20)
LOW = Load("100 x 0.3 Mbit/s", "0.3M", 100)


@dataclasses.dataclass
class Trial:
    cpu_per_gb: float    # of all threads
    loop_per_gb: float   # of the event loop alone
    core: float          # share of one core
    idle: dict           # memory before anything was published
    active: dict         # memory in steady state
    lost: int            # samples sent and not recorded (0 for ingest)


class Machine:
    """What the rows share: settings, clips, the cost of a copy and a write."""

    def __init__(self, settings):
        self.settings = settings
        self._floors = {}

    def clip(self, name):
        return media.make(name, self.settings.media)

    def bytes_per_second(self, name):
        return media.messages(self.clip(name))[1] / media.SECONDS

    def measure_floor(self, load):
        """One copy and one gathered write of 1 s fragments, with the load's memory, in real time."""
        count, total = media.messages(self.clip(load.clip))
        out = subprocess.run(
            [self.settings.floor, self.settings.work, str(total // media.SECONDS),
             str(total // count), str(load.connections)],
            check=True, capture_output=True, text=True).stdout
        self._floors.setdefault(load, []).append(sum(json.loads(out).values()))

    def floor(self, load):
        """CPU s per GB; the median of what was measured beside the trials."""
        return statistics.median(self._floors[load])

    def trial(self, side, load, chunk):
        clip = self.clip(load.clip)
        with Server(side, self.settings) as server:
            idle = server.memory()
            with Publisher(self.settings, server.port, clip, load.connections, chunk) as publisher:
                publisher.wait_for("accepted")
                # The last one starts after one GOP; then every stream has closed one fragment.
                time.sleep(2 + 1.5)
                (loop, cpu), begin = server.cpu(), time.monotonic()
                samples = []
                for _ in range(5):
                    time.sleep(self.settings.seconds / 5)
                    samples.append(server.memory())
                (loop_end, cpu_end), wall = server.cpu(), time.monotonic() - begin
                sent = publisher.finish()[1]["messages"]
            lost = 0 if side == INGEST else sent - server.recorded_samples(load.connections)
        gigabytes = self.bytes_per_second(load.clip) * load.connections * wall / 1e9
        active = {key: statistics.median(sample[key] for sample in samples) for key in idle}
        cpu, loop = cpu_end - cpu, loop_end - loop
        return Trial(cpu / gigabytes, loop / gigabytes, cpu / wall, idle, active, lost)


def measure(machine, cells, rounds, say):
    """{cell: [Trial]} with all cells in turn in every round: A B C A B C …"""
    results = {cell: [] for cell in cells}
    failed = set()
    for number in range(rounds):
        for load in {load: None for _, load, _ in cells}:
            machine.measure_floor(load)
        for side, load, chunk in cells:
            if (side, load, chunk) in failed:
                continue
            try:
                trial = machine.trial(side, load, chunk)
            except RuntimeError as error:
                if side not in (OURS, OURS_NO_SYNC):
                    raise  # without the other sides there is nothing to compare with
                say(f"{side}, {load.title}, chunk {chunk} FAILED: {error}")
                failed.add((side, load, chunk))
                results[side, load, chunk].clear()
                continue
            results[side, load, chunk].append(trial)
            lost = f", LOST {trial.lost} samples" if trial.lost else ""
            say(f"round {number + 1}/{rounds}: {side:12} {load.title}, chunk {chunk:5}: "
                f"{trial.cpu_per_gb:6.2f} CPU s/GB = {100 * trial.core:.1f} % of a core{lost}")
    return results


def has_module(settings):
    return settings.module is not None


def sides(settings, *wanted):
    return [side for side in wanted
            if side not in (OURS, OURS_NO_SYNC) or has_module(settings)]
