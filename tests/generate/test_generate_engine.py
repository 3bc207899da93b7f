from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from generate_helpers import small_mofs

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("onnx")

import models  # noqa: E402
from generate import limits  # noqa: E402
from generate.candidate import Candidate  # noqa: E402
from generate.engine import BUILDING, INDEXING, CandidateGenerator  # noqa: E402
from generate.judging import chances  # noqa: E402
from generate.known import Gallery  # noqa: E402
from generate.preview import Preview  # noqa: E402
from generate.request import Request  # noqa: E402
from generate.sampler import SAMPLERS  # noqa: E402
from models.ccsg.cell import CellScale  # noqa: E402
from models.ccsg.config import DenoiserConfig, ModelConfig  # noqa: E402
from models.ccsg.denoiser import LARGEST, Denoiser  # noqa: E402
from models.ccsg.model import CCSG  # noqa: E402
from models.ccsg.training.export import export_model  # noqa: E402
from models.cpcp.config import NetworkConfig  # noqa: E402
from xtal.crystals import Crystal, niggli  # noqa: E402
from xtal.errors import UserError  # noqa: E402
from xtal.patterns import Lines  # noqa: E402
from xtal.patterns.sample import Sample  # noqa: E402
from xtal.physics import PAPER_SCAN, reflections  # noqa: E402
from xtal.physics.artefacts import Artefacts, apply  # noqa: E402

MOFS = small_mofs()
TARGET = MOFS[4]  # 28 atoms
NUMBERS = np.sort(TARGET.numbers).astype(np.int64)
DENOISER = DenoiserConfig(width=32, layers=2, heads=4, waves=3, radial=8, lines=16, line_layers=1, pretrained=False)
LINES = NetworkConfig(dimension=32, width=24, layers=2, heads=2, channels=(8, 8, 8), hidden=32, frequencies=8)
SHORT = Request(count=3, steps=3, template="none", seconds=0)


def untrained(folder: Path) -> Denoiser:
    """A small denoiser that has learned nothing but the sizes of these cells."""
    torch.manual_seed(0)
    scale = CellScale.of(np.array([crystal.lattice for crystal in MOFS]))
    config = ModelConfig(DENOISER, LINES, tuple(map(float, scale.mean)), tuple(map(float, scale.spread)))
    export_model(CCSG(config), folder)
    return Denoiser(folder, "cpu")


@pytest.fixture(scope="module")
def generator(tmp_path_factory) -> CandidateGenerator:
    return CandidateGenerator(untrained(tmp_path_factory.mktemp("model")), models.load("profile"))


@pytest.fixture(scope="module")
def gallery(generator) -> Gallery:
    return Gallery.of_crystals(MOFS, generator.embedder)


@pytest.fixture(scope="module")
def sample() -> Sample:
    clean = replace(Artefacts.draw(0.0, np.random.default_rng(0)), fwhm=0.2, eta=0.5, counts=20_000.0)
    return Sample.of(apply(clean, reflections(TARGET, 2.3), np.random.default_rng(1), PAPER_SCAN))


def atoms_of(candidate: Candidate) -> tuple[bytes, ...]:
    crystal = candidate.crystal
    return crystal.lattice.tobytes(), crystal.frac_coords.tobytes(), crystal.numbers.tobytes()


def described(candidates: list[Candidate]) -> list[tuple]:
    """Everything of the candidates, down to the last bit."""
    return [
        (c.rank, c.number, c.start, c.similarity, c.fit, c.chi_square, c.closest, c.zero_shift, c.width, *atoms_of(c))
        for c in candidates
    ]


def test_candidates_are_ranked_and_complete(generator, sample):
    found = generator.generate(sample, NUMBERS, SHORT)
    assert [c.rank for c in found] == [1, 2, 3]
    assert [c.crystal.name for c in found] == ["generated-1", "generated-2", "generated-3"]
    assert sorted(c.number for c in found) == [0, 1, 2]
    shown = [chance.framework for chance in chances(found)]
    assert shown == sorted(shown, reverse=True)
    assert len(set(shown)) == 3
    for candidate in found:
        assert np.sort(candidate.crystal.numbers).tolist() == NUMBERS.tolist()
        assert candidate.crystal.formula == TARGET.formula
        assert (candidate.start, candidate.seed, candidate.model_id) == ("noise", 0, generator.denoiser.model_id)
        assert -1 <= candidate.similarity <= 1.0001
        assert 0 <= candidate.fit <= 1
        assert candidate.width > 0


