"""The plots, drawn by gnuplot from CSV files. Where gnuplot is missing, the CSV stays, and the page says how to draw it."""

import csv
import shutil
import subprocess
import sys

from page import Missing
from tables import betas, fraction, slider

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


def draw_all(runs, results):
    """Draws what can be drawn. Returns the names of those whose data are there and that gnuplot did not draw."""
    undrawn = set()
    for name, make in (("curve", plot_curve), ("slider", plot_slider), ("rate", plot_rate), ("axes", plot_axes),
                       ("codes", plot_codes), ("posted", plot_posted)):
        try:
            commands, options = make(runs, results)
        except (Missing, FileNotFoundError):
            continue
        if not draw(runs, name, commands, **options):
            undrawn.add(name)
    return undrawn


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


def column(path, name):
    """A column of a CSV file, as numbers."""
    with open(path, newline="") as file:
        return [float(row[name]) for row in csv.DictReader(file)]


def posted_losses(runs):
    """The loss of the first batch, and that of the test images after each epoch."""
    return column(runs / "posted/steps.csv", "loss")[:1] + column(runs / "posted/metrics.csv", "test_loss")


def need(runs, *files):
    for file in files:
        if not (runs / file).exists():
            raise FileNotFoundError(file)


def plot_curve(runs, results):
    floors = results["decoder_only"].floors
    need(runs, "decoder_only/steps.csv", "vae/steps.csv")
    line = lambda y, words, up: (f'set label "{words}\\n{y:.1f}" at graph 1.01, first {y} left offset 0,{up} '
                                 'tc rgb "#555555"\n')
    return (f"""set xlabel "step of the first epoch"
set ylabel "nats per image"
set yrange [0:*]
set xtics 100
set rmargin 18
{line(floors.mean_image.train, "mean image", 1.3)}{line(floors.class_means.train, "mean of each class", -0.3)}"""
            f"""{line(floors.perfect.train, "perfect copy", 0.3)}
plot {floors.mean_image.train} ls 9 notitle, {floors.class_means.train} ls 9 notitle, \\
     {floors.perfect.train} ls 9 notitle, \\
     "decoder_only/steps.csv" skip 1 using 1:2 with lines ls 1 title "decoder without an encoder", \\
     "vae/steps.csv" skip 1 using 1:2 with lines ls 2 title "VAE"
"""), {}


def plot_slider(runs, results):
    found = slider(results)
    if len(found) < 2:
        raise Missing("samples")
    write_csv(runs / "slider.csv", ["k", "test_nll"], [[run.options.samples, run.nll.test] for run in found])
    floor = found[0].floors.mean_image.test
    best = results["vae_8d"].importance["64"]
    return (f"""set xlabel "K: prior samples that share a batch"
set ylabel "test NLL, nats per image"
set logscale x 2
set offsets graph 0.05, graph 0.05, graph 0.08, graph 0.05
set label "the mean image {floor:.1f}" at graph 0.98, first {floor} right offset 0,0.6 tc rgb "#555555"
set label "VAE of the same size {best:.1f}" at graph 0.98, first {best} right offset 0,0.6 tc rgb "#555555"
plot {floor} ls 9 notitle, {best} ls 9 notitle, "slider.csv" skip 1 using 1:2 with linespoints ls 1 notitle
"""), {}


def plot_rate(runs, results):
    found = betas(results)
    if len(found) < 2:
        raise Missing("beta")
    floors = results["vae"].floors
    write_csv(runs / "rate.csv", ["beta", "kl", "reconstruction"],
                    [[fraction(run.options.beta), run.test.kl, run.test.reconstruction] for run in found])
    ends = [[0, floors.mean_image.test, "no encoder"]]
    write_csv(runs / "ends.csv", ["kl", "reconstruction", "words"], ends)
    auto = results.get("autoencoder")
    line = f"{auto.test.reconstruction} ls 9 notitle, " if auto is not None else ""
    words = (f'set label "plain autoencoder {auto.test.reconstruction:.1f}" at graph 0.98, first {auto.test.reconstruction} '
             "right offset 0,-0.8 tc rgb \"#555555\"") if auto is not None else ""
    return (f"""set xlabel "rate: KL, nats per image"
set ylabel "distortion: reconstruction"
set xrange [-4:*]
set rmargin 9
set offsets 0, graph 0.1, graph 0.1, graph 0.1
{words}
plot {line}"rate.csv" skip 1 using 2:3 with linespoints ls 2 notitle, \\
     "" skip 1 using 2:3:(sprintf("  beta %s", strcol(1))) with labels left offset 0.2,0.6 notitle, \\
     "ends.csv" skip 1 using 1:2 with points ls 1 ps 1.2 notitle, "" skip 1 using 1:2:3 with labels left offset 1,0 notitle
"""), {}


def plot_axes(runs, results):
    kl = sorted(results["vae"].kl_by_axis, reverse=True)
    write_csv(runs / "axes.csv", ["axis", "kl"], enumerate(kl, 1))
    return ("""set xlabel "axis of the code, sorted"
set ylabel "KL, nats"
set style fill solid 0.8
set boxwidth 0.8
set yrange [0:*]
plot "axes.csv" skip 1 using 1:2 with boxes ls 2 notitle
"""), {"height": 300}


def plot_codes(runs, results):
    need(runs, "vae_2d/codes.csv")
    colours = ["#e6194b", "#3cb44b", "#c0a000", "#4363d8", "#f58231", "#911eb4", "#20b2b2", "#f032e6", "#7a8b00", "#8b5a2b"]
    palette = ", ".join(f'{digit} "{colour}"' for digit, colour in enumerate(colours))
    # 1,500 of the points are enough, and keep the page small.
    return (f"""set size square
set palette defined ({palette}) maxcolors 10
set cbrange [-0.5:9.5]
set cbtics 0,1,9
plot "vae_2d/codes.csv" skip 1 every ::0::1499 using 2:3:1 with points pt 7 ps 0.25 lc palette notitle
"""), {"height": 520}


def plot_posted(runs, results):
    need(runs, "posted/metrics.csv")
    losses = posted_losses(runs)
    write_csv(runs / "posted.csv", ["epoch", "loss"], enumerate(losses))
    return ("""set xlabel "epoch"
set ylabel "loss per image"
set label "a cross entropy cannot be negative" at graph 0.98, first 0 right offset 0,0.7 tc rgb "#555555"
plot 0 ls 9 notitle, "posted.csv" skip 1 using 1:2 with linespoints ls 1 notitle
"""), {"height": 320}
