import pytest

import models
from models.registry import DEFAULT, NAMES
from xtal.errors import UserError


def test_the_default_is_one_of_the_names_and_loads():
    assert DEFAULT in NAMES
    assert models.load().name == DEFAULT
    assert models.load("profile").name == "profile"


def test_every_load_gives_the_same_model():
    assert models.load("profile").model_id == models.load("profile").model_id


def test_an_unknown_embedder_is_refused_with_the_known_ones():
    with pytest.raises(UserError, match=r"embedder 'resnet' is not known; choose one of: .*profile"):
        models.load("resnet")


def test_the_fingerprint_runs_on_the_processor_alone():
    assert models.load("profile", "cpu").name == "profile"
    with pytest.raises(UserError, match="embedder 'profile' runs on the CPU; leave --device out"):
        models.load("profile", "cuda")
