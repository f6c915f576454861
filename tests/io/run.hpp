#pragma once

#include "tapegrad/io/checkpoint.hpp"
#include "training/model.hpp"

namespace tg = tapegrad;

/// A training run with everything in it that has a state: dropout, shuffling, binarisation, momentum, a schedule.
struct Run {
  explicit Run(const tg::data::ImageDataset& images, std::uint64_t seed = 1)
      : weights(seed), batches(images, {.size = 16, .shuffle = &order, .binarize = tg::data::Binarize::bernoulli}) {
    checkpoint.add("model", model).add("adam", adam).add("schedule", schedule).add("order", order).add("noise", noise);
    checkpoint.add("batches", batches).add("epoch", epoch).add("step", steps).add("total", total).add("log", log);
    checkpoint.require_same("size", "16");
  }

  /// Goes on to the end, or until `last_step` steps are made.
  void train(int epochs, tg::Index last_step = -1) {
    for (; epoch < epochs; ++epoch) {
      for (const auto& batch : batches) {
        tape.reset();
        const tg::Var loss = model.loss(tape.constant(batch.images), batch.labels, noise);
        adam.zero_grad();
        loss.backward();
        adam.step();
        schedule.step();
        total += loss.item();
        ++steps;
        if (steps == last_step) return;
      }
      log += "epoch " + std::to_string(epoch) + ": " + std::to_string(total) + "\n";
    }
  }

  /// What must be the same in the end.
  std::vector<tg::Tensor> state() {
    std::vector<tg::Tensor> all;
    for (const tg::Parameter* parameter : model.parameters()) all.emplace_back(parameter->value());
    for (const auto& parameter : adam.states())
      for (const auto& buffer : parameter.buffers) all.emplace_back(buffer.value);
    return all;
  }

  tg::Rng weights, order{2}, noise{3};
  training::Model model{weights};
  tg::optim::Adam adam{model.parameters(), {.lr = 1e-3}};
  tg::optim::ExponentialLR schedule{adam, {.gamma = 0.97}};
  tg::data::Batches<tg::data::ImageDataset> batches;
  tg::Tape tape;
  int epoch = 0;
  tg::Index steps = 0;
  double total = 0;
  std::string log;
  tg::io::Checkpoint checkpoint;
};
