"""The local steps of a workflow: pictures, clips and sounds cut, joined, mixed and drawn on, at no cost.

An edit is a frozen request like a task (`edits`); `run_edit` makes one file of its inputs' files. The same inputs give
the same bytes, and memory does not grow with length. It needs `pip install "aggregator[local]"`.
"""

from aggregator.editing.edits import EDITS, Edit, edit_from_json
from aggregator.editing.run import run_edit

__all__ = ["EDITS", "Edit", "edit_from_json", "run_edit"]
