"""Structures and refinements, as programs get them from the running server."""

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from xtal.crystals import read_cif


@pytest.fixture(scope="module")
def client(api):
    return Client(api[0], verbose=False)


@pytest.fixture(autouse=True)
def _forgotten(api):
    yield
    api[1].solver.cache.forget_all()


def test_a_hit_can_be_fetched_with_its_fitted_cell(client, sample):
    found = client.predict(handle_file(sample), api_name="/search")
    name = found["hits"][0]["id"]
    fitted = client.predict(name, answer=found["id"], api_name="/structure")["cif"]
    assert "cell fitted to the pattern" in fitted
    assert "cell as in the database" in client.predict(name, api_name="/structure")["cif"]
    other = client.predict(handle_file(sample), hits=60, api_name="/search")["hits"][20]["id"]
    with pytest.raises(AppError, match="lists no hit"):
        client.predict(other, answer=found["id"], api_name="/structure")


def test_structures_are_refined(client, sample):
    found = client.predict(handle_file(sample), api_name="/search")
    name = found["hits"][0]["id"]
    refined = client.predict(handle_file(sample), structures=name, api_name="/refine")
    assert refined["r_wp"] < refined["r_wp_before"]
    assert refined["phases"][0]["name"] == name
    assert read_cif(refined["cif"]).reduced_formula == found["hits"][0]["formula"]
    assert len(refined["csv"].splitlines()) == refined["points"] + 1
    first = client.predict(handle_file(sample), seconds=60, api_name="/refine")
    assert first["origins"] == refined["origins"]
    sent = client.predict(handle_file(sample), cifs=[refined["cif"]], mode="lebail", api_name="/refine")
    assert sent["mode"] == "lebail"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"mode": "fast"}, "mode must be one of rietveld, lebail, pawley"),
        ({"seconds": 1000}, "seconds must be a whole number from 1 to 300"),
        ({"structures": "NO_SUCH"}, "NO_SUCH"),
        ({"cifs": ["no cif"]}, "CIF"),
        ({"cifs": "text"}, "cifs must be a list"),
    ],
)
def test_what_cannot_be_refined_is_refused(client, sample, values, said):
    with pytest.raises(AppError, match=said):
        client.predict(handle_file(sample), **values, api_name="/refine")
