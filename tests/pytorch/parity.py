#!/usr/bin/python3
"""tapegrad beside PyTorch: `./dev parity`. Not among the tests, as it needs PyTorch (Debian: python3-torch).

    build/release/tests/parity FILE      writes what tapegrad computes, in double (parity.cpp says how)
    tests/pytorch/parity.py FILE         computes it again with PyTorch, prints a table, and fails on any difference

Values and gradients may differ by 1e-10, relative to the element itself, or, where an op adds elements up, to the sum of
their magnitudes. NaN must meet NaN, an infinity the same infinity. Left out are gradients where an input is NaN, and
what PyTorch makes NaN at an infinite input (tapegrad has limits there, which the registry's tests know). An op
of the registry without a counterpart here is a failure; layers and optimizers are those that parity.cpp names.
"""

import collections
import math
import sys
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, Normal, kl_divergence

import safetensors

TOLERANCE, SMALLEST = 1e-10, 1e-290  # below the smallest, numbers become subnormal, which tapegrad may flush to 0

AXES = {
    "": {},
    "axis -1": {"dim": -1},
    "axis -1, keepdim": {"dim": -1, "keepdim": True},
    "axis 1": {"dim": 1},
    "axis -2, keepdim": {"dim": -2, "keepdim": True},
}


class Formula(torch.autograd.Function):
    """A value, and its derivatives by the inputs."""

    @staticmethod
    def forward(ctx, value, slopes, *inputs):
        ctx.slopes = slopes
        return value.clone()

    @staticmethod
    def backward(ctx, dy):
        return None, None, *(dy * slope for slope in ctx.slopes)


def formula(f):
    """The op whose value and derivatives f(inputs...) returns."""

    def op(*inputs):
        with torch.no_grad():
            value, *slopes = f(*inputs)
        return Formula.apply(value, slopes, *inputs)

    return op


def elu(alpha):
    return formula(lambda x: (torch.where(x > 0, x, alpha * torch.expm1(x)), torch.where(x > 0, 1, alpha * x.exp())))


def logsumexp(x, dim=None, keepdim=False):
    if dim is None:
        x, dim = x.flatten(), 0
    shift = x.detach().amax(dim, True)
    shift = torch.where(shift.isinf(), 0.0, shift)
    y = shift + (x - shift).exp().sum(dim, True).log()
    return y if keepdim else y.squeeze(dim)


@formula
def bce(x, t):
    log_x, log_rest = (torch.clamp_min(log, -100) for log in (torch.log(x), torch.log1p(-x)))
    slope = (x - t) / torch.clamp_min(x * (1 - x), 1e-12)
    return -(t * log_x + (1 - t) * log_rest), slope, log_rest - log_x


@formula
def kl_standard_normal(mu, lv):
    return (mu**2 + (torch.expm1(lv) - lv)) / 2, mu, torch.expm1(lv) / 2


def inverse_sigma(lv):
    return torch.exp((lv / -2).clamp(max=709.78))  # finite, as a distance of 0 times infinity would be NaN


@formula
def kl_normal(mu1, lv1, mu2, lv2):
    inverse, r = inverse_sigma(lv2), lv1 - lv2
    z, growth = (mu1 - mu2) * inverse, torch.expm1(r)
    return (z**2 + (growth - r)) / 2, z * inverse, growth / 2, -z * inverse, (z**2 + growth) / -2


@formula
def normal_log_density(x, mu, lv):
    inverse = inverse_sigma(lv)
    z = (x - mu) * inverse
    return (z**2 + lv + math.log(2 * math.pi)) / -2, -z * inverse, z * inverse, (z**2 - 1) / 2


def halves(x, axis):
    left, right = x.tensor_split(2, axis)
    return torch.cat([right, left, right], axis)


def normal(mu, log_var):
    return Normal(mu, torch.exp(log_var / 2), validate_args=False)


def first_max(x, dim=None, keepdim=False):
    """The gradient goes to one of equals, as along an axis; torch.max(x) shares it out."""
    return x.flatten().max(0)[0] if dim is None else x.max(dim, keepdim)[0]


def whole(f):
    """f(x, axis) over all elements at once where there is no axis."""
    return lambda x, dim=None, **options: f(x, dim, **options) if dim is not None else f(x.flatten(), 0).view(x.shape)


