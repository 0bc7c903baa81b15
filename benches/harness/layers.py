"""Other layers than those of overfit_mnist, a penalty, clipping, a wide network and a small CNN, against PyTorch."""

from __future__ import annotations

from measure import Program, Run, run_in_turn, steady
from page import Section, Target
from same_work import Curves, same

HEAD, RELU = '{ linear = 10 }', '"relu"'
# The check trains one epoch by SGD at this rate. Two runs of PyTorch, with one and two threads, then differ by at most 3e-9. At 0.1, a
# second epoch makes that 8e-2, and at 0.005 one ReLU that rounding switches makes it 2e-5. Another order of the rows changes the
# losses by 4e-7 (wide) to 2e-3 (batch_norm).
RATE = 0.003
ALLOWED = 3e-7


def dense(*between: str) -> str:
    return f"network.layers=[{', '.join(part for units in (64, 32) for part in (f'{{ linear = {units} }}', *between))}, {HEAD}]"


CNN = f"""network.layers=[
    {{ conv2d = {{ channels = 8, kernel = 3 }} }}, "relu", {{ max_pool2d = 2 }},
    {{ conv2d = {{ channels = 16, kernel = 3 }} }}, "relu", {{ max_pool2d = 2 }}, "flatten", {HEAD}]"""
# What differs from overfit_mnist, and how many times runner's seconds PyTorch should take. The names are those of `peers/torch_layers.py`.
CASES = {
    "plain": ([], None),
    "dropout": ([dense(RELU, "{ dropout = 0.3 }")], 3),
    "batch_norm": ([dense('"batch_norm"', RELU)], 3),
    "layer_norm": ([dense('"layer_norm"', RELU)], None),
    "gelu": ([dense('"gelu"')], None),
    "l1": (["train.penalty.l1=1e-5"], 3),
    "clip": (["train.clip.norm=1.0"], 3),
    "wide": ([f"network.layers=[{{ linear = 1024 }}, {RELU}, {{ linear = 1024 }}, {RELU}, {HEAD}]"], 1.8),
    "cnn": (["data.mnist.flatten=false", CNN], 2),
}


def layers(bench) -> list[Section]:
    """A steady epoch of each case."""
    idx = bench.data("mnist")
    epochs = min(bench.epochs, 6)
    section = Section(f"Other layers, {bench.threads_shown()}")
    section.paragraph(
        "One epoch of `overfit_mnist` with dropout (0.3), batch or layer normalization, or GELU after its hidden layers, with an L1 penalty, "
        "with gradients clipped by their norm, with two hidden layers of 1,024 units, and as a small CNN (two convolutions of 8 and 16 "
        f"channels). The value of a run is the median of epochs 3 to {epochs}; `plain` is `overfit_mnist` itself. The losses are compared in "
        f"another epoch with SGD at {RATE}: there, two runs of PyTorch with different numbers of threads agree to 3e-9. With Adam or larger "
        "rates, training enlarges rounding, also between two runs of PyTorch. *Eight seeds* are trained together in one stack; their epoch "
        "is that of the stack, divided by eight."
    )
    rows = [["", "runner, s", "PyTorch, indexed, s", "× runner", "target", "eight seeds, s per seed", "× one seed", "target"]]
    for case, (settings, target) in CASES.items():
        changed = [word for setting in settings for word in ("--set", setting)]

        def our_run(epochs: int, *more: str) -> Run:
            return bench.experiment("overfit_mnist", bench.scratch / f"ours-{case}", "--epochs", epochs, *changed, *more)

        def peer_run(epochs: int, *more: str) -> Run:
            words = [case, "--threads", bench.threads, "--epochs", epochs, "--idx-dir", idx, *more]
            run = bench.script(bench.torch, "peers/torch_layers.py", *words)
            run.results = {"epoch": steady([line["seconds"] for line in run.lines() if "seconds" in line])}
            return run

        ours = Program(f"runner, {case}", lambda: our_run(epochs))
        torch = bench.peer(f"PyTorch, {case}", bench.torch, lambda: peer_run(epochs))
        eight = Program(f"runner, {case}, 8 seeds", lambda: our_run(epochs, "--seeds", "0..7", "--stack", 8))
        run_in_turn(case, [ours, torch, eight], bench.rounds)
        section.note_missing([torch])
        if torch.last:
            what = f"PyTorch, indexed: epoch with {case}, {bench.threads_shown()}"
            cells = section.ratio(what, ours.result("epoch"), torch.result("epoch"), target and Target(target))
            one, together = ours.result("epoch"), eight.result("epoch")
            stack = section.ratio(f"8 seeds: epoch per seed with {case}, compared with one", one, together, Target(1, is_upper=True))
            rows.append([case, one.shown(3), torch.result("epoch").shown(3), *cells, together.shown(3), *stack])
            sgd = f"train.optimizer={{ sgd = {{ lr = {RATE} }} }}"
            history = our_run(1, "--set", sgd).results["histories"][0]
            other = Curves.from_lines(peer_run(1, "--sgd", RATE).lines())
            section.checks.append(same(f"{case}, SGD", Curves.from_history(history), other, ALLOWED))
    section.table(rows)
    return [section]
