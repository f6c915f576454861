"""Collects what the runs left, and writes the page from answer.md."""

import json
import pathlib
import re
import shlex
import shutil
import textwrap

import plots
from page import Node, Results, fill, to_html
from tables import add_tables

HERE = pathlib.Path(__file__).parent


def load(runs):
    """The summary.json of every run, by the run's name."""
    results = Results()
    for path in sorted(runs.glob("*/summary.json")):
        try:
            results[path.parent.name] = Node(path.parent.name, json.loads(path.read_bytes()))
        except ValueError as error:
            raise ValueError(f"{path} is no JSON: {error}") from None
    return results


def write(runs, page, quick=False, markdown=None, unrun=()):
    """Writes the page, and on request its Markdown with the pictures in a folder of its name. Returns its path."""
    results = load(runs)
    scope = Results(results)
    add_tables(results, scope)
    scope["unrun"] = f"Not run yet: {', '.join(unrun)}." if unrun else ""
    scope.update(quick=quick, command="./dev answer --quick" if quick else "./dev answer")
    if "posted" in results:
        scope["posted_losses"] = plots.posted_losses(runs)
    else:
        scope.lacks["posted_losses"] = "posted"
    undrawn = plots.draw_all(runs, results)
    template = (HERE / "answer.md").read_text(encoding="utf-8")
    text = keep_pictures(fill(template, scope), runs, undrawn)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(to_html(text, "Is the encoder needed?", (HERE / "style.css").read_text(), runs), encoding="utf-8")
    if markdown:
        write_markdown(text, runs, pathlib.Path(markdown))
    return page


def keep_pictures(text, runs, undrawn):
    """Without the pictures that are not there: a plot's place is taken by the line that draws it."""
    lines = []
    for line in text.split("\n"):
        if line.startswith("!["):
            name = pathlib.Path(line[line.index("](") + 2:-1])
            if name.stem in undrawn:
                line = f"\n> Not drawn here. To draw it: `cd {shlex.quote(str(runs))} && gnuplot {name.stem}.gp`\n"
            elif not (runs / name).exists():
                why = f"Not run: `{name.parent}`." if name.parent.name else "Its runs are not all there."
                line = f"\n> {why} A picture is missing here.\n"
        lines.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def write_markdown(text, runs, path):
    folder = path.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for line in text.split("\n"):
        if line.startswith("!["):
            name = line[line.index("](") + 2:-1]
            if name.endswith("reconstructions.png"):  # it shows images of the data set, which are not ours to keep
                continue
            short = name.replace("/", "-").replace("_", "-")
            shutil.copyfile(runs / name, folder / short)
            line = line.replace(f"]({name})", f"]({folder.name}/{short})")
        lines += [line] if line.startswith(("|", "!", "```", "    ")) else textwrap.wrap(
            line, 120, break_long_words=False, break_on_hyphens=False,
            subsequent_indent="> " if line.startswith("> ") else "  " if line.startswith("- ") else "") or [""]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
