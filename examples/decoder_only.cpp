// The VAE's decoder trained without an encoder. ("Decoder without an encoder", not the decoder-only of language
// models.)
//
// As it is, a fresh z ~ N(0, I) is drawn beside each image, and the decoder is asked to make that image of it. z says
// nothing about the image, so the best output ignores it: expect after ten epochs train within 0.5 of 206.03 nats per
// image, the loss of always showing the mean image; that output; and samples that all look alike. In summary.json that
// loss is floor, and above_floor is train's distance from it.
//
// What is missing is some way for an image to choose its z, of which an encoder is one. Others, with --hidden 256
// --latent 8 --epochs 2, and the nats per test image (nll, below) to expect:
//   --samples K       the same K draws for a whole batch, and -log mean_k p(x|z_k) as the loss: images choose by
//                     likelihood. MacKay's density network (1995); K = 1 is the above.   K = 256: about 138
//   --codes nearest   of the K draws only the best is trained: IMLE.                     K = 256: about 138
//   --codes learned   a z for each image, trained with the decoder: GLO, DeepSDF's auto-decoder. Each is trained
//                     once an epoch, so it needs more of them.   --images 12000 --epochs 20: about 137
//   --codes fixed     a z for each image, drawn once: the decoder can but learn by heart what it is given.
// --as-posted is the program that was asked about, to the letter; it is refused, and with --no-target-check its loss
// sinks below zero while its pictures turn black.

#include "common/checkpoints.hpp"
#include "common/code_schemes.hpp"
#include "common/floors.hpp"
#include "common/mean_image.hpp"
#include "common/posted_program.hpp"

namespace tg = tapegrad;
using namespace examples;

namespace {

struct Scheme {
  Codes codes = Codes::redrawn;
  int samples = 1;  ///< draws that the images of a batch share
  int images = 0;   ///< of the training set, from the first on; 0: all
};

/// The decoder, and where its codes come from.
class Model {
 public:
  Model(const Options& options, const Scheme& scheme, int images, tg::Rng& rng)
      : options_(options), scheme_(scheme), decoder(rng, options.latent, options.hidden) {
    // What is to be learned begins near 0: codes of like images that begin far apart are not all led together.
    if (has_table(scheme.codes)) table_.emplace(images, options.latent, rng, scheme.codes == Codes::learned ? 0.1 : 1);
    if (scheme.codes == Codes::fixed) table_->freeze();
  }

  /// -log p(x|z) of a batch as training has it, summed over the images.
  tg::Var loss(tg::Var x, std::span<const tg::Index> images, tg::Rng& noise) {
    if (table_) return bce_with_logits(decoder((*table_)(x.tape(), images)), x);
    if (scheme_.samples == 1) return loss_of_random_codes(x, noise);
    const tg::Var z = x.tape().randn({scheme_.samples, options_.latent}, noise);
    const tg::Var log_p = log_likelihoods(x, decoder(z));
    if (scheme_.codes == Codes::nearest) return -sum(max(log_p, -1));
    return loss_of_mean_likelihood(log_p);
  }
  /// The same for images that have no codes of their own.
  tg::Var test_loss(tg::Var x, tg::Rng& noise) { return table_ ? loss_of_random_codes(x, noise) : loss(x, {}, noise); }

  std::vector<tg::Parameter*> learned_codes() {
    return scheme_.codes == Codes::learned ? table_->parameters() : std::vector<tg::Parameter*>{};
  }
  /// Makes N(0, I) the distribution of learned codes.
  void whiten() {
    if (scheme_.codes == Codes::learned) table_->whiten(decoder);
  }

  /// A code for each of some images that were not trained on: the best of 4,096 draws where the scheme lets images
  /// choose, and trained from there on where codes are learned; else a random one.
  tg::Tensor codes_for(tg::ConstTensorView images, tg::Rng rng) {
    if (scheme_.codes == Codes::fixed || (scheme_.codes == Codes::redrawn && scheme_.samples == 1))
      return draw_codes(images.shape().rows(), options_.latent, rng);
    tg::Tensor nearest = nearest_codes(decoder, options_.latent, images, rng);
    return scheme_.codes == Codes::learned ? auto_decode(decoder, images, std::move(nearest), 100) : nearest;
  }

 private:
  tg::Var loss_of_random_codes(tg::Var x, tg::Rng& noise) {
    const tg::Var z = x.tape().randn({x.shape().rows(), options_.latent}, noise);
    return bce_with_logits(decoder(z), x);
  }

  const Options& options_;
  const Scheme& scheme_;
  std::optional<CodeTable> table_;

