#pragma once

#include <zlib.h>

#include "temporary.hpp"

/// An IDX file of bytes.
inline std::string idx(const std::vector<std::uint64_t>& lengths, const std::string& bytes) {
  std::string file{0, 0, 8, static_cast<char>(lengths.size())};
  for (std::uint64_t length : lengths) file += big_endian(length);
  return file + bytes;
}

/// What gzip makes of it.
inline std::string gzip(const std::string& bytes) {
  const TemporaryDirectory dir;
  const gzFile file = gzopen((dir / "x.gz").c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  return read_bytes(dir / "x.gz");
}
