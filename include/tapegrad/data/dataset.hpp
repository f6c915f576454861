#pragma once
// Data sets in memory. They are values: checked when they are made, never changed after; `batches` hands them out.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "../core/concepts.hpp"
#include "../core/memory.hpp"
#include "../core/simd/simd.hpp"
#include "../core/tensor.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::detail {

/// Throws ValueError unless a data set may have so many samples. Its size is an int, which arithmetic with double takes
/// without a warning.
inline void check_count(const char* what, Index count) {
  require<ValueError>(count >= 0 && count <= std::numeric_limits<int>::max(), what, ": ", count,
                      " samples; there may be 0 to ", std::numeric_limits<int>::max());
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::detail

namespace tapegrad::inline TAPEGRAD_ABI::data {

/// Grey images of one byte a pixel, and a label each or none. They stay bytes; a batch is converted when it is made.
/// Copies of a set share its pixels.
class ImageDataset {
 public:
  /// No images.
  ImageDataset() = default;
  /// `count` images of `rows` x `cols` pixels, one after another, each row by row; `labels` is empty or has one for
  /// each image. Throws ValueError where the numbers do not agree, ShapeError where there can be no such shape.
  ImageDataset(const std::vector<std::uint8_t>& pixels, Index count, Index rows, Index cols,
               std::vector<std::uint8_t> labels = {})
      : labels_(std::move(labels)) {
    detail::check_count("image data set", count);
    detail::require<ValueError>(rows > 0 && cols > 0, "image data set: images of ", rows, "x", cols,
                                " pixels; both must be positive");
    shape_ = {count, rows, cols};
    detail::require<ValueError>(static_cast<Index>(pixels.size()) == shape_.size(), "image data set: ", pixels.size(),
                                " pixels for ", shape_, "; it needs ", shape_.size());
    detail::require<ValueError>(labels_.empty() || static_cast<Index>(labels_.size()) == count,
                                "image data set: ", labels_.size(), " labels for ", count,
                                " images; give one for each, or none");
    // A shuffled batch reads here and there: a vector's pages of 4 KB would each have to be looked up.
    auto copy = detail::allocate_aligned<std::uint8_t>(pixels.size());
    std::ranges::copy(pixels, copy.get());
    pixels_ = std::move(copy);
  }

  /// The number of images. (A set that was moved from keeps its shape, and has no pixels.)
  int size() const { return pixels_ ? static_cast<int>(shape_[0]) : 0; }
  Index rows() const { return shape_[1]; }
  Index cols() const { return shape_[2]; }
  /// All bytes, shape (size, rows, cols).
  std::span<const std::uint8_t> pixels() const {
    return {pixels_.get(), static_cast<std::size_t>(pixels_ ? shape_.size() : 0)};
  }
  /// One for each image, or empty.
  std::span<const std::uint8_t> labels() const { return labels_; }

  /// `count` images from number `first` on as a tensor (count, rows * cols) of numbers in [0, 1]: pixel / 255. Throws
  /// ValueError beyond the end.
  Tensor tensor(Index first, Index count) const {
    detail::require<ValueError>(first >= 0 && count >= 0 && first <= size() - count, "image data set: ", count,
                                " images from number ", first, " on, of ", size(), "; they must be in the set");
    const Index width = rows() * cols();
    Tensor result = Tensor::uninitialized({count, width});
    simd::from_bytes(pixels_.get() + first * width, result.data(), result.size(), 1.0 / 255, 0);
    return result;
  }

 private:
  Shape shape_{0, 0, 0};
  std::shared_ptr<const std::uint8_t[]> pixels_;
  std::vector<std::uint8_t> labels_;
};

/// One's own numbers: inputs, and with them targets or labels or neither. The first axis counts samples. Eigen's
/// matrices convert: `TensorDataset set(X, Y)`, a row a sample. What has one axis (Eigen's vectors) is a column.
class TensorDataset {
 public:
  /// Throws ValueError for a scalar, and for more than 2^31 - 1 samples.
  explicit TensorDataset(Tensor inputs) : inputs_(as_samples(std::move(inputs))) {
    detail::check_count("data set", inputs_.shape()[0]);
  }
  /// Targets are numbers, as for mse. Throws ValueError unless there is one for each sample.
  TensorDataset(Tensor inputs, Tensor targets) : TensorDataset(std::move(inputs)) {
    targets_ = as_samples(std::move(targets));
    detail::require<ValueError>(targets_.shape()[0] == size(), "data set: inputs are ", inputs_.shape(),
                                ", targets are ", targets_.shape(), "; the first axes (samples) must be equal");
  }
  /// Labels are classes, as for cross_entropy: a vector of any integers, Eigen's included. Throws ValueError unless
  /// there is one for each sample.
  template <IntegerRange Labels>
  TensorDataset(Tensor inputs, const Labels& labels) : TensorDataset(std::move(inputs)) {
    for (const auto label : labels) labels_.push_back(static_cast<Index>(label));
    detail::require<ValueError>(static_cast<Index>(labels_.size()) == size(), "data set: ", labels_.size(),
                                " labels for ", size(), " samples; give one for each");
  }

  /// The number of samples.
  int size() const { return static_cast<int>(inputs_.shape()[0]); }
  /// Shape (size, ...).
  ConstTensorView inputs() const { return inputs_; }
  /// Shape (size, ...), or empty.
  ConstTensorView targets() const { return targets_; }
  /// One for each sample, or empty.
  std::span<const Index> labels() const { return labels_; }

 private:
  static Tensor as_samples(Tensor tensor) {
    detail::require<ValueError>(tensor.rank() >= 1, "data set: got a scalar; the first axis counts samples");
    return tensor.rank() > 1 ? std::move(tensor) : Tensor(tensor.view().reshaped({tensor.size(), 1}));
  }

  Tensor inputs_;
  Tensor targets_;
  std::vector<Index> labels_;
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::data
