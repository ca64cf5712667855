"""The architectures of src/train/architectures, written again in PyTorch from their papers, with the weights of our .h5 files.

    mkdir -p /tmp/nets && npx tsx test/train/architectures/write-nets.mts /tmp/nets
    /usr/bin/python3 test/train/architectures/oracle.py /tmp/nets > test/train/architectures/oracle.json

Stores of every net its number of trainable parameters, its layers of weights, and the first logits of two images. PyTorch 1.13, h5py 3.
Published: 11,171,146 (PreActResNet-18) and 9,231,114 (VGG-11-BN) are what kuangliu/pytorch-cifar's modules have, 601,643 is the lab's net.
"""
import json
import sys

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

LOGITS = 12


class Same(nn.Conv2d):
    """TensorFlow's padding "same": what is odd goes to the bottom and the right."""

    def forward(self, x):
        pads = []
        for size, kernel, stride in zip(x.shape[2:], self.kernel_size, self.stride):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads = [total // 2, total - total // 2] + pads
        return super().forward(F.pad(x, pads))


def norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-5, momentum=0.1)


class Flatten(nn.Module):
    """Rows, columns, channels, as Keras counts."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class DeepID(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 20, 4), nn.Conv2d(20, 40, 3)
        self.conv3, self.conv4 = nn.Conv2d(40, 60, 3), nn.Conv2d(60, 80, 2)
        self.fc1, self.fc2 = nn.Linear(5 * 4 * 60, 160), nn.Linear(4 * 3 * 80, 160)
        self.output = nn.Linear(160, classes)

    def forward(self, x):
        for conv in (self.conv1, self.conv2, self.conv3):
            x = F.max_pool2d(F.relu(conv(x)), 2)
        flat = Flatten()
        return self.output(F.relu(self.fc1(flat(x)) + self.fc2(flat(F.relu(self.conv4(x))))))


def lenet(classes):
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, classes))


def badnets_cnn(classes):
    return nn.Sequential(
        nn.Conv2d(1, 16, 5), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(16, 32, 5), nn.ReLU(), nn.AvgPool2d(2), Flatten(),
        nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, classes))


def small_cnn(classes):
    maps = [part for i, o in ((3, 32), (32, 64), (64, 64))
            for part in (nn.Conv2d(i, o, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))]
    return nn.Sequential(*maps, Flatten(), nn.Linear(4 * 4 * 64, 128), nn.ReLU(), nn.Linear(128, classes))


def vgg11_bn(classes):
    parts, channels = [], 3
    for filters in (64, 'M', 128, 'M', 256, 256, 'M', 512, 512, 'M', 512, 512, 'M'):
        if filters == 'M':
            parts += [nn.MaxPool2d(2)]
            continue
        parts += [nn.Conv2d(channels, filters, 3, padding=1), norm(filters), nn.ReLU()]
        channels = filters
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(512, classes))


class PreActBlock(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.bn1 = norm(inputs)
        self.conv1 = Same(inputs, filters, 3, stride, bias=False)
        self.bn2 = norm(filters)
        self.conv2 = Same(filters, filters, 3, bias=False)
        self.shortcut = None
        if stride != 1 or inputs != filters:
            self.shortcut = Same(inputs, filters, 1, stride, bias=False)

    def forward(self, x):
        out = F.relu(self.bn1(x))
        shortcut = x if self.shortcut is None else self.shortcut(out)
        return self.conv2(F.relu(self.bn2(self.conv1(out)))) + shortcut


class GlobalPool(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def preact_resnet18(classes):
    blocks, channels = [], 64
    for filters, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        blocks += [PreActBlock(channels, filters, stride), PreActBlock(filters, filters, 1)]
        channels = filters
    return nn.Sequential(Same(3, 64, 3, bias=False), *blocks, GlobalPool(), nn.Linear(512, classes))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, filters, stride, expansion):
        super().__init__()
        wide = inputs * expansion
        parts = [] if expansion == 1 else [Same(inputs, wide, 1, bias=False), norm(wide), nn.ReLU6()]
        parts += [Same(wide, wide, 3, stride, groups=wide, bias=False), norm(wide), nn.ReLU6()]
        self.body = nn.Sequential(*parts, Same(wide, filters, 1, bias=False), norm(filters))
        self.adds = stride == 1 and inputs == filters

    def forward(self, x):
        return x + self.body(x) if self.adds else self.body(x)


def mobilenetv2_small(classes):
    # Half of 32, 16, 24, 32, 64, 96, 160, 320, to multiples of eight as the authors round: 12 becomes 16.
    parts, channels = [Same(3, 16, 3, bias=False), norm(16), nn.ReLU6()], 16
    for t, c, n, s in ((1, 8, 1, 1), (6, 16, 2, 2), (6, 16, 3, 2), (6, 32, 4, 2), (6, 48, 3, 1), (6, 80, 3, 2), (6, 160, 1, 1)):
        for index in range(n):
            parts += [InvertedResidual(channels, c, s if index == 0 else 1, t)]
            channels = c
    parts += [Same(channels, 1280, 1, bias=False), norm(1280), nn.ReLU6()]
    return nn.Sequential(*parts, GlobalPool(), nn.Linear(1280, classes))


NETS = {
    'deepid': (DeepID, (55, 47, 3), 1283, 1),
    'lenet': (lenet, (28, 28, 1), 10, 255),
    'badnets-cnn': (badnets_cnn, (28, 28, 1), 10, 255),
    'small-cnn': (small_cnn, (32, 32, 3), 10, 255),
    'vgg11-bn': (vgg11_bn, (32, 32, 3), 10, 255),
    'preact-resnet18': (preact_resnet18, (32, 32, 3), 10, 255),
    'mobilenetv2-small': (mobilenetv2_small, (32, 32, 3), 10, 255),
}


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def load(net, path):
    """Gives the weighted modules of `net`, in order, the weights of the file's weighted layers, in order."""
    modules = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.BatchNorm2d, nn.Linear))]
    with h5py.File(path, 'r') as file:
        root = file['model_weights']
        groups = [root[text(name)] for name in root.attrs['layer_names']]
        groups = [group for group in groups if len(group.attrs['weight_names']) > 0]
        assert len(groups) == len(modules), (len(groups), len(modules))
        for module, group in zip(modules, groups):
            arrays = [torch.from_numpy(np.array(group[text(name)])) for name in group.attrs['weight_names']]
            give(module, arrays)


