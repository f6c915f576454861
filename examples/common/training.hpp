#pragma once

#include "progress.hpp"
#include "report.hpp"

namespace examples {

using ImageBatches = tg::data::Batches<tg::data::ImageDataset>;

/// What is left of an epoch: steps on (reconstruction + beta * KL) / images. `objective(x, indices)` gives a batch's
/// Elbo, by its images and their numbers in the data set; throws once that is no number. See train for `after_step`.
template <class Objective, class AfterStep>
void train_epoch(tg::Tape& tape, ImageBatches& batches, tg::optim::Optimizer& optimizer, double beta, Report& report,
                 Progress& progress, const Objective& objective, const AfterStep& after_step) {
  report.start();
  for (const auto& batch : batches) {
    tape.reset();
    const Elbo elbo = objective(tape.constant(batch.images), batch.indices);
    optimizer.zero_grad();
    ((elbo.reconstruction + beta * elbo.kl) / batch.size()).backward();
    optimizer.step();
    report.step(elbo, batch.size());
    require_number(report.mean().loss());
    progress.add(batch.size());
    after_step();
  }
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

/// All epochs of training, or what is left of them; `test()` gives the Nats of the test set after each. `after_step()`
/// is called at the end of each step, where a checkpoint may be saved.
template <class Objective, class Test, class AfterStep>
void train(const Options& options, tg::Tape& tape, ImageBatches& batches, int images, tg::optim::Optimizer& optimizer,
           double beta, Report& report, const Objective& objective, const Test& test, const AfterStep& after_step) {
  require_epochs_left(report.epoch(), options.epochs);
  while (report.epoch() <= options.epochs) {
    {
      Progress progress(report.epoch(), images, options.quiet, images_had(batches, options.batch));
      train_epoch(tape, batches, optimizer, beta, report, progress, objective, after_step);
    }
    report.end_epoch(test());
  }
}

}  // namespace examples
