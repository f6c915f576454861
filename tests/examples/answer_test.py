#!/usr/bin/env python3
"""The page of `./dev answer`, written from small made-up results: every part is there, and every figure is theirs."""

import base64
import contextlib
import io
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import types
import unittest
import unittest.mock

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tools/answer"))
import page  # noqa: E402
import plots  # noqa: E402
import report  # noqa: E402
import run  # noqa: E402
import tables  # noqa: E402

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")
SECTIONS = ["short-answer", "what-that-loss-is", "floor", "what-the-encoder-changes", "program-that-was-asked-about",
            "what-is-often-said", "rate-and-distortion", "decoders-that-do-without", "samples-judged", "how-this-was-made"]


def made_up(seed):
    """Runs with figures drawn at random: {name: summary}."""
    draw = random.Random(seed)
    value = lambda: round(draw.uniform(10, 1000), 6)
    pair = lambda: {"train": value(), "test": value()}
    nats = lambda: {"loss": value(), "reconstruction": value(), "kl": value()}
    codes = lambda: {key: value() for key in ("mean_of_mu", "mean_abs_mu", "variance_of_mu", "mean_sigma_squared",
                                              "aggregated_variance", "median_sigma", "posterior_radius", "kl")}
    floors = {"uniform": value(), "mean_image": pair(), "class_means": pair(), "perfect": pair()}
    base = lambda **options: {"options": {"epochs": 3, "hidden": 256, "latent": 8, "images": 1000, **options},
                              "build": "made up", "train": nats(), "test": nats(), "floors": floors}
    vae = lambda beta: base(beta=beta) | {
        "codes": {"untrained": codes(), "trained": codes()}, "kl_by_axis": [value() for _ in range(8)], "active_units": 7,
        "importance": {"images": 100, "1": value(), "64": value()},
        "rate": {"kl": value(), "information": value(), "aggregate_kl": value(), "information_bound": value()},
        "rotations": {"random_pair": {"code": value(), "pixel": value()}, "by_degrees": [
            {"degrees": degrees, "code": value(), "pixel": value(), "code_ratio": value(), "pixel_ratio": value()}
            for degrees in (1, 45)]}}
    decoder = lambda **options: base(**options) | {
        "distance_to_mean_image": value(), "output_std_over_z": value(), "data_std": value(),
        "above_floor": value(), "nll": {"samples": 4096, "test": value()}, "auto_decoder": {"train": value(), "test": value()}}
    iwae = lambda: {"options": {"eval_samples": 100}, "epochs": 40, "active_units": 20,
                    "test": {"nll": value(), "nll_without_dead_units": value()}}
    runs = {"vae": vae(1.0), "beta_1_128": vae(1 / 128), "beta_4": vae(4.0), "autoencoder": vae(1.0), "vae_2d": vae(1.0),
            "vae_8d": vae(1.0), "decoder_only": decoder(samples=1), "posted": base(),
            "low_lr": decoder(samples=1), "samples_1": decoder(samples=1),
            "samples_256": decoder(samples=256), "nearest": decoder(samples=256), "learned": decoder(), "fixed": decoder(),
            "gan": {"options": {"epochs": 3}, "real_taken_for_real": value(), "made_taken_for_real": value()},
            "iwae_1": iwae(), "iwae_5": iwae(),
            "flow": {"options": {"epochs": 3}, "test_mse": value()}, "classifier": {"test_accuracy": value()}}
    judged = lambda: {key: value() for key in ("frechet_distance", "precision", "recall", "own_kind", "class_entropy")}
    runs["judge"] = {"options": {"count": 100}, "training_images": judged(),
                     "samples": {name: judged() for name in runs
                                 if name not in ("posted", "low_lr", "vae_2d", "iwae_1", "iwae_5", "classifier")}}
    return runs


def write_runs(folder, runs):
    for name, summary in runs.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "summary.json").write_text(json.dumps(summary))
        (folder / name / "steps.csv").write_text("step,loss\n0,543.5\n1,400\n")
        (folder / name / "metrics.csv").write_text("epoch,train_loss,test_loss\n1,30,29\n2,-500,-510\n")
        (folder / name / "codes.csv").write_text("label,x,y\n3,0.5,0.5\n7,-1,1\n")
        for picture in ("samples", "reconstructions", "interpolation", "manifold", "beside_mean"):
            (folder / name / f"{picture}.png").write_bytes(PIXEL)