# What makes one term of a loss; those of PyTorch take the reduction too.
TORCH_LOSSES = {
    "bce": F.binary_cross_entropy,
    "bce_with_logits": F.binary_cross_entropy_with_logits,
    "mse": F.mse_loss,
    "l1": F.l1_loss,
    "huber": lambda x, t, reduction: F.huber_loss(x, t, reduction, 1.5),
    "cross_entropy": lambda x, labels, reduction: F.cross_entropy(x, labels.long(), reduction=reduction),
    "nll": lambda x, labels, reduction: F.nll_loss(x, labels.long(), reduction=reduction),
}
TERMS = {
    "kl_standard_normal": lambda mu, lv: kl_divergence(normal(mu, lv), Normal(torch.zeros(()), torch.ones(()))),
    "kl_normal": lambda mu1, lv1, mu2, lv2: kl_divergence(normal(mu1, lv1), normal(mu2, lv2)),
    "normal_log_density": lambda x, mu, lv: normal(mu, lv).log_prob(x),
    "standard_normal_log_density": lambda x: Normal(torch.zeros(()), torch.ones(()), validate_args=False).log_prob(x),
    "bernoulli_log_density": lambda x, logits: Bernoulli(logits=logits, validate_args=False).log_prob(x),
}

OPS = {
    "add": torch.add,
    "add, a scalar on the right": lambda x: x + 2,
    "add, a scalar on the left": lambda x: 0.25 + x,
    "sub": torch.sub,
    "sub, a scalar on the right": lambda x: x - 2,
    "sub, a scalar on the left": lambda x: 2 - x,
    "mul": torch.mul,
    "mul, a scalar on the right": lambda x: x * 3,
    "mul, a scalar on the left": lambda x: 0.1 * x,
    "div": torch.div,
    "div, a scalar on the right": lambda x: x / 7,
    "div, a scalar on the left": lambda x: 1 / x,
    "minimum": torch.minimum,
    "maximum": torch.maximum,
    "neg": torch.neg,
    "abs": torch.abs,
    "square": torch.square,
    "sqrt": torch.sqrt,
    "pow, a fraction": lambda x: torch.pow(x, 1.7),
    "pow, 2": lambda x: torch.pow(x, 2),
    "pow, 3": lambda x: torch.pow(x, 3),
    "pow, -0.5": lambda x: torch.pow(x, torch.tensor(-0.5)),  # by a plain -0.5 it is rsqrt, which differs at -0
    "pow, 0": lambda x: torch.pow(x, 0),
    "exp": torch.exp,
    "log": torch.log,
    "log1p": torch.log1p,
    "tanh": torch.tanh,
    "clamp": lambda x: torch.clamp(x, -1, 2),
    "clamp_min": lambda x: torch.clamp_min(x, 0.5),
    "clamp_max": lambda x: torch.clamp_max(x, 0.5),
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "leaky_relu": F.leaky_relu,
    "leaky_relu, slope 0.2": lambda x: F.leaky_relu(x, 0.2),
    "leaky_relu, slope 0": F.relu,  # PyTorch's leaky_relu makes NaN of 0 times -infinity
    "elu": F.elu,
    "elu, alpha 0.5": lambda x: F.elu(x, 0.5),
    "softplus": F.softplus,
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu, by tanh": lambda x: F.gelu(x, approximate="tanh"),
    "matmul": torch.matmul,
    "matmul, a transposed": lambda a, b: a.T @ b,
    "matmul, b transposed": lambda a, b: a @ b.T,
    "matmul, both transposed": lambda a, b: a.T @ b.T,
    "linear": F.linear,
    "linear, no bias": F.linear,
    "layer_norm": lambda x: F.layer_norm(x, x.shape[-1:], eps=0.1),
    "softmax": whole(torch.softmax),
    "softmax, axis -1": lambda x: torch.softmax(x, -1),
    "softmax, axis 1": lambda x: torch.softmax(x, 1),
    "log_softmax": whole(torch.log_softmax),
    "log_softmax, axis -1": lambda x: torch.log_softmax(x, -1),
    "log_softmax, axis 1": lambda x: torch.log_softmax(x, 1),
    "reshape": lambda x: x.reshape(3, x.numel() // 6, 2),
    "transpose": lambda x: x.T,
    "transpose, axes 0 and -1": lambda x: x.transpose(0, -1),
    "transpose, axes 2 and 1": lambda x: x.transpose(2, 1),
    "broadcast_to": lambda x: x.broadcast_to(4, 3, 5),
    "slice": lambda x: x[..., 1:4],
    "slice, axis 0, nothing and the rest": lambda x: torch.cat([x[2:2], x[2:]]),
    "split": lambda x: halves(x, -1),
    "split, axis 0": lambda x: halves(x, 0),
    "concat": lambda *x: torch.cat(x, -1),
    "concat, axis 0": lambda *x: torch.cat(x, 0),
    "gather_rows": lambda x, rows: x[rows.long()],
    "dropout": None,  # check_op makes it
}

# Where PyTorch's own function loses digits, or overflows too early, extreme inputs are computed by the formula.
EXACT = {
    "elu": elu(1),  # PyTorch: exp(x) - 1, not expm1
    "elu, alpha 0.5": elu(0.5),
    "gelu": lambda x: x * torch.erfc(-x / math.sqrt(2)) / 2,  # 1 + erf(x), which cancels
    "gelu, by tanh": lambda x: x * torch.sigmoid(math.sqrt(8 / math.pi) * (x + 0.044715 * x**3)),  # 1 + tanh
    "softplus": formula(lambda x: (x.clamp_min(0) + torch.log1p(torch.exp(-x.abs())), torch.sigmoid(x))),  # x beyond 20
    "layer_norm": lambda x: (x - x.mean(-1, True)) / torch.sqrt(x.var(-1, False, True) + 0.1),  # x / std - mean / std
}
EXACT_TERMS = {
    "bce": bce,  # log(1 - x), not log1p; 1e-12 as a float; logs for targets are not held above -100
    "kl_standard_normal": kl_standard_normal,  # the logarithm of exp(log_var)
    "kl_normal": kl_normal,
    "normal_log_density": normal_log_density,
}

# Ops that add elements up, in their value or in a gradient.
ADDS_UP = {"sum", "mean", "matmul", "linear"}
# Ops that end in the logarithm of a sum, which may be about 1.
LOGARITHMS = {"log_softmax", "logsumexp", "cross_entropy"}
# Ops whose gradient is dy, or a share of it, less what was shared out: both may cancel.
SHARES = {"softmax", "log_softmax", "logsumexp", "cross_entropy", "layer_norm"}


def title(name, variant):
    return f"{name}, {variant}" if variant else name


def reduced(terms, reduction):
    return terms if reduction == "none" else getattr(terms, reduction)()


for variant, options in AXES.items():
    for name, f in {"sum": torch.sum, "mean": torch.mean, "max": first_max}.items():
        OPS[title(name, variant)] = lambda x, f=f, o=options: f(x, **o)
    OPS[title("logsumexp", variant)] = lambda x, o=options: torch.logsumexp(x, **o) if o else x.flatten().logsumexp(0)
    EXACT[title("logsumexp", variant)] = lambda x, o=options: logsumexp(x, **o)  # the gradient exp(x - y)
for variant, reduction in {"terms": "none", "sum": "sum", "mean": "mean"}.items():
    for name, loss in TORCH_LOSSES.items():
        OPS[title(name, variant)] = lambda *x, loss=loss, r=reduction: loss(*x, reduction=r)
    for name, terms in TERMS.items():
        OPS[title(name, variant)] = lambda *x, terms=terms, r=reduction: reduced(terms(*x), r)
    for name, terms in EXACT_TERMS.items():
        EXACT[title(name, variant)] = lambda *x, terms=terms, r=reduction: reduced(terms(*x), r)


def grouped(tensors, kind):
    """{title: {case: {part: array}}} of what stands under KIND/TITLE/CASE/PART."""
    groups = collections.defaultdict(lambda: collections.defaultdict(dict))
    for name, array in tensors.items():
        if name.startswith(kind + "/"):
            _, group, *case, part = name.split("/")
            groups[group]["".join(case)][part] = array
    return groups


def run(op, inputs, wanting, dy):
    """The value of op(*inputs) and the gradients of those inputs that want one."""
    leaves = [torch.tensor(x).requires_grad_(i in wanting) for i, x in enumerate(inputs)]
    y = op(*leaves)
    result = {"y": y.detach().numpy()}
    if y.requires_grad:
        found = torch.autograd.grad(y, [leaves[i] for i in wanting], torch.tensor(dy), allow_unused=True)
        result |= {f"d{i}": np.zeros_like(inputs[i]) if d is None else d.numpy() for i, d in zip(wanting, found)}
    return result


def difference(got, wanted, size):
    """The largest difference relative to `size`: infinite if only one is NaN, or infinite with that sign."""
    if got.shape != wanted.shape:
        return math.inf
    same = (got == wanted) | (np.isnan(got) & np.isnan(wanted))
    if not np.all(same | (np.isfinite(got) & np.isfinite(wanted))):
        return math.inf
    return np.max(np.where(same, 0, np.abs(got - wanted) / np.maximum(size, SMALLEST / TOLERANCE)), initial=0)


def check_op(name, case, usual):
    """The largest relative difference of a case's value and gradients."""
    family = name.split(",")[0]
    inputs = [case[f"in{i}"] for i in range(len(case)) if f"in{i}" in case]
    wanting = [i for i in range(len(inputs)) if f"d{i}" in case]
    op = OPS[name] if usual or name not in EXACT else EXACT[name]
    if name == "dropout":  # both draw their masks at random: tapegrad's own is seen in its gradient
        op = lambda x: x * torch.tensor(case["d0"] != 0) / 0.75
    wanted = run(op, inputs, wanting, case["dy"])
    sizes = {part: np.abs(x) for part, x in wanted.items()}
    if family in ADDS_UP or len({x.shape for x in inputs}) > 1:
        with np.errstate(all="ignore"):
            whole = run(op, [np.abs(x) for x in inputs], wanting, np.abs(case["dy"]))
            sizes = {part: np.fmax(size, np.abs(whole[part])) for part, size in sizes.items()}
    if family in LOGARITHMS:
        sizes["y"] = np.fmax(sizes["y"], 1)
    slope = 1
    if family == "layer_norm":
        slope = 1 / np.sqrt(inputs[0].var(-1, keepdims=True) + 0.1)
        sizes["y"] = np.fmax(sizes["y"], slope * np.max(np.abs(inputs[0]), -1, keepdims=True))
    if family in SHARES:
        sizes["d0"] = np.fmax(sizes["d0"], slope * np.max(np.abs(case["dy"]), initial=0))

    worst = 0
    for part, x in wanted.items():
        got = case[part]
        known = np.ones(x.shape, bool)
        for i in inputs:
            if i.shape == x.shape:
                known &= ~(np.isinf(i) & np.isnan(x)) & ~(np.isnan(i) & (part != "y"))
        worst = max(worst, difference(got[known], x[known], sizes[part][known]) if got.shape == x.shape else math.inf)
    return worst


def check_ops(cases):
    """One row for each op, whatever its variants."""
    rows = collections.defaultdict(lambda: [0, 0.0, 0.0, []])
    for name in sorted(set(OPS) | set(cases)):
        row = rows[name.split(",")[0]]
        if name not in cases or name not in OPS:
            row[3].append(f"{name}: it is not in {'parity.py' if name in cases else 'the registry'}")
            continue
        for title, case in cases[name].items():
            usual = title.startswith("usual")
            worst = check_op(name, case, usual)
            row[0] += 1
            row[1 if usual else 2] = max(row[1 if usual else 2], worst)
            if not worst <= TOLERANCE:
                row[3].append(f"{name} of {title}: {worst:.1e}")
    return rows


def check_initial(expression, parameters):
    """The difference in how far a layer's initial values reach, or for normal ones how they are spread."""
    torch.manual_seed(1)
    if expression.endswith("_"):
        wanted = {"weight": getattr(torch.nn.init, expression)(torch.empty(300, 200)).numpy()}
    else:
        layer = eval("torch.nn." + expression)
        wanted = {name: parameter.detach().numpy() for name, parameter in layer.named_parameters()}
    if wanted.keys() != parameters.keys():
        return math.inf
    measure = np.std if "normal_" in expression else lambda x: np.max(np.abs(x))
    return max(difference(measure(parameters[name]), measure(x), measure(x) + (measure(x) == 0))
               if parameters[name].shape == x.shape else math.inf for name, x in wanted.items())


def check_trace(expression, trace):
    """The largest difference of a parameter on its way, relative to where it was and how far it had gone."""
    parameter = torch.nn.Parameter(torch.tensor(trace["p0"]))
    kind, options = expression.split("(", 1)
    optimizer = eval(f"torch.optim.{kind}([parameter], {options}")
    worst = 0
    for gradient, got in zip(trace["g"], trace["p"]):
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        worst = max(worst, difference(got, parameter.detach().numpy(), np.abs(got)))
    return worst


def main(path):
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    tensors, _ = safetensors.load(path)
    failures = []

    print("| op | cases | usual inputs | extreme inputs | |\n|---|---|---|---|---|")
    for name, (cases, usual, extreme, wrong) in check_ops(grouped(tensors, "op")).items():
        print(f"| `{name}` | {cases} | {usual:.0e} | {extreme:.0e} | {'differs' if wrong else 'same'} |")
        failures += wrong
    print("\n| initial values | reach, or spread | |\n|---|---|---|")
    for expression, cases in grouped(tensors, "init").items():
        worst = check_initial(expression, cases[""])
        failures += [f"{expression}: {worst:.1e}"] if worst > 0.01 else []
        print(f"| `{expression}` | {worst:.0e} | {'differs' if worst > 0.01 else 'same'} |")
    print("\n| optimizer, 50 steps | difference | |\n|---|---|---|")
    for expression, cases in grouped(tensors, "trace").items():
        worst = check_trace(expression, cases[""])
        failures += [f"{expression}: {worst:.1e}"] if not worst <= TOLERANCE else []
        print(f"| `{expression}` | {worst:.0e} | {'same' if worst <= TOLERANCE else 'differs'} |")

    print(f"\n{len(failures)} differences" if failures else f"\nno difference beyond {TOLERANCE:.0e}")
    for failure in failures:
        print("  " + failure)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main(sys.argv[1])
