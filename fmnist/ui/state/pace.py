"""How fast this machine trains, measured once for each kind of work and kept on the disk."""

import numpy as np
import streamlit as st
import torch

from fmnist.machine import apart, devices, files
from fmnist.models.inference import ProgressCallback
from fmnist.runs import pace
from fmnist.runs.pace import Work
from fmnist.ui.state.jobs import Job


@st.cache_resource(show_spinner=False, max_entries=64, validate=Job.may_succeed)
def measured(work: Work) -> Job[float]:
    """Images a second."""
    machine = f"{devices.describe(torch.device(work.device))} {work}"
    name = f"pace {files.digest(np.frombuffer(machine.encode(), np.uint8))}"

    def compute(report: ProgressCallback) -> float:
        return float(
            files.cached(name, lambda: np.array(apart.run(pace.measure, work, report=report)))
        )

    return Job(compute)
