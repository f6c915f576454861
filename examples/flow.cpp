// Flow matching on MNIST: Lipman et al., Flow Matching for Generative Modeling, 2023; Liu, Gong and Liu, Flow Straight
// and Fast, 2023. An image x1 is paired with noise x0 at random, as the decoder without an encoder pairs images with z.
// But the network is asked for the velocity x1 - x0 at a point x_t = (1 - t) x0 + t x1 between the two. Its best answer
// is the mean over all pairs whose lines pass there, and moving along that mean carries the noise to all the images:
// the averaging that ruins the decoder is right for a velocity. (The network guesses x1, and the velocity leads to its
// guess: Li and He, Back to Basics, 2025. At t = 0 its best guess is the mean image, the decoder's answer.)
//
// Expect after 20 epochs: digits that are easily read, and a mean squared error of 0.259 a pixel, of which most cannot
// be avoided.

#include <numbers>

#include "common/checkpoints.hpp"
#include "common/mnist.hpp"
#include "common/pictures.hpp"
#include "common/progress.hpp"
#include "common/report.hpp"

namespace tg = tapegrad;
using namespace examples;

namespace {

/// Images in [-1, 1], about as far from zero as the noise.
constexpr tg::data::Normalize to_both_sides{0.5, 0.5};

/// Times (count, 1) as the network sees them: sines and cosines of t pi 2^i / 4, i = 0 to 7. Shape (count, 16).
tg::Tensor waves(tg::ConstTensorView times) {
  tg::Tensor result({times.size(), 16});
  for (tg::Index row = 0; row < times.size(); ++row) {
    for (int i = 0; i < 8; ++i) {
      const double angle = static_cast<double>(times[row]) * std::numbers::pi * std::ldexp(0.25, i);
      result(row, 2 * i) = static_cast<tg::Scalar>(std::sin(angle));
      result(row, 2 * i + 1) = static_cast<tg::Scalar>(std::cos(angle));
    }
  }
  return result;
}

/// A perceptron of three hidden layers that guesses the image from a point on the way to it: at t = 0 the best guess is
/// the mean image, and the nearer t comes to 1 the sharper it can be.
struct Flow : tg::nn::Module {
  Flow(tg::Rng& rng, int hidden)
      : Module(rng),
        from_point(*this, "from_point", 784, hidden),
        from_time(*this, "from_time", 16, hidden),
        second(*this, "second", hidden, hidden),
        third(*this, "third", hidden, hidden),
        pixels(*this, "pixels", hidden, 784) {}

  /// The image, for points x (batch, 784) and times (batch, 1).
  tg::Var guess(tg::Var x, tg::ConstTensorView times) {
    const tg::Var first = silu(from_point(x) + from_time(x.tape().constant(waves(times))));
    return pixels(silu(third(silu(second(first)))));
  }

  /// The mean squared error of the velocity for images in [-1, 1], each at a random time on its way from random noise.
  /// The velocity is the one that leads from x to the guess in the time that is left, of which it takes 0.05 at least.
  tg::Var loss(tg::Var images, tg::Rng& rng) {
    tg::Tape& tape = images.tape();
    tg::Tensor times({images.shape().rows(), 1});
    rng.normal(times, -0.8, 0.8);  // most of them early on the way, where it is decided which digit it will be
    times.array() = 1 / (1 + (-times.array()).exp());
    const tg::Var t = tape.constant(times);
    const tg::Var noise = tape.randn(images.shape(), rng);
    const tg::Var x = (1 - t) * noise + t * images;
    return mse((guess(x, times) - x) / clamp_min(1 - t, 0.05), images - noise);
  }

  /// Noise carried to images by Euler's method: x += v(x, t) / steps, which is x's distance from the guess, divided by
  /// the steps that are left; the last step ends at its guess. Shape (count, 784), in [0, 1]. Guesses are held to what
  /// images can be: without that, a few of ten thousand points run away.
  tg::Tensor sample(tg::Index count, int steps, tg::Rng& rng) {
    tg::Tensor x({count, 784}), times({count, 1});
    rng.normal(x);
    tg::Tape tape;
    const auto guard = tape.no_grad();
    for (int step = 0; step < steps; ++step) {
      tape.reset();
      times.view().fill(1.0 * step / steps);
      const tg::Var image = clamp(guess(tape.constant(x), times), -1, 1);
      x.array() += (image.value().array() - x.array()) / static_cast<tg::Scalar>(steps - step);
    }
    x.array() = (0.5F + 0.5F * x.array()).max(0.F).min(1.F);
    return x;
  }

