"""The cases of bench/Gpu in PyTorch eager, float32 without TF32: prints seconds per call as JSON, by case name."""
import json
import statistics
import time

import torch
import torch.nn.functional as F

torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
device = "cuda"
results = {}


def median(call):
    for _ in range(5):
        call()
    torch.cuda.synchronize()
    start = time.perf_counter()
    call()
    torch.cuda.synchronize()
    calls = int(min(max(0.05 / (time.perf_counter() - start), 2), 1000))
    times = []
    for _ in range(7):
        start = time.perf_counter()
        for _ in range(calls):
            call()
        torch.cuda.synchronize()
        times.append((time.perf_counter() - start) / calls)
    return statistics.median(times)


def normal(*shape):
    return torch.randn(*shape, device=device)


for n in (1_000_000, 10_000_000, 100_000_000):
    a, b, c, d = (normal(n) for _ in range(4))
    results[f"copy {n}"] = median(lambda: a.clone())
    results[f"a*b+c {n}, eager"] = median(lambda: a * b + c)
    results[f"tanh(a*b+c)*sigmoid(d)+a/2-relu(c) {n}, hybridized"] = median(lambda: torch.tanh(a * b + c) * torch.sigmoid(d) + a * 0.5 - torch.relu(c))
    results[f"gelu {n}, eager"] = median(lambda: F.gelu(a))
    del a, b, c, d

host, there = torch.randn(16 << 20), normal(16 << 20)
results["to the device, 64 MB"] = median(lambda: host.to(device))
results["from the device, 64 MB"] = median(lambda: there.cpu())
for rows, columns in ((262144, 64), (1048576, 10)):
    x = normal(rows, columns)
    results[f"softmax ({rows}, {columns})"] = median(lambda: torch.softmax(x, -1))
x = normal(16384, 1024)
results["softmax (16384, 1024)"] = median(lambda: torch.softmax(x, -1))
results["layer norm (16384, 1024)"] = median(lambda: F.layer_norm(x, (1024,)))
results["sum of rows (16384, 1024)"] = median(lambda: x.sum(1))
results["sum of columns (16384, 1024)"] = median(lambda: x.sum(0))
results["sum (16384, 1024)"] = median(lambda: x.sum())
for m, n, k in [(s, s, s) for s in (512, 1024, 2048, 4096)] + [(128, 4096, 4096)]:
    a, b = normal(m, k), normal(k, n)
    results[f"matrix product ({m}, {k}) x ({k}, {n})"] = median(lambda: a @ b)
x, w, b = normal(8192, 1024), normal(4096, 1024), normal(4096)
results["gelu(x·w + b), (8192, 1024) x (1024, 4096), hybridized"] = median(lambda: F.gelu(F.linear(x, w, b)))
x, w = normal(32, 64, 56, 56), normal(64, 64, 3, 3)
results["convolution 3x3 of (32, 64, 56, 56) to 64 channels"] = median(lambda: F.conv2d(x, w, padding=1))


def training(network, loss):
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)

    def step():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        return value

    return median(step)


for batch in (128, 4096):
    mlp = torch.nn.Sequential(
        torch.nn.Linear(784, 512), torch.nn.ReLU(), torch.nn.Linear(512, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10)).to(device)
    x, labels = normal(batch, 784), torch.randint(0, 10, (batch,), device=device)
    seconds = training(mlp, lambda: F.cross_entropy(mlp(x), labels))
    results[f"MLP 784-512-512-10, batch {batch}, Adam, eager"] = seconds
    results[f"MLP 784-512-512-10, batch {batch}, Adam, hybridized"] = seconds

lenet = torch.nn.Sequential(
    torch.nn.Conv2d(1, 6, 5, padding=2), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Conv2d(6, 16, 5), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
    torch.nn.Flatten(), torch.nn.Linear(400, 120), torch.nn.ReLU(), torch.nn.Linear(120, 84), torch.nn.ReLU(), torch.nn.Linear(84, 10)).to(device)
x, labels = normal(256, 1, 28, 28), torch.randint(0, 10, (256,), device=device)
seconds = training(lenet, lambda: F.cross_entropy(lenet(x), labels))
results["LeNet, batch 256, Adam, eager"] = seconds
results["LeNet, batch 256, Adam, hybridized"] = seconds

block = torch.nn.TransformerEncoderLayer(256, 8, 1024, dropout=0.0, activation="gelu", batch_first=True, norm_first=True).to(device)
x, target = normal(32, 64, 256), normal(32, 64, 256)
seconds = training(block, lambda: F.mse_loss(block(x), target))
results["transformer block 256, 8 heads, (32, 64), Adam, eager"] = seconds
results["transformer block 256, 8 heads, (32, 64), Adam, hybridized"] = seconds
print(json.dumps(results, indent=1))
