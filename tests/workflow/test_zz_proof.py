import tempfile, pytest
from pathlib import Path
from tests.workflow.graphs import *
from tests.workflow.test_run import *
import sys
def test_x(one):
    run = ran(one, flow(picture("a", "a fox"), picture("b", "a fox", model="memory-cheap"), edit("c", "@b")))
    print(run.plan); print(run)
    assert len(one.transport.book) == 2
    assert one.money()["held"] == 0
def test_takes(one):
    refused(one, 2)
    w=flow(picture("board", takes=3))
    r = ran(one, w)
    print(r, one.money())
    async def life(p): return await p.run(w)
    r = one.run(life, budget_usd="0.16")
    print(r, one.money())
