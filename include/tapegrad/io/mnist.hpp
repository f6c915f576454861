#pragma once

#include "../data/dataset.hpp"
#include "file.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

/// MNIST, or a data set of its form: images of bytes with labels 0 to 9.
struct Mnist {
  data::ImageDataset train;
  data::ImageDataset test;
};

/// Reads the four files of MNIST, plain or .gz, from a directory. Throws IoError if one is missing or damaged, or if
/// they do not fit together.
Mnist mnist(const Path& dir);

/// Fashion-MNIST (Xiao, Rasul, Vollgraf 2017), by default from where Debian's package has it. Throws as mnist().
Mnist fashion_mnist(const Path& dir = "/usr/share/datasets/fashion-mnist");

}  // namespace tapegrad::inline TAPEGRAD_ABI::io

#ifndef TAPEGRAD_COMPILED
#include "bodies/mnist.hpp"
#endif
