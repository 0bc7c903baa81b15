"""Networks in PyTorch: trained ones rebuilt and exported, and modules for experiments."""
