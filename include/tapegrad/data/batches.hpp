#pragma once
// Data sets, cut into batches:
//
//   for (const auto& batch : data::batches(mnist.train, {.size = 128, .shuffle = &rng})) ...
//
// or, to make the buffers once for all epochs:
//
//   data::Batches batches(mnist.train, {.size = 128, .shuffle = &rng});
//   for (int epoch = 1; epoch <= 10; ++epoch)
//     for (const auto& batch : batches) ...

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "../core/random.hpp"
#include "batch.hpp"
#include "dataset.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::detail {

inline Shape batch_shape(const data::ImageDataset& set, Index count) { return {count, set.rows() * set.cols()}; }
inline Shape batch_shape(const data::TensorDataset& set, Index count) { return set.inputs().shape().with(0, count); }

/// Writes the samples `rows[0]` to `rows[count - 1]` as number * scale + shift.
inline void gather(const data::ImageDataset& set, const Index* rows, Index count, double scale, double shift,
                   Scalar* out) {
  simd::gather(set.pixels().data(), rows, count, set.rows() * set.cols(), out, scale / 255, shift);
}
inline void gather(const data::TensorDataset& set, const Index* rows, Index count, double scale, double shift,
                   Scalar* out) {
  const Index width = set.inputs().size() / set.size();
  for (Index i = 0; i < count; ++i) {
    const Scalar* row = set.inputs().data() + rows[i] * width;
    if (scale == 1 && shift == 0)
      std::copy_n(row, width, out + i * width);
    else
      std::transform(row, row + width, out + i * width,
                     [=](Scalar x) { return static_cast<Scalar>(x * scale + shift); });
  }
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::detail

namespace tapegrad::inline TAPEGRAD_ABI::data {

/// A data set in batches. Each loop over it is an epoch with an order and noise of its own; one loop at a time. The
/// data set and the Rng must outlive it. After its construction nothing is allocated.
template <class Dataset>
class Batches {
 public:
  using Batch = std::conditional_t<std::same_as<Dataset, ImageDataset>, ImageBatch, TensorBatch>;

  /// Throws ValueError for an empty data set and for options that cannot be right.
  explicit Batches(const Dataset& dataset, const BatchOptions& options = {}) : dataset_(dataset), options_(options) {
    check();
    if (options.indices) subset_.assign(options.indices->begin(), options.indices->end());
    options_.indices.reset();  // it looks at the caller's memory
    order_ = subset_;
    if (subset_.empty()) {
      order_.resize(static_cast<std::size_t>(dataset.size()));
      std::iota(order_.begin(), order_.end(), Index{0});
    }
    const Index size = std::min(options.size, samples());
    inputs_ = Tensor::uninitialized(detail::batch_shape(dataset, size));
    if (options.binarize == Binarize::bernoulli)
      noise_ = Tensor::uninitialized({size, 4 * blocks_of_noise(inputs_.size() / size)});
    if (!dataset.labels().empty()) labels_.resize(static_cast<std::size_t>(size));
    if constexpr (has_targets) {
      if (!dataset.targets().empty()) targets_ = Tensor::uninitialized(dataset.targets().shape().with(0, size));
    }
    detail::require<ValueError>(count() > 0, "batches: drop_last with size = ", options.size, " leaves nothing of ",
                                samples(), " samples; make the batches smaller");
  }
  /// A data set that dies before the loop begins.
  explicit Batches(const Dataset&&, const BatchOptions& = {}) = delete;
  Batches(const Batches&) = delete;
  Batches& operator=(const Batches&) = delete;

  /// The number of batches in an epoch.
  Index count() const { return samples() / options_.size + (!options_.drop_last && samples() % options_.size != 0); }

  class Iterator {
   public:
    using value_type = Batch;
    using difference_type = Index;

    const Batch& operator*() const { return batches_->batch_; }
    const Batch* operator->() const { return &batches_->batch_; }
    /// Makes the next batch. Throws ValueError if another loop has begun since, or restore() was called: all share one
    /// order and one memory; and for a number outside [0, 1] that is to be binarised.
    Iterator& operator++() {
      detail::require<ValueError>(loop_ == batches_->loop_, "batches: another loop over it began within this one, ",
                                  "or restore(); one loop at a time: make a second Batches, or leave this loop first");
      batches_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return batches_->at_end_; }

   private:
    friend class Batches;
    explicit Iterator(Batches& batches) : batches_(&batches), loop_(batches.loop_) {}
    Batches* batches_;
    Index loop_;
  };

  /// Starts the next epoch, or goes on where restore() said. Throws ValueError for a number outside [0, 1] that is to
  /// be binarised.
  Iterator begin() {
    ++loop_;
    if (!restored_) state_ = {draws() ? rng()->bits() : 0, 0};
    restored_ = false;
    Rng epoch(state_.key);
    noise_key_ = epoch.bits();
    if (options_.shuffle) {
      epoch.permutation(order_);
      if (!subset_.empty())
        for (Index& i : order_) i = subset_[static_cast<std::size_t>(i)];
    }
    advance();
    return Iterator(*this);
  }
  std::default_sentinel_t end() const { return {}; }

  /// "60000 of 60000 samples, 128 a batch, shuffled": what must be the same where restore() is to lead to the same
  /// batches, beside the samples themselves.
  std::string summary() const {
    return detail::concat(samples(), " of ", dataset_.size(), " samples, ", options_.summary());
  }

  /// Inside the loop: `next` is the batch after the current one. After it: `next` is count().
  BatchState state() const { return state_; }
  /// The next loop goes on where `state` was taken, with the same data and options, and draws nothing from the Rng,
  /// unless that was before the first loop. A loop that is under way cannot go on: leave it, and begin another. Throws
  /// ValueError for a batch that there is not.
  void restore(const BatchState& state) {
    detail::require<ValueError>(state.next >= 0 && state.next <= count(), "batches: restore at batch ", state.next,
                                " of ", count(), "; the state belongs to other data or options");
    ++loop_;
    state_ = state;
    restored_ = state.key != 0 || state.next != 0;
  }

 private:
  static constexpr bool has_targets = std::same_as<Dataset, TensorDataset>;

  Index samples() const { return static_cast<Index>(order_.size()); }
  Rng* rng() const { return options_.shuffle ? options_.shuffle : options_.noise; }
  bool draws() const { return options_.shuffle || options_.binarize == Binarize::bernoulli; }

  void check() const {
    detail::require<ValueError>(dataset_.size() > 0, "batches: the data set is empty; there is nothing to loop over");
    detail::require<ValueError>(options_.size >= 1, "batches: size = ", options_.size,
                                "; a batch has at least 1 sample");
    const auto [mean, std] = options_.normalize;
    detail::require<ValueError>(
        std > 0 && std::isfinite(std) && std::isfinite(normalized(0)) && std::isfinite(normalized(1)),
        "batches: normalize by mean ", mean, ", std ", std,
        "; both must be finite and std positive, and what 0 and 1 become finite too");
    detail::require<ValueError>(options_.binarize != Binarize::bernoulli || rng(),
                                "batches: Binarize::bernoulli draws numbers and has no Rng; set .noise (or .shuffle)");
    if (!options_.indices) return;
    detail::require<ValueError>(!options_.indices->empty(),
                                "batches: .indices is empty; leave it unset for all samples");
    for (std::size_t i = 0; i < options_.indices->size(); ++i) {
      const Index index = (*options_.indices)[i];
      detail::require<ValueError>(index >= 0 && index < dataset_.size(), "batches: indices[", i, "] = ", index,
                                  "; the data set has samples 0 to ", dataset_.size() - 1);
    }
  }

  /// Makes the next batch, or comes to the end.
  void advance() {
    at_end_ = state_.next == count();
    if (at_end_) return;
    const Index start = state_.next * options_.size;
    const Index rows = std::min(options_.size, samples() - start);
    const auto indices = std::span(order_).subspan(static_cast<std::size_t>(start), static_cast<std::size_t>(rows));
    const Index width = inputs_.size() / inputs_.shape()[0];
    parallel_for(rows, 1 + detail::costly_chunk_size / (width + 1),
                 [&](Index first, Index last) { fill(start, first, last - first, width); });
    for (std::size_t i = 0; i < labels_.size() && i < indices.size(); ++i)
      labels_[i] = static_cast<Index>(dataset_.labels()[static_cast<std::size_t>(indices[i])]);

    const ConstTensorView inputs(inputs_.data(), inputs_.shape().with(0, rows));
    const std::span<const Index> labels = std::span(labels_).first(labels_.empty() ? 0 : indices.size());
    if constexpr (has_targets) {
      batch_ = {inputs, targets(indices), labels, indices};
    } else {
      batch_ = {inputs, labels, indices};
    }
    ++state_.next;
  }

  /// What the number becomes.
  Scalar normalized(double x) const {
    const auto [mean, std] = options_.normalize;
    return static_cast<Scalar>((x - mean) / std);
  }

  /// Blocks of four random numbers for a sample of so many numbers. They are its own, so neither threads nor a resumed
  /// run matter.
  static Index blocks_of_noise(Index width) { return (width + 3) / 4; }

  /// Rows `first` on of the batch that begins with the epoch's sample number `start`.
  void fill(Index start, Index first, Index rows, Index width) {
    const Index* indices = order_.data() + start + first;
    Scalar* out = inputs_.data() + first * width;
    const auto [mean, std] = options_.normalize;
    if (options_.binarize == Binarize::none) {
      detail::gather(dataset_, indices, rows, 1 / std, (0 - mean) / std, out);
      return;
    }
    detail::gather(dataset_, indices, rows, 1, 0, out);
    if constexpr (has_targets) {  // pixels are in [0, 1] anyway
      for (Index i = 0; i < rows * width; ++i)
        detail::require<ValueError>(out[i] >= 0 && out[i] <= 1, "batches: Binarize got ", out[i], " in sample ",
                                    indices[i / width], "; it takes numbers in [0, 1]");
    }
    const Scalar zero = normalized(0), one = normalized(1);
    if (options_.binarize == Binarize::threshold) {
      for (Index i = 0; i < rows * width; ++i) out[i] = out[i] > Scalar(0.5) ? one : zero;
      return;
    }
    const Index blocks = blocks_of_noise(width);
    Scalar* uniform = noise_.data() + first * 4 * blocks;
    simd::philox_uniform(noise_key_, static_cast<std::uint64_t>((start + first) * blocks), uniform, rows * 4 * blocks,
                         0, 1);
    for (Index row = 0; row < rows; ++row, out += width, uniform += 4 * blocks)
      simd::binarize(out, uniform, out, width, zero, one);
  }

  ConstTensorView targets(std::span<const Index> indices) {
    if (targets_.empty()) return {};
    const Index width = targets_.size() / targets_.shape()[0];
    for (std::size_t i = 0; i < indices.size(); ++i)
      std::copy_n(dataset_.targets().data() + indices[i] * width, width,
                  targets_.data() + static_cast<Index>(i) * width);
    return {targets_.data(), targets_.shape().with(0, static_cast<Index>(indices.size()))};
  }

  const Dataset& dataset_;
  BatchOptions options_;
  std::vector<Index> subset_;  // empty: all
  std::vector<Index> order_;   // this epoch's
  Tensor inputs_;              // the batch's memory
  Tensor targets_;
  Tensor noise_;
  std::vector<Index> labels_;
  Batch batch_;
  BatchState state_;
  std::uint64_t noise_key_ = 0;
  Index loop_ = 0;  // how many have begun
  bool restored_ = false;
  bool at_end_ = false;
};

/// See Batches. Throws ValueError for an empty data set and for options that cannot be right.
inline Batches<ImageDataset> batches(const ImageDataset& dataset, const BatchOptions& options = {}) {
  return Batches<ImageDataset>(dataset, options);
}
inline Batches<TensorDataset> batches(const TensorDataset& dataset, const BatchOptions& options = {}) {
  return Batches<TensorDataset>(dataset, options);
}
// A data set that dies before the loop begins.
Batches<ImageDataset> batches(const ImageDataset&&, const BatchOptions& = {}) = delete;
Batches<TensorDataset> batches(const TensorDataset&&, const BatchOptions& = {}) = delete;

}  // namespace tapegrad::inline TAPEGRAD_ABI::data
