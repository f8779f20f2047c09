"""Filling, looking after and moving a home."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cli.terminal import Terminal
from tests.service.corpus import OPENING, QUESTION, copy, write


def test_a_folder_is_synced_and_synced_again(empty: Terminal, tmp_path: Path) -> None:
    """Counts on stdout; a second sync changes nothing, a changed and a removed file are followed."""
    folder = write(tmp_path / "harbour")
    first = empty.ken("sync", str(folder))
    assert first.stdout.startswith("harbour: 4 added, 0 changed, 0 unchanged, 0 deleted")
    assert "4 unchanged" in empty.ken("sync", str(folder)).stdout
    (folder / "fuel.txt").unlink()
    (folder / "crane.md").write_text("# Crane\n\nThe crane has been sold to another harbour.\n", encoding="utf-8")
    report = json.loads(empty.ken("sync", str(folder), "--json").stdout)
    assert (report["added"], report["changed"], report["unchanged"], report["deleted"]) == (0, 1, 2, 1)
    ids = [each["id"] for each in json.loads(empty.ken("documents", "--json").stdout)]
    assert ids == ["harbour/crane.md", "harbour/office.md", "harbour/wages.md"]


def test_files_that_fail_are_named_and_the_others_go_on(empty: Terminal, tmp_path: Path) -> None:
    """Exit code 0 as long as something could be taken, 1 when nothing could."""
    folder = write(tmp_path / "harbour")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing more")
    done = empty.ken("sync", str(folder))
    assert "1 failures" in done.stderr
    assert "broken.pdf" in done.stderr
    only = tmp_path / "only"
    only.mkdir()
    shutil.copy(folder / "broken.pdf", only)
    assert "broken.pdf" in empty.ken("sync", str(only), code=1).stderr


def test_groups_and_the_collections_name_are_chosen(empty: Terminal, tmp_path: Path) -> None:
    """--groups holds for documents that name none themselves."""
    empty.ken("sync", str(write(tmp_path / "folder")), "--collection", "port", "--groups", "crew,office")
    documents = {each["id"]: each["groups"] for each in json.loads(empty.ken("documents", "--json").stdout)}
    assert documents["port/office.md"] == ["crew", "office"]
    assert documents["port/wages.md"] == ["office"]
    lines = empty.ken("documents").stdout.splitlines()
    assert lines[0].split("\t")[0] == "port/crane.md"


def test_a_folder_that_is_none_is_bad_input(empty: Terminal, tmp_path: Path) -> None:
    """2, and nothing is made."""
    file = tmp_path / "file.md"
    file.write_text("# A", encoding="utf-8")
    assert "does not exist" in empty.ken("sync", str(tmp_path / "none"), code=2).stderr
    assert "is not a folder" in empty.ken("sync", str(file), code=2).stderr
    assert not empty.home.exists()


def test_keys_are_made_listed_and_revoked(filled: Terminal) -> None:
    """The key alone is on stdout; the list never shows it."""
    secret = filled.ken("keys", "create", "nora", "--groups", "office, crew").stdout.strip()
    assert secret.startswith("ken-")
    listed = filled.ken("keys", "list", "--json").stdout
    key = next(each for each in json.loads(listed) if each["name"] == "nora")
    assert key["groups"] == ["crew", "office"]
    assert secret not in listed
    filled.ken("keys", "create", "nora", code=1)
    assert key["id"] in filled.ken("keys", "revoke", key["id"]).stderr
    filled.ken("keys", "create", "  ", code=2)


def test_a_backup_becomes_a_home_again(filled: Terminal, tmp_path: Path) -> None:
    """The restored home answers the same; a home that holds something is not overwritten unasked."""
    file = tmp_path / "ken.zip"
    assert filled.ken("backup", str(file)).stdout == f"{file}\n"
    other = Terminal(tmp_path / "other")
    other.ken("restore", str(file))
    assert "--replace" in other.ken("restore", str(file), code=1).stderr
    file.write_bytes(file.read_bytes()[:1000])
    other.ken("restore", str(file), "--replace", code=2)
    assert OPENING in other.ken("ask", QUESTION).stdout


def test_the_doctor_finds_a_sound_home_sound(filled: Terminal) -> None:
    """Each check is named, and the exit code is 0."""
    findings = json.loads(filled.ken("doctor", "--json").stdout)
    names = [each["what"] for each in findings]
    assert names[:5] == ["Python", "Home", "Disk", "Embedder's weights", "Database and index"]
    assert not any(each["state"] == "failed" for each in findings)


def test_the_doctor_names_what_is_wrong_with_its_remedy(tmp_path: Path) -> None:
    """A damaged database, missing weights and an endpoint that is not there: each failed, the rest still looked at."""
    broken = Terminal(copy(tmp_path / "home"))
    (broken.home / "ken.db").write_bytes(b"not a database, " * 500)
    folder = tmp_path / "no-weights"
    (broken.home / "ken.toml").write_text(
        f'model_folder = "{folder}"\n[[models]]\nname = "gone"\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\n',
        encoding="utf-8",
    )
    findings = {each["what"]: each for each in json.loads(broken.ken("doctor", "--json", code=1).stdout)}
    for what in ("Embedder's weights", "Database and index", "Model 'gone'"):
        assert findings[what]["state"] == "failed", what
        assert findings[what]["remedy"], what
    assert findings["Python"]["state"] == "ok"


def test_the_doctor_makes_nothing(empty: Terminal) -> None:
    """Looking at a home that isn't there doesn't make one."""
    empty.ken("doctor")
    assert not empty.home.exists()


def test_a_setting_that_cannot_be_used_is_a_plain_line(empty: Terminal) -> None:
    """2, with the setting's name."""
    empty.home.mkdir()
    (empty.home / "ken.toml").write_text('port = "many"\n', encoding="utf-8")
    done = empty.ken("documents", code=2)
    assert "port" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "port" in empty.ken("doctor", code=1).stderr