def test_seeds_repeat_bit_for_bit(generator, gallery, sample):
    request = replace(SHORT, count=8, template="auto")
    first, again = (described(generator.generate(sample, NUMBERS, request, gallery)) for _ in range(2))
    assert first == again
    other = described(generator.generate(sample, NUMBERS, replace(request, seed=1), gallery))
    as_they_are = 5  # what was built, and the template
    assert len({row[-3] for row in first} & {row[-3] for row in other}) <= as_they_are
    sampled = [{row[-2] for row in rows if row[2] in ("noise", f"{TARGET.name}, noised")} for rows in (first, other)]
    assert all(sampled)
    assert not sampled[0] & sampled[1]


def test_known_crystals_templates_and_noise_take_turns(generator, gallery, sample):
    found = generator.generate(sample, NUMBERS, replace(SHORT, count=8, template="auto"), gallery)
    starts = [c.start for c in sorted(found, key=lambda c: c.number)]
    assert starts[0] == TARGET.name  # of what was built the best: here the crystal itself
    noised = starts.index(f"{TARGET.name}, noised")
    assert starts[noised - 1 : noised + 2] == [TARGET.name, f"{TARGET.name}, noised", "noise"]


def test_without_likely_templates_all_begin_from_noise(generator, gallery, sample):
    silica = np.array([8] * 6 + [14] * 3)
    found = generator.generate(sample, silica, replace(SHORT, count=2, template="auto"), gallery)
    assert [c.start for c in found] == ["noise", "noise"]
    assert {c.crystal.formula for c in found} == {"O6Si3"}


@pytest.mark.parametrize("row", [0, 3])
def test_a_template_by_name_is_taken_whatever_it_is(generator, gallery, sample, row):
    """It has 38 and 37 atoms, of which more than a third would have to change."""
    found = generator.generate(sample, NUMBERS, replace(SHORT, count=2, template=MOFS[row].name), gallery)
    assert [c.start for c in found] == [f"{MOFS[row].name}, noised"] * 2
    assert all(c.crystal.formula == TARGET.formula for c in found)


def test_little_noise_leaves_the_template_as_it_is(generator, gallery, sample):
    """At level 1 even a denoiser that knows nothing cannot spoil it; ranks and numbers stay together."""
    request = Request(count=2, steps=1, template=TARGET.name, level=1, method="deterministic", seconds=0)
    truth = niggli(TARGET)
    for candidate in generator.generate(sample, NUMBERS, request, gallery):
        here = candidate.crystal
        for element in np.unique(NUMBERS):
            apart = here.frac_coords[here.numbers == element][:, None] - truth.frac_coords[truth.numbers == element]
            apart -= np.round(apart)
            assert np.linalg.norm(apart @ truth.lattice, axis=2).min(axis=1).max() < 0.6
        assert here.volume == pytest.approx(truth.volume, rel=0.05)


def test_starts_keep_their_places(generator, gallery, sample, monkeypatch):
    """What is said to begin from a template does: the batches of all sorts are put back in order."""
    sampled: list[Crystal] = []
    monkeypatch.setattr("generate.engine.ranked", lambda *given: sampled.extend(given[3]))
    request = Request(count=8, steps=1, template="auto", level=1, method="deterministic", seconds=0)
    generator.generate(sample, NUMBERS, request, gallery)
    vector = generator.embedder.embed_patterns([sample.lines])[0]
    starts = generator._starts(sample, vector, NUMBERS, request, gallery, lambda _: None)
    assert {None if start is None else start.diffused for start in starts} == {None, True, False}
    for start, crystal in zip(starts, sampled, strict=True):
        if start is None:
            assert abs(crystal.volume / TARGET.volume - 1) > 1e-3
        elif start.diffused:
            assert crystal.volume == pytest.approx(start.crystal.volume, rel=0.05)
        else:
            assert crystal.volume == pytest.approx(start.crystal.volume, rel=1e-6)


