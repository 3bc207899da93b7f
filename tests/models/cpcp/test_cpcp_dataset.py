import numpy as np
import pytest
from cpcp_helpers import real_set

from models.cpcp.config import NetworkConfig, TrainingConfig
from models.cpcp.features import computed_lines
from models.cpcp.training.batches import (
    MARGIN,
    PAPER_SCAN,
    Samples,
    disturb,
    formula_order,
    random_scan,
    sample_batches,
)
from models.cpcp.training.dataset import CrystalSet, split_of
from models.cpcp.training.prepare import prepare
from xtal.errors import UserError
from xtal.patterns import q_from_two_theta
from xtal.physics import crystal_lines


@pytest.fixture(scope="module")
def crystals() -> CrystalSet:
    return real_set()


# pinned with the published split of the packed sets
@pytest.mark.parametrize(
    ("formula", "split"),
    [("CuH12C7N2O3", "train"), ("CoH28C36Br4(N2O)4", "train"), ("Zn2CoH42C54(NO6)2", "test")],
)
def test_split_follows_the_published_rule(formula, split):
    assert split_of(formula) == split


def test_split_does_not_depend_on_how_a_formula_is_written():
    assert split_of("C54H42CoN2O12Zn2") == split_of("Zn2CoH42C54(NO6)2") == "test"


def test_split_gives_a_tenth_each_to_val_and_test():
    splits = [split_of(f"C{i}H{j}O{i + 1}") for i in range(1, 40) for j in range(1, 40)]
    assert np.mean([s == "val" for s in splits]) == pytest.approx(0.1, abs=0.03)
    assert np.mean([s == "test" for s in splits]) == pytest.approx(0.1, abs=0.03)


def test_lines_and_reflections_are_those_of_the_powder_kernel(crystals):
    from cpcp_helpers import real_crystals

    for row, crystal in enumerate(real_crystals(5)):
        assert crystals.lines[row].q == pytest.approx(crystal_lines(crystal).strongest(256).q, abs=1e-6)
        assert crystals.lines[row].intensity == pytest.approx(crystal_lines(crystal).strongest(256).intensity, abs=1e-6)
        reflections = crystals.reflections(row)
        assert reflections.q_range[1] >= crystals.lines[row].q_range[1] - 1e-6
        strongest = reflections.lines().strongest(1).q[0]
        assert strongest == pytest.approx(crystal_lines(crystal).strongest(1).q[0], abs=1e-3)


def test_saving_and_joining_lose_nothing(crystals, tmp_path):
    crystals.save(tmp_path / "set.npz")
    back = CrystalSet.load(tmp_path / "set.npz")
    joined = CrystalSet.join([back, crystals])
    assert len(joined) == 2 * len(crystals)
    for row in (0, len(crystals) - 1):
        assert joined.lines[len(crystals) + row].q == pytest.approx(crystals.lines[row].q)
        assert joined.reflections(len(crystals) + row).g == pytest.approx(crystals.reflections(row).g)
        assert joined.formulas[row] == crystals.formulas[row]


def test_prepare_reads_a_source_once(tmp_path):
    from cpcp_helpers import PACKED

    path, counts = prepare([f"packed:{PACKED}"], tmp_path, 5)
    assert counts == [5]
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    assert prepare([f"packed:{PACKED}"], tmp_path, 5) == (path, counts)
    assert {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()} == before


def test_prepare_refuses_unknown_sources(tmp_path):
    with pytest.raises(UserError, match="unknown database 'nonsense'"):
        prepare(["nonsense"], tmp_path)


def test_equal_formulas_stay_together():
    formulas = np.array(["A", "B", "A", "C", "B", "A"])
    for seed in range(10):
        order = formula_order(formulas, np.random.default_rng(seed))
        assert sorted(order) == list(range(6))
        changes = (formulas[order][1:] != formulas[order][:-1]).sum()
        assert changes == 2


def test_scans_stay_within_what_is_known():
    rng = np.random.default_rng(0)
    scans = [random_scan(3.5, 0.5, rng) for _ in range(200)]
    assert 60 < sum(scan == PAPER_SCAN for scan in scans) < 140
    others = [scan for scan in scans if scan != PAPER_SCAN]
    assert max(q_from_two_theta(scan.last, scan.wavelength) for scan in others) * MARGIN <= 3.5 + 1e-6
    assert min(scan.first for scan in others) >= 3
    assert max(scan.last for scan in others) > 45


def test_batches_are_measured_crystals(crystals):
    config = NetworkConfig(drawn=48)
    rows = np.arange(10, 30)
    batch = next(sample_batches(crystals, rows, config, TrainingConfig(batch=8, severity=0.0, paper_scans=1.0), 3))
    assert batch.lines.q.shape == (8, 48)
    assert set(batch.rows) <= set(rows)
    for row, q, intensity in zip(batch.rows, batch.lines.q, batch.lines.intensity, strict=True):
        own = crystals.lines[row]
        assert np.abs(own.q - q[0]).min() < 0.01  # the strongest line found is a line of the crystal
        assert intensity[0] == 1


def test_disturbed_samples_are_new_but_near(crystals):
    lines = computed_lines(crystals.lines, 32)
    rows = np.arange(len(crystals))
    changed = disturb(Samples(rows, lines), np.random.default_rng(0)).lines
    assert (np.diff(changed.intensity, axis=1) <= 0).all()
    assert (changed.intensity[:, 0] == 1).all()
    assert np.abs(changed.q - lines.q).max() > 0
    nearest = np.abs(changed.q[:, :1] - lines.q).min(axis=1)
    assert (nearest < 0.01 * changed.q[:, 0]).all()
