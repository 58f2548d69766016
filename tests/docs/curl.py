"""As much of curl as the pages use."""

import urllib.error
import urllib.request
from pathlib import Path

_VALUED = {"-H": "header", "-d": "data", "--data-binary": "data", "-X": "method"}
_FLAGS = {"-s", "-N"}


def curl(arguments: list[str], folder: Path, patience: float) -> str:
    """What is printed. Answers that are errors are printed as well, as curl does."""
    given: dict[str, list[str]] = {"header": [], "data": [], "method": []}
    urls = []
    words = iter(arguments)
    for word in words:
        if word in _VALUED:
            given[_VALUED[word]].append(next(words))
        elif word not in _FLAGS:
            assert not word.startswith("-"), f"curl {word} is not known here"
            urls.append(word)
    (url,) = urls
    data = b"".join(
        (folder / text[1:]).read_bytes() if text.startswith("@") else text.encode() for text in given["data"]
    )
    request = urllib.request.Request(url, data if given["data"] else None, method=(given["method"] or [None])[0])
    for line in given["header"]:
        name, _, value = line.partition(": ")
        request.add_header(name, value)
    try:
        with urllib.request.urlopen(request, timeout=patience) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()
