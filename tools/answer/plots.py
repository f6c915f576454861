"""The plots, drawn by gnuplot from CSV files. Where gnuplot is missing, the CSV stays, and the page says how to draw it."""

import csv
import shutil
import subprocess
import sys

SETTINGS = """
set datafile separator ","
set terminal svg size {width},{height} dynamic font "sans-serif,16" background "#ffffff"
set output "{output}"
set border 3 lc rgb "#555555"
set tics nomirror
set grid lc rgb "#e4e4e4"
set key {key}
set style line 1 lc rgb "#c0392b" lw 2 pt 7 ps 0.6
set style line 2 lc rgb "#2060a0" lw 2 pt 7 ps 0.6
set style line 9 lc rgb "#888888" lw 1 dt 2
"""


def draw(folder, name, commands, width=600, height=400, key="top right"):
    """Writes folder/NAME.svg by gnuplot's commands, and NAME.gp to draw it again. False where there is no gnuplot, or it
    fails, which is told."""
    script = folder / f"{name}.gp"
    script.write_text(SETTINGS.format(width=width, height=height, key=key, output=f"{name}.svg") + commands)
    if not shutil.which("gnuplot"):
        return False
    done = subprocess.run(["gnuplot", script.name], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        (folder / f"{name}.svg").unlink(missing_ok=True)
        print(f"{script}: gnuplot failed: {' '.join(done.stderr.split())}", file=sys.stderr)
    return done.returncode == 0


def write_csv(path, header, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
