"""Contact sheets: a run with every take, as a page, as a picture, and served for picking."""
