"""Collects what the runs left, draws the plots, and writes the page from answer.md."""

import csv
import json
import pathlib
import re
import shlex
import shutil
import textwrap

import plots
from page import Missing, Node, Results, fill, to_html

HERE = pathlib.Path(__file__).parent


def load(runs):
    """The summary.json of every run, by the run's name."""
    results = Results()
    for path in sorted(runs.glob("*/summary.json")):
        try:
            results[path.parent.name] = Node(path.parent.name, json.loads(path.read_bytes()))
        except ValueError as error:
            raise ValueError(f"{path} is no JSON: {error}") from None
    return results


def write(runs, page, quick=False, markdown=None, unrun=()):
    """Writes the page, and on request its Markdown with the pictures in a folder of its name. Returns its path."""
    results = load(runs)
    scope = Results(results)
    tables(results, scope)
    scope["unrun"] = f"Not run yet: {', '.join(unrun)}." if unrun else ""
    scope.update(quick=quick, command="./dev answer --quick" if quick else "./dev answer")
    if "posted" in results:
        scope["posted_losses"] = posted_losses(runs)
    else:
        scope.lacks["posted_losses"] = "posted"
    undrawn = draw_plots(runs, results)
    template = (HERE / "answer.md").read_text(encoding="utf-8")
    text = keep_pictures(fill(template, scope), runs, undrawn)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(to_html(text, "Is the encoder needed?", (HERE / "style.css").read_text(), runs), encoding="utf-8")
    if markdown:
        write_markdown(text, runs, pathlib.Path(markdown))
    return page


def keep_pictures(text, runs, undrawn):
    """Without the pictures that are not there: a plot's place is taken by the line that draws it."""
    lines = []
    for line in text.split("\n"):
        if line.startswith("!["):
            name = pathlib.Path(line[line.index("](") + 2:-1])
            if name.stem in undrawn:
                line = f"\n> Not drawn here. To draw it: `cd {shlex.quote(str(runs))} && gnuplot {name.stem}.gp`\n"
            elif not (runs / name).exists():
                why = f"Not run: `{name.parent}`." if name.parent.name else "Its runs are not all there."
                line = f"\n> {why} A picture is missing here.\n"
        lines.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def write_markdown(text, runs, path):
    folder = path.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for line in text.split("\n"):
        if line.startswith("!["):
            name = line[line.index("](") + 2:-1]
            if name.endswith("reconstructions.png"):  # it shows images of the data set, which are not ours to keep
                continue
            short = name.replace("/", "-").replace("_", "-")
            shutil.copyfile(runs / name, folder / short)
            line = line.replace(f"]({name})", f"]({folder.name}/{short})")
        lines += [line] if line.startswith(("|", "!", "```", "    ")) else textwrap.wrap(
            line, 120, break_long_words=False, break_on_hyphens=False,
            subsequent_indent="> " if line.startswith("> ") else "  " if line.startswith("- ") else "") or [""]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


# ---- tables -----------------------------------------------------------------------------------------------------------

def table(header, rows, run=None):
    """A Markdown table; a row whose result is missing is left out. All missing: Missing, of `run` if there is no row."""
    lines, lacking = [], Missing(run)
    for row in rows:
        try:
            lines.append("| " + " | ".join(cell() if callable(cell) else str(cell) for cell in row) + " |")
        except Missing as lack:
            lacking = lack
    if not lines:
        raise lacking
    return "\n".join(["| " + " | ".join(header) + " |", "|" + "---|" * len(header), *lines])


def betas(results):
    """The runs of the sweep over beta, from low to high, the VAE itself among them."""
    runs = [run for name, run in results.items() if name.startswith("beta_")] + [results[n] for n in ("vae",) if n in results]
    return sorted(runs, key=lambda run: run.options.beta)


def slider(results):
    return sorted((run for name, run in results.items() if name.startswith("samples_")), key=lambda run: run.options.samples)


def tables(results, scope):
    """Adds the tables that the template names to `scope`, or the run that one of them lacks."""
    for name, make in (("table_beta", table_beta), ("table_slider", table_slider), ("table_rotations", table_rotations),
                       ("table_samples", table_samples), ("table_decoders", table_decoders)):
        try:
            scope[name] = make(results)
        except Missing as lack:
            scope.lacks[name] = str(lack)


def number(value, digits=2):
    return f"{value:.{digits}f}"


def fraction(beta):
    return f"1/{round(1 / beta)}" if 0 < beta < 1 else f"{beta:g}"


