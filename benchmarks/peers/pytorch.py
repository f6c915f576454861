"""PyTorch at its best, serving what serve.hpp describes: tasks "step MODEL" and "chain".

Its best was found by trial: a batch is gathered as bytes and then scaled; binary cross-entropy of logits by softplus;
Adam parameter by parameter, which is faster here than all at once (foreach); gradients set to None; subnormals flushed.
benchmarks/compare adds the BLAS and the instruction set.
"""

import os
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn.functional import relu, softplus


def walks(count):
    """Images as common/images.hpp describes them: the tracks of pens that walk at random."""
    images = torch.zeros(count, 28, 28, dtype=torch.uint8)
    pens = (14 + torch.randint(-1, 2, (count, 60, 2)).cumsum(1)).clamp(2, 25)
    ink = torch.randint(128, 256, (count, 60), dtype=torch.uint8)
    image = torch.arange(count).unsqueeze(1)
    for row in -1, 0, 1:
        for col in -1, 0, 1:
            images[image, pens[..., 0] + row, pens[..., 1] + col] = ink
    return images.view(count, 784)


class Vae(nn.Module):
    batch, binary = 128, False

    def __init__(self):
        super().__init__()
        self.encode, self.moments = nn.Linear(784, 512), nn.Linear(512, 64)
        self.expand, self.pixels = nn.Linear(32, 512), nn.Linear(512, 784)

    def loss(self, x):
        mu, log_var = self.moments(relu(self.encode(x))).chunk(2, -1)
        z = torch.addcmul(mu, torch.exp(0.5 * log_var), torch.randn_like(mu))
        logits = self.pixels(relu(self.expand(z)))
        kl = 0.5 * (mu.square() + torch.expm1(log_var) - log_var).sum()
        return (bce(logits, x) + kl) / len(x)


class Decoder(nn.Module):
    batch, binary = 128, False

    def __init__(self):
        super().__init__()
        self.expand, self.pixels = nn.Linear(32, 512), nn.Linear(512, 784)

    def loss(self, x):
        return bce(self.pixels(relu(self.expand(torch.randn(len(x), 32)))), x) / len(x)


class Iwae(nn.Module):
    batch, binary = 20, True

    def __init__(self, samples):
        super().__init__()
        self.samples = samples
        self.encode1, self.encode2, self.moments = nn.Linear(784, 200), nn.Linear(200, 200), nn.Linear(200, 100)
        self.decode1, self.decode2, self.pixels = nn.Linear(50, 200), nn.Linear(200, 200), nn.Linear(200, 784)

    def loss(self, x):
        mu, log_var = self.moments(torch.tanh(self.encode2(torch.tanh(self.encode1(x))))).chunk(2, -1)
        z = torch.addcmul(mu, torch.exp(0.5 * log_var), torch.randn(self.samples, len(x), 50))
        logits = self.pixels(torch.tanh(self.decode2(torch.tanh(self.decode1(z)))))
        log_likelihood = (x * logits - softplus(logits)).sum(-1)
        log_ratio = 0.5 * (log_var.sum(-1) - z.square().sum(-1))
        return -torch.logsumexp(log_likelihood + log_ratio, 0).sum() / len(x)


def bce(logits, targets):
    return softplus(logits).sum() - torch.dot(logits.view(-1), targets.view(-1))


def training(model):
    images = walks(60000)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, foreach=False)
    batches = iter(())

    def step():
        nonlocal batches
        rows = next(batches, None)
        if rows is None or len(rows) < model.batch:
            batches = iter(torch.randperm(len(images)).split(model.batch))
            rows = next(batches)
        x = images.index_select(0, rows).to(torch.float32).mul_(1 / 255)
        if model.binary:
            x = torch.rand_like(x).lt_(x)
        adam.zero_grad(set_to_none=True)
        loss = model.loss(x)
        loss.backward()
        adam.step()
        return loss.item()

    return step


def chain():
    """common/chain.hpp's: relu(x * w + b), 300 times."""
    x, w, b = (torch.full((4, 4), value, requires_grad=True) for value in (1.0, 0.9, 0.1))
    seed = torch.ones(4, 4)

    def run():
        y = x
        for _ in range(300):
            y = relu(y * w + b)
        x.grad = w.grad = b.grad = None
        y.backward(seed)

    return run


MAKE = {
    "step vae": lambda: training(Vae()),
    "step decoder": lambda: training(Decoder()),
    "step iwae1": lambda: training(Iwae(1)),
    "step iwae5": lambda: training(Iwae(5)),
    "chain": chain,
}


def median_ms(call, seconds):
    times = []
    start = time.perf_counter()
    while not times or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - before))
    return statistics.median(times)


def main():
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.set_flush_denormal(True)
    tasks = {}
    for line in sys.stdin:
        seconds, task = line.strip().split(" ", 1)
        if task in MAKE and task not in tasks:
            tasks[task] = MAKE[task]()
        if task in tasks:
            median_ms(tasks[task], float(seconds) / 4)
            print(median_ms(tasks[task], float(seconds)), flush=True)
        else:
            print("none", flush=True)


main()