def give(module, arrays):
    if isinstance(module, nn.BatchNorm2d):
        targets = [module.weight, module.bias, module.running_mean, module.running_var]
    else:
        targets = [module.weight] + ([] if module.bias is None else [module.bias])
        kernel = arrays[0]
        if isinstance(module, nn.Linear):
            arrays[0] = kernel.T
        else:
            arrays[0] = kernel.permute(2, 3, 0, 1) if module.groups > 1 else kernel.permute(3, 2, 0, 1)
    assert len(targets) == len(arrays)
    for target, array in zip(targets, arrays):
        assert target.shape == array.shape, (target.shape, array.shape)
        target.data.copy_(array)


def main(folder):
    results = {}
    for name, (build, shape, classes, divisor) in NETS.items():
        net = build(classes)
        load(net, f'{folder}/{name}.h5')
        net.double().eval()
        i = np.arange(2 * np.prod(shape), dtype=np.int64)
        images = ((31 * i * i + 7 * i) % 256).astype(np.float64).reshape(2, *shape) / divisor
        with torch.no_grad():
            logits = net(torch.from_numpy(images).permute(0, 3, 1, 2))
        results[name] = {
            'parameters': sum(p.numel() for p in net.parameters()),
            'logits': [[float(f'{v:.7g}') for v in row[:LOGITS]] for row in logits.tolist()],
        }
    json.dump(results, sys.stdout, indent='\t')
    print()


if __name__ == '__main__':
    main(sys.argv[1])
