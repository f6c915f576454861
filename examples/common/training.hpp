#pragma once

#include <cmath>
#include <stdexcept>

#include "progress.hpp"
#include "report.hpp"

namespace examples {

using ImageBatches = tg::data::Batches<tg::data::ImageDataset>;

/// One pass of training: steps on (reconstruction + beta * KL) / images. `objective(x, indices)` gives a batch's Elbo,
/// by its images and their numbers in the data set. Returns the mean of the batches' own losses, which the weights
/// changed under; throws once that is no number.
template <class Objective>
Nats train_epoch(tg::Tape& tape, ImageBatches& batches, tg::optim::Optimizer& optimizer, double beta, Report& report,
                 Progress& progress, const Objective& objective) {
  Mean mean;
  for (const auto& batch : batches) {
    tape.reset();
    const Elbo elbo = objective(tape.constant(batch.images), batch.indices);
    optimizer.zero_grad();
    ((elbo.reconstruction + beta * elbo.kl) / batch.size()).backward();
    optimizer.step();
    mean.add(elbo, batch.size());
    if (!std::isfinite(mean.value().loss()))
      throw std::runtime_error("the loss is no longer a number; try a lower --lr");
    report.step((elbo.reconstruction.item() + elbo.kl.item()) / batch.size());
    progress.add(batch.size());
  }
  return mean.value();
}

/// The mean over a whole set, without training.
template <class Objective>
Nats evaluate(tg::Tape& tape, ImageBatches& batches, const Objective& objective) {
  Mean mean;
  for (const auto& batch : batches) {
    tape.reset();
    const auto guard = tape.no_grad();
    mean.add(objective(tape.constant(batch.images), batch.indices), batch.size());
  }
  return mean.value();
}

/// All epochs of training; `test()` gives the Nats of the test set after each.
template <class Objective, class Test>
void train(const Options& options, tg::Tape& tape, ImageBatches& batches, int images, tg::optim::Optimizer& optimizer,
           double beta, Report& report, const Objective& objective, const Test& test) {
  for (int epoch = 1; epoch <= options.epochs; ++epoch) {
    Nats mean;
    report.start();
    {
      Progress progress("epoch " + std::to_string(epoch), images, options.quiet);
      mean = train_epoch(tape, batches, optimizer, beta, report, progress, objective);
    }
    report.trained(batches.count(), images);
    report.epoch(epoch, mean, test());
  }
}

}  // namespace examples
