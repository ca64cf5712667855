#!/usr/bin/python3
"""Gradients of convolutions, pools, normalizations and sampling as PyTorch computes them, in float64.

Writes torch-maps.json beside this script: case -> input -> values. Inputs are waves, offset + scale * sin(1.3 i + phase) for element i, and the
loss is sum(output * w) with w[i] = cos(0.7 i + 0.3): both as in test/helpers/gradients.ts. Made with PyTorch 1.13.1:
    /usr/bin/python3 test/graph/gradient/torch-maps.py
"""
import json
import pathlib

import torch
import torch.nn.functional as F


def wave(*dims, phase=0.0, scale=1.0, offset=0.0):
    count = torch.Size(dims).numel()
    # The tests compute the same in float64 and round to float32.
    values = offset + scale * torch.sin(1.3 * torch.arange(count, dtype=torch.float64) + phase)
    return values.float().double().reshape(dims)


stored = {}


def case(name, function, **inputs):
    for value in inputs.values():
        value.requires_grad_(True)
    output = function(**inputs).reshape(-1)
    weights = torch.cos(0.7 * torch.arange(output.numel(), dtype=torch.float64) + 0.3).float().double()
    (output * weights).sum().backward()
    stored[name] = {key: [float(f"{v:.7g}") for v in value.grad.reshape(-1).tolist()] for key, value in inputs.items()}


def conv(name, x, w, **options):
    function = F.conv2d if len(x) == 4 else F.conv1d if len(x) == 3 else F.conv3d
    case(name, lambda x, w, b: function(x, w, b, **options), x=wave(*x), w=wave(*w, phase=1), b=wave(w[0], phase=2))


conv("conv plain", (2, 3, 5, 6), (4, 3, 3, 3))
conv("conv strided, padded, dilated", (2, 3, 9, 8), (4, 3, 3, 2), stride=(2, 3), padding=(1, 2), dilation=(2, 1))
conv("conv in groups", (2, 4, 6, 5), (6, 2, 3, 3), groups=2, padding=1)
conv("conv depthwise", (2, 3, 6, 7), (3, 1, 3, 3), groups=3, stride=2, padding=1)
conv("conv of one pixel", (3, 4, 5, 5), (5, 4, 1, 1))
conv("conv of one pixel, strided", (3, 4, 5, 6), (5, 4, 1, 1), stride=2)
conv("conv along one axis", (2, 3, 11), (4, 3, 4), stride=2, padding=1)
conv("conv along three axes", (2, 2, 4, 5, 3), (3, 2, 2, 3, 2), padding=1)


def transposed(name, x, w, group=1, **options):
    function = lambda x, w, b: F.conv_transpose2d(x, w, b, groups=group, **options)
    case(name, function, x=wave(*x), w=wave(*w, phase=1), b=wave(w[1] * group, phase=2))


transposed("transposed plain", (2, 3, 4, 5), (3, 4, 3, 3))
transposed("transposed strided, padded", (2, 3, 4, 5), (3, 2, 3, 4), stride=(2, 3), padding=1, output_padding=(1, 2), dilation=(2, 1))
transposed("transposed in groups", (2, 4, 4, 3), (4, 3, 2, 2), group=2, stride=2)

case("max tiling", lambda x: F.max_pool2d(x, 2), x=wave(2, 3, 6, 8))
case("max overlapping", lambda x: F.max_pool2d(x, 3, 2, 1), x=wave(2, 3, 7, 8))
case("max stride 1", lambda x: F.max_pool2d(x, 3, 1), x=wave(2, 3, 7, 8))
case("max dilated", lambda x: F.max_pool2d(x, 2, 1, 1, 3), x=wave(2, 3, 7, 8))
case("max ceil", lambda x: F.max_pool2d(x, 3, 2, 0, 1, True), x=wave(2, 3, 7, 8))
case("max along one axis", lambda x: F.max_pool1d(x, 3, 2), x=wave(2, 3, 9))
case("max global", lambda x: F.adaptive_max_pool2d(x, 1), x=wave(2, 3, 5, 4))
case("average tiling", lambda x: F.avg_pool2d(x, 2), x=wave(2, 3, 6, 8))
case("average, padding counted", lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=True), x=wave(2, 3, 7, 8))
case("average, padding not counted", lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), x=wave(2, 3, 7, 8))
case("average ceil", lambda x: F.avg_pool2d(x, 3, 2, 0, ceil_mode=True), x=wave(2, 3, 8, 6))
case("average along one axis", lambda x: F.avg_pool1d(x, 3, 2), x=wave(2, 3, 9))
case("average global", lambda x: F.adaptive_avg_pool2d(x, 1), x=wave(2, 3, 5, 4))

