"""Output files appear whole or not at all; input files are read within limits."""

import asyncio
import os
import resource
import signal

import pytest

from lumeflow.core.errors import StorageError, UsageError
from lumeflow.storage import files as module
from lumeflow.storage.files import LocalFiles, read_whole


@pytest.fixture
def files(tmp_path):
    return LocalFiles(tmp_path / "artifacts", "exec-1")


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def written(files, name, *pieces):
    sink = await files.create(name)
    for piece in pieces:
        await sink.write(piece)
    return await sink.commit()


async def test_a_bare_name_lands_in_the_executions_own_folder(files, tmp_path):
    path = await written(files, "contacts.json", b"[1,", b"2]")
    assert path == str(tmp_path / "artifacts" / "exec-1" / "contacts.json")
    assert (tmp_path / "artifacts/exec-1/contacts.json").read_bytes() == b"[1,2]"
    assert everything(tmp_path) == ["artifacts/exec-1/contacts.json"]


async def test_a_path_is_taken_as_the_user_wrote_it(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert await written(files, "out/a.csv", b"a") == str(tmp_path / "out" / "a.csv")
    assert await written(files, str(tmp_path / "b.csv"), b"b") == str(tmp_path / "b.csv")
    assert await written(files, "./c.csv", b"c") == str(tmp_path / "c.csv")
    assert (tmp_path / "out/a.csv").read_bytes() == b"a"


async def test_nothing_is_seen_before_the_commit(files, tmp_path):
    folder = tmp_path / "artifacts" / "exec-1"
    folder.mkdir(parents=True)
    (folder / "a.json").write_bytes(b"old")
    sink = await files.create("a.json")
    await sink.write(b"new" * 1_000_000)
    assert (folder / "a.json").read_bytes() == b"old"
    await sink.commit()
    assert (folder / "a.json").read_bytes() == b"new" * 1_000_000


async def test_what_is_discarded_leaves_nothing(files, tmp_path):
    sink = await files.create("a.json")
    await sink.write(b"half")
    await sink.discard()
    await sink.discard()
    assert everything(tmp_path) == []
    with pytest.raises(StorageError, match="it is finished"):
        await sink.write(b"more")
    assert await written(files, "a.json", b"again")


async def test_a_discard_after_the_commit_does_nothing(files, tmp_path):
    sink = await files.create("a.json")
    await sink.write(b"x")
    await sink.commit()
    await sink.discard()
    assert await sink.commit() == str(tmp_path / "artifacts/exec-1/a.json")
    assert everything(tmp_path) == ["artifacts/exec-1/a.json"]


async def test_two_nodes_cannot_write_one_file(files):
    await written(files, "a.json", b"x")
    with pytest.raises(UsageError, match=r"a\.json: two nodes write it"):
        await files.create("a.json")


@pytest.mark.parametrize("name", ["", ".", "..", "a/..", "/", "a\0b"])
async def test_what_is_no_file_name_is_refused(files, name):
    with pytest.raises(UsageError, match="is not a file name"):
        await files.create(name)


@pytest.mark.parametrize("name", ["/etc/x", "../x", "a/../../x", "../exec-2/a.json"])
async def test_a_stranger_stays_in_the_executions_own_folder(tmp_path, name):
    files = LocalFiles(tmp_path, "exec-1", anywhere=False)
    with pytest.raises(UsageError, match="must lie in the execution's own folder"):
        await files.create(name)
    with pytest.raises(UsageError, match="must lie in the execution's own folder"):
        await files.read(name)
    assert await written(files, "sub/a.json", b"x") == "sub/a.json"
    assert (tmp_path / "exec-1" / "sub" / "a.json").read_bytes() == await files.read("sub/a.json") == b"x"


UPLOAD = f"upload-{'0a' * 16}.csv"


@pytest.mark.parametrize("anywhere", [True, False])
async def test_an_upload_is_read_by_its_id(tmp_path, anywhere):
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    (uploads / UPLOAD).write_bytes(b"a,b")
    files = LocalFiles(tmp_path / "artifacts", "exec-1", anywhere=anywhere, uploads=uploads)
    assert await files.read(UPLOAD) == b"".join([piece async for piece in files.stream(UPLOAD)]) == b"a,b"


async def test_a_stranger_is_told_names_and_no_places(tmp_path):
    files = LocalFiles(tmp_path, "exec-1", anywhere=False, uploads=tmp_path / "uploads")
    for name in (UPLOAD, "nothing.csv"):
        with pytest.raises(UsageError, match=name) as told:
            await files.read(name)
        assert str(tmp_path) not in str(told.value)
    (tmp_path / "exec-1").write_bytes(b"")
    with pytest.raises(UsageError, match=r"file a\.json") as failed:
        await files.create("a.json")
    assert str(tmp_path) not in str(failed.value)


async def test_finished_files_are_listed(tmp_path):
    files = LocalFiles(tmp_path, "exec-1", anywhere=False)
    assert list(files.written()) == []
    await written(files, "b.json", b"xy")
    await written(files, "sub/a.json", b"x")
    await files.create("half.json")
    (tmp_path / "exec-1" / "link").symlink_to("/etc/passwd")
    assert [(file.name, file.size) for file in files.written()] == [("b.json", 2), ("sub/a.json", 1)]
    await files.close()


async def test_a_link_does_not_lead_a_stranger_out(tmp_path):
    (tmp_path / "exec-1").mkdir()
    (tmp_path / "exec-1" / "out").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="own folder"):
        await LocalFiles(tmp_path, "exec-1", anywhere=False).create("out/a.json")


