import base64
import json

from ui.show.downloads import download


def test_a_file_travels_as_text_that_is_new_each_time():
    first, second = (json.loads(download("a.csv", "text/csv", b"\xce\xb8")) for _ in range(2))
    assert base64.b64decode(first["data"]) == b"\xce\xb8"
    assert (first["name"], first["type"]) == ("a.csv", "text/csv")
    assert first["number"] != second["number"]