  tg::nn::Linear from_point, from_time, second, third, pixels;
};

struct FlowOptions : Options {
  int steps = 50;
};

void train(const FlowOptions& options, const CheckpointOptions& checkpoint_options) {
  const auto mnist = begin(options);
  Streams rng(options.seed);
  Flow flow(rng.weights, options.hidden);
  tg::optim::Adam adam(flow.parameters(), {.lr = options.lr});
  tg::optim::CosineAnnealingLR schedule(adam, {.T_max = options.epochs});
  if (!options.quiet) std::printf("%s\n%s\n", tg::build_info().c_str(), flow.summary().c_str());

  tg::Tape tape;
  const auto measure = [&](const tg::data::ImageDataset& images) {
    tg::Rng noise = rng.evaluation;
    tg::nn::RunningMean loss;
    for (const auto& batch : tg::data::batches(images, {.size = options.batch, .normalize = to_both_sides})) {
      tape.reset();
      const auto guard = tape.no_grad();
      loss.add(flow.loss(tape.constant(batch.images), noise).item(), batch.size());
    }
    return loss.value();
  };

  nlohmann::json summary{{"options", to_json(options)}};
  summary["options"]["steps"] = options.steps;
  summary["options"].erase("latent");  // it has none
  Csv metrics(options, "metrics.csv", "epoch,train_mse,test_mse");
  Pace pace;
  double sum = 0, train = 0, test = 0;
  int epoch = 1;
  {
    tg::data::Batches batches(mnist.train, {.size = options.batch, .shuffle = &rng.order, .normalize = to_both_sides});
    Checkpoints checkpoints(checkpoint_options, options);
    checkpoints.state.add("flow", flow).add("adam", adam).add("schedule", schedule).add("batches", batches);
    checkpoints.state.add("order", rng.order).add("noise", rng.noise).add("epoch", epoch).add("sum", sum);
    metrics.add_to(checkpoints.state);
    pace.add_to(checkpoints.state, "pace");
    checkpoints.require_same(summary["options"], {"epochs", "batch", "lr", "seed"});
    checkpoints.resume();
    for (; epoch <= options.epochs; ++epoch, sum = 0) {
      {
        Progress progress(epoch, mnist.train.size(), options.quiet, images_had(batches, options.batch));
        pace.start();
        for (const auto& batch : batches) {
          tape.reset();
          const tg::Var loss = flow.loss(tape.constant(batch.images), rng.noise);
          adam.zero_grad();
          loss.backward();
          adam.step();
          sum += loss.item() * batch.size();
          require_number(sum);
          pace.step(batch.size());
          progress.add(batch.size());
          checkpoints.after_step();
        }
        train = sum / mnist.train.size();
      }
      test = measure(mnist.test);
      require_number(test);
      checkpoints.stop_if_asked();
      schedule.step();
      metrics.add(epoch, train, test);
      metrics.write();
      if (!options.quiet) {
        std::printf("epoch %2d/%d   mean squared error of the velocity, a pixel: train %.4f   test %.4f\n", epoch,
                    options.epochs, train, test);
        std::fflush(stdout);
      }
    }
  }

  tg::io::save(output_path(options, "model.safetensors"), flow);
  tg::Rng noise = rng.evaluation;
  draw(options, "samples.png", flow.sample(100, options.steps, noise), 10);
  write_samples(options, [&](tg::Index count) { return flow.sample(count, options.steps, noise); });
  summary.update({{"train_mse", train}, {"test_mse", test}});
  finish(options, pace, metrics, summary);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a network on MNIST by flow matching: noise moves along the mean velocity, and becomes digits.",
               "flow");
  FlowOptions options;
  CheckpointOptions checkpoints;
  options.epochs = 20;
  add_options(app, options);
  add_samples_out(app, options);
  app.add_option("--steps", options.steps, "steps of Euler's method, from noise to an image")->check(whole(1, 10000));
  add_checkpoints(app, checkpoints);
  add_examples(app, {{"--epochs 5", "a first look; the pictures are in out/flow"},
                     {"--epochs 100 --steps 200", "longer, and images by more, smaller steps"}});
  return run_main(app, argc, argv, [&] { train(options, checkpoints); });
}
