"""Fashion-MNIST Studio: data, models, training, weights and evaluation; the pages stand on it."""

import os
from pathlib import Path

# Threads that wait for each other give their core away. On two busy cores a spinning training
# ran 5 to 40 times slower. But not at once: woken anew for every layer, two threads trained 1.2
# times as fast as one, and 1.6 times with this. OpenMP reads both once, when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # about half a millisecond

PROJECT = Path(__file__).resolve().parent.parent
"""The folder that holds app.py, weights/, data/ and runs/."""
