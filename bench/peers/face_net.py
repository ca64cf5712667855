"""The lab's face net in PyTorch, and the lab's sweep: what one would use without goodnet.

Started by `torch.ts` with the model file, the images (raw uint8), their layout, their labels (raw int32), threads and batch size. Answers
one JSON line at the start, then one for each line that comes in: `forward COUNT` or `sweep COUNT`, on the first COUNT images.
"""

import json
import sys
import time

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

HEIGHT, WIDTH = 55, 47
PRUNED = "conv_3"
TRIALS = 5


class FaceNet(nn.Module):
    """The two-branch net of CSAW HackML 2020, lab 3."""

    def __init__(self, weights):
        super().__init__()
        for name, (kernel, bias) in weights.items():
            setattr(self, name, layer_of(kernel, bias))

    def pool_3(self, x):
        x = F.max_pool2d(F.relu(self.conv_1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv_2(x)), 2)
        return F.max_pool2d(F.relu(self.conv_3(x)), 2)

    def forward(self, x):
        x = self.pool_3(x)
        y = F.relu(self.conv_4(x))
        return self.output(F.relu(self.fc_1(flatten(x)) + self.fc_2(flatten(y))))


def layer_of(kernel, bias):
    """A convolution (Keras stores rows, columns, in, out) or a dense layer (in, out)."""
    if kernel.ndim == 4:
        layer = nn.Conv2d(kernel.shape[2], kernel.shape[3], kernel.shape[:2])
        kernel = kernel.transpose(3, 2, 0, 1)
    else:
        layer = nn.Linear(*kernel.shape)
        kernel = kernel.T
    layer.weight.data = torch.from_numpy(kernel.copy())
    layer.bias.data = torch.from_numpy(bias)
    return layer


def flatten(x):
    """Keras flattens rows, columns, channels."""
    return x.permute(0, 2, 3, 1).flatten(1)


def channels_first(pixels, layout):
    if layout == "NCHW":
        return pixels.reshape(-1, 3, HEIGHT, WIDTH)
    return np.ascontiguousarray(pixels.reshape(-1, HEIGHT, WIDTH, 3).transpose(0, 3, 1, 2))


def read_weights(path):
    with h5py.File(path) as file:
        root = file["model_weights"] if "model_weights" in file else file
        return {
            name: (root[name][name]["kernel:0"][()], root[name][name]["bias:0"][()])
            for name in root
            if name in root[name] and "kernel:0" in root[name][name]
        }


class Bench:
    """Images in memory as bytes, as ours are; a batch becomes float32 when its turn comes."""

    def __init__(self, model_path, images_path, layout, labels_path, batch):
        self.net = FaceNet(read_weights(model_path)).eval()
        pixels = np.fromfile(images_path, np.uint8)
        self.images = torch.from_numpy(channels_first(pixels, layout))
        self.labels = np.fromfile(labels_path, np.int32)
        self.batch = batch
        self.format = torch.contiguous_format
        self.format = min([torch.contiguous_format, torch.channels_last], key=self.trial)

    def trial(self, memory_format):
        """Best seconds of a few forward passes in a memory format; the faster format is used from then on."""
        self.format = memory_format
        self.net.to(memory_format=memory_format)
        count = min(len(self.images), 8 * self.batch)
        return min(seconds_of(lambda: self.forward(count)) for _ in range(TRIALS))

    def batches(self, count):
        for images in self.images[:count].split(self.batch):
            yield images.to(torch.float32, memory_format=self.format)

    def forward(self, count):
        """One pass over the images: the labels."""
        return torch.cat([self.net(images).argmax(1) for images in self.batches(count)]).numpy()

    def sweep(self, count):
        """The lab's way: channels by their mean activation, lowest first; each is zeroed, and the whole net runs again on every image."""
        mean = sum(self.net.pool_3(images).double().sum((0, 2, 3)) for images in self.batches(count))
        order = sorted(range(len(mean)), key=lambda channel: (mean[channel], channel))
        layer = getattr(self.net, PRUNED)
        kept = layer.weight.clone(), layer.bias.clone()
        correct = [self.correct(count)]
        for channel in order:
            layer.weight[channel] = 0
            layer.bias[channel] = 0
            correct.append(self.correct(count))
        layer.weight.copy_(kept[0])
        layer.bias.copy_(kept[1])
        return correct

    def correct(self, count):
        return int((self.forward(count) == self.labels[:count]).sum())


def seconds_of(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@torch.inference_mode()
def main(model_path, images_path, layout, labels_path, threads, batch):
    torch.set_num_threads(int(threads))
    bench = Bench(model_path, images_path, layout, labels_path, int(batch))
    say({"version": torch.__version__, "memoryFormat": str(bench.format).removeprefix("torch.")})
    for line in sys.stdin:
        job, count = line.split()
        start = time.perf_counter()
        answer = getattr(bench, job)(int(count))
        say({"seconds": time.perf_counter() - start, "answer": [int(value) for value in answer]})


def say(facts):
    print(json.dumps(facts), flush=True)


main(*sys.argv[1:])
