"""Fashion-MNIST Studio: data, models, training, weights and evaluation; the pages stand on it."""

import os
from pathlib import Path

# Threads that wait for each other give their core away. On two busy cores a spinning training
# ran 5 to 40 times slower. OpenMP reads this once, when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

PROJECT = Path(__file__).resolve().parent.parent
"""The folder that holds app.py, weights/, data/ and runs/."""
