#pragma once
// IDX, the format of MNIST: two zero bytes, a type (8: bytes), the number of axes, their lengths as 32-bit big-endian
// numbers, the data. (LeCun, Cortes, Burges: The MNIST database; yann.lecun.com/exdb/mnist.)

#include <cstdint>
#include <vector>

#include "../core/shape.hpp"
#include "file.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

/// What an IDX file of bytes holds.
struct Idx {
  Shape shape;
  std::vector<std::uint8_t> bytes;  ///< shape.size() of them, row-major
};

/// Reads an IDX file of bytes with 1 to 4 axes, plain or compressed by gzip. Throws IoError for any other, and where
/// the data are not exactly as long as the header says. (What follows compressed data and is not compressed itself is
/// ignored, as by gzip.)
Idx read_idx(const Path& path);

}  // namespace tapegrad::inline TAPEGRAD_ABI::io

#ifndef TAPEGRAD_COMPILED
#include "bodies/idx.hpp"
#endif
