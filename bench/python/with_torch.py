"""PyTorch, eager, as it was fastest here: channels last; fused optimizers and its attention kernel where a release has them; torch.compile was no faster."""

import torch
import torch.nn.functional as F

import nets_torch as nets
from draw import integers, uniform, weights
from measure import run, threads

torch.set_num_threads(threads())
array = torch.from_numpy
modern = hasattr(F, "scaled_dot_product_attention")


def parameter(name, shape, fan_in):
    return array(weights(name, shape, fan_in)).requires_grad_()


def ones(n):
    return torch.ones(n, requires_grad=True)


def zeros(n):
    return torch.zeros(n, requires_grad=True)


def labels(name, shape, high):
    return array(integers(name, shape, high))


def channels_last(x):
    return x.contiguous(memory_format=torch.channels_last)


def optimizer(kind, parameters, **settings):
    if modern:
        settings["fused"] = True
    return kind(parameters, **settings)


def trainer(parameters, update, loss, work, unit, **rest):
    def step():
        update.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        update.step()
        return float(value.item())

    return {"metric": "step", "step": step, "work": work, "unit": unit, **rest}


def mean_abs(x):
    return x.abs().double().mean().item()


def matmul():
    for n in (64, 128, 256, 512, 1024, 2048):
        a, b = array(uniform("a", (n, n))), array(uniform("b", (n, n)))
        calls = max(1, int(2e7 // n**3))

        def step():
            for _ in range(calls):
                torch.mm(a, b)

        yield {
            "metric": f"matmul {n}",
            "step": step,
            "check": lambda: mean_abs(torch.mm(a, b)),
            "calls": calls,
            "work": 2 * n**3 / 1e9,
            "unit": "GFLOP/s",
        }


def convolutions():
    shapes = [(32, 32, 16, 16, 1), (32, 16, 32, 32, 1), (32, 8, 64, 64, 1), (32, 32, 16, 32, 2), (32, 16, 32, 64, 2)]
    shapes += [(1, 224, 64, 64, 1), (1, 112, 128, 128, 1), (1, 56, 256, 256, 1), (1, 28, 512, 512, 1), (1, 14, 512, 512, 1)]
    for batch, size, inputs, outputs, stride in shapes:
        x = array(uniform("conv x", (batch, inputs, size, size)))
        w = nets.kernel("conv w", outputs, inputs, 3)
        g = array(uniform("conv g", (batch, outputs, size // stride, size // stride)))

        def backward(which):
            mask = [which == 0, which == 1, False]
            sides = [stride] * 2, [1, 1], [1, 1], False, [0, 0], 1, mask
            return torch.ops.aten.convolution_backward(g, x, w, None, *sides)[which]

        passes = {
            "forward": lambda: F.conv2d(x, w, stride=stride, padding=1),
            "dX": lambda: backward(0),
            "dW": lambda: backward(1),
        }
        for name, f in passes.items():
            text = f"{size}² {inputs}→{outputs}" + (f" /{stride}" if stride > 1 else "")
            yield {
                "metric": f"{text} {name}",
                "step": lambda: (f(), None)[1],
                "check": lambda: mean_abs(f()),
                "work": 2 * 9 * inputs * outputs * batch * (size // stride) ** 2 / 1e9,
                "unit": "GFLOP/s",
            }


def mlp():
    batch, sizes = 128, (784, 256, 128, 10)
    x, y = array(uniform("x", (batch, 784), 0, 1)), labels("y", (batch,), 10)
    p = []
    for k in range(3):
        n, o = sizes[k], sizes[k + 1]
        p += [parameter(f"w{k}", (o, n), n), parameter(f"b{k}", (o,), n)]

    def loss():
        h = F.relu(F.linear(F.relu(F.linear(x, p[0], p[1])), p[2], p[3]))
        return F.cross_entropy(F.linear(h, p[4], p[5]), y)

    yield trainer(p, optimizer(torch.optim.Adam, p, lr=1e-3), loss, batch, "samples/s")


def lenet():
    batch = 64
    x, y = channels_last(array(uniform("x", (batch, 1, 28, 28), 0, 1))), labels("y", (batch,), 10)
    p = [parameter("c1", (6, 1, 5, 5), 25), parameter("c1b", (6,), 25)]
    p += [parameter("c2", (16, 6, 5, 5), 150), parameter("c2b", (16,), 150)]
    for k, (o, n) in enumerate(((120, 400), (84, 120), (10, 84))):
        p += [parameter(f"w{k}", (o, n), n), parameter(f"b{k}", (o,), n)]

    def loss():
        h = F.max_pool2d(F.relu(F.conv2d(x, p[0], p[1], padding=2)), 2)
        h = F.max_pool2d(F.relu(F.conv2d(h, p[2], p[3])), 2).flatten(1)
        h = F.relu(F.linear(F.relu(F.linear(h, p[4], p[5])), p[6], p[7]))
        return F.cross_entropy(F.linear(h, p[8], p[9]), y)

    yield trainer(p, optimizer(torch.optim.Adam, p, lr=1e-3), loss, batch, "samples/s")


def resnet20():
    batch, net = 32, nets.ResNet20()
    x, y = channels_last(array(uniform("x", (batch, 3, 32, 32)))), labels("y", (batch,), 10)
    update = optimizer(torch.optim.SGD, net.parameters, lr=0.01, momentum=0.9)
    yield trainer(net.parameters, update, lambda: F.cross_entropy(net(x), y), batch, "samples/s")


def inference():
    for name, build, work in (("VGG-16", nets.vgg16, 30.96), ("ResNet-50", nets.resnet50, 8.18)):
        net, x = build(), channels_last(nets.picture())

        def step():
            with torch.no_grad():
                net(x)

        def check():
            with torch.no_grad():
                return mean_abs(net(x))

        yield {"metric": name, "step": step, "check": check, "work": work, "unit": "GFLOP/s"}
        del net


def lstm():
    symbols, embedding, hidden, time, batch = 64, 64, 256, 64, 32
    x, y = labels("x", (time, batch), symbols), labels("y", (time, batch), symbols).flatten()
    table = parameter("emb", (symbols, embedding), embedding)
    cell = torch.nn.LSTM(embedding, hidden)
    with torch.no_grad():
        cell.weight_ih_l0.copy_(array(weights("wih", (4 * hidden, embedding), hidden)))
        cell.weight_hh_l0.copy_(array(weights("whh", (4 * hidden, hidden), hidden)))
        cell.bias_ih_l0.copy_(array(weights("bih", (4 * hidden,), hidden)))
        cell.bias_hh_l0.zero_()
    cell.bias_hh_l0.requires_grad_(False)  # one bias, as in the other peers
    w, b = parameter("ow", (symbols, hidden), hidden), parameter("ob", (symbols,), hidden)
    p = [table, cell.weight_ih_l0, cell.weight_hh_l0, cell.bias_ih_l0, w, b]

    def loss():
        h, _ = cell(F.embedding(x, table))
        return F.cross_entropy(F.linear(h.reshape(-1, hidden), w, b), y)

    yield trainer(p, optimizer(torch.optim.Adam, p, lr=1e-3), loss, time * batch, "tokens/s")


def gpt():
    blocks, width, heads, context, batch, symbols = 4, 128, 4, 128, 8, 64
    x, y = labels("x", (batch, context), symbols), labels("y", (batch, context), symbols).flatten()
    table, places = parameter("te", (symbols, width), width), parameter("pe", (context, width), width)

    def linear(name, inputs, outputs):
        return [parameter(name, (outputs, inputs), inputs), parameter(name + "b", (outputs,), inputs)]

    layers = [
        [ones(width), zeros(width), *linear(f"l{i}qkv", width, 3 * width), *linear(f"l{i}pr", width, width)]
        + [ones(width), zeros(width), *linear(f"l{i}f1", width, 4 * width), *linear(f"l{i}f2", 4 * width, width)]
        for i in range(blocks)
    ]
    last = [ones(width), zeros(width)]
    head = parameter("head", (symbols, width), width)
    p = [table, places, *(q for layer in layers for q in layer), *last, head]
    mask = torch.triu(torch.full((context, context), -1e9), 1)
    scale = (width // heads) ** -0.5

    def attention(q, k, v):
        if modern:
            return F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return ((q @ k.transpose(-1, -2)) * scale + mask).softmax(-1) @ v

    def loss():
        h = F.embedding(x, table) + places
        for g1, b1, qkv, qkvb, pr, prb, g2, b2, f1, f1b, f2, f2b in layers:
            mixed = F.linear(F.layer_norm(h, (width,), g1, b1), qkv, qkvb)
            q, k, v = mixed.reshape(batch, context, 3, heads, width // heads).permute(2, 0, 3, 1, 4).unbind(0)
            h = h + F.linear(attention(q, k, v).transpose(1, 2).reshape(batch, context, width), pr, prb)
            up = F.linear(F.layer_norm(h, (width,), g2, b2), f1, f1b)
            h = h + F.linear(F.gelu(up, approximate="tanh"), f2, f2b)
        return F.cross_entropy(F.linear(F.layer_norm(h, (width,), *last), head).reshape(-1, symbols), y)

    update = optimizer(torch.optim.AdamW, p, lr=3e-4, weight_decay=0.1)
    yield trainer(p, update, loss, batch * context, "tokens/s")


def skipgram():
    words, width, negatives, batch = 10000, 100, 5, 1024
    centre = labels("c", (batch,), words)
    context = torch.cat([labels("o", (batch, 1), words), labels("n", (batch, negatives), words)], 1)
    inner, outer = parameter("ein", (words, width), width), parameter("eout", (words, width), width)

    def loss():
        v = F.embedding(centre, inner, sparse=True)
        u = F.embedding(context, outer, sparse=True)
        scores = torch.bmm(u, v[:, :, None]).squeeze(-1)
        return -(F.logsigmoid(scores[:, 0]) + F.logsigmoid(-scores[:, 1:]).sum(1)).mean()

    update = torch.optim.SGD([inner, outer], lr=0.025)  # a fused one takes no sparse gradients
    yield trainer([inner, outer], update, loss, batch, "pairs/s")


def bandwidth():
    n, shape = 10_000_000, (4096, 1024)
    a, b, m = array(uniform("a", (n,))), array(uniform("b", (n,))), array(uniform("a", shape))
    matrix = 8 * shape[0] * shape[1]
    operations = {
        "add": (lambda: a + b, 12 * n),
        "gelu": (lambda: F.gelu(a, approximate="tanh"), 8 * n),
        "softmax": (lambda: m.softmax(-1), matrix),
        "layer norm": (lambda: F.layer_norm(m, (shape[1],)), matrix),
        "sum": (lambda: a.sum(), 4 * n),
    }
    for metric, (f, size) in operations.items():
        with torch.no_grad():
            yield {
                "metric": metric,
                "step": lambda: (f(), None)[1],
                "check": lambda: mean_abs(f()),
                "work": size / 1e9,
                "unit": "GB/s",
            }


programs = {
    "W1": matmul,
    "conv": convolutions,
    "W2": mlp,
    "W3": lenet,
    "W4": resnet20,
    "W5": inference,
    "W6": lstm,
    "W7": gpt,
    "W8": skipgram,
    "W9": bandwidth,
}


def main():
    run(programs, {"torch": torch.__version__})
