"""overfit_mnist in efficient PyTorch: tensors in memory, indexed by a permutation, no DataLoader.

    python benches/peers/torch_indexed.py --idx-dir DIR [--epochs N] [--threads N] [--out DIR] [--device cuda] [--fused]

`mnist_torch.train_indexed` is the training loop. With seed 0 its curve is that of `runner`.
`mnist.py` describes the output.
"""

import mnist  # first: it starts the time of the imports

import mnist_torch

arguments = mnist_torch.parse_arguments(__doc__)
network, optimizer = mnist_torch.network_and_optimizer(arguments)
mnist_torch.train_indexed(arguments, network, optimizer)