async def test_an_id_that_is_no_folder_name_stays_inside(tmp_path):
    await written(LocalFiles(tmp_path / "artifacts", "../../x"), "a.json", b"x")
    assert len(everything(tmp_path / "artifacts")) == 1


async def test_a_folder_in_the_place_of_the_file(files, tmp_path):
    (tmp_path / "artifacts/exec-1/a.json").mkdir(parents=True)
    sink = await files.create("a.json")
    with pytest.raises(UsageError, match=r"a\.json: it cannot be written \(Is a directory\): check the path"):
        await sink.commit()
    await sink.discard()
    assert everything(tmp_path) == []


async def test_a_file_in_the_place_of_the_folder(files, tmp_path):
    (tmp_path / "artifacts").write_bytes(b"")
    with pytest.raises(UsageError, match="it cannot be written"):
        await files.create("a.json")


@pytest.mark.parametrize("anywhere", [True, False])
@pytest.mark.parametrize("name", ["a" * 400, "é" * 130 + ".csv", "/".join(["a" * 200] * 25), "a.csv/b.csv"])
async def test_a_path_that_no_disk_could_take_is_the_nodes_own_error(tmp_path, monkeypatch, name, anywhere):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_bytes(b"")
    files = LocalFiles(tmp_path, "exec-1", anywhere=anywhere)
    await written(files, "a.csv", b"")
    with pytest.raises(UsageError, match=r"it cannot be written .*: check the path"):
        await files.create(name)


async def test_the_folder_of_a_user_that_is_not_there(files):
    for action in (files.create, files.read):
        with pytest.raises(UsageError, match=r"'~nobody-of-that-name/a\.csv': there is no such user"):
            await action("~nobody-of-that-name/a.csv")


async def test_two_nodes_that_open_one_file_at_the_same_moment(files, tmp_path):
    first, second = await asyncio.gather(files.create("a.json"), files.create("a.json"), return_exceptions=True)
    assert isinstance(second, UsageError)
    assert "two nodes write it" in str(second)
    await first.commit()
    assert everything(tmp_path) == ["artifacts/exec-1/a.json"]


async def test_a_file_that_could_not_be_made_is_nobodys(files, tmp_path):
    (tmp_path / "artifacts").write_bytes(b"")
    with pytest.raises(UsageError, match="it cannot be written"):
        await files.create("a.json")
    (tmp_path / "artifacts").unlink()
    assert await written(files, "a.json", b"x")


async def test_a_full_disk_names_the_file_and_leaves_nothing(files, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        sink = await files.create("a.json")
        with pytest.raises(StorageError, match=r"a\.json: it cannot be written .*room on its disk"):
            await sink.write(b"x" * (10 << 20))
        await sink.discard()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert everything(tmp_path) == []


async def test_input_files_are_read(files, tmp_path):
    (tmp_path / "in.csv").write_bytes(b"abc" * 1000)
    assert await files.read(str(tmp_path / "in.csv")) == b"abc" * 1000
    pieces = [piece async for piece in files.stream(str(tmp_path / "in.csv"))]
    assert b"".join(pieces) == b"abc" * 1000


@pytest.mark.parametrize("name", ["missing.csv", ".", "a\0b"])
async def test_what_cannot_be_read_is_named(files, tmp_path, name):
    with pytest.raises(UsageError, match="it cannot be read"):
        await files.read(os.path.join(str(tmp_path), name))  # noqa: PTH118 - Path would tidy the name


async def test_files_are_read_within_limits(files, tmp_path, monkeypatch):
    path = tmp_path / "big.csv"
    path.write_bytes(b"x" * 5000)
    with pytest.raises(UsageError, match=r"big\.csv: it has 5,000 bytes; at most 4,000 can be read"):
        read_whole(path, 4000)
    monkeypatch.setattr(module, "STREAM_LIMIT", 4999)
    with pytest.raises(UsageError, match="at most 4,999"):
        [piece async for piece in files.stream(str(path))]


async def test_what_nobody_finished_is_given_up_at_the_end(files, tmp_path):
    whole = await files.create("whole.txt")
    await whole.write(b"x")
    await whole.commit()
    half = await files.create("half.txt")
    await half.write(b"x")
    assert everything(tmp_path) == ["artifacts/exec-1/.half.txt.part", "artifacts/exec-1/whole.txt"]
    await files.close()
    assert everything(tmp_path) == ["artifacts/exec-1/whole.txt"]
    assert await written(files, "half.txt", b"y")


async def test_a_file_whose_opening_is_cancelled_leaves_nothing(files, tmp_path):
    opening = asyncio.create_task(files.create("half.txt"))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert everything(tmp_path) == []
    assert await written(files, "half.txt", b"y")