norm = lambda: dict(x=wave(3, 4, 3, 2), scale=wave(4, phase=1), shift=wave(4, phase=2))
case(
    "batch norm, known statistics",
    # Spelled out: batch_norm has no gradient of mean and variance.
    lambda x, scale, shift, mean, variance: (x - mean[:, None, None]) / torch.sqrt(variance[:, None, None] + 1e-3) * scale[:, None, None] + shift[:, None, None],
    **norm(),
    mean=wave(4, phase=3),
    variance=wave(4, phase=4, scale=0.5, offset=1),
)
case("batch norm, training", lambda x, scale, shift: F.batch_norm(x, None, None, scale, shift, True, 0.1, 1e-3), **norm())
case("batch norm of vectors, training", lambda x, scale, shift: F.batch_norm(x, None, None, scale, shift, True), x=wave(6, 4), scale=wave(4, phase=1), shift=wave(4, phase=2))
case("instance norm", lambda x, scale, shift: F.instance_norm(x, weight=scale, bias=shift, eps=1e-3), **norm())
case("layer norm", lambda x, scale, shift: F.layer_norm(x, (5,), scale, shift, 1e-3), x=wave(2, 3, 5), scale=wave(5, phase=1), shift=wave(5, phase=2))
case("layer norm over two axes", lambda x, scale, shift: F.layer_norm(x, (3, 5), scale, shift), x=wave(2, 3, 5), scale=wave(3, 5, phase=1), shift=wave(3, 5, phase=2))

case("pad with zeros", lambda x: F.pad(x, (1, 2, 3, 0)), x=wave(2, 3, 4, 5))
case("pad, cutting", lambda x: F.pad(x, (-1, 2, 1, -2)), x=wave(2, 3, 4, 5))
case("pad reflecting", lambda x: F.pad(x, (1, 2, 3, 0), mode="reflect"), x=wave(2, 3, 4, 5))
case("pad with the edge", lambda x: F.pad(x, (1, 2, 3, 0), mode="replicate"), x=wave(2, 3, 4, 5))
case("pad wrapping", lambda x: F.pad(x, (1, 2, 3, 0), mode="circular"), x=wave(2, 3, 4, 5))

for mode, more in {
    "nearest": {},
    "nearest-exact": {},
    "bilinear": dict(align_corners=False),
    "bilinear, corners": dict(align_corners=True),
    "bicubic": dict(align_corners=False),
}.items():
    for size in [(7, 10), (2, 3)]:
        function = lambda x, mode=mode, size=size, more=more: F.interpolate(x, size, mode=mode.split(",")[0], **more)
        case(f"resize {mode} to {size[0]}×{size[1]}", function, x=wave(2, 2, 4, 5))


def grid(align, batch=2, size=(3, 4), image=(4, 5)):
    """Samples in the middle of pixels' cells and outside the image: x, y of sample i at pixel (i mod 7) - 1 + 0.5 + 0.25 sin(1.3 i)."""
    i = torch.arange(batch * size[0] * size[1] * 2, dtype=torch.float64).reshape(-1, 2)
    pixel = i % 7 - 0.5 + 0.25 * torch.sin(1.3 * i)
    extent = torch.tensor(image[::-1], dtype=torch.float64)
    normal = 2 * pixel / (extent - 1) - 1 if align else (2 * pixel + 1) / extent - 1
    return normal.float().double().reshape(batch, *size, 2)


for align in [False, True]:
    case(
        f"grid sample, corners {'aligned' if align else 'not aligned'}",
        lambda x, grid, align=align: F.grid_sample(x, grid, "bilinear", "zeros", align),
        x=wave(2, 3, 4, 5),
        grid=grid(align),
    )

path = pathlib.Path(__file__).with_suffix(".json")
lines = [f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(grads, separators=(',', ':'))}" for name, grads in stored.items()]
path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
print(len(stored), "cases,", path.stat().st_size, "bytes")
