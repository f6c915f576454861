// Trains for two epochs and prints a digest of all parameters' bits: equal digests, equal bits. compare-builds runs it.

#include <cstdio>

#include "model.hpp"

int main() {
  const auto images = training::images(600);
  training::Run run(images);
  for (int epoch = 0; epoch < 2; ++epoch) run.epoch([] {});
  std::printf("%016llx\n", static_cast<unsigned long long>(training::digest(run.model)));
}