@pytest.mark.parametrize("method", sorted(SAMPLERS))
def test_steps_are_reported_with_crystals(generator, gallery, sample, method):
    heard: list[Preview] = []
    request = replace(SHORT, count=8, template="auto", method=method, steps=5, level=400)
    generator.generate(sample, NUMBERS, request, gallery, heard.append)
    # what was built, five from noise, then two fifths of these from the templates
    assert [preview.step for preview in heard] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert {preview.steps for preview in heard[1:]} == {7}
    crystals = heard[0].crystals() + heard[1].crystals() + heard[-1].crystals()
    assert 3 <= len(crystals) < 8  # known ones need no step
    assert {crystal.formula for crystal in crystals} == {TARGET.formula}


def test_watching_can_stop_it(generator, sample):
    def stop(preview: Preview) -> None:
        raise InterruptedError(preview.step)

    with pytest.raises(InterruptedError, match="1"):
        generator.generate(sample, NUMBERS, SHORT, watch=stop)


def test_what_is_built_alone_comes_to_its_end(generator, gallery, sample):
    heard: list[Preview] = []
    (only,) = generator.generate(sample, NUMBERS, replace(SHORT, count=1, template="auto"), gallery, heard.append)
    assert only.start == TARGET.name
    assert [preview.share for preview in heard] == [0, 1]
    assert len(heard[-1].crystals()) == 1


def test_what_takes_long_before_the_first_step_is_told(generator, gallery, sample):
    heard: list[Preview] = []
    generator.generate(sample, NUMBERS, replace(SHORT, count=1, template="auto", seconds=1), gallery, heard.append)
    assert [preview.what for preview in heard[:2]] == [INDEXING, BUILDING]
    assert not heard[0].crystals()


def test_watching_can_stop_the_building(generator, gallery, sample):
    def stop(preview: Preview) -> None:
        raise InterruptedError(f"{preview.step} {preview.crystals()[0].formula}")

    with pytest.raises(InterruptedError, match=f"0 {TARGET.formula}"):
        generator.generate(sample, NUMBERS, replace(SHORT, template="auto"), gallery, stop)


def test_known_crystals_are_refined_without_diffusion(generator, gallery, sample):
    built, templates = generator.undiffused(sample, NUMBERS, replace(SHORT, template="auto"), gallery)
    assert {c.start for c in templates} <= {crystal.name for crystal in MOFS}
    for best in (built[0], templates[0]):
        assert best.start.startswith(TARGET.name)  # as it is, or with its own linkers put in anew
        assert best.rank == 1
        assert best.fit > 0.9
        assert best.crystal.volume == pytest.approx(TARGET.volume, rel=0.01)


def test_unknown_templates_are_refused(generator, gallery, sample):
    with pytest.raises(UserError, match="no crystal 'nonsense' among the 5 known ones"):
        generator.generate(sample, NUMBERS, replace(SHORT, template="nonsense"), gallery)


@pytest.mark.parametrize("count", [0, LARGEST + 1])
def test_cells_of_no_or_too_many_atoms_are_refused(generator, sample, count):
    with pytest.raises(UserError, match=rf"a cell may hold 1 to 400 atoms, got {count}; give the primitive cell's"):
        generator.generate(sample, np.full(count, 6), SHORT)


def test_a_pattern_without_lines_is_refused(generator, sample):
    nothing = Lines(np.empty(0), np.empty(0), np.empty(0), sample.lines.q_range)
    with pytest.raises(UserError, match="no diffraction line was found"):
        generator.generate(replace(sample, lines=nothing), NUMBERS, SHORT)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"count": 0}, "count must lie in 1 to 200, got 0"),
        ({"count": 201}, "count must lie in 1 to 200, got 201"),
        ({"method": "ddim"}, "sampler 'ddim' is not known; choose one of: deterministic, ancestral"),
        ({"steps": 0}, "steps must lie in 1 to 1000, got 0"),
        ({"steps": 1001}, "steps must lie in 1 to 1000, got 1001"),
        ({"level": 0}, "level must lie in 1 to 1000, got 0"),
    ],
)
def test_requests_have_limits(wish, words):
    with pytest.raises(UserError, match=words):
        Request(**wish)
    assert limits.MOST_CANDIDATES == 200
