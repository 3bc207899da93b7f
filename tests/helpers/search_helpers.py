"""The size of the index that the tests of the search share."""

INDEX = "coremof2019-asr"
ENTRIES = 120
QUERIES = 20