class Page(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def page(self, runs, name="a", **options):
        write_runs(self.folder / name, runs)
        return report.write(self.folder / name, self.folder / f"{name}.html", **options).read_text(encoding="utf-8")

    def test_has_every_part_and_nothing_is_missing(self):
        html = self.page(made_up(1))
        for section in SECTIONS:
            self.assertRegex(html, f'<h2 id="[a-z-]*{section}')
        self.assertNotIn("Not run", html)
        self.assertNotIn("{{", html)
        self.assertGreater(html.count("data:image/png;base64,"), 12)
        self.assertNotRegex(html, r'(src|href)="(?!data:|#|http)')

    def test_as_markdown_leaves_what_was_there(self):
        (self.folder / "a").mkdir()
        mine = self.folder / "a/mine.txt"
        mine.write_text("mine")
        write_runs(self.folder / "runs", made_up(1))
        report.write(self.folder / "runs", self.folder / "a.html", markdown=self.folder / "a.md")
        self.assertIn("](a/vae-samples.png)", (self.folder / "a.md").read_text())
        self.assertTrue((self.folder / "a/vae-samples.png").exists())
        self.assertEqual(mine.read_text(), "mine")

    def test_every_figure_comes_from_the_runs(self):
        first, second = (re.sub(r"base64,[^\"]*", "", self.page(made_up(seed), f"run{seed}")) for seed in (1, 2))
        of = lambda html: [set(re.findall(r"-?\d[\d,]*\.\d+", html))]
        same = set.intersection(*of(first), *of(second))
        written = set(re.findall(r"-?\d[\d,]*\.\d+", (SOURCE / "tools/answer/style.css").read_text()))
        # What stands in the text itself: Normalize(0.5, 0.5), own kind 0.5, ln 10; viewport and CSS.
        self.assertLessEqual(same - written, {"0.5", "2.303", "1.0"})

    def test_tables_have_each_figure_under_its_name(self):
        runs = made_up(1)
        results = report.Results({name: report.Node(name, summary) for name, summary in runs.items()})
        row = lambda *cells: "| " + " | ".join(cells) + " |"
        of = lambda name, *keys: [f"{runs['judge']['samples'][name][key]:.2f}" for key in keys]
        self.assertIn(row("GAN", f"{runs['judge']['samples']['gan']['frechet_distance']:.1f}",
                          *of("gan", "precision", "recall", "own_kind", "class_entropy")), tables.table_samples(results))
        distances = [float(line.split("|")[2]) for line in tables.table_samples(results).split("\n")[3:]]
        self.assertEqual(distances, sorted(distances))
        test, codes = runs["beta_4"]["test"], runs["beta_4"]["codes"]["trained"]
        table = tables.table_beta(results)
        self.assertIn(row("4", *(f"{test[key]:.2f}" for key in ("reconstruction", "kl", "loss")),
                          f"{codes['median_sigma']:.3f}", f"{codes['aggregated_variance']:.2f}"), table)
        self.assertEqual(re.findall(r"^\| ([\d/]+) ", table, re.M), ["1/128", "1", "4"])
        turned = runs["vae"]["rotations"]["by_degrees"][1]
        self.assertIn(row("45°", f"{turned['code']:.2f}", f"{turned['code_ratio']:.3f}", f"{turned['pixel_ratio']:.3f}"),
                      tables.table_rotations(results))
        self.assertIn(f"64 importance samples | {runs['vae_8d']['importance']['64']:.2f} |", tables.table_decoders(results))

    def test_says_what_was_not_run(self):
        runs = made_up(1)
        del runs["gan"], runs["vae"]
        html = self.page(runs)
        self.assertIn("Not run: <code>vae</code>", html)
        self.assertIn("Not run: <code>gan</code>", html)
        self.assertNotIn("![", html)
        for section in SECTIONS:
            self.assertRegex(html, f'<h2 id="[a-z-]*{section}')
        html = self.page({}, "nothing")
        self.assertNotIn("Traceback", html)
        self.assertLessEqual(set(re.findall("Not run: <code>([^<]*)", html)), {name for name, *_ in run.parts(False)})

    def test_what_is_null_is_missing_like_what_was_not_run(self):
        runs = made_up(1)
        runs["gan"]["made_taken_for_real"] = None
        runs["vae"]["kl_by_axis"][0] = None
        runs["vae"]["rotations"]["by_degrees"][0]["code"] = None
        html = self.page(runs)
        self.assertIn("Not run: <code>gan</code>", html)
        self.assertIn("Not run: <code>vae</code>", html)
        self.assertNotIn("None", html)

    def test_how_long_the_decoders_were_trained_is_what_their_runs_say(self):
        runs = made_up(1)
        runs["samples_1"]["options"]["epochs"] = 1
        runs["learned"]["options"] |= {"epochs": 20, "images": 2000}
        self.assertIn("Epochs of training: 1 for most; 20 for learned codes, on 2,000 images.", self.page(runs))

    def test_markdown_has_its_pictures_beside_it(self):
        self.page(made_up(1), markdown=str(self.folder / "docs" / "answer.md"))
        text = (self.folder / "docs/answer.md").read_text()
        for picture in re.findall(r"!\[.*?\]\((.*?)\)", text):
            self.assertTrue((self.folder / "docs" / picture).is_file(), picture)
        self.assertNotIn("reconstructions.png", text)  # images of the data set are not to be committed
        self.assertLessEqual(max(len(line) for line in text.split("\n") if not line.startswith(("|", "!"))), 120)

    def test_a_gnuplot_that_fails_is_told_and_draws_nothing(self):
        gnuplot = self.folder / "gnuplot"
        gnuplot.write_text('#!/bin/sh\n: >curve.svg\necho "no such terminal" >&2\nexit 1\n')
        gnuplot.chmod(0o755)
        said = io.StringIO()
        with unittest.mock.patch.dict(os.environ, PATH=str(self.folder)), contextlib.redirect_stderr(said):
            self.assertFalse(plots.draw(self.folder, "curve", "plot x"))
        self.assertEqual(said.getvalue(), f"{self.folder}/curve.gp: gnuplot failed: no such terminal\n")
        self.assertFalse((self.folder / "curve.svg").exists())

    def test_text_of_results_is_escaped(self):
        runs = made_up(1)
        runs["vae"]["build"] = "<script>g++ & co</script>"
        self.assertIn("&lt;script&gt;g++ &amp; co", self.page(runs))


class Runs(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        program = self.folder / "vae"
        program.write_text('#!/bin/sh\necho ran >>../ran.txt\n[ "$1" != fail ] || { echo "it broke"; exit 1; }\n')
        program.chmod(0o755)

    def comparison(self, *commands):
        options = types.SimpleNamespace(programs=self.folder, data=self.folder, out=self.folder / "report", quick=True)
        comparison = run.Comparison(options)
        comparison.parts = [(f"part{i}", list(command), 1) for i, command in enumerate(commands)]
        return comparison

    def times_run(self):
        return len((self.folder / "report/ran.txt").read_text().split())

    def test_what_is_done_is_not_run_again_unless_it_changed(self):
        self.comparison(["vae", "--beta", 1], ["vae"]).run()
        self.assertEqual(self.times_run(), 2)
        self.comparison(["vae", "--beta", 1], ["vae"]).run()
        self.assertEqual(self.times_run(), 2)
        self.comparison(["vae", "--beta", 2], ["vae"]).run()
        self.assertEqual(self.times_run(), 3)

    def test_other_data_or_programs_are_run_again(self):
        for data, times in (("a", 1), ("a", 1), ("b", 2)):
            comparison = run.Comparison(types.SimpleNamespace(programs=self.folder, data=self.folder / data,
                                                              out=self.folder / "report", quick=True))
            comparison.parts = [("part", ["vae"], 1)]
            comparison.run()
            self.assertEqual(self.times_run(), times)

    def test_the_page_says_which_form_it_is_of_and_what_was_not_run(self):
        self.assertEqual(self.command("--report-only", "--quick"), (0, ""))
        page = (self.folder / "report/index.html").read_text()
        self.assertIn("The short form was run", page)
        self.assertRegex(page, "Not run yet: decoder_only, vae, .*judge[.]")

    def test_a_failure_says_what_the_program_said_and_is_run_again(self):
        for _ in range(2):
            with self.assertRaisesRegex(SystemExit, "part1 failed: it broke"):
                self.comparison(["vae"], ["vae", "fail"]).run()
        self.assertEqual(self.times_run(), 3)

    def judged(self, *options):
        comparison = self.comparison()
        comparison.parts = [(name, ["vae", *options], 1) for name in ("vae", "classifier")]
        comparison.parts += [("posted", ["vae"], 1), ("judge", ["judge", "vae", "--count", 1], 1)]
        return comparison

    def test_what_was_run_again_is_judged_again(self):
        shutil.copy(self.folder / "vae", self.folder / "judge")
        self.judged().run()
        self.assertEqual(self.judged().todo(), [])
        self.assertEqual([name for name, *_ in self.judged("--beta", 2).todo()], ["vae", "classifier", "judge"])
        for name, judge in (("posted", []), ("vae", ["judge"]), ("classifier", ["judge"])):
            time.sleep(0.02)  # file systems count time in steps
            (self.folder / f"report/runs-quick/{name}/done.json").touch()
            self.assertEqual([part[0] for part in self.judged().todo()], judge, name)
            self.judged().run()

    def command(self, *arguments):
        """Its exit code and what it says, of errors."""
        done = subprocess.run([sys.executable, SOURCE / "tools/answer/run.py", "--out", self.folder / "report", *arguments],
                              cwd=self.folder, capture_output=True, text=True)
        return done.returncode, done.stderr.strip()

    def test_what_is_wrong_is_told_in_one_line(self):
        file = self.folder / "file.txt"
        file.write_text("mine")
        self.assertEqual(self.command("--out", file), (
            1, f"--out {file} is a file; it must be a folder, or not be there yet"))
        self.assertEqual(self.command("--report-only", "--markdown", file / "x/a.md"), (1, f"{file}/x/a: Not a directory"))
        kept = self.folder / "report/runs/decoder_only/summary.json"
        kept.parent.mkdir(parents=True)
        kept.write_text("{")
        self.assertEqual(self.command("--programs", "/nowhere"), (
            1, "no program decoder_only in /nowhere; ./dev answer without --programs builds it"))
        self.assertTrue(kept.exists())
        code, said = self.command("--report-only")
        self.assertRegex(said, f"^{kept} is no JSON: .*$")
        self.assertEqual(code, 1)

    def test_sigterm_stops_the_program_that_runs_too(self):
        for name in ("decoder_only", "vae", "iwae", "gan", "flow", "classifier", "judge"):
            program = self.folder / name
            program.write_text(f"#!{sys.executable}\nimport pathlib, signal, sys, time\n"
                               "stop = lambda *_: sys.exit(pathlib.Path('stopped').write_text(''))\n"
                               "signal.signal(signal.SIGINT, stop)\npathlib.Path('begun').touch()\ntime.sleep(60)\n")
            program.chmod(0o755)
        process = subprocess.Popen([sys.executable, SOURCE / "tools/answer/run.py", "--quick", "--out", "report",
                                    "--programs", ".", "--data", "."], cwd=self.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        runs = self.folder / "report/runs-quick"
        while not (runs / "begun").exists():
            self.assertIsNone(process.poll(), "it ended before it began")
            time.sleep(0.02)
        process.terminate()
        self.assertEqual(process.communicate()[1], "stopped; the same command goes on from here\n")
        self.assertTrue((runs / "stopped").exists())

    def test_the_short_form_takes_what_is_promised(self):
        self.assertEqual(run.duration(sum(seconds for *_, seconds in run.parts(quick=True))), "5 min")
        self.assertIn("a short form of some five minutes", (SOURCE / "dev").read_text())

    def test_both_forms_judge_what_they_make(self):
        for quick in (True, False):
            parts = run.parts(quick)
            names = [name for name, _, _ in parts]
            self.assertEqual(len(names), len(set(names)))
            judged = [word for word in parts[-1][1][1:] if not str(word).startswith("--") and not isinstance(word, int)]
            self.assertLessEqual(set(judged), set(names))
            self.assertLess(names.index("classifier"), names.index("judge"))


if __name__ == "__main__":
    unittest.main()
