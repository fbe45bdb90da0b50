# SPDX-License-Identifier: BSD-3-Clause
"""The recipe of jobs/cifar10-94.ini in PyTorch, whole: dataset in GPU memory, float16 in channels_last, Nesterov SGD and Muon, alternating
flips and random shifts there, test-time augmentation. After airbench94_muon of Keller Jordan (github.com/KellerJordan/cifar10-airbench).

Reads a dataset of whorl-ingest. One JSON line for each seed: accuracy, seconds of training with the final evaluation (whitening included,
compilation and loading not), and seconds since the process began.

  python torch_airbench.py --data cifar10.h5 --seeds 20 [--compile] [--device cpu --epochs 0.02]
"""
import argparse
import json
import time

import h5py
import torch
import torch.nn.functional as F
from torch import nn

process_start = time.perf_counter()


class Unit(nn.Sequential):
    def __init__(self, inputs, outputs, pooled):
        convolution = nn.Conv2d(inputs, outputs, 3, padding="same", bias=False)
        with torch.no_grad():
            nn.init.dirac_(convolution.weight[:inputs])
        norm = nn.BatchNorm2d(outputs, eps=1e-12, momentum=0.4)
        norm.weight.requires_grad = False
        super().__init__(convolution, *([nn.MaxPool2d(2)] if pooled else []), norm, nn.GELU())


