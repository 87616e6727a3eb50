"""HTML put together as a tree, so that whatever anybody wrote is escaped: there is no other way in."""

from collections.abc import Iterable
from xml.etree import ElementTree as ET

__all__ = ["Child", "Tag", "document", "tag"]

Tag = ET.Element
Child = ET.Element | str | None | Iterable["Child"]
Attribute = str | int | float | bool | None


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Tag:
    """An element. `class_` is class and `aria_label` aria-label; what is `None` or `False` is left out."""
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    kept = {key: _text(value) for key, value in given.items() if value is not None and value is not False}
    found = ET.Element(name, kept)
    _add(found, children)
    return found


def _text(value: Attribute) -> str:
    return "" if value is True else f"{value:g}" if isinstance(value, float) else _clean(str(value))


def _add(to: Tag, children: Iterable[Child]) -> None:
    for child in children:
        if isinstance(child, str):
            last = to[-1] if len(to) else None
            if last is None:
                to.text = (to.text or "") + _clean(child)
            else:
                last.tail = (last.tail or "") + _clean(child)
        elif isinstance(child, ET.Element):
            to.append(child)
        elif child is not None:
            _add(to, child)


def _clean(text: str) -> str:
    """Without what no file in UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def document(root: Tag) -> str:
    """The text of a page."""
    return f"<!doctype html>\n{ET.tostring(root, encoding='unicode', method='html')}\n"
