#!/usr/bin/env python3
"""Runs the whole comparison, and writes report/index.html. `./dev answer` calls it, after building the programs.

Each part is one run of a program into a folder of its own. A part that is done leaves done.json there, and is not run
again unless its command changed, or where the programs or the data are; so an interrupted comparison goes on where it
stopped. Standard library only.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import report


def parts(quick):
    """Name, command and expected seconds on two cores of each part, in the order in which they run."""
    epochs = 2 if quick else 10
    vae = ["vae", "--epochs", epochs]
    decoder = ["decoder_only", "--epochs", epochs]
    slider = ["decoder_only", "--epochs", 1 if quick else 10, "--hidden", 256, "--latent", 8]
    result = [
        ("decoder_only", decoder, 3 * epochs),
        ("vae", vae, 25 + 4 * epochs),
        ("posted", ["decoder_only", "--as-posted", "--no-target-check", "--epochs", 1 if quick else 5, "--samples-out", 0],
         3 if quick else 15),
        ("low_lr", [*decoder, "--lr", 1e-5, "--samples-out", 0], 3 * epochs),
    ]
    result += [(f"beta_{name}", [*vae, "--beta", beta], 25 + 4 * epochs)
               for name, beta in (BETAS[:1] if quick else BETAS)]
    result += [
        ("autoencoder", [*vae, "--autoencoder"], 10 + 3 * epochs),
        ("vae_2d", [*vae, "--latent", 2], 25 + 4 * epochs),
    ]
    result += [(f"samples_{k}", [*slider, "--samples", k], 5 + (0.1 if quick else 1) * (10 + k / 8))
               for k in ((1, 16, 256) if quick else (1, 4, 16, 64, 256))]
    result += [("vae_8d", ["vae", "--epochs", slider[2], "--hidden", 256, "--latent", 8], 25 + 2 * epochs)]
    result += [(f"iwae_{k}", ["iwae", "--k", k, "--stages", 2 if quick else 4, "--eval-samples", 100 if quick else 1000],
                (5 if quick else 100) * (1 + k / 3)) for k in (1, 5)]
    result += [
        ("nearest", [*slider, "--codes", "nearest", "--samples", 256], 5 + 4 * epochs),
        ("learned", ["decoder_only", "--codes", "learned", "--images", 2000 if quick else 12000, "--epochs",
                     20 if quick else 50, "--hidden", 256, "--latent", 8], 15 if quick else 60),
        ("fixed", ["decoder_only", "--codes", "fixed", "--images", 1000, "--epochs", 100 if quick else 300, "--latent", 64],
         5 if quick else 15),
        ("gan", ["gan", "--epochs", 4 if quick else 30], (4 if quick else 30) * 4),
        ("flow", ["flow", "--epochs", 4 if quick else 20, "--steps", 20 if quick else 50], (4 if quick else 20) * 5 + 10),
        ("classifier", ["classifier", "--epochs", 3 if quick else 10], 4 * (3 if quick else 10)),
    ]
    count = 2000 if quick else 10000
    result = [(name, [*command, "--samples-out", count] if with_samples(name, command) else command, seconds)
              for name, command, seconds in result]
    judged = [name for name, command, _ in result if with_samples(name, command)]
    return result + [("judge", ["judge", *judged, "--count", count], len(judged) * (1 if quick else 6))]


BETAS = [("1_128", 1 / 128), ("1_8", 1 / 8), ("4", 4), ("8", 8)]


def with_samples(name, command):
    return command[0] in ("vae", "decoder_only", "gan", "flow") and name not in ("posted", "low_lr", "vae_2d")


def read_by(command):
    """The parts whose results a part reads: only the judge does, what it judges and the classifier's."""
    return ["classifier", *command[1:command.index("--count")]] if command[0] == "judge" else []


