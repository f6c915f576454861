#pragma once
// The question's program, as it was posted: targets in [-1, 1], sigmoid and binary cross-entropy, Adam at 1e-5.

#include "decoder.hpp"
#include "floors.hpp"
#include "mean_image.hpp"
#include "mnist.hpp"
#include "pictures.hpp"
#include "training.hpp"

namespace examples {

inline const char* const why_posted_fails =
    R"(Why: -t log p - (1 - t) log(1 - p) is a cross entropy only for t in [0, 1]. At t = -1, a black pixel's target, it
is log p - 2 log(1 - p), which falls without end as p goes to 0: where log is cut off at -100, as in PyTorch, a
black pixel can earn 100 nats. So the loss sinks below zero while the pictures turn black, and says nothing.
)";

inline const char* const how_to_mend_posted =
    R"(To set it right: leave Normalize out, so that targets are in [0, 1]; take bce_with_logits on the decoder's
logits, whose gradient does not vanish; and a learning rate a hundred times as large:

  decoder_only --hidden 512 --latent 32 --batch 128 --epochs 10 --lr 1e-3
)";

/// Runs it. With the check of targets on, tapegrad refuses the first batch; with it off, the loss can be seen to sink.
inline void run_posted_program(Options options, tg::TargetCheck check) {
  options.hidden = 512;
  options.latent = 32;
  options.batch = 128;
  options.lr = 1e-5;
  const auto mnist = begin(options);
  Streams rng(options.seed);
  Decoder decoder(rng.weights, options.latent, options.hidden);
  tg::optim::Adam adam(decoder.parameters(), {.lr = options.lr});
  const auto objective = [&](tg::Rng& noise) {
    return [&](tg::Var x, std::span<const tg::Index>) {
      const tg::Var z = x.tape().randn({x.shape().rows(), options.latent}, noise);
      return without_kl(bce(sigmoid(decoder(z)), x, tg::Reduction::sum, check));
    };
  };
  const tg::data::Normalize to_minus_one_to_one{0.5, 0.5};
  ImageBatches batches(mnist.train, {.size = 128, .shuffle = &rng.order, .normalize = to_minus_one_to_one});
  tg::Tape tape;
  const auto measure = [&](const tg::data::ImageDataset& images) {
    tg::Rng noise = rng.evaluation;
    ImageBatches all(images, {.size = 128, .normalize = to_minus_one_to_one});
    return evaluate(tape, all, objective(noise));
  };

  if (!options.quiet)
    std::printf(
        "As posted: ToTensor, Normalize(0.5, 0.5); 32-512-784, sigmoid, binary_cross_entropy(reduction='sum'); "
        "Adam 1e-5.\n");
  try {
    measure(mnist.test);
  } catch (const tg::ValueError& refusal) {
    if (options.quiet) throw;
    std::printf("tapegrad refuses its first batch:\n\n  %s\n\n%s", refusal.what(), why_posted_fails);
    std::printf("To see it sink: decoder_only --as-posted --no-target-check\n\n%s", how_to_mend_posted);
    return;
  }
  Report report(options);
  report.summary["options"].update({{"as_posted", true}, {"target_check", check == tg::TargetCheck::on}});
  train(
      options, tape, batches, mnist.train.size(), adam, 1, report, objective(rng.noise),
      [&] { return measure(mnist.test); }, [] {});
  tg::io::save(output_path(options, "model.safetensors"), decoder);
  compare_with_mean_image(options, decoder, PixelStatistics(mnist.train).mean(), rng.evaluation, report.summary);
  draw_samples(options, decoder, rng.evaluation);
  if (!options.quiet) std::printf("\n%s\n%s\n", why_posted_fails, how_to_mend_posted);
  report.finish(measure(mnist.train), measure(mnist.test));
}

}  // namespace examples
