"""For check-gdb, inside gdb: shows values as Visual Studio Code would by debuggers/tapegrad.natvis, of which this knows
what is used there. A type is looked up by its whole name, and a name in an expression is a field of the value."""
import os
import re
import xml.etree.ElementTree as ElementTree

import gdb

SPACE = "{http://schemas.microsoft.com/vstudio/debugger/natvis/2010}"
SOURCE = os.path.join(os.path.dirname(__file__), "..", "..")


def entries():
    """From each name to its <Type>."""
    found = {}
    for entry in ElementTree.parse(os.path.join(SOURCE, "debuggers", "tapegrad.natvis")).getroot():
        for name in [entry.get("Name")] + [other.get("Name") for other in entry.iter(SPACE + "AlternativeType")]:
            assert name not in found, name + " is listed twice"
            found[name] = entry
    return found


def check_names(names):
    """All are of namespaces that core/config.hpp can make, the same for every class."""
    with open(os.path.join(SOURCE, "include", "tapegrad", "core", "config.hpp")) as file:
        config = file.read()
    parts = ["float|double"] + ["|".join(set(re.findall(r"define TAPEGRAD_ABI_%s (\w+)" % part, config)))
                                for part in ("THREADS", "ISA", "EIGEN")]
    form = re.compile("tapegrad::((?:%s)_(?:%s)_(?:%s)_(?:%s))::(\\w+)" % tuple(parts))
    namespaces = {}
    for name in names:
        match = form.fullmatch(name)
        assert match, name + " is no name of any build"
        namespaces.setdefault(match[2], set()).add(match[1])
    assert all(same == namespaces["Tensor"] for same in namespaces.values()), namespaces


def evaluate(expression, value):
    gdb.set_convenience_variable("natvis_value", value.address)
    fields = {field.name for field in value.type.strip_typedefs().fields()}
    return gdb.parse_and_eval(re.sub(
        r"(?<![\w.>])[A-Za-z_]\w*", lambda name: "$natvis_value->" * (name[0] in fields) + name[0], expression))


def holds(element, value):
    condition = element.get("Condition")
    return condition is None or bool(evaluate(condition, value))


def entry_of(value):
    return ENTRIES.get(value.type.strip_typedefs().unqualified().name)


def shown(value):
    entry = entry_of(value)
    if entry is None:
        return str(value)
    text = next(text.text for text in entry.iter(SPACE + "DisplayString") if holds(text, value))
    return re.sub(r"\{(.*?)\}", lambda part: shown(evaluate(part[1], value)), text)


def children(value):
    for item in entry_of(value).find(SPACE + "Expand"):
        if not holds(item, value):
            continue
        if item.tag == SPACE + "ExpandedItem":
            yield from children(evaluate(item.text, value))
        else:
            first = evaluate(item.find(SPACE + "ValuePointer").text, value)
            for i in range(int(evaluate(item.find(SPACE + "Size").text, value))):
                yield str(first[i])


ENTRIES = entries()
check_names(ENTRIES)
for variable in ["tensor", "view", "var", "stale", "none"]:
    value = gdb.parse_and_eval(variable)
    print("natvis: %s = %s {%s}" % (variable, shown(value), ", ".join(children(value))))