 public:
  Decoder decoder;
};

/// -log p(x) in nats per image, p(x) estimated by the mean of p(x|z) over `samples` draws of z. The figure that all
/// schemes can be held against each other by; no less than the true one, on average.
double negative_log_likelihood(const Options& options, Decoder& decoder, const tg::data::ImageDataset& images,
                               int samples, tg::Rng rng) {
  tg::Tape tape;
  ImageBatches batches(images, {.size = 500});
  const Nats nats = evaluate(tape, batches, [&](tg::Var x, std::span<const tg::Index>) {
    const tg::Var z = x.tape().randn({samples, options.latent}, rng);
    return without_kl(loss_of_mean_likelihood(log_likelihoods(x, decoder(z))));
  });
  return nats.reconstruction;
}

/// How well test images are made of codes that are trained for them, in nats per image.
double auto_decoded_loss(Model& model, const tg::data::ImageDataset& test, tg::Rng rng) {
  tg::Tape tape;
  ImageBatches batches(test, {.size = 1000});
  const Nats nats = evaluate(tape, batches, [&](tg::Var x, std::span<const tg::Index>) {
    const tg::Tensor codes = model.codes_for(x.value(), rng);
    return without_kl(bce_with_logits(model.decoder(x.tape().constant(codes)), x));
  });
  return nats.reconstruction;
}

/// reconstructions.png: test images above what the decoder makes of the z that was found for them; beside_mean.png: the
/// mean image and nine samples; and what all programs draw.
void draw_pictures(const Options& options, Model& model, const tg::data::ImageDataset& test, const Eigen::ArrayXd& mean,
                   tg::Rng rng) {
  const tg::Tensor images = test.tensor(0, std::min(50, test.size()));
  Decoder& decoder = model.decoder;
  draw(options, "reconstructions.png", in_pairs(images, decoder.images(model.codes_for(images, rng)), 10), 10);
  const tg::Tensor mean_image(mean);
  draw(options, "mean_image.png", mean_image, 1);
  tg::Tensor beside({10, 784});
  beside.matrix().row(0) = mean_image.matrix();
  beside.matrix().bottomRows(9) = decoder.images(draw_codes(9, options.latent, rng)).matrix();
  draw(options, "beside_mean.png", beside, 10);
  const tg::Tensor from = draw_codes(8, options.latent, rng), to = draw_codes(8, options.latent, rng);
  draw_interpolation(options, decoder, from, to);
  draw_samples(options, decoder, rng);
}

void print_findings(const nlohmann::json& summary) {
  const auto number = [&](const char* key) { return summary[key].get<double>(); };
  std::printf("-log p(x), z from N(0, I): %.2f nats per test image (%d draws)\n", summary["nll"]["test"].get<double>(),
              summary["nll"]["samples"].get<int>());
  if (summary.contains("auto_decoder"))
    std::printf("test images, of codes trained for them: %.2f nats\n", summary["auto_decoder"]["test"].get<double>());
  const double above = number("above_floor");
  std::printf("on train it is %.2f nats %s the mean image, the floor of outputs that ignore z\n", std::abs(above),
              above > 0 ? "above" : "below");
  std::printf("the output's mean is %.4f away from the mean image, and varies by %.4f with z; images vary by %.4f\n",
              number("distance_to_mean_image"), number("output_std_over_z"), number("data_std"));
}

void run(const Options& options, const Scheme& scheme, const CheckpointOptions& checkpoint_options) {
  const auto mnist = begin(options);
  const tg::data::ImageDataset train_images = first_images(mnist.train, scheme.images);
  const PixelStatistics pixels(train_images);
  Streams rng(options.seed);
  Model model(options, scheme, train_images.size(), rng.weights);
  tg::optim::Adam adam(model.decoder.parameters(), {.lr = options.lr});
  if (const auto codes = model.learned_codes(); !codes.empty()) adam.add_group(codes, {.lr = 0.3});

  Report report(options);
  report.summary["options"].update(
      {{"codes", name_of(scheme.codes, codes_names())}, {"samples", scheme.samples}, {"images", scheme.images}});
  report.summary["floors"] = floors(pixels, PixelStatistics(mnist.test));
  report.summary["data_std"] = pixels.standard_deviation();
  if (!options.quiet) {
    std::printf("%s\n%s\n", tg::build_info().c_str(), model.decoder.summary().c_str());
    print_floors(report.summary["floors"]);
  }

  // z is drawn, or found, and not inferred by a distribution: there is no KL to count.
  tg::Tape tape;
  const auto measure = [&](const tg::data::ImageDataset& images, bool trained_on) {
    tg::Rng noise = rng.evaluation;
    ImageBatches batches(images, {.size = options.batch});
    return evaluate(tape, batches, [&](tg::Var x, std::span<const tg::Index> indices) {
      return without_kl(trained_on ? model.loss(x, indices, noise) : model.test_loss(x, noise));
    });
  };
  {
    ImageBatches batches(train_images, {.size = options.batch, .shuffle = &rng.order});
    Checkpoints checkpoints(checkpoint_options, options);
    checkpoints.state.add("decoder", model.decoder).add("adam", adam).add("batches", batches);
    checkpoints.state.add("order", rng.order).add("noise", rng.noise);
    for (std::size_t i = 0; tg::Parameter * code : model.learned_codes())
      checkpoints.state.add("code." + std::to_string(i++), *code);
    checkpoints.require_same(report.summary["options"], {"codes", "samples", "images", "batch", "lr", "seed"});
    report.add_to(checkpoints.state);
    checkpoints.resume();
    train(
        options, tape, batches, train_images.size(), adam, 1, report,
        [&](tg::Var x, std::span<const tg::Index> indices) { return without_kl(model.loss(x, indices, rng.noise)); },
        [&] {
          const Nats nats = measure(mnist.test, false);
          checkpoints.stop_if_asked();
          return nats;
        },
        [&] { checkpoints.after_step(); });
  }
  const Nats on_train = measure(train_images, true);
  const auto floor = report.summary["floors"]["mean_image"]["train"].get<double>();
  report.summary.update({{"floor", floor}, {"above_floor", on_train.loss() - floor}});

  model.whiten();
  tg::io::save(output_path(options, "model.safetensors"), model.decoder);
  constexpr int draws = 4096;
  report.summary["nll"] = {
      {"samples", draws}, {"test", negative_log_likelihood(options, model.decoder, mnist.test, draws, rng.evaluation)}};
  if (scheme.codes == Codes::learned)
    report.summary["auto_decoder"]["test"] = auto_decoded_loss(model, mnist.test, rng.evaluation);
  compare_with_mean_image(options, model.decoder, pixels.mean(), rng.evaluation, report.summary);
  draw_pictures(options, model, mnist.test, pixels.mean(), rng.evaluation);
  if (!options.quiet) print_findings(report.summary);
  report.finish(on_train, measure(mnist.test, false));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains the VAE's decoder on MNIST without an encoder, on z drawn from N(0, I).", "decoder_only");
  Options options;
  Scheme scheme;
  CheckpointOptions checkpoints;
  bool as_posted = false, no_target_check = false;
  add_options(app, options);
  add_latent(app, options);
  add_samples_out(app, options);
  app.add_option("--samples", scheme.samples,
                 "draws of z that the images of a batch choose among; 1: each image is given one, and has no choice")
      ->check(whole(1, 65536));
  add_choice(
      app, "--codes", scheme.codes, codes_names(),
      "where z comes from: redrawn for each batch; fixed, drawn once for each image; learned for each image (GLO); "
      "nearest, only the best of --samples, which must be above 1, is trained (IMLE)");
  app.add_option("--images", scheme.images, "train on that many images of the training set, the first; 0: on all")
      ->check(whole(0, 60000));
  auto* posted =
      app.add_flag("--as-posted", as_posted, "the question's exact settings: shows why they cannot work, and what can");
  app.add_flag("--no-target-check", no_target_check,
               "lets --as-posted train on targets outside [0, 1], where its loss has no lower bound")
      ->needs(posted);
  add_checkpoints(app, checkpoints);
  for (const char* setting : {"--hidden", "--latent", "--batch", "--lr", "--codes", "--samples", "--images", "--resume",
                              "--checkpoint-every"})
    posted->excludes(setting);
  add_examples(app, {{"", "every z is drawn at random: the mean image a hundred times"},
                     {"--samples 256", "the images of a batch choose among 256 draws: digits"},
                     {"--codes learned", "each image learns a code of its own (GLO)"},
                     {"--as-posted", "the settings of the question that was asked"}});
  return run_main(app, argc, argv, [&] {
    if (as_posted) return run_posted_program(options, no_target_check ? tg::TargetCheck::off : tg::TargetCheck::on);
    if (has_table(scheme.codes) && scheme.samples > 1)
      throw CLI::ValidationError("--samples is for codes that are redrawn or nearest");
    if (scheme.codes == Codes::nearest && scheme.samples == 1)
      throw CLI::ValidationError("--codes nearest chooses among --samples; give it more than 1, as --samples 256");
    run(options, scheme, checkpoints);
  });
}
