# SPDX-License-Identifier: BSD-3-Clause
"""Training speed of PyTorch on air94, petal or resnet18: forward, backward and a plain Nesterov SGD step on random pictures in memory.

Same work as `bench-step`: in air94 and petal the whitening convolution's filters are frozen and its bias is trained, and batch-norm has no
scale; the loss is the summed cross-entropy with label smoothing 0.2. Prints one JSON line with images/s.
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


class Whitened(nn.Module):
    """air94, or petal with fewer filters."""

    def __init__(self, filters, classes=10):
        super().__init__()
        whitening = nn.Conv2d(3, 24, 2)
        whitening.weight.requires_grad = False
        layers, inputs = [whitening, nn.GELU()], 24
        for outputs in filters:
            layers += convolution(inputs, outputs, True) + convolution(outputs, outputs, False)
            inputs = outputs
        self.features = nn.Sequential(*layers, nn.MaxPool2d(3))
        self.head = nn.Linear(inputs, classes, bias=False)

    def forward(self, images):
        return self.head(self.features(images).flatten(1)) / self.head.in_features


class BasicBlock(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, filters, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)
        self.projection = None
        if stride != 1 or inputs != filters:
            self.projection = nn.Sequential(nn.Conv2d(inputs, filters, 1, stride, bias=False), nn.BatchNorm2d(filters))

    def forward(self, x):
        branch = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(branch + (x if self.projection is None else self.projection(x)))


def resnet18(classes=10):
    layers, inputs = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)], 64
    for filters in (64, 128, 256, 512):
        for block in range(2):
            layers.append(BasicBlock(inputs, filters, 2 if filters > 64 and block == 0 else 1))
            inputs = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes))


NETWORKS = {"air94": lambda: Whitened([64, 256, 256]), "petal": lambda: Whitened([32, 64, 128]), "resnet18": resnet18}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", choices=NETWORKS, default="air94")
    parser.add_argument("--image-size", type=int, default=32)
    parser.add_argument("--mode", choices=["eager", "channels_last", "compile"], default="eager")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5, help="per repetition")
    parser.add_argument("--repetitions", type=int, default=1)
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    network = NETWORKS[arguments.network]()
    images = torch.randn(arguments.batch, 3, arguments.image_size, arguments.image_size)
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
    print(json.dumps({"program": f"PyTorch {torch.__version__}", "network": arguments.network, "mode": arguments.mode, "batch": arguments.batch,
                      "threads": arguments.threads, "images_per_second": round(statistics.median(rates), 1)}))


if __name__ == "__main__":
    main()
