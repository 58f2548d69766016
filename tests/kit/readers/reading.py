"""Running readers in tests, with files cut into pieces of any size."""

from lumeflow.kit.readers.opening import HEAD_BYTES, ReadOptions, plan_reading
from lumeflow.kit.readers.rows import FileRefused


def drain(reader, data, piece=None):
    """All rows of `data`, fed in pieces; the error that ended the reading, if one did."""
    rows, size = [], piece or max(1, len(data))
    try:
        for start in range(0, len(data), size):
            for found in reader.feed(data[start : start + size]):
                rows += found
        for found in reader.finish():
            rows += found
    except FileRefused as error:
        return rows, str(error)
    finally:
        reader.close()
    return rows, None


def read(data, name="rows.csv", *, piece=None, place=None, **options):
    """Rows, error and notes of a file, from its bytes to its records."""
    reader = plan_reading(data[:HEAD_BYTES], name, ReadOptions(**options)).reader(place)
    rows, error = drain(reader, data, piece)
    return rows, error, reader.notes


def rows_of(data, name="rows.csv", **options):
    """The rows of a file that can be read to its end."""
    rows, error, _ = read(data, name, **options)
    assert error is None
    return rows
