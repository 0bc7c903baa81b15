"""Every loss on small inputs, easy and extreme: writes losses.json.

    python tests/golden/losses.py

For each case: the input, the target, the value (mean over the batch), the losses before averaging and the gradient of
the value with respect to the input, as PyTorch gives them in float32. Inputs include logits of ±200 and probabilities of
exactly 0 and 1, where a naive formula answers infinity or NaN. Before writing, each result is compared with the same loss
in float64.
"""

import torch
from torch.nn import functional as F

import house

# Regression: both sides of the Huber corner (|error| = 1), exact hits, and a large error.
PREDICTED = [[0.5, -1.25, 3.0], [2.0, 0.0, -150.0]]
WANTED = [[0.5, 0.25, 2.0], [-1.0, 0.75, 40.0]]

# Binary: probabilities, some exactly 0 or 1, right and wrong.
PROBABILITIES = [0.0, 0.0, 1.0, 1.0, 0.5, 0.9, 0.125, 1e-7]
BINARY_TARGETS = [0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0]
BINARY_LOGITS = [-200.0, -200.0, 200.0, 200.0, 0.0, 2.2, -1.9, 16.0]

# Three labels at once, each true or not by itself.
LABEL_LOGITS = [[1.5, -0.5, 0.0], [-200.0, 200.0, 3.0], [0.25, -200.0, -4.0], [2.0, 1.0, 200.0]]
LABEL_TARGETS = [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]

# Four classes: moderate rows, a tie, and saturated rows that are right, wrong, and tied at the top.
CLASS_LOGITS = [
    [1.0, 2.0, -0.5, 0.25],
    [0.0, 0.0, 0.0, 0.0],
    [200.0, -200.0, 0.0, 3.0],
    [200.0, -200.0, 0.0, 3.0],
    [-200.0, 200.0, 200.0, -200.0],
    [-3.0, 0.5, 4.0, 1.0],
]
CLASSES = [1, 3, 0, 1, 2, 0]
CLASS_WEIGHTS = [0.5, 2.0, 1.0, 4.0]
ONE_HOT = [[float(label == k) for k in range(4)] for label in CLASSES]
SOFT = [[0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25], [0.9, 0.0, 0.1, 0.0]] * 2


def cases():
    """(name, PyTorch's function, its tensor and number options, input, target)."""
    log_probabilities = F.log_softmax(torch.tensor([CLASS_LOGITS[i] for i in (0, 1, 5)]), dim=-1).tolist()
    return [
        ("mse", F.mse_loss, {}, PREDICTED, WANTED),
        ("l1", F.l1_loss, {}, PREDICTED, WANTED),
        ("huber", F.huber_loss, {"delta": 1.0}, PREDICTED, WANTED),
        ("huber_half", F.huber_loss, {"delta": 0.5}, PREDICTED, WANTED),
        ("bce", F.binary_cross_entropy, {}, PROBABILITIES, BINARY_TARGETS),
        ("bce_with_logits", F.binary_cross_entropy_with_logits, {}, BINARY_LOGITS, BINARY_TARGETS),
        ("bce_with_logits_multilabel", F.binary_cross_entropy_with_logits, {}, LABEL_LOGITS, LABEL_TARGETS),
        (
            "bce_with_logits_pos_weight",
            F.binary_cross_entropy_with_logits,
            {"pos_weight": [3.0, 0.5, 1.0]},
            LABEL_LOGITS,
            LABEL_TARGETS,
        ),
        ("cross_entropy", F.cross_entropy, {}, CLASS_LOGITS, CLASSES),
        ("cross_entropy_label_smoothing", F.cross_entropy, {"label_smoothing": 0.1}, CLASS_LOGITS, CLASSES),
        ("cross_entropy_weight", F.cross_entropy, {"weight": CLASS_WEIGHTS}, CLASS_LOGITS, CLASSES),
        (
            "cross_entropy_weight_label_smoothing",
            F.cross_entropy,
            {"weight": CLASS_WEIGHTS, "label_smoothing": 0.1},
            CLASS_LOGITS,
            CLASSES,
        ),
        ("cross_entropy_one_hot", F.cross_entropy, {}, CLASS_LOGITS, ONE_HOT),
        ("cross_entropy_soft", F.cross_entropy, {}, CLASS_LOGITS, SOFT),
        ("nll", F.nll_loss, {}, log_probabilities, [1, 3, 0]),
        ("nll_weight", F.nll_loss, {"weight": CLASS_WEIGHTS}, log_probabilities, [1, 3, 0]),
    ]


def evaluate(function, options, x, y, dtype):
    """Value, losses before averaging, gradient. `x` and `y` are float32 (or class indices), the loss is computed in `dtype`."""
    x = x.clone().to(dtype).requires_grad_()
    y = y if y.dtype == torch.int64 else y.to(dtype)
    options = {key: torch.tensor(o, dtype=dtype) if isinstance(o, list) else o for key, o in options.items()}
    value = function(x, y, **options)
    value.backward()
    return value, function(x, y, **options, reduction="none"), x.grad


if __name__ == "__main__":
    written = []
    for name, function, options, x, y in cases():
        x, y = torch.tensor(x), torch.tensor(y)
        value, each, gradient = evaluate(function, options, x, y, torch.float32)
        exact = evaluate(function, options, x, y, torch.float64)
        torch.testing.assert_close(value.double(), exact[0], rtol=1e-6, atol=1e-7)
        torch.testing.assert_close(each.double(), exact[1], rtol=1e-6, atol=2e-7)
        torch.testing.assert_close(gradient.double(), exact[2], rtol=1e-4, atol=1e-7)
        written.append(
            {
                "name": name,
                "function": f"torch.nn.functional.{function.__name__}",
                "options": options,
                "input": house.numbers(x),
                "target": house.numbers(y),
                "value": house.numbers(value),
                "unreduced": house.numbers(each),
                "gradient": house.numbers(gradient),
            }
        )
    house.write_fixture("losses.json", __file__, {"dtype": "float32", "reduction": "mean"}, cases=written)