def table_beta(results):
    rows = [[fraction(run.options.beta), lambda run=run: number(run.test.reconstruction), lambda run=run: number(run.test.kl),
             lambda run=run: number(run.test.loss), lambda run=run: number(run.codes.trained.median_sigma, 3),
             lambda run=run: number(run.codes.trained.aggregated_variance)] for run in betas(results)]
    auto = results.get("autoencoder")
    if auto is not None:
        rows.insert(0, ["plain autoencoder", lambda: number(auto.test.reconstruction), "-", "-", "-",
                        lambda: number(auto.codes.trained.variance_of_mu)])
    return table(["beta", "distortion", "KL", "sum", "sigma of a code", "variance of all codes"], rows, "vae")


def table_slider(results):
    rows = [[run.options.samples, lambda run=run: number(run.nll.test), lambda run=run: number(run.output_std_over_z, 3)]
            for run in slider(results)]
    return table(["K", "test NLL", "how much the output varies with z"], rows, "samples_1")


def table_rotations(results):
    rows = [[f"{row['degrees']}°", number(row["code"]), number(row["code_ratio"], 3), number(row["pixel_ratio"], 3)]
            for row in results["vae"].rotations.by_degrees]
    return table(["rotated by", "distance of the codes", "part of a random pair's", "the same in pixels"], rows)


def table_decoders(results):
    """Decoders of one size, each with what it was trained by."""
    one = lambda name, words: [words, lambda: number(results[name].nll.test)]
    rows = [one(f"samples_{run.options.samples}", f"K = {run.options.samples}: "
                f"{'the question' if run.options.samples == 1 else 'all K share the batch'}") for run in slider(results)]
    rows += [one("nearest", "only the nearest of the samples learns (IMLE)"), one("learned", "a code for each image, learned (GLO)"),
             ["with an encoder (VAE), 64 importance samples", lambda: number(results["vae_8d"].importance["64"])]]
    return table(["the decoder, trained by", "test NLL"], rows)


SAMPLED = {
    "vae": "VAE", "beta_1_128": "VAE, beta 1/128", "beta_1_8": "VAE, beta 1/8", "beta_4": "VAE, beta 4",
    "beta_8": "VAE, beta 8", "autoencoder": "plain autoencoder", "vae_8d": "VAE, small",
    "decoder_only": "decoder without an encoder", "fixed": "codes drawn once",
    "learned": "learned codes (GLO)", "nearest": "nearest of K (IMLE)", "gan": "GAN", "flow": "flow matching",
}


def table_samples(results):
    judged = results["judge"]
    row = lambda words, run: [words, number(run.frechet_distance, 1), number(run.precision), number(run.recall),
                              number(run.own_kind), number(run.class_entropy)]
    rows = [row("**real images** (training set)", judged.training_images)]
    names = {**SAMPLED, **{f"samples_{run.options.samples}": f"K = {run.options.samples}" for run in slider(results)}}
    found = [(words, judged.samples[name]) for name, words in names.items() if name in judged.samples]
    rows += [row(words, run) for words, run in sorted(found, key=lambda pair: pair[1].frechet_distance)]
    return table(["samples of", "Frechet distance", "precision", "recall", "own kind", "class entropy"], rows)


# ---- plots ------------------------------------------------------------------------------------------------------------

def draw_plots(runs, results):
    """Draws what can be drawn. Returns the names of those whose data are there and that gnuplot did not draw."""
    undrawn = set()
    for name, make in (("curve", plot_curve), ("slider", plot_slider), ("rate", plot_rate), ("axes", plot_axes),
                       ("codes", plot_codes), ("posted", plot_posted)):
        try:
            commands, options = make(runs, results)
        except (Missing, FileNotFoundError):
            continue
        if not plots.draw(runs, name, commands, **options):
            undrawn.add(name)
    return undrawn


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
    plots.write_csv(runs / "slider.csv", ["k", "test_nll"], [[run.options.samples, run.nll.test] for run in found])
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
    plots.write_csv(runs / "rate.csv", ["beta", "kl", "reconstruction"],
                    [[fraction(run.options.beta), run.test.kl, run.test.reconstruction] for run in found])
    ends = [[0, floors.mean_image.test, "no encoder"]]
    plots.write_csv(runs / "ends.csv", ["kl", "reconstruction", "words"], ends)
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
    plots.write_csv(runs / "axes.csv", ["axis", "kl"], enumerate(kl, 1))
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
    plots.write_csv(runs / "posted.csv", ["epoch", "loss"], enumerate(losses))
    return ("""set xlabel "epoch"
set ylabel "loss per image"
set label "a cross entropy cannot be negative" at graph 0.98, first 0 right offset 0,0.7 tc rgb "#555555"
plot 0 ls 9 notitle, "posted.csv" skip 1 using 1:2 with linespoints ls 1 notitle
"""), {"height": 320}