class Comparison:
    def __init__(self, options):
        self.programs = pathlib.Path(options.programs).resolve()
        self.data = pathlib.Path(options.data).resolve()
        self.out = pathlib.Path(options.out).resolve()
        self.inputs = [os.path.relpath(folder, self.out) for folder in (self.programs, self.data)]
        self.runs = self.out / ("runs-quick" if options.quick else "runs")
        self.parts = parts(options.quick)
        self.speed = 1.0  # seconds taken for a second expected

    def command(self, name, command):
        """The command as it is run, in the folder of the runs."""
        words = [str(self.programs / command[0]), *map(str, command[1:]), "--data", str(self.data), "--out", name]
        return words + (["--classifier", "classifier/model.safetensors"] if name == "judge" else [])

    def is_done(self, name, command):
        try:
            done = json.loads((self.runs / name / "done.json").read_text())
            return done["command"] == [*map(str, command)] and done["inputs"] == self.inputs
        except (OSError, ValueError, KeyError):
            return False

    def made(self, name):
        """When a part was done; 0 if it was not."""
        done = self.runs / name / "done.json"
        return done.stat().st_mtime_ns if done.exists() else 0

    def is_outdated(self, name, command):
        """Whether a part that it reads was made after it."""
        return any(self.made(other) > self.made(name) for other in read_by(command))

    def todo(self):
        """The parts to run, in their order; those that read one of them are among them."""
        result = []
        for name, command, seconds in self.parts:
            again = any(other in read_by(command) for other, *_ in result)
            if again or not self.is_done(name, command) or self.is_outdated(name, command):
                result.append((name, command, seconds))
        return result

    def run(self):
        todo = self.todo()
        print(f"{len(self.parts)} parts, {len(self.parts) - len(todo)} of them done before")
        for _, command, _ in todo:  # now, as a run begins by emptying its folder
            if not (self.programs / command[0]).is_file():
                sys.exit(f"no program {command[0]} in {self.programs}; ./dev answer without --programs builds it")
        for name, command, seconds in todo:
            print(f"  {name:14} about {duration(seconds):>6}   {' '.join(map(str, command))}")
        print(f"in all about {duration(sum(part[2] for part in todo))} on two cores; "
              "Ctrl-C stops, and the same command goes on from there")
        expected = taken = 0.0
        for number, (name, command, seconds) in enumerate(todo, 1):
            left = self.speed * sum(part[2] for part in todo[number - 1:])
            print(f"[{number}/{len(todo)}] {name}: about {duration(left)} left", flush=True)
            taken += self.run_part(name, command, left)
            expected += seconds
            self.speed = taken / expected

    def run_part(self, name, command, left):
        """Runs one part to its end, and says how far it is. Returns the seconds it took."""
        folder = self.runs / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        started = time.monotonic()
        with open(folder / "log.txt", "w") as log:
            process = subprocess.Popen(self.command(name, command), cwd=self.runs, stdout=log, stderr=log)
            try:
                while process.poll() is None:
                    time.sleep(0.2)
                    if sys.stdout.isatty():
                        self.show(folder / "log.txt", left - (time.monotonic() - started))
            except KeyboardInterrupt:
                process.send_signal(signal.SIGINT)
                process.wait()
                raise
        clear_line()
        if process.returncode != 0:
            lines = (folder / "log.txt").read_text(errors="replace").strip().splitlines()
            sys.exit(f"{name} failed: {lines[-1] if lines else 'it said nothing'}\n  {folder / 'log.txt'}")
        taken = time.monotonic() - started
        done = {"command": [*map(str, command)], "inputs": self.inputs, "seconds": round(taken, 1)}
        (folder / "done.json").write_text(json.dumps(done, indent=2) + "\n")
        return taken

    @staticmethod
    def show(log, left):
        lines = log.read_text(errors="replace").strip().splitlines()
        clear_line()
        print(f"    {duration(max(left, 0))} left   {lines[-1][:80] if lines else ''}", end="", flush=True)


def clear_line():
    if sys.stdout.isatty():
        print("\r\033[K", end="")


def duration(seconds):
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def main():
    parser = argparse.ArgumentParser(prog="./dev answer", allow_abbrev=False,  # ./dev knows --help by its full name
                                     description="Runs the whole comparison of a VAE with decoders that have no encoder, "
                                     "and writes a page that reads as the answer.")
    parser.add_argument("--quick", action="store_true", help="short runs and fewer of them, "
                        f"about {duration(sum(part[2] for part in parts(quick=True)))}")
    parser.add_argument("--report-only", action="store_true", help="write the page from what has been run")
    parser.add_argument("--markdown", metavar="FILE", help="also write the page as Markdown, its pictures in a folder beside it")
    parser.add_argument("--out", default="report", help="folder to write to (report)")
    parser.add_argument("--data", default="data/mnist", help="folder of MNIST's files (data/mnist)")
    parser.add_argument("--programs", default="build/release/examples", help="folder of the programs")
    parser.add_argument("--needs", action="store_true", help=argparse.SUPPRESS)  # ./dev asks what to build and to fetch
    options = parser.parse_args()
    if options.markdown and not options.markdown.endswith(".md"):
        parser.error(f"argument --markdown: {options.markdown} does not end in .md")
    out = pathlib.Path(options.out)
    if out.exists() and not out.is_dir():
        sys.exit(f"--out {out} is a file; it must be a folder, or not be there yet")
    if options.needs:
        given = lambda name: getattr(options, name) != parser.get_default(name)
        print(*(name for name in ("programs", "data") if not options.report_only and not given(name)))
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops as Ctrl-C does, and so the program that runs
    try:
        answer(options)
    except KeyboardInterrupt:
        clear_line()
        sys.exit("stopped; the same command goes on from here")
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except ValueError as error:
        sys.exit(str(error))


def answer(options):
    comparison = Comparison(options)
    if not options.report_only:
        comparison.run()
    unrun = [name for name, command, _ in comparison.parts
             if not comparison.made(name) or comparison.is_outdated(name, command)]
    page = report.write(comparison.runs, comparison.out / "index.html", options.quick, options.markdown, unrun)
    print(f"the answer: {page}")


if __name__ == "__main__":
    main()
