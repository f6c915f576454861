#pragma once

#include "../idx.hpp"
#include "../mnist.hpp"
#include "file.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

namespace detail {

/// The file `name` in one of its spellings: plain or .gz, "-idx" or ".idx".
inline Path find_idx(const Path& dir, const std::string& name, const std::string& advice) {
  std::string dotted = name;
  dotted[dotted.find("-idx")] = '.';
  for (const std::string& spelling : {name, name + ".gz", dotted, dotted + ".gz"}) {
    std::error_code error;
    if (std::filesystem::is_regular_file(dir / spelling, error)) return dir / spelling;
  }
  fail_file(dir / name, {"is not there, nor as .gz, nor as ", dotted, "; ", advice});
}

inline data::ImageDataset read_mnist_part(const Path& dir, const std::string& part, const std::string& advice) {
  const Path images_path = find_idx(dir, part + "-images-idx3-ubyte", advice);
  const Path labels_path = find_idx(dir, part + "-labels-idx1-ubyte", advice);
  Idx images = read_idx(images_path), labels = read_idx(labels_path);
  require_file(images.shape.rank() == 3, images_path, "has shape ", images.shape, "; images have 3 axes");
  require_file(labels.shape.rank() == 1, labels_path, "has shape ", labels.shape, "; labels have 1 axis");
  require_file(images.shape[0] == labels.shape[0], labels_path, "has ", labels.shape[0], " labels, ",
               images_path.string(), " has ", images.shape[0], " images; their numbers must be equal");
  for (std::size_t i = 0; i < labels.bytes.size(); ++i)
    require_file(labels.bytes[i] <= 9, labels_path, "label ", i, " is ", +labels.bytes[i], "; labels are 0 to 9");
  try {
    return {images.bytes, images.shape[0], images.shape[1], images.shape[2], std::move(labels.bytes)};
  } catch (const ValueError& error) {
    throw IoError(concat(images_path.string(), ": ", error.what()));
  }
}

inline Mnist read_mnist(const Path& dir, const std::string& advice) {
  Mnist result{read_mnist_part(dir, "train", advice), read_mnist_part(dir, "t10k", advice)};
  const auto& [train, test] = result;
  require_file(train.rows() == test.rows() && train.cols() == test.cols(), dir, "the training images are ",
               train.rows(), "x", train.cols(), ", the test images ", test.rows(), "x", test.cols(),
               "; they must be of one size");
  return result;
}

}  // namespace detail

TAPEGRAD_BODY Mnist mnist(const Path& dir) {
  return detail::read_mnist(dir,
                            "fetch MNIST with tapegrad's tools/fetch-mnist DIR, or put its four files there from "
                            "https://ossci-datasets.s3.amazonaws.com/mnist");
}

TAPEGRAD_BODY Mnist fashion_mnist(const Path& dir) {
  return detail::read_mnist(dir,
                            "on Debian and Ubuntu, apt-get install dataset-fashion-mnist; else put the four "
                            "files of https://github.com/zalandoresearch/fashion-mnist there");
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::io
