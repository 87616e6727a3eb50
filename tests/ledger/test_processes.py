"""Several processes and one budget."""

import subprocess
import sys
from pathlib import Path

from tests.ledger.books import Books

PROCESSES, TIMES = 4, 200
PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from aggregator.errors import BudgetExceededError
from tests.ledger.books import Books

books = Books(Path(sys.argv[1]))
books._count = int(sys.argv[2]) * 1000
kept = 0
for turn in range({times}):
    of = books.attempt("film")
    try:
        books.reserve("film", 7, of)
    except BudgetExceededError:
        continue
    kept += 1
    if turn % 3 == 0:
        books.settle(of, 7)
print(kept)
books.store.close()
"""


def test_many_processes_never_pass_one_budget(quick: Path) -> None:
    file = quick / "store.sqlite"
    books = Books(file)
    books.open("org")
    books.open("film", 2000, "org")
    root = str(Path(__file__).parents[2])
    arguments = [sys.executable, "-c", PROGRAM.format(times=TIMES), str(file)]
    running = [
        subprocess.Popen([*arguments, str(n), root], stdout=subprocess.PIPE, text=True) for n in range(1, PROCESSES + 1)
    ]
    kept = [int(process.communicate(timeout=60)[0]) for process in running]
    held, settled, overrun = books.of("film")
    assert (held + settled, overrun) == (sum(kept) * 7, 0)
    assert sum(kept) == 2000 // 7  # demand was higher: the budget is used up, and not passed
    assert sum(count > 0 for count in kept) > 1
    books.verify()
    books.store.close()
