"""A page from a template in Markdown: figures filled in from results, then HTML with its pictures inside.

In the template, {{EXPRESSION}} or {{EXPRESSION|FORMAT}} is a figure, computed from the results; ![WORDS](FILE) is a
picture. A block (paragraph, table, picture) that needs a result which is not there is left out, and a line says so.
"""

import base64
import html
import pathlib
import re


class Missing(Exception):
    """A result that is not there."""


class Node:
    """A part of a summary.json: `node.test.loss`, `node["1"]`. What is not there, or null, raises Missing."""

    def __init__(self, name, value):
        self._name, self._value = name, value

    def __getattr__(self, key):
        return self[key]

    def __getitem__(self, key):
        try:
            value = self._value[key]
        except (KeyError, IndexError, TypeError):
            raise Missing(self._name) from None
        if value is None:  # a NaN, in JSON
            raise Missing(self._name)
        return Node(self._name, value) if isinstance(value, (dict, list)) else value

    def __contains__(self, key):
        return key in self._value

    def __iter__(self):
        return (self[i] for i in range(len(self._value)))


class Results(dict):
    """The runs by name. A run that is not there raises Missing."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.lacks = {}  # what is not there because a run is not, and that run

    def __missing__(self, name):
        raise Missing(self.lacks.get(name, name))


def fill(template, results):
    """The template's blocks with their figures; a line instead of those that lack a result."""
    blocks, missing = [], set()
    for block in re.split(r"\n{2,}", template.strip()):
        try:
            blocks.append(re.sub(r"\{\{(.+?)\}\}", lambda match: figure(match[1], results), block, flags=re.S))
        except Missing as lack:
            name = str(lack)
            if name not in missing:  # once for each
                blocks.append(f"> Not run: `{name}`. What it shows is missing here.")
            missing.add(name)
    return "\n\n".join(block for block in blocks if block.strip())


def figure(text, results):
    expression, _, style = text.partition("|")
    value = eval(expression.strip(), {"__builtins__": {"abs": abs, "round": round, "min": min, "max": max}}, results)
    return format(value, style.strip()) if style else str(value)


def to_html(markdown, title, style, folder):
    """A whole page; the pictures that the Markdown names are read from `folder` and put inside."""
    body = []
    for block in re.split(r"\n{2,}", markdown):
        lines = block.split("\n")
        if heading := re.match(r"(#+) (.*)", block):
            level = len(heading[1])
            anchor = re.sub(r"[^a-z0-9]+", "-", heading[2].lower()).strip("-")
            body.append(f'<h{level} id="{anchor}">{inline(heading[2], folder)}</h{level}>')
        elif block.startswith("```"):
            body.append(f"<pre>{html.escape(chr(10).join(lines[1:-1]))}</pre>")
        elif block.startswith("|"):
            body.append(table(lines, folder))
        elif block.startswith("> "):
            body.append(f'<blockquote>{inline(" ".join(line[2:] for line in lines), folder)}</blockquote>')
        elif re.match(r"(- |\d+\. )", block):
            items = re.split(r"\n(?:- |\d+\. )", "\n" + block)[1:]
            kind = "ul" if block.startswith("- ") else "ol"
            body.append(f"<{kind}>" + "".join(f"<li>{inline(item, folder)}</li>" for item in items) + f"</{kind}>")
        elif block.startswith("!["):
            body.append('<div class="figures">' + "".join(inline(line, folder) for line in lines) + "</div>")
        else:
            body.append(f"<p>{inline(block, folder)}</p>")
    return (f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{html.escape(title)}</title>\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>\n{style}</style>\n</head>\n'
            f"<body>\n<main>\n" + "\n".join(body) + "\n</main>\n</body>\n</html>\n")


def table(lines, folder):
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    tag = lambda kind, cells: "<tr>" + "".join(f"<{kind}>{inline(cell, folder)}</{kind}>" for cell in cells) + "</tr>"
    return ('<div class="table"><table><thead>' + tag("th", rows[0]) + "</thead><tbody>" +
            "".join(tag("td", row) for row in rows[2:]) + "</tbody></table></div>")


def inline(text, folder):
    text = html.escape(text, quote=False)
    text = re.sub(r"!\[(.*?)\]\((.*?)\)", lambda match: picture(match[1], match[2], folder), text)
    text = re.sub(r"\[(.*?)\]\((.*?)\)", r'<a href="\2">\1</a>', text)
    text = re.sub(r"`(.+?)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text, flags=re.S)
    return re.sub(r"(?<![\w*])\*(?!\s)(.+?)\*(?![\w*])", r"<em>\1</em>", text, flags=re.S)


def picture(words, name, folder):
    kind = {".png": "png", ".svg": "svg+xml"}[pathlib.Path(name).suffix]
    data = base64.b64encode((folder / name).read_bytes()).decode()
    plot = ' class="plot"' if kind == "svg+xml" else ""
    return (f'<figure{plot}><img alt="{html.escape(words)}" src="data:image/{kind};base64,{data}">'
            f"<figcaption>{words}</figcaption></figure>")
