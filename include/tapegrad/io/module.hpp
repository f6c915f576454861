#pragma once
// A module's parameters, in a safetensors file: each under its name, "encoder.fc1.weight".

#include "../nn/module.hpp"
#include "file.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

/// Writes the parameters of a module. Throws IoError if that fails, ValueError for a name that is not UTF-8 or a
/// parameter that holds NaN: what was there then stays.
void save(const Path& path, const nn::Module& module);

/// Reads the parameters of a module from a file that has exactly those, with the same shapes; who wrote it does not
/// matter. Throws IoError that lists what does not fit, or names what holds NaN, and then has changed nothing.
void load(const Path& path, nn::Module& module);

}  // namespace tapegrad::inline TAPEGRAD_ABI::io

#ifndef TAPEGRAD_COMPILED
#include "bodies/module.hpp"
#endif
