"""The page's tables, in Markdown."""

from page import Missing


def add_tables(results, scope):
    """Adds the tables that the template names to `scope`, or the run that one of them lacks."""
    for name, make in (("table_beta", table_beta), ("table_slider", table_slider), ("table_rotations", table_rotations),
                       ("table_samples", table_samples), ("table_decoders", table_decoders)):
        try:
            scope[name] = make(results)
        except Missing as lack:
            scope.lacks[name] = str(lack)


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
