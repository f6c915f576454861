#pragma once
// One tensor in NumPy's format: "\x93NUMPY", two bytes of version, the length of a header (2 bytes, 4 from version 2
// on), the header (a Python dict), the data. (numpy.lib.format in NumPy's documentation.)

#include "../core/tensor.hpp"
#include "file.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

/// Reads a .npy file of little-endian float32 or float64, which become the build's scalar. Throws IoError for every
/// other type, for Fortran order, and for a file that is damaged.
Tensor load_npy(const Path& path);

/// Writes a tensor for numpy.load. Throws IoError if it cannot be written: what was there then stays.
void save_npy(const Path& path, ConstTensorView tensor);

}  // namespace tapegrad::inline TAPEGRAD_ABI::io

#ifndef TAPEGRAD_COMPILED
#include "bodies/npy.hpp"
#endif