def test_questions_are_evaluated(filled: Terminal, tmp_path: Path) -> None:
    """Figures on stdout, the report as JSON in a file; a broken file is bad input."""
    cases = tmp_path / "cases.jsonl"
    gold = [{"path": "harbour/office.md", "evidence": OPENING}]
    case = {
        "id": "a",
        "question": QUESTION,
        "kind": "lookup",
        "collection": "harbour",
        "gold": gold,
        "facts": ["07:30"],
    }
    cases.write_text(json.dumps(case) + "\n", encoding="utf-8")
    report = tmp_path / "report.json"
    assert "fact_coverage" in filled.ken("eval", str(cases), "--json", str(report)).stdout
    assert json.loads(report.read_text("utf-8"))["overall"]["fact_coverage"]["value"] == 1.0
    assert "fact_coverage" not in filled.ken("eval", str(cases), "--search-only").stdout
    cases.write_text("{broken\n", encoding="utf-8")
    filled.ken("eval", str(cases), code=2)


def test_the_unforeseen_is_one_line_and_a_log(filled: Terminal) -> None:
    """A full disk behind stdout is nobody's fault here: one line on stderr, the traceback in the home's log."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            filled.command("documents", "--json"), stdout=full, stderr=subprocess.PIPE, check=False, timeout=50
        )
    told = done.stderr.decode()
    log = filled.home / "logs" / "ken.log"
    assert done.returncode == 1
    assert told == f"ken: Something went wrong inside Ken (OSError). The details are in '{log}'.\n"
    assert "Traceback" in log.read_text("utf-8")


def test_help_waits_for_nothing_heavy() -> None:
    """`ken --help` imports no library that takes long: it answers at once."""
    script = (
        "import sys; import ken.cli.main; "
        "print(sorted({'numpy', 'sqlalchemy', 'fastapi', 'uvicorn', 'onnxruntime', 'aiohttp', 'tantivy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, timeout=50, text=True)
    assert done.stdout == "[]\n"


def test_wrong_usage_is_bad_input(filled: Terminal) -> None:
    """2 for an unknown command, an unknown option and a missing argument."""
    for arguments in (("sing",), ("ask", "--loud", "x"), ("ask",), ("keys", "lend")):
        filled.ken(*arguments, code=2)
    assert filled.ken("--version").stdout.strip()
