#!/usr/bin/python3
"""exchange.py PROGRAM: do modules go to Python and back? Files are written and read, and the model is computed, with
numpy alone; and also by PyTorch, where that is installed. PROGRAM is exchange.cpp."""

import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    print("skipped: there is no numpy (Debian: python3-numpy)")
    sys.exit(77)
try:
    import torch
except ImportError:
    torch = None

import safetensors

SHAPES = {  # weights are (out, in)
    "encode.0.weight": (20, 12), "encode.0.bias": (20,), "encode.2.weight": (8, 20), "encode.2.bias": (8,),
    "norm.weight": (8,), "norm.bias": (8,), "head.weight": (5, 8),
}


def forward(weights, x):
    """In double, whatever the file holds."""
    w = {name: array.astype(float) for name, array in weights.items()}
    h = np.tanh(x @ w["encode.0.weight"].T + w["encode.0.bias"])
    h = h @ w["encode.2.weight"].T + w["encode.2.bias"]
    h /= 1 + np.exp(-h)
    h = (h - h.mean(-1, keepdims=True)) / np.sqrt(h.var(-1, keepdims=True) + 1e-5)
    return (h * w["norm.weight"] + w["norm.bias"]) @ w["head.weight"].T


def torch_forward(weights, x):
    """As a PyTorch user would have it."""
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            layers = [torch.nn.Linear(12, 20), torch.nn.Tanh(), torch.nn.Linear(20, 8), torch.nn.SiLU()]
            self.encode = torch.nn.Sequential(*layers)
            self.norm = torch.nn.LayerNorm(8)
            self.head = torch.nn.Linear(8, 5, bias=False)

        def forward(self, x):
            return self.head(self.norm(self.encode(x)))

    model = Model()
    model.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
    return model(torch.tensor(x)).detach().numpy()


def main(program):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(9, 12)).astype(np.float32)
    theirs = {name: rng.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}
    theirs["head.weight"] = theirs["head.weight"].astype(np.float64)  # is read too
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        safetensors.save(folder / "x.safetensors", {"x": x})
        safetensors.save(folder / "theirs.safetensors", theirs, {"format": "pt"})
        subprocess.run([program, folder], check=True)
        ours, metadata = safetensors.load(folder / "ours.safetensors")
        y, _ = safetensors.load(folder / "y.safetensors")

    assert metadata == {"format": "tapegrad", "format_version": "1"}, metadata
    assert {name: array.shape for name, array in ours.items()} == SHAPES
    assert all(array.dtype == np.float32 for array in ours.values())
    for whose, weights in {"ours": ours, "theirs": theirs}.items():
        for how, f in {"numpy": forward, "PyTorch": torch and torch_forward}.items():
            if f is None:
                print(f"not compared with {how}, which is not installed (Debian: python3-torch)")
                continue
            worst = np.max(np.abs(f(weights, x) - y[whose]))
            print(f"{whose}, by {how}: differs by {worst:.1e}")
            assert worst < 1e-5


if __name__ == "__main__":
    main(sys.argv[1])
