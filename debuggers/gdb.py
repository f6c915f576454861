"""Shows tapegrad's tensors, shapes and Vars in gdb as a person would want to see them.

    (gdb) source .../share/tapegrad/gdb.py      or the same line, without "(gdb)", in ~/.gdbinit
    (gdb) print weight
    $1 = Tensor 2x3 float = {1, 2.5, -3, 4, 5, 6}
"""
import gdb
import gdb.printing


def first(value, code):
    """The first field of a kind of type, at any depth: the pointer in a std::unique_ptr, whatever library it is from."""
    kind = value.type.strip_typedefs()
    if kind.code == code:
        return value
    if kind.code == gdb.TYPE_CODE_STRUCT:
        for field in kind.fields():
            if hasattr(field, "bitpos"):  # static members have none
                found = first(value[field], code)
                if found is not None:
                    return found
    return None


class ShapePrinter:
    def __init__(self, value):
        self.rank = int(value["rank_"])
        self.valid = 0 <= self.rank <= 6  # else the object is not made yet
        lengths = first(value["lengths_"], gdb.TYPE_CODE_ARRAY)
        self.size = int(value["size_"]) if self.valid else 0
        self.lengths = [int(lengths[axis]) for axis in range(self.rank)] if self.valid else []

    def to_string(self):
        if not self.valid:
            return "uninitialized"
        return "x".join(map(str, self.lengths)) if self.lengths else "scalar"


class TensorPrinter:
    """Tensor, TensorView and ConstTensorView."""

    def __init__(self, value):
        self.name = value.type.strip_typedefs().name.split("::")[-1]
        self.shape = ShapePrinter(value["shape_"])
        self.data = first(value["data_"], gdb.TYPE_CODE_PTR)

    def title(self):
        scalar = self.data.type.target().unqualified().strip_typedefs()
        return "%s %s" % (self.shape.to_string(), scalar)

    def to_string(self):
        return "%s %s" % (self.name, self.title())

    def children(self):
        for i in range(self.shape.size):
            yield "[%d]" % i, self.data[i]

    def display_hint(self):
        return "array"


class VarPrinter:
    def __init__(self, value):
        self.node = None
        if not value["tape_"]:
            self.text = "Var of no tape"
            return
        tape = value["tape_"].dereference()
        if tape["pass_"] != value["pass_"]:
            before = tape["first_pass_"] - 1
            self.text = "Var of pass %d, but the tape is in pass %d" % (value["pass_"] - before, tape["pass_"] - before)
            return
        self.node = first(tape["nodes_"], gdb.TYPE_CODE_PTR)[int(value["index_"])]
        self.tensor = TensorPrinter(self.node["value"])
        self.text = "Var %s, %s" % (self.tensor.title(), self.made_by())

    def made_by(self):
        if self.node["type"]:
            return self.node["type"]["name"].string()
        if self.node["parameter"]:
            return "parameter"
        return "variable" if self.node["requires_grad"] else "constant"

    def to_string(self):
        return self.text

    def children(self):
        return self.tensor.children() if self.node else iter(())

    def display_hint(self):
        return "array" if self.node else None


def printers():
    collection = gdb.printing.RegexpCollectionPrettyPrinter("tapegrad")
    # Between the two names stands the inline namespace of the build's flags.
    for name, names, printer in [("Shape", "Shape", ShapePrinter),
                                 ("Tensor", "Tensor|TensorView|ConstTensorView", TensorPrinter),
                                 ("Var", "Var", VarPrinter)]:
        collection.add_printer(name, r"^tapegrad::(\w+::)?(%s)$" % names, printer)
    return collection


gdb.printing.register_pretty_printer(None, printers(), replace=True)
