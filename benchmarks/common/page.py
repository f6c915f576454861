"""Tables in the project's pages, each between markers with its name."""

import os
import sys


def table(head, rows):
    lines = ["| " + " | ".join(map(str, cells)) + " |" for cells in [head, *rows]]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def _markers(name):
    return f"<!-- begin: {name} -->\n", f"\n<!-- end: {name} -->"


def require_markers(page, names):
    """Ends the program, before it measures anything, if the page has no place for what it is to write."""
    text = page.read_text(encoding="utf-8")
    for name in names:
        if not all(marker in text for marker in _markers(name)):
            sys.exit(f"{page} has no markers for {name}")


def write(page, name, text):
    """Puts the text between the markers, in one step: whatever happens, the page is the old one or the new one."""
    old = page.read_text(encoding="utf-8")
    begin, end = _markers(name)
    new = page.with_suffix(".new")
    new.write_text(old[:old.index(begin) + len(begin)] + text + old[old.index(end):], encoding="utf-8")
    os.replace(new, page)
