# SPDX-License-Identifier: BSD-3-Clause
"""Training speed of PyTorch on air94: forward, backward and a plain Nesterov SGD step on random pictures in memory.

Same work as `bench-step --network air94`: the whitening convolution's filters are frozen and its bias is trained, batch-norm has no
scale, the loss is the summed cross-entropy with label smoothing 0.2. Prints one JSON line with images/s.
"""
import argparse
import json
import statistics
import time

import torch
from torch import nn
import torch.nn.functional as F


def convolution(inputs, outputs, pool):
    layers = [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)]
    if pool:
        layers.append(nn.MaxPool2d(2))
    norm = nn.BatchNorm2d(outputs, eps=1e-12, momentum=0.4)
    norm.weight.requires_grad = False
    return layers + [norm, nn.GELU()]


class Air94(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        whitening = nn.Conv2d(3, 24, 2)
        whitening.weight.requires_grad = False
        layers = [whitening, nn.GELU()]
        for inputs, outputs, pool in [(24, 64, True), (64, 64, False), (64, 256, True), (256, 256, False),
                                      (256, 256, True), (256, 256, False)]:
            layers += convolution(inputs, outputs, pool)
        self.features = nn.Sequential(*layers, nn.MaxPool2d(3))
        self.head = nn.Linear(256, classes, bias=False)

    def forward(self, images):
        return self.head(self.features(images).flatten(1)) / 256


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=["eager", "channels_last", "compile"], default="eager")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5, help="per repetition")
    parser.add_argument("--repetitions", type=int, default=1)
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    network = Air94()
    images = torch.randn(arguments.batch, 3, 32, 32)
    labels = torch.randint(10, (arguments.batch,))
    if arguments.mode == "channels_last":
        network = network.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=1e-5, momentum=0.85,
                                nesterov=True)
    run = torch.compile(network) if arguments.mode == "compile" else network

    def step():
        loss = F.cross_entropy(run(images), labels, label_smoothing=0.2, reduction="sum")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    for _ in range(2):
        step()
    rates = []
    for _ in range(arguments.repetitions):
        start, steps = time.perf_counter(), 0
        while steps == 0 or time.perf_counter() - start < arguments.seconds:
            step()
            steps += 1
        rates.append(steps * arguments.batch / (time.perf_counter() - start))
    print(json.dumps({"program": f"PyTorch {torch.__version__}", "mode": arguments.mode, "batch": arguments.batch,
                      "threads": arguments.threads, "images_per_second": round(statistics.median(rates), 1)}))


if __name__ == "__main__":
    main()
