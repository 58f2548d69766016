"""Streams of records as they reach a merge: some of the records of one origin, in order, each marked by its source."""

from hypothesis import strategies as st

from lumeflow.plugin import Record, Whole

SOURCES = ["a", "b", "c"]


class ReadOften:
    """Records that may be read any number of times, but have no length: as they come from disk."""

    def __init__(self, records):
        self.records = records

    def __iter__(self):
        return iter(self.records)


def whole(records, fields=None, collection="rows"):
    return Whole(fields or {}, collection, ReadOften(records))


@st.composite
def arms(draw):
    """Payloads of up to three sources; each holds a part of the same 12 records."""
    names = draw(st.lists(st.sampled_from(SOURCES), min_size=1, max_size=3, unique=True))
    payloads = {}
    for name in names:
        chosen = sorted(draw(st.sets(st.integers(0, 11), max_size=12)))
        records = [
            Record({"origin": number, name: number, "last": name, "nest": {name: number}}, (number,))
            for number in chosen
        ]
        payloads[name] = whole(records)
    return payloads
