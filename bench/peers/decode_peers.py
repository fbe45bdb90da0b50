#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""decode_peers.py pillow|opencv|torchvision PICTURES.tar [SIZE]: one core decodes every JPEG of the tar from memory, resizes the shorter
side to SIZE (antialiased: bilinear with a growing filter; OpenCV: INTER_AREA) and cuts out the centre; prints images/s."""
import io
import sys
import tarfile
import time

peer, path, size = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 192
with tarfile.open(path) as tar:
    pictures = [tar.extractfile(member).read() for member in tar if member.name.lower().endswith((".jpg", ".jpeg"))]


def target(width, height):
    return (size, size * height // width) if width <= height else (size * width // height, size)


if peer == "pillow":
    from PIL import Image

    def decode(data):
        image = Image.open(io.BytesIO(data)).convert("RGB")
        width, height = target(*image.size)
        image = image.resize((width, height), Image.Resampling.BILINEAR)
        left, top = round((width - size) / 2), round((height - size) / 2)
        return image.crop((left, top, left + size, top + size)).tobytes()
elif peer == "opencv":
    import cv2
    import numpy

    cv2.setNumThreads(1)

    def decode(data):
        image = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_COLOR_RGB)
        width, height = target(image.shape[1], image.shape[0])
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        left, top = round((width - size) / 2), round((height - size) / 2)
        return numpy.ascontiguousarray(image[top:top + size, left:left + size])
elif peer == "torchvision":
    import torch
    from torchvision.io import ImageReadMode, decode_jpeg
    from torchvision.transforms.v2 import functional

    torch.set_num_threads(1)
    pictures = [torch.frombuffer(bytearray(data), dtype=torch.uint8) for data in pictures]

    def decode(data):
        image = functional.resize(decode_jpeg(data, ImageReadMode.RGB), [size], antialias=True)
        return functional.center_crop(image, [size, size])
else:
    sys.exit(__doc__)

decode(pictures[0])
start = time.perf_counter()
for picture in pictures:
    decode(picture)
print(f"{len(pictures) / (time.perf_counter() - start):.0f}")
