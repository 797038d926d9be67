"""The larger networks in PyTorch: ResNet-20 for training, VGG-16 and ResNet-50 for inference with batch norm folded."""

import torch
import torch.nn.functional as F

from draw import uniform, weights

array = torch.from_numpy


def kernel(name, outputs, inputs, size):
    return array(weights(name, (outputs, inputs, size, size), inputs * size * size))


def lively(name, outputs, inputs):
    """A 3×3 kernel of larger weights, so that a signal comes through sixteen layers."""
    return array(weights(name, (outputs, inputs, 3, 3), 3 * inputs))


def bias(name, outputs, fan_in):
    return array(weights(name, (outputs,), fan_in))


class ResNet20:
    """Residual network on 32×32 images; parameters in `.parameters`, running statistics are updated by each call."""

    def __init__(self):
        self.parameters = []
        self.stem = self.unit("stem", 3, 16, 3, 1)
        self.blocks = []
        inputs = 16
        for stage, outputs in enumerate((16, 32, 64)):
            for k in range(3):
                stride = 2 if k == 0 and stage > 0 else 1
                name = f"s{stage}b{k}"
                first = self.unit(name + "c1", inputs, outputs, 3, stride)
                second = self.unit(name + "c2", outputs, outputs, 3, 1)
                shortcut = self.unit(name + "sc", inputs, outputs, 1, stride) if stride > 1 else (lambda h: h)
                self.blocks.append((first, second, shortcut))
                inputs = outputs
        self.head = self.keep(array(weights("fc", (10, 64), 64))), self.keep(bias("fcb", 10, 64))

    def keep(self, tensor):
        self.parameters.append(tensor.requires_grad_())
        return tensor

    def unit(self, name, inputs, outputs, size, stride):
        w = self.keep(kernel(name, outputs, inputs, size))
        gamma, beta = self.keep(torch.ones(outputs)), self.keep(torch.zeros(outputs))
        mean, variance = torch.zeros(outputs), torch.ones(outputs)

        def run(h):
            h = F.conv2d(h, w, stride=stride, padding=size // 2)
            return F.batch_norm(h, mean, variance, gamma, beta, True, 0.1, 1e-5)

        return run

    def __call__(self, h):
        h = F.relu(self.stem(h))
        for first, second, shortcut in self.blocks:
            h = F.relu(second(F.relu(first(h))) + shortcut(h))
        return F.linear(h.mean((2, 3)), *self.head)


def picture():
    return array(uniform("img", (1, 3, 224, 224)))


def vgg16():
    """Thirteen 3×3 convolutions in five stages, then three dense layers."""
    layers, inputs, k = [], 3, 0
    for stage, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            layers.append((lively(f"v{k}", stage, inputs), bias(f"v{k}b", stage, 9 * inputs)))
            inputs, k = stage, k + 1
        layers.append(None)
    dense = [
        (array(weights(f"f{i}", (o, n), n / 3)), bias(f"f{i}b", o, n))
        for i, (o, n) in enumerate(((4096, 25088), (4096, 4096), (1000, 4096)))
    ]

    def run(h):
        for layer in layers:
            h = F.max_pool2d(h, 2) if layer is None else F.relu_(F.conv2d(h, *layer, padding=1))
        h = F.relu_(F.linear(h.flatten(1), *dense[0]))
        return F.linear(F.relu_(F.linear(h, *dense[1])), *dense[2])

    return run


def resnet50():
    """Sixteen bottleneck blocks 1×1, 3×3, 1×1 in four stages."""

    def conv(name, outputs, inputs, size, stride=1):
        w, b = kernel(name, outputs, inputs, size), bias(name + "_b", outputs, inputs * size * size)
        return lambda h: F.conv2d(h, w, b, stride=stride, padding=size // 2)

    stem = conv("stem", 64, 3, 7, 2)
    blocks, inputs = [], 64
    for stage, (width, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for k in range(count):
            name, stride = f"r{stage}x{k}", 2 if k == 0 and stage > 0 else 1
            blocks.append(
                (
                    conv(name + "a", width, inputs, 1),
                    conv(name + "b", width, width, 3, stride),
                    conv(name + "c", 4 * width, width, 1),
                    conv(name + "s", 4 * width, inputs, 1, stride) if k == 0 else (lambda h: h),
                )
            )
            inputs = 4 * width
    head = array(weights("fc", (1000, 2048), 2048)), bias("fcb", 1000, 2048)

    def run(h):
        h = F.max_pool2d(F.relu_(stem(h)), 3, 2, 1)
        for a, b, c, shortcut in blocks:
            h = F.relu_(c(F.relu_(b(F.relu_(a(h))))) + shortcut(h))
        return F.linear(h.mean((2, 3)), *head)

    return run
