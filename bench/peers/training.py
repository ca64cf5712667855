"""Training in PyTorch, step by step as `goodnet`'s: what one would use without it.

Started by `torch.ts` with the net's name and `.h5`, the images (raw uint8, NHWC), their size, labels (raw int32), threads, batch size and learning
rate. Answers one JSON line at the start, then one for each line `train STEPS` that comes in: seconds of a step (the median) and the mean loss.
Weights stay as trained: later rounds go on.
"""

import json
import pathlib
import sys
import time

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "test" / "train" / "architectures"))
from oracle import NETS, Same, load  # noqa: E402

WARM_UP = 2


def simplified(net):
    """Padding that is even on all sides needs no pass of its own."""
    for module in net.modules():
        if isinstance(module, Same) and module.stride == (1, 1):
            module.padding = tuple(kernel // 2 for kernel in module.kernel_size)
            module.forward = nn.Conv2d.forward.__get__(module)
    return net


class Training:
    """SGD with momentum; a batch becomes float32 when its turn comes."""

    def __init__(self, name, model_path, images_path, labels_path, batch, rate):
        build, shape, classes, self.divisor = NETS[name]
        self.net = simplified(build(classes))
        load(self.net, model_path)
        pixels = np.fromfile(images_path, np.uint8).reshape(-1, *shape).transpose(0, 3, 1, 2)
        self.images = torch.from_numpy(np.ascontiguousarray(pixels))
        self.labels = torch.from_numpy(np.fromfile(labels_path, np.int32).astype(np.int64))
        self.batch = batch
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=rate, momentum=0.9)
        self.loss_of = nn.CrossEntropyLoss()
        self.format = min([torch.contiguous_format, torch.channels_last], key=self.trial)
        self.net.to(memory_format=self.format)
        load(self.net, model_path)

    def trial(self, memory_format):
        self.format = memory_format
        self.net.to(memory_format=memory_format)
        return self.train(WARM_UP + 2)[0]

    def train(self, steps):
        self.net.train()
        order = torch.randperm(len(self.images))
        seconds, losses = [], []
        for step in range(steps):
            start = time.perf_counter()
            picks = order[torch.arange(step * self.batch, (step + 1) * self.batch) % len(order)]
            images = (self.images[picks].to(torch.float32) / self.divisor).contiguous(memory_format=self.format)
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.loss_of(self.net(images), self.labels[picks])
            loss.backward()
            self.optimizer.step()
            losses.append(loss.item())
            seconds.append(time.perf_counter() - start)
        return float(np.median(seconds[WARM_UP:])), float(np.mean(losses))


def main(name, model_path, images_path, labels_path, threads, batch, rate):
    torch.set_num_threads(int(threads))
    training = Training(name, model_path, images_path, labels_path, int(batch), float(rate))
    say({"version": torch.__version__, "memoryFormat": str(training.format).removeprefix("torch.")})
    for line in sys.stdin:
        _, steps = line.split()
        load(training.net, model_path)
        training.optimizer.state.clear()
        seconds, loss = training.train(int(steps))
        say({"seconds": seconds, "answer": [loss]})


def say(facts):
    print(json.dumps(facts), flush=True)


main(*sys.argv[1:])
