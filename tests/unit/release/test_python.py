"""Which packages and files of the locked wheels are in the image."""

from pathlib import Path

from sampan.release.python import leave_out, linux

KEPT = ("kubernetes/client/api/core_v1_api.py", "sqlalchemy/dialects/postgresql/psycopg.py", "sqlalchemy/dialects/sqlite/base.py")
KEPT_TOO = ("pygments/lexers/__init__.py", "pygments/lexers/_mapping.py", "pygments/style.py", "numpy/_core/_multiarray_umath.so")
GONE = ("kubernetes/aio/client/a.py", "sqlalchemy/dialects/mysql/base.py", "pygments/lexers/abap.py", "numpy/_core/_simd_tests.cpython.so")
GONE_TOO = ("numpy/f2py/a.py", "numpy/ma/tests/test_core.py", "yaml/_yaml.pyx", "bin/kopf", "numpy/a.pyi")


def test_what_nothing_reads_is_left_out(tmp_path: Path) -> None:
    for name in (*KEPT, *KEPT_TOO, *GONE, *GONE_TOO):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    leave_out(tmp_path)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()) == sorted((*KEPT, *KEPT_TOO))


def test_wheels_are_those_of_the_image_s_processor() -> None:
    assert all(name.endswith("_aarch64") for name in linux("arm64"))
    assert all(name.endswith("_x86_64") for name in linux("amd64"))
