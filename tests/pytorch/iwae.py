#!/usr/bin/python3
"""examples/iwae beside the same in PyTorch: not run by the tests, as it needs PyTorch (Debian: python3-torch).

    build/release/examples/iwae --k 5 --trace 200 --out out/trace
    tests/pytorch/iwae.py losses out/trace/trace.safetensors
    tests/pytorch/iwae.py train out/trace/trace.safetensors --stages 5 --out out/iwae-torch

`losses` takes the initial weights, the images and the noise of the trace, and compares the losses of all its steps.
`train` starts from the same weights, takes the images in the same order, and draws noise of its own; in the end it
evaluates its model on the same binarised test images. After each stage it writes model-STAGE.safetensors, which
iwae --weights evaluates too.
"""

import argparse
import gzip
import math
import pathlib
import time

import numpy as np
import torch
from torch import tanh
from torch.nn.functional import linear, softplus

import safetensors

TRAIN_IMAGES, BATCH, LATENT = 59600, 20, 50
LEARNING_RATES = [10e-4, 7.2e-4, 5.2e-4, 3.7e-4, 2.7e-4, 1.9e-4, 1.4e-4, 1e-4]
LAYERS = ["encode1", "encode2", "mu", "log_sigma", "decode1", "decode2", "pixels"]


def read_trace(path):
    tensors = {name: torch.from_numpy(array.copy()) for name, array in safetensors.load(path)[0].items()}
    tensors["losses"] = tensors["losses"].view(-1)
    tensors["images"] = tensors["images"].view(-1, BATCH, 784)
    tensors["noise"] = tensors["noise"].view(len(tensors["images"]), -1, BATCH, LATENT)
    return tensors


def write_model(path, parameters):
    safetensors.save(path, {name: tensor.detach().numpy() for name, tensor in sorted(parameters.items())})


def read_images(folder, name):
    path = pathlib.Path(folder) / name
    data = path.read_bytes() if path.exists() else gzip.open(f"{path}.gz").read()
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=16).reshape(-1, 784).copy())


class Model:
    def __init__(self, tensors):
        self.parameters = {name: tensors["initial." + name].clone().requires_grad_() for name in names()}

    def layer(self, name, x):
        return linear(x, self.parameters[name + ".weight"], self.parameters[name + ".bias"])

    def posterior(self, x):
        h = tanh(self.layer("encode2", tanh(self.layer("encode1", x))))
        return self.layer("mu", h), self.layer("log_sigma", h)

    def log_weights(self, x, posterior, noise):
        mu, log_sigma = posterior
        z = mu + torch.exp(log_sigma) * noise
        logits = self.layer("pixels", tanh(self.layer("decode2", tanh(self.layer("decode1", z)))))
        log_likelihood = (x * logits - softplus(logits)).sum(-1)
        return log_likelihood + (log_sigma + 0.5 * (noise.square() - z.square())).sum(-1)


def names():
    return [f"{layer}.{part}" for layer in LAYERS for part in ("weight", "bias")]


def objective(name, log_weights):
    if name == "vae":
        return -log_weights.mean(0).sum()
    return -(torch.logsumexp(log_weights, 0) - math.log(len(log_weights))).sum()


class Adam:
    """Burda's: eps is added to sqrt(v), not to its corrected value, and v starts at one."""

    def __init__(self, parameters, beta1, initial_v):
        self.parameters = list(parameters)
        self.betas, self.steps = (beta1, 0.999), 0
        self.m = [torch.zeros_like(p) for p in self.parameters]
        self.v = [torch.full_like(p, initial_v) for p in self.parameters]

    @torch.no_grad()
    def step(self, lr):
        self.steps += 1
        beta1, beta2 = self.betas
        size = lr * math.sqrt(1 - beta2**self.steps) / (1 - beta1**self.steps)
        for p, m, v in zip(self.parameters, self.m, self.v):
            m.mul_(beta1).add_(p.grad, alpha=1 - beta1)
            v.mul_(beta2).addcmul_(p.grad, p.grad, value=1 - beta2)
            p.addcdiv_(m, v.sqrt().add_(1e-4), value=-size)
            p.grad = None


def compare_losses(arguments):
    trace = read_trace(arguments.trace)
    model = Model(trace)
    adam = Adam(model.parameters.values(), arguments.beta1, arguments.initial_v)
    largest = 0
    for images, noise, expected in zip(trace["images"], trace["noise"], trace["losses"]):
        loss = objective(arguments.objective, model.log_weights(images, model.posterior(images), noise))
        loss.backward()
        adam.step(LEARNING_RATES[0])
        largest = max(largest, abs(loss.item() - expected.item()) / abs(expected.item()))
    count = len(trace["losses"])
    print(f"{count} losses, from {trace['losses'][0] / BATCH:.3f} to {trace['losses'][-1] / BATCH:.3f} nats an image: "
          f"the largest relative difference is {largest:.1e}")
    return 0 if largest < 1e-4 else 1


def train(arguments):
    trace = read_trace(arguments.trace)
    samples = trace["noise"].shape[1]
    out = pathlib.Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    images = read_images(arguments.data, "train-images-idx3-ubyte")[:TRAIN_IMAGES]
    torch.manual_seed(arguments.seed)
    model = Model(trace)
    adam = Adam(model.parameters.values(), arguments.beta1, arguments.initial_v)
    epoch, start = 0, time.perf_counter()
    for stage in range(arguments.stages):
        for _ in range(3**stage):
            total = 0.0
            for batch in images.split(BATCH):
                grey = batch.to(torch.float32).mul_(1 / 255)
                x = torch.rand_like(grey).lt(grey).to(torch.float32)
                noise = torch.randn(samples, len(x), LATENT)
                loss = objective(arguments.objective, model.log_weights(x, model.posterior(x), noise))
                loss.backward()
                adam.step(LEARNING_RATES[stage])
                total += loss.item()
            epoch += 1
            print(f"epoch {epoch}   stage {stage + 1}   train {total / len(images):.3f}   "
                  f"{(time.perf_counter() - start) / 60:.1f} min", flush=True)
        write_model(out / f"model-{stage + 1}.safetensors", model.parameters)
    print(f"k = {samples}, {arguments.objective}: test {evaluate(model, trace['test'], arguments.eval_samples):.3f} nats "
          f"by {arguments.eval_samples} samples", flush=True)
    return 0


@torch.no_grad()
def evaluate(model, test, samples):
    total = 0.0
    for x in test.split(10):
        posterior = model.posterior(x)
        parts = [model.log_weights(x, posterior, torch.randn(50, len(x), LATENT)) for _ in range(samples // 50)]
        bound = torch.logsumexp(torch.cat(parts).to(torch.float64), 0) - math.log(50 * len(parts))
        total -= bound.sum().item()
    return total / len(test)


def multiple_of_50(text):
    if not text.isdecimal() or int(text) == 0 or int(text) % 50:
        raise argparse.ArgumentTypeError(f"{text} is not a multiple of 50 above 0")
    return int(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["losses", "train"])
    parser.add_argument("trace", help="trace.safetensors of iwae --trace")
    parser.add_argument("--objective", choices=["iwae", "vae"], default="iwae")
    parser.add_argument("--beta1", type=float, default=0.99)
    parser.add_argument("--initial-v", type=float, default=1)
    parser.add_argument("--stages", type=int, default=5)
    parser.add_argument("--data", default="data/mnist")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--eval-samples", type=multiple_of_50, default=5000, help="a multiple of 50")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", default="out/iwae-torch")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    return compare_losses(arguments) if arguments.what == "losses" else train(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
