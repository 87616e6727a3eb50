"""Writes `older.json`: what is asked of a server without a jobs API, each task and each way it can go wrong.

`python -m tests.comfyui.record`. Newer servers are recorded with the other providers (`tests.providers.record`).
"""

from pathlib import Path

from aggregator.backends import provider_table
from aggregator.testing.driving import Frozen
from aggregator.testing.emulator import Emulator, LeapingClock
from aggregator.testing.record import Recorder
from tests.providers.own import own_offers
from tests.providers.record import one_per_task, richest

NAME = "comfyui"
OLDER = Path(__file__).with_name("older.json")


def main() -> None:
    table = provider_table(NAME)
    offers = one_per_task(table, own_offers(NAME))
    with Emulator(seed=1, only=(NAME,), latency_s=0.0, clock=LeapingClock(Frozen.now_s)) as emulator:
        emulator.desk(NAME).world["generation"] = "history"
        recorder = Recorder(table, emulator)
        for offer in offers:
            recorder.had(offer, richest(table, offer, recorder.account, {}))
        recorder.every_fate(offers[0], richest(table, offers[0], recorder.account, {}))
    recorder.recording().write(OLDER)


if __name__ == "__main__":
    main()
