"""Our losses and those of the other packages are the same, where those are installed; the rows are kept."""

from __future__ import annotations

import pytest
import torch

from benchmarks import bench_energies, other_energies
from benchmarks.bench_energies import JOBS, OURS, auc_of, network_of, prepared, reached, steps_of, time_of
from benchmarks.other_energies import OTHERS
from benchmarks.rows import ReachedRow, Results, environment
from benchmarks.tables import row_lines
from ebgan.energies import point_set

DATA = point_set("spiral", count=300)
JOB = pytest.mark.parametrize("job", JOBS, ids=[job.name for job in JOBS])


@JOB
def test_our_learner_begins_with_the_network_of_the_seed_and_takes_all_its_steps(job):
    learner = prepared(job, DATA, 3)
    for name, value in network_of(3).state_dict().items():
        torch.testing.assert_close(learner.network.state_dict()[name], value)
    assert learner.steps == job.learner(network_of(3), 3).steps > 100


@pytest.mark.parametrize("package", OTHERS)
@JOB
def test_the_losses_of_other_packages_are_ours(job, package, monkeypatch):
    if why := other_energies.missing(package):
        pytest.skip(why)
    if job.name not in OTHERS[package]:
        pytest.skip(f"{package} has no {job.name}")
    # Without noise on the data, and with chains that stay where they begin, only the noise of NCE is random.
    like = prepared(job, DATA, 0)
    like.noise, like.step_size = 0.0, 1e-12
    batch = torch.as_tensor(DATA.points, dtype=torch.float32)
    loss, parameters = OTHERS[package][job.name](network_of(0), like)
    torch.manual_seed(0)
    found, expected = loss(batch).item(), like.loss(batch).item()
    assert found == pytest.approx(expected, rel=0.05 if job.name == "NCE" else 1e-3, abs=1e-4)
    assert len(parameters) == len(list(like._parameters()))


def test_a_step_learns():
    step, network = steps_of(JOBS[1], DATA, 0)[OURS]
    before = auc_of(network, DATA)
    for _ in range(60):
        step()
    assert auc_of(network, DATA) > before and step.taken == 60


@JOB
def test_packages_that_are_not_there_are_left_out_and_said(job, monkeypatch):
    monkeypatch.setattr(bench_energies, "missing", lambda package: f"{package} is missing")
    rows = time_of(job, DATA, quick=True) + reached(job, DATA, quick=True)
    assert [row.implementation for row in rows] == [OURS, OURS]
    assert "pip install --group compare" in (other_energies.missing("no-such-package") or "")


def test_what_was_reached_is_kept_and_shown(tmp_path):
    row = ReachedRow("energies", "spiral, NCE", OURS, 1000, "AUC", (0.99, 0.98))
    where = environment(torch.device("cpu"), commit="c", quick=False, copy_gb_per_s=1.0)
    path = Results("energies", where, (row,)).save(tmp_path)
    assert Results.load(path).rows == (row,)
    assert "| 1,000 | AUC   | 0.9850 | 0.9800 |" in row_lines([row])[2]
