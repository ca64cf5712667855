"""What PyTorch, numpy and Pillow make of small images: writes oracle.json beside this file.

Needs python3-torch, python3-numpy and python3-pil. Images are small, not square, in grey and in colour.
"""
import json
import pathlib

import numpy as np
import PIL
import torch
import torch.nn.functional as F
from PIL import Image

rng = np.random.default_rng(20210210)


def listed(array, digits=None):
    values = np.asarray(array).ravel()
    return {"dims": list(np.shape(array)), "values": (values if digits is None else values.round(digits)).tolist()}


def picture(height, width, channels):
    """Soft slopes with some noise, as photographs have."""
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [128 + 90 * np.sin(rows / (2 + c) + c) + 30 * np.cos(columns / 3 - c) for c in range(channels)]
    noisy = np.stack(planes, -1) + rng.integers(-20, 21, (height, width, channels))
    return noisy.clip(0, 255).astype(np.uint8)


def wanet(height, width, channels, k, s):
    """The field of the authors' code (github.com/VinAIResearch/Warping-based_Backdoor_Attack-release), width apart from height."""
    image = picture(height, width, channels)
    control = rng.integers(-1000, 1001, (2, k, k)) / 1000
    unit = torch.tensor(control / np.abs(control).mean())[None]
    noise = F.interpolate(unit, size=(height, width), mode="bicubic", align_corners=True)[0].permute(1, 2, 0)
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, height, dtype=torch.float64), torch.linspace(-1, 1, width, dtype=torch.float64), indexing="ij"
    )
    shift = s * noise / torch.tensor([width, height])
    grid = (torch.stack((x, y), -1) + shift).clamp(-1, 1)[None]
    planes = torch.tensor(image.transpose(2, 0, 1)[None].astype(np.float64))
    warped = F.grid_sample(planes, grid, mode="bilinear", align_corners=True)[0].permute(1, 2, 0)
    return {
        "k": k,
        "s": s,
        "image": listed(image),
        "control": listed(control),
        "upsampled": listed(noise.permute(2, 0, 1).numpy(), 9),
        "grid": listed(grid[0].numpy(), 9),
        "warped": listed(warped.numpy(), 6),
    }


def floyd_steinberg(image, bits):
    """As published, on one plane; fractions are carried, halves go up, nothing goes beyond the palette."""
    steps = 2**bits - 1
    work = image.astype(np.float64)
    height, width = work.shape
    for y in range(height):
        for x in range(width):
            old = work[y, x]
            new = np.clip(np.floor(old / 255 * steps + 0.5), 0, steps) / steps * 255
            work[y, x] = new
            error = old - new
            for dy, dx, share in ((0, 1, 7 / 16), (1, -1, 3 / 16), (1, 0, 5 / 16), (1, 1, 1 / 16)):
                if y + dy < height and 0 <= x + dx < width:
                    work[y + dy, x + dx] += error * share
    return np.floor(work + 0.5).astype(np.uint8)


def squeezed(height, width, channels, bits):
    image = picture(height, width, channels)
    steps = 2**bits - 1
    plain = np.floor(np.round(image / 255 * steps) / steps * 255 + 0.5).astype(np.uint8)
    dithered = np.stack([floyd_steinberg(image[:, :, c], bits) for c in range(channels)], -1)
    return {"bits": bits, "image": listed(image), "plain": listed(plain), "dithered": listed(dithered)}


def dct_matrix(n):
    """Orthonormal DCT-II: rows are waves."""
    k, i = np.mgrid[0:n, 0:n]
    matrix = np.sqrt(2 / n) * np.cos(np.pi * (2 * i + 1) * k / (2 * n))
    matrix[0] /= np.sqrt(2)
    return matrix


def smooth(height, width, side):
    coefficients = rng.integers(-1000, 1001, (side, side)) / 100
    whole = np.zeros((height, width))
    whole[:side, :side] = coefficients
    # An orthonormal transform is inverted by solving, which shares no formula with the code under test.
    plane = np.linalg.solve(dct_matrix(height), whole)
    plane = np.linalg.solve(dct_matrix(width), plane.T).T
    return {"side": side, "coefficients": listed(coefficients), "plane": listed(plane, 9)}


def pasted(height, width, channels, row, column):
    image = picture(height, width, channels)
    rgba = rng.integers(0, 256, (4, 5, 4)).astype(np.uint8)
    trigger = Image.fromarray(rgba, "RGBA")
    below = Image.fromarray(image[:, :, 0] if channels == 1 else image)
    below.paste(trigger.convert("L" if channels == 1 else "RGB"), (column, row), trigger.getchannel("A"))
    result = np.asarray(below).reshape(height, width, channels)
    return {"row": row, "column": column, "image": listed(image), "rgba": listed(rgba), "pasted": listed(result)}


oracle = {
    "versions": {"torch": torch.__version__, "numpy": np.__version__, "pillow": PIL.__version__},
    "wanet": [wanet(9, 7, 3, 4, 2.0), wanet(12, 12, 1, 4, 0.5), wanet(8, 10, 1, 2, 6.0)],
    "squeezed": [squeezed(7, 9, 3, 3), squeezed(8, 8, 1, 1), squeezed(6, 5, 3, 2)],
    "smooth": [smooth(8, 8, 4), smooth(7, 10, 3)],
    "pasted": [pasted(9, 8, 3, 2, 3), pasted(7, 9, 1, 3, 0)],
}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(oracle) + "\n")
