#pragma once
// What a batch holds, and how batches are made of a data set.

#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "../core/random.hpp"
#include "../core/tensor.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::detail {

/// A number by so many digits that no other has the same text.
inline std::string all_digits(double number) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::detail

namespace tapegrad::inline TAPEGRAD_ABI::data {

/// What becomes of numbers in [0, 1] before they are normalised.
enum class Binarize {
  none,       ///< they stay as they are
  threshold,  ///< 1 above 0.5, else 0
  bernoulli,  ///< 1 with the number as its probability, else 0; drawn afresh for every batch
};

/// x becomes (x - mean) / std.
struct Normalize {
  double mean = 0;
  double std = 1;
};

/// `{.size = 128, .shuffle = &rng}`.
struct BatchOptions {
  Index size = 128;        ///< samples in a batch; the last has what is left
  Rng* shuffle = nullptr;  ///< shuffle by a key, one for each epoch, drawn from it; null: in order
  bool drop_last = false;  ///< leave out a last batch that is smaller
  /// Only these samples; not set: all. What it looks at must live until `batches` has copied it.
  std::optional<std::span<const Index>> indices = {};
  Binarize binarize = Binarize::none;
  Normalize normalize = {};
  Rng* noise = nullptr;  ///< what bernoulli's key is drawn from if .shuffle is null

  /// "128 a batch, shuffled": all of it but .indices and which Rng it is.
  std::string summary() const {
    const auto [mean, std] = normalize;
    return detail::concat(size, " a batch", drop_last ? ", the rest dropped" : "", shuffle ? ", shuffled" : "",
                          binarize == Binarize::bernoulli   ? ", binarised by draws"
                          : binarize == Binarize::threshold ? ", binarised by a threshold"
                                                            : "",
                          mean != 0 || std != 1 ? detail::concat(", normalised by mean ", detail::all_digits(mean),
                                                                 ", std ", detail::all_digits(std))
                                                : "");
  }
};

/// Where a loop over batches stands: all there is to save and restore.
struct BatchState {
  std::uint64_t key = 0;  ///< what order and noise of this epoch derive from
  Index next = 0;         ///< the number of the next batch
  friend bool operator==(const BatchState&, const BatchState&) = default;
};

/// Some images. It looks at memory of the loop's that the next batch overwrites.
struct ImageBatch {
  ConstTensorView images;          ///< (size, rows * cols), pixel / 255, binarised and normalised
  std::span<const Index> labels;   ///< one for each image, or empty
  std::span<const Index> indices;  ///< their numbers in the data set
  int size() const { return static_cast<int>(indices.size()); }
};

/// Some samples of a TensorDataset. It looks at memory of the loop's that the next batch overwrites.
struct TensorBatch {
  ConstTensorView inputs;          ///< (size, ...), binarised and normalised
  ConstTensorView targets;         ///< (size, ...), or empty
  std::span<const Index> labels;   ///< one for each sample, or empty
  std::span<const Index> indices;  ///< their numbers in the data set
  int size() const { return static_cast<int>(indices.size()); }
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::data
