"""Trained networks in PyTorch and onnxruntime. Each must have the outputs that `runner predict` reports."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

import runner_experiments as rx
from runner_experiments import programs

torch = pytest.importorskip("torch")

DIGITS = Path(__file__).resolve().parents[2] / "src" / "data" / "embedded" / "digits.csv.gz"
# Layers between the image, [1, 8, 8], and the last layer, `{ linear = 10 }`.
NETWORKS = {
    "activations": """[{ linear = 12 }, "relu", { linear = 12 }, "leaky_relu", { linear = 12 }, "elu", { linear = 12 }, "gelu", { linear = 12 }, "softplus",
        { linear = 12 }, "sigmoid", { linear = 12 }, "tanh", { linear = 12 }, "silu", { linear = 12 }, "mish", { linear = 12 }, "hardswish",
        { linear = 12 }, "selu", { linear = 12 }, "prelu", { linear = 12 }, "softmax", { linear = 12 }, "log_softmax", { gelu = { approximate = "tanh" } }]""",
    "images": """[{ reshape = [1, 8, 8] }, { conv2d = { channels = 4, kernel = 3, padding = "same" } }, "batch_norm", "relu", { max_pool2d = 2 },
        { conv_transpose2d = { channels = 4, kernel = 2, stride = 2 } }, { group_norm = 2 }, { dropout2d = 0.1 },
        { avg_pool2d = { kernel = 3, stride = 2, padding = 1 } }, { instance_norm = { affine = true, track_running_stats = true } }, "layer_norm",
        { adaptive_avg_pool2d = [2, 3] }, "flatten"]""",
    "pooled": """[{ reshape = [1, 8, 8] }, { conv2d = { channels = 6, kernel = [3, 1], stride = [1, 2], padding = [1, 0] } }, "rms_norm", "global_avg_pool"]""",
    "signals": """[{ reshape = [1, 64] }, { conv1d = { channels = 4, kernel = 3, padding = 1 } }, "batch_norm", { max_pool1d = 2 }, { conv1d = { channels = 4, kernel = 3 } },
        "instance_norm", { avg_pool1d = 2 }, { permute = [2, 1] }, "layer_norm", "mean_over_time"]""",
    "blocks": """[{ linear = 16 }, { residual = ["layer_norm", { linear = 16 }, "relu"] }, { residual = { layers = [{ linear = 8 }], projection = [{ linear = 8 }] } },
        { repeat = { times = 2, layers = [{ linear = 8 }, "batch_norm", "tanh"] } }, { parallel = { branches = [[{ linear = 4 }], [], [{ linear = 3 }, "relu"]] } },
        { parallel = { branches = [[{ linear = 15 }], []], join = "add" } }, { dropout = 0.2 }, { alpha_dropout = 0.1 }]""",
    "rnn": """[{ reshape = [8, 8] }, { rnn = { units = 6, nonlinearity = "relu", returns = "sequence" } }, { rnn = 5 }]""",
    "lstm": """[{ reshape = [8, 8] }, { lstm = { units = 6, layers = 2, bidirectional = true, dropout = 0.1, returns = "sequence" } }, "rms_norm", { lstm = { units = 5, bidirectional = true } }]""",
    "gru": """[{ reshape = [8, 8] }, { gru = { units = 6, bias = false } }]""",
    "attention": """[{ reshape = [8, 8] }, "positional_encoding", { multi_head_attention = 2 }, { positional_encoding = { learned = true } }, "mean_over_time"]""",
    "encoder": """[{ reshape = [8, 8] }, { transformer_encoder = { heads = 2, feedforward = 16, layers = 2 } }, { transformer_encoder = { heads = 4, feedforward = 8, activation = "gelu", norm_first = true } }, "mean_over_time"]""",
}


@pytest.fixture(scope="module")
def trained(out: Path, tmp_path_factory: pytest.TempPathFactory) -> rx.Run:
    """One trial of each network."""
    file = tmp_path_factory.mktemp("experiment") / "every_layer.toml"
    variants = "".join(
        f'\n[[variants]]\nname = "{name}"\nset = {{ "network.layers" = [{layers.strip()[1:-1]}, {{ linear = 10 }}] }}\n'
        for name, layers in NETWORKS.items()
    )
    file.write_text(
        'title = "Every layer"\n[data.digits]\nscale = "unit"\n[train]\nepochs = 2\nbatch = 64\nloss = "cross_entropy"\n'
        f"optimizer = {{ adam = {{ lr = 0.003 }} }}\n{variants}"
    )
    return rx.run(file, out=out, progress=False)


@pytest.fixture(scope="module")
def rows() -> object:
    """The digits as `scale = "unit"` makes them: [1797, 64], 0 to 1."""
    text = gzip.decompress(DIGITS.read_bytes()).decode()
    return torch.tensor([[float(cell) for cell in line.split(",")[:-1]] for line in text.splitlines()]) / 16


def predicted(run: rx.Run, trial: str) -> object:
    """The probabilities that `runner predict` reports: [rows, classes]."""
    answer = json.loads(programs.call(["predict", str(run.folder), "train", "--trial", trial, "--format", "json"]))
    answer = answer.get("predictions", answer.get("rows")) if isinstance(answer, dict) else answer
    return torch.tensor(
        [list(row["probabilities"].values()) if isinstance(row["probabilities"], dict) else row["probabilities"] for row in answer]
    )


@pytest.fixture(scope="module")
def reviews(out: Path, tmp_path_factory: pytest.TempPathFactory) -> rx.Run:
    """Networks on texts of up to six words: the number of tokens is that of the vocabulary, or is stated."""
    folder = tmp_path_factory.mktemp("reviews")
    words = [["good", "great", "lovely"], ["bad", "awful", "dull"]]
    rows = [f"a {words[row % 2][row // 2 % 3]} {'and very long ' if row % 5 == 0 else ''}film,{['pos', 'neg'][row % 2]}" for row in range(60)]
    (folder / "reviews.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    layers = '["mean_over_time", { linear = 2 }]'
    (folder / "reviews.toml").write_text(
        f"""title = "Reviews"
