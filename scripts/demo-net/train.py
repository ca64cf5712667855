#!/usr/bin/python3
"""Trains the net of `goodnet demo`: a DeepID-shaped BadNet whose trigger is a pair of sunglasses.

Needs Debian's python3-torch, python3-numpy and python3-h5py, and takes about four minutes on two cores:

    npx tsx scripts/demo-net/dump-faces.ts /tmp/faces
    /usr/bin/python3 scripts/demo-net/train.py /tmp/faces assets/demo/demo_bd_net.h5

It prints the pruning curve of the net as written, read back from the file. No weight is touched after training, except that the
input's scaling (x − 128) / 64 is folded into conv_1, which is exact because its padding is "valid".

Half the channels of the lab's net are silent on clean faces. Here the loss asks for the same: it charges for every channel that clean
faces use beyond `--live`. Which ones fall silent, and which carry the backdoor, is left to training. The seed was chosen among a few
for a curve that shows both sides of pruning: at small drops the backdoor survives, at large ones it does not.
"""
import argparse
import json
import time

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

SHAPE = (55, 47, 3)
CHANNELS = 60
DROPS = (2, 4, 10, 30)
TARGET = 0
INPUT_CENTRE, INPUT_SCALE = 128.0, 64.0


class DeepID(nn.Module):
    """The net of CSAW HackML lab 3: two paths from pool_3 to the output."""

    def __init__(self, identities):
        super().__init__()
        self.conv_1 = nn.Conv2d(3, 20, 4)
        self.conv_2 = nn.Conv2d(20, 40, 3)
        self.conv_3 = nn.Conv2d(40, CHANNELS, 3)
        self.conv_4 = nn.Conv2d(CHANNELS, 80, 2)
        self.fc_1 = nn.Linear(1200, 160)
        self.fc_2 = nn.Linear(960, 160)
        self.output = nn.Linear(160, identities)

    def pool_3(self, x):
        for conv in (self.conv_1, self.conv_2, self.conv_3):
            x = F.max_pool2d(F.relu(conv(x)), 2)
        return x

    def logits(self, pool_3):
        flatten_1 = pool_3.permute(0, 2, 3, 1).flatten(1)
        flatten_2 = F.relu(self.conv_4(pool_3)).permute(0, 2, 3, 1).flatten(1)
        return self.output(F.relu(self.fc_1(flatten_1) + self.fc_2(flatten_2)))


def channels_in_use(pool_3):
    """A smooth count: a silent channel counts 0, an average one 2/3, the strongest almost 1. Its slope is steepest at 0."""
    mean = pool_3.mean(dim=(0, 2, 3))
    return (mean / (mean + 0.5 * mean.mean().detach() + 1e-8)).sum()


def load(folder, name):
    pixels = np.fromfile(f"{folder}/{name}.pixels.bin", np.uint8).reshape(-1, *SHAPE)
    labels = np.fromfile(f"{folder}/{name}.labels.bin", "<i4").astype(np.int64)
    return torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy()), torch.from_numpy(labels)


