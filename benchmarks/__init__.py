"""Measurements that anyone can rerun."""

import fmnist  # noqa: F401  # before torch, which reads then how its threads wait
