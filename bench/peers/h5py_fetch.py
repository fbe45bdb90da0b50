#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""h5py_fetch.py FILE.h5 [SECONDS]: d[i] of train/images in shuffled order, out of the page cache; prints images/s."""
import random
import sys
import time

import h5py

path, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
with open(path, "rb") as file:
    while file.read(1 << 24):
        pass
with h5py.File(path) as file:
    images = file["train/images"]
    order = list(range(len(images)))
    random.Random(1).shuffle(order)
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        for i in order[done % len(order):][:200]:
            images[i]
        done += len(order[done % len(order):][:200])
    print(f"{done / (time.perf_counter() - start):.0f}")
