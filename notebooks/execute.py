"""Runs notebooks from the first cell to the last, without a browser; a cell that fails fails the run.

Usage: execute.py TABLES OUTPUT NOTEBOOK...

TABLES is a directory that `trapscope analyze -o` filled. Each notebook is written with its outputs to OUTPUT,
and every chart beside it as a PNG. The notebooks themselves are not changed: in the sources they carry no
outputs.
"""

import base64
import os
import pathlib
import sys

import nbclient
import nbformat


def charts(notebook):
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            image = output.get("data", {}).get("image/png")
            if image:
                yield base64.b64decode(image)


def execute(path, output):
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        # Without this it warns that a kernel talks over TCP, which it does on the loopback device only.
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError as error:
        sys.exit(f"{path.name}: {error}")
    nbformat.write(notebook, output / path.name)
    count = 0
    for count, image in enumerate(charts(notebook), start=1):
        (output / f"{path.stem}-{count}.png").write_bytes(image)
    print(f"{path.name}: {count} charts")


def main():
    tables, output, *notebooks = sys.argv[1:]
    os.environ["TRAPSCOPE_TABLES"] = str(pathlib.Path(tables).resolve())
    directory = pathlib.Path(output).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    # Settings of the user who runs this must not change what is drawn, and a user may have no home.
    for variable in ["MPLCONFIGDIR", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"]:
        os.environ[variable] = str(directory / "settings" / variable.lower())
    for notebook in notebooks:
        execute(pathlib.Path(notebook).resolve(), directory)


main()
