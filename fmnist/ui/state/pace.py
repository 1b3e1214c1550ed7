"""How fast this machine trains, measured once for each kind of work and kept on the disk."""

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from fmnist.data.fashion import DataError
from fmnist.machine import apart, devices, files
from fmnist.models.inference import ProgressCallback
from fmnist.runs import pace
from fmnist.runs.pace import Turn, Work
from fmnist.runs.run import Plan, all_runs, queued_runs
from fmnist.ui.state.dataset import split
from fmnist.ui.state.jobs import AT_ONCE, Job

A_WHILE = 2.0
"""Seconds for which the queue is looked at once for all browsers."""


@st.cache_resource(show_spinner=False, max_entries=64, validate=Job.may_succeed)
def measured(work: Work) -> Job[float]:
    """Images a second."""

    def compute(report: ProgressCallback) -> float:
        def measure() -> NDArray[np.float64]:
            return np.array(apart.SECONDS.run(pace.measure, work, report=report))

        return float(files.cached(_name(work), measure))

    return Job(compute, AT_ONCE)


def kept(work: Work) -> float | None:
    """Images a second, where that was measured before."""
    found = files.kept(_name(work))
    return None if found is None else float(found)


def _name(work: Work) -> str:
    machine = f"{devices.describe(torch.device(work.device))} {work}"
    return f"pace {files.digest(np.frombuffer(machine.encode(), np.uint8))}"


@st.cache_resource(ttl=A_WHILE, show_spinner=False)
def turns() -> dict[str, Turn]:
    """Where each run that waits stands in the queue, and about when it begins, by its id."""
    return pace.turns(all_runs(), queued_runs(), _sizes)


def _sizes(plan: Plan) -> tuple[int, int] | None:
    try:
        learned, held_out = (len(split(name, plan.data)) for name in ("train", "validation"))
    except DataError:
        return None
    return min(plan.limit or learned, learned), held_out