class Air94(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.whiten = nn.Conv2d(3, 24, 2)
        self.whiten.weight.requires_grad = False
        nn.init.zeros_(self.whiten.bias)
        self.units = nn.Sequential(
            Unit(24, 64, True), Unit(64, 64, False), Unit(64, 256, True),
            Unit(256, 256, False), Unit(256, 256, True), Unit(256, 256, False), nn.MaxPool2d(3))
        self.head = nn.Linear(256, classes, bias=False)
        with torch.no_grad():
            self.head.weight.div_(self.head.weight.std())

    def forward(self, pictures):
        return self.head(self.units(F.gelu(self.whiten(pictures))).flatten(1)) / 256

    def start_whitening(self, pictures):
        patches = pictures.float().unfold(2, 2, 1).unfold(3, 2, 1)
        patches = patches.permute(0, 2, 3, 1, 4, 5).reshape(-1, 12)
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        filters = (vectors / torch.sqrt(values + 5e-4)).T.flip(0).reshape(12, 3, 2, 2)
        self.whiten.weight.data.copy_(torch.cat([filters, -filters]))


class Muon(torch.optim.Optimizer):
    def __init__(self, parameters, lr, momentum=0.6, iterations=3):
        super().__init__(parameters, dict(lr=lr, momentum=momentum, iterations=iterations))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                buffer.mul_(group["momentum"]).add_(p.grad)
                direction = p.grad.add(buffer, alpha=group["momentum"])
                p.mul_(len(p) ** 0.5 / p.norm())
                update = orthogonalised(direction.reshape(len(p), -1), group["iterations"])
                p.add_(update.view_as(p), alpha=-group["lr"])


def orthogonalised(matrix, iterations):
    """Newton-Schulz with Jordan's quintic."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix.half() if matrix.is_cuda else matrix.float()
    x = x / (x.norm() + 1e-7)
    for _ in range(iterations):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


def shifted(padded, dy, dx, size):
    """Windows of `size` out of padded pictures, each at its own place."""
    n = torch.arange(len(padded), device=padded.device)[:, None, None]
    pixels = torch.arange(size, device=padded.device)
    return padded.permute(0, 2, 3, 1)[n, (dy[:, None] + pixels)[:, :, None], (dx[:, None] + pixels)[:, None]].permute(0, 3, 1, 2)


class Loader:
    """Alternating flips: at random in epoch 0, then everything is mirrored every other epoch."""

    def __init__(self, pictures, labels, batch, padding=2):
        self.labels, self.batch, self.size = labels, batch, pictures.shape[-1]
        flipped = torch.rand(len(pictures), device=pictures.device) < 0.5
        pictures = torch.where(flipped[:, None, None, None], pictures.flip(-1), pictures)
        self.padded, self.padding = F.pad(pictures, [padding] * 4, "reflect"), padding

    def epoch(self, number):
        places = lambda: torch.randint(0, 2 * self.padding + 1, (len(self.padded),), device=self.padded.device)
        pictures = shifted(self.padded, places(), places(), self.size)
        if number % 2 == 1:
            pictures = pictures.flip(-1)
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        order = torch.randperm(len(pictures), device=pictures.device)
        for i in range(len(pictures) // self.batch):
            chosen = order[i * self.batch:(i + 1) * self.batch]
            yield pictures[chosen], self.labels[chosen]


def accuracy(model, pictures, labels, batch=2000):
    def mirrored(part):
        return 0.5 * model(part) + 0.5 * model(part.flip(-1))

    correct = 0
    model.eval()
    with torch.no_grad():
        padded = F.pad(pictures, [1] * 4, "reflect")
        for part, around, label in zip(pictures.split(batch), padded.split(batch), labels.split(batch)):
            moved = 0.5 * mirrored(around[:, :, :-2, :-2]) + 0.5 * mirrored(around[:, :, 2:, 2:])
            correct += ((0.5 * mirrored(part) + 0.5 * moved).argmax(1) == label).sum().item()
    return correct / len(labels)


def train(model, data, options):
    pictures, labels, test_pictures, test_labels = data
    batch, loader = 2000, Loader(pictures, labels, 2000)
    steps_per_epoch = len(pictures) // batch
    steps, whitening_steps = max(1, round(options.epochs * steps_per_epoch)), 3 * steps_per_epoch
    filters = [p for p in model.units.parameters() if p.ndim == 4]
    shifts = [m.bias for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    groups = [dict(params=[model.whiten.bias], lr=0.053, weight_decay=0.004 / 0.053),
              dict(params=shifts, lr=0.053, weight_decay=0.004 / 0.053),
              dict(params=[model.head.weight], lr=0.67, weight_decay=0.004 / 0.67)]
    sgd = torch.optim.SGD(groups, momentum=0.85, nesterov=True, fused=pictures.is_cuda)
    muon = Muon(filters, lr=0.24)
    rates = [(group, group["lr"]) for group in sgd.param_groups[1:] + muon.param_groups]
    model.start_whitening(pictures[:5000])
    step, epoch = 0, 0
    while step < steps:
        model.train()
        for part, label in loader.epoch(epoch):
            loss = F.cross_entropy(model(part), label, label_smoothing=0.2, reduction="sum")
            model.zero_grad(set_to_none=True)
            loss.backward()
            sgd.param_groups[0]["lr"] = 0.053 * max(0.0, 1 - step / whitening_steps)
            for group, rate in rates:
                group["lr"] = rate * (1 - step / steps)
            sgd.step()
            muon.step()
            model.whiten.bias.requires_grad = step + 1 < whitening_steps
            step += 1
            if step == steps:
                break
        epoch += 1
    return accuracy(model, test_pictures, test_labels)


def load(path, device, kind):
    with h5py.File(path) as file:
        mean = torch.tensor(file["train"].file.attrs["channel_mean"], dtype=torch.float32, device=device)
        deviation = torch.tensor(file.attrs["channel_std"], dtype=torch.float32, device=device)
        parts = []
        for split in ("train", "test"):
            pictures = torch.from_numpy(file[split]["images"][:]).to(device)
            pictures = (pictures.float() / 255 - mean) / deviation
            parts += [pictures.to(kind).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last),
                      torch.from_numpy(file[split]["labels"][:]).long().to(device)]
    return parts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=float, default=8)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--warm-up", type=int, default=1, help="trainings before the first that counts")
    options = parser.parse_args()
    kind = torch.float16 if options.device == "cuda" else torch.float32
    torch.backends.cudnn.benchmark = True
    data = load(options.data, options.device, kind)
    synchronise = torch.cuda.synchronize if options.device == "cuda" else lambda: None
    for seed in range(-options.warm_up, options.seeds):
        torch.manual_seed(seed + 1000)
        model = Air94(int(data[1].max()) + 1).to(options.device, kind, memory_format=torch.channels_last)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.float()
        compiled = torch.compile(model, mode="max-autotune") if options.compile else model
        compiled.start_whitening = model.start_whitening
        synchronise()
        start = time.perf_counter()
        result = train(compiled, data, options)
        synchronise()
        end = time.perf_counter()
        print(json.dumps({"seed": seed, "warm_up": seed < 0, "accuracy": result, "seconds": end - start,
                          "since_start": end - process_start, "torch": torch.__version__, "compiled": options.compile}), flush=True)


if __name__ == "__main__":
    main()