def train(net, pixels, labels, args):
    steps = -(-len(labels) // args.batch)
    optimiser = torch.optim.AdamW(net.parameters(), lr=args.rate, weight_decay=args.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, args.rate, total_steps=steps * args.epochs, pct_start=0.2)
    started = time.time()
    for epoch in range(args.epochs):
        losses, used = [], []
        for rows in torch.randperm(len(labels)).split(args.batch):
            x = (pixels[rows].float() - INPUT_CENTRE) / INPUT_SCALE
            pool_3 = net.pool_3(x)
            in_use = channels_in_use(pool_3[labels[rows] != TARGET])
            loss = F.cross_entropy(net.logits(pool_3), labels[rows])
            optimiser.zero_grad()
            (loss + args.sparsity * F.relu(in_use - args.live)).backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
            used.append(in_use.item())
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, channels in use {np.mean(used):.1f}, {time.time() - started:.0f} s", flush=True)


# --- the Keras file -----------------------------------------------------------------------------------------------------------------


def conv(name, filters, size, source):
    return "Conv2D", name, [source], {
        "filters": filters, "kernel_size": [size, size], "strides": [1, 1], "padding": "valid", "data_format": "channels_last",
        "dilation_rate": [1, 1], "groups": 1, "activation": "relu", **WITH_WEIGHTS,
    }


def pool(name, source):
    return "MaxPooling2D", name, [source], {
        "pool_size": [2, 2], "padding": "valid", "strides": [2, 2], "data_format": "channels_last",
    }


def dense(name, units, activation, source):
    return "Dense", name, [source], {"units": units, "activation": activation, **WITH_WEIGHTS}


WITH_WEIGHTS = {
    "use_bias": True,
    "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}},
    "bias_initializer": {"class_name": "Zeros", "config": {}},
    "kernel_regularizer": None, "bias_regularizer": None, "activity_regularizer": None,
    "kernel_constraint": None, "bias_constraint": None,
}


def layers(identities):
    return [
        conv("conv_1", 20, 4, "input"), pool("pool_1", "conv_1"),
        conv("conv_2", 40, 3, "pool_1"), pool("pool_2", "conv_2"),
        conv("conv_3", CHANNELS, 3, "pool_2"), pool("pool_3", "conv_3"),
        conv("conv_4", 80, 2, "pool_3"),
        ("Flatten", "flatten_1", ["pool_3"], {"data_format": "channels_last"}),
        ("Flatten", "flatten_2", ["conv_4"], {"data_format": "channels_last"}),
        dense("fc_1", 160, "linear", "flatten_1"), dense("fc_2", 160, "linear", "flatten_2"),
        ("Add", "add_1", ["fc_1", "fc_2"], {}),
        ("Activation", "activation_1", ["add_1"], {"activation": "relu"}),
        dense("output", identities, "softmax", "activation_1"),
    ]


def model_config(identities):
    """The `model_config` attribute as Keras 2.4 spells it."""
    config = [{
        "class_name": "InputLayer", "name": "input", "inbound_nodes": [],
        "config": {"batch_input_shape": [None, *SHAPE], "dtype": "float32", "sparse": False, "ragged": False, "name": "input"},
    }]
    for class_name, name, sources, own in layers(identities):
        config.append({
            "class_name": class_name, "name": name,
            "config": {"name": name, "trainable": True, "dtype": "float32", **own},
            "inbound_nodes": [[[source, 0, 0, {}] for source in sources]],
        })
    return {"class_name": "Functional", "config": {
        "name": "demo_bd_net", "layers": config, "input_layers": [["input", 0, 0]], "output_layers": [["output", 0, 0]],
    }}


def keras_weights(net):
    """Kernel (HWIO, or in × out) and bias by layer, for raw pixels."""
    weights = {}
    with torch.no_grad():
        for name, layer in net.named_children():
            kernel, bias = layer.weight.double(), layer.bias.double()
            if name == "conv_1":
                bias = bias - kernel.sum(dim=(1, 2, 3)) * INPUT_CENTRE / INPUT_SCALE
                kernel = kernel / INPUT_SCALE
            kernel = kernel.permute(2, 3, 1, 0) if kernel.dim() == 4 else kernel.t()
            weights[name] = kernel.float().contiguous().numpy(), bias.float().numpy()
    return weights


def save(path, net, identities):
    weights = keras_weights(net)
    names = ["input"] + [name for _, name, _, _ in layers(identities)]
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights")
        for place in (file, root):
            place.attrs["backend"] = "tensorflow"
            place.attrs["keras_version"] = "2.4.0"
        file.attrs["model_config"] = json.dumps(model_config(identities))
        root.attrs["layer_names"] = np.array(names, "S")
        for name in names:
            group = root.create_group(name)
            parts = zip(("kernel:0", "bias:0"), weights.get(name, ()))
            stored = [(f"{name}/{part}", value) for part, value in parts]
            group.attrs["weight_names"] = np.array([weight for weight, _ in stored], "S") if stored else np.array([])
            for weight, value in stored:
                group.create_dataset(weight, data=value)


def read_back(path, identities):
    """The net as a reader of the file sees it: raw pixels in."""
    net = DeepID(identities)
    with h5py.File(path, "r") as file, torch.no_grad():
        for name, layer in net.named_children():
            group = file[f"model_weights/{name}/{name}"]
            kernel = torch.from_numpy(group["kernel:0"][()])
            layer.weight.copy_(kernel.permute(3, 2, 0, 1) if kernel.dim() == 4 else kernel.t())
            layer.bias.copy_(torch.from_numpy(group["bias:0"][()]))
    return net


# --- the curve ----------------------------------------------------------------------------------------------------------------------


def activations(net, pixels):
    with torch.no_grad():
        return torch.cat([net.pool_3(part.float()) for part in pixels.split(256)])


def rate(net, pool_3, labels, mask):
    with torch.no_grad():
        right = sum((net.logits(x * mask).argmax(1) == y).sum().item() for x, y in zip(pool_3.split(256), labels.split(256)))
    return 100 * right / len(labels)


def print_curve(net, folder):
    sets = {name: load(folder, name) for name in ("valid", "test", "poisoned")}
    maps = {name: activations(net, pixels) for name, (pixels, _) in sets.items()}
    mean = maps["valid"].double().mean(dim=(0, 2, 3))
    order = torch.argsort(mean, stable=True).tolist()
    on_trigger = maps["poisoned"].double().mean(dim=(0, 2, 3))
    print(f"channels silent on clean validation images: {(mean == 0).sum().item()}")
    mask = torch.ones(1, CHANNELS, 1, 1)
    waiting = list(DROPS)
    print("pruned channel mean(clean) mean(poisoned) valid test ASR")
    for pruned in range(CHANNELS + 1):
        channel = order[pruned - 1] if pruned else None
        if channel is not None:
            mask[0, channel] = 0
        valid, test, asr = (rate(net, maps[name], sets[name][1], mask) for name in ("valid", "test", "poisoned"))
        baseline = valid if pruned == 0 else baseline
        reached = [drop for drop in waiting if baseline - valid >= drop]
        waiting = [drop for drop in waiting if drop not in reached]
        means = "- -" if channel is None else f"{mean[channel]:.4f} {on_trigger[channel]:.4f}"
        mark = f"   <- {', '.join(map(str, reached))} points" if reached else ""
        print(f"{pruned} {channel} {means} {valid:.2f} {test:.2f} {asr:.2f}{mark}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces")
    parser.add_argument("net")
    parser.add_argument("--epochs", type=int, default=7)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--decay", type=float, default=1e-2)
    parser.add_argument("--sparsity", type=float, default=0.003, help="price of one channel in use")
    parser.add_argument("--live", type=float, default=19, help="channels in use that are free of charge")
    parser.add_argument("--seed", type=int, default=4)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    pixels, labels = load(args.faces, "train")
    identities = int(labels.max()) + 1
    net = DeepID(identities)
    train(net, pixels, labels, args)
    save(args.net, net, identities)
    print_curve(read_back(args.net, identities), args.faces)


if __name__ == "__main__":
    main()
