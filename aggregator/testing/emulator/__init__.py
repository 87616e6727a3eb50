"""Every provider on one loopback address, job by job, for tests of products: what it took and billed is in its book.

```python
with Emulator(seed=1) as emulator:
    async with emulator.aggregator(tmp_path, "runway") as agg:
        ...
    assert emulator.book.usd == Decimal("0.60")
```
"""

from aggregator.testing.emulator.answers import Answer
from aggregator.testing.emulator.clock import LeapingClock
from aggregator.testing.emulator.server import Emulator

__all__ = ["Answer", "Emulator", "LeapingClock"]