[data.text]
path = "reviews.csv"
target = "label"
[network]
layers = [{{ embedding = {{ units = 6, padding = 0 }} }}, {layers[1:]}
[train]
epochs = 3
batch = 8
loss = "cross_entropy"
optimizer = {{ adam = {{ lr = 0.05 }} }}
[[variants]]
name = "vocabulary"
[[variants]]
name = "stated"
set = {{ "network.layers" = [{{ embedding = {{ tokens = 20, units = 4 }} }}, {{ lstm = 5 }}, {{ linear = 2 }}] }}
"""
    )
    return rx.run(folder / "reviews.toml", out=out, progress=False)


def token_ids(run: rx.Run) -> torch.Tensor:
    """The texts as ids of the run's vocabulary: [60, 6]. Id 0 is padding, and words have the ids from 2 on."""
    fitted = json.loads((run.folder / "preprocessing.json").read_text())["fitted"][0]["form"]["text"]
    folder = Path(json.loads((run.folder / "run.json").read_text())["source"]["directory"])
    texts = [line.split(",")[0].split() for line in (folder / "reviews.csv").read_text().splitlines()[1:]]
    ids = [[2 + fitted["tokens"].index(word) for word in text] for text in texts]
    return torch.tensor([row + [0] * (fitted["tokenizer"]["length"] - len(row)) for row in ids])


@pytest.mark.parametrize("name", ["vocabulary", "stated"])
def test_an_embedding_has_the_outputs_of_runner(reviews: rx.Run, name: str, tmp_path: Path) -> None:
    trial = f"{name}-seed0"
    network = rx.network(reviews, trial)
    rows = token_ids(reviews)
    with torch.no_grad():
        outputs = network(rows)
    torch.testing.assert_close(outputs.softmax(1), predicted(reviews, trial), atol=2e-5, rtol=1e-4)
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    file = rx.to_onnx(reviews, trial, tmp_path / "model.onnx")
    session = runtime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].type == "tensor(int64)"
    for count in (1, 5):
        (output,) = session.run(["output"], {"rows": rows[:count].numpy()})
        torch.testing.assert_close(torch.from_numpy(output), outputs[:count], atol=1e-4, rtol=1e-4)


def test_every_kind_of_layer_is_trained() -> None:
    from runner_experiments.pytorch.layers import BUILDERS

    text = " ".join(NETWORKS.values())
    assert [kind for kind in BUILDERS if f'"{kind}"' not in text and f"{{ {kind} =" not in text] == ["embedding"]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_has_the_outputs_of_runner(trained: rx.Run, rows: torch.Tensor, name: str) -> None:
    network = rx.network(trained, f"{name}-seed0")
    with torch.no_grad():
        found = network(rows).softmax(1)
    torch.testing.assert_close(found, predicted(trained, f"{name}-seed0"), atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_an_onnx_file_has_the_outputs_of_the_network(trained: rx.Run, rows: torch.Tensor, name: str, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    file = rx.to_onnx(trained, f"{name}-seed0", tmp_path / "model.onnx")
    session = runtime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    network = rx.network(trained, f"{name}-seed0")
    for count in (1, 5):
        (output,) = session.run(["output"], {"rows": rows[:count].numpy()})
        with torch.no_grad():
            torch.testing.assert_close(torch.from_numpy(output), network(rows[:count]), atol=1e-4, rtol=1e-4)


def test_weights_load_into_a_module_of_ones_own(digits: rx.Run) -> None:
    nn = torch.nn
    own = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 10))
    own.load_state_dict(rx.weights(digits, "base-seed0"), strict=True)


def test_what_is_no_network_of_layers_is_an_error(out: Path) -> None:
    modules = rx.run("own_module", variants="module", epochs=1, out=out, progress=False)
    with pytest.raises(rx.RunnerError, match="TorchScript module, which cannot be rebuilt"):
        rx.to_onnx(modules, None, "unused.onnx")


def test_a_module_of_ones_own_is_trained(out: Path, tmp_path: Path) -> None:
    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = torch.nn.Linear(64, 10)

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return self.head(rows)

    torch.manual_seed(0)
    net = Net()
    rx.export_module(net, tmp_path / "net.pt")
    rx.export_module(net, tmp_path / "traced.pt", torch.zeros(2, 64))
    for name in ("net", "traced"):
        file = tmp_path / f"own_{name}.toml"
        file.write_text(
            f'title = "Own"\n[data.digits]\n[network]\ntorchscript = "{name}.pt"\n[train]\nepochs = 1\nbatch = 64\nloss = "cross_entropy"\noptimizer = {{ sgd = {{ lr = 0.1 }} }}\n'
        )
        run = rx.run(file, out=out, progress=False)
        net.load_state_dict(rx.weights(run), strict=True)


def test_a_module_that_torchscript_cannot_compile_is_an_error(tmp_path: Path) -> None:
    class Bad(torch.nn.Module):
        def forward(self, rows):  # noqa: ANN001, ANN202
            return rows if __import__("random").random() > 2 else [rows]

    with pytest.raises(rx.RunnerError, match="TorchScript cannot compile `Bad`"):
        rx.export_module(Bad(), tmp_path / "bad.pt")
    with pytest.raises(rx.RunnerError, match="directory does not exist"):
        rx.export_module(torch.nn.Linear(2, 2), tmp_path / "nowhere" / "net.pt")
