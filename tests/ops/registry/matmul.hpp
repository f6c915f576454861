#pragma once

#include <tapegrad/ops/matmul.hpp>

#include "entry.hpp"

namespace registry {

/// A B, the operands read as they lie or transposed.
inline Array naive_product(const Array& a, bool transpose_a, const Array& b, bool transpose_b) {
  const Index m = a.shape[transpose_a ? 1 : 0], k = a.shape[transpose_a ? 0 : 1], n = b.shape[transpose_b ? 0 : 1];
  Array result(Shape{m, n});
  for (Index i = 0; i < m; ++i)
    for (Index j = 0; j < n; ++j)
      for (Index l = 0; l < k; ++l)
        result(i, j) += (transpose_a ? a(l, i) : a(i, l)) * (transpose_b ? b(j, l) : b(l, j));
  return result;
}

inline Array naive_linear(std::span<const Array> in) {
  Array result(in[0].shape.with(-1, in[1].shape[0]));
  for (Index i = 0; i < result.shape.rows(); ++i) {
    for (Index j = 0; j < result.shape.cols(); ++j) {
      if (in.size() > 2) result(i, j) = in[2][j];
      for (Index l = 0; l < in[1].shape[1]; ++l) result(i, j) += in[0](i, l) * in[1](j, l);
    }
  }
  return result;
}

inline Entries matmul() {
  using tapegrad::matmul;
  return {
      {.name = "matmul",
       .shapes = {{{1, 1}, {1, 1}},
                  {{3, 5}, {5, 2}},
                  {{1, 7}, {7, 1}},
                  {{0, 3}, {3, 2}},
                  {{2, 0}, {0, 3}},
                  {{7, 9}, {9, 11}}},
       .bench = {{128, 784}, {784, 512}},
       .apply = [](auto v) { return matmul(v[0], v[1]); },
       .reference = [](auto in) { return naive_product(in[0], false, in[1], false); },
       .bad = {{zeros({{3, 5}, {4, 2}}), "matmul: a is 3x5, b is 4x2; the inner lengths (5 and 4) must be equal"},
               {zeros({{5}, {5, 2}}), "matmul: a is 5, b is 5x2; both must be matrices (2 axes)"},
               {zeros({{2, 5}, {1, 5, 2}}), "matmul: a is 2x5, b is 1x5x2; both must be matrices (2 axes)"}},
       .tolerance = 1e-5},
      {.name = "matmul",
       .variant = "b transposed",
       .shapes = {{{3, 5}, {2, 5}}, {{7, 9}, {11, 9}}},
       .bench = {{128, 784}, {512, 784}},
       .apply = [](auto v) { return matmul(v[0], v[1], {.transpose_b = true}); },
       .reference = [](auto in) { return naive_product(in[0], false, in[1], true); },
       .bad = {{zeros({{3, 5}, {5, 2}}),
                "matmul: a is 3x5, b is 5x2 (transposed); the inner lengths (5 and 2) must be equal"}},
       .tolerance = 1e-5},
      {.name = "matmul",
       .variant = "a transposed",
       .shapes = {{{5, 3}, {5, 2}}, {{9, 7}, {9, 11}}},
       .bench = {{784, 128}, {784, 512}},
       .apply = [](auto v) { return matmul(v[0], v[1], {.transpose_a = true}); },
       .reference = [](auto in) { return naive_product(in[0], true, in[1], false); },
       .bad = {{zeros({{3, 5}, {5, 2}}),
                "matmul: a is 3x5 (transposed), b is 5x2; the inner lengths (3 and 5) must be equal"}},
       .tolerance = 1e-5},
      {.name = "matmul",
       .variant = "both transposed",
       .shapes = {{{5, 3}, {2, 5}}, {{9, 7}, {11, 9}}},
       .bench = {{784, 128}, {512, 784}},
       .apply = [](auto v) { return matmul(v[0], v[1], {.transpose_a = true, .transpose_b = true}); },
       .reference = [](auto in) { return naive_product(in[0], true, in[1], true); },
       .tolerance = 1e-5},
      {.name = "linear",
       .shapes = {{{1}, {1, 1}, {1}},
                  {{5}, {2, 5}, {2}},
                  {{3, 5}, {2, 5}, {2}},
                  {{2, 3, 5}, {4, 5}, {4}},
                  {{0, 5}, {2, 5}, {2}},
                  {{3, 0}, {2, 0}, {2}},
                  {{7, 9}, {17, 9}, {17}}},
       .bench = {{128, 784}, {512, 784}, {512}},
       .apply = [](auto v) { return linear(v[0], v[1], v[2]); },
       .reference = naive_linear,
       .bad = {{zeros({{5, 10}, {8, 12}, {8}}),
                "linear: input is 5x10, weight is 8x12 (out x in); the input's last axis (10) must equal the weight's "
                "last axis (12)"},
               {zeros({{5, 12}, {8, 12}, {12}}),
                "linear: bias is 12, weight is 8x12 (out x in); the bias must have one axis of length 8"},
               {zeros({{5, 12}, {8, 12}, {1, 8}}),
                "linear: bias is 1x8, weight is 8x12 (out x in); the bias must have one axis of length 8"},
               {zeros({{}, {8, 12}, {8}}),
                "linear: input is scalar, weight is 8x12; the input needs at least 1 axis, the weight 2 (out x in)"},
               {zeros({{5, 12}, {12}, {8}}),
                "linear: input is 5x12, weight is 12; the input needs at least 1 axis, the weight 2 (out x in)"}},
       .tolerance = 1e-5},
      {.name = "linear",
       .variant = "no bias",
       .shapes = {{{5}, {2, 5}}, {{3, 5}, {2, 5}}, {{2, 3, 5}, {4, 5}}},
       .bench = {{128, 784}, {512, 784}},
       .apply = [](auto v) { return linear(v[0], v[1]); },
       .reference = naive_linear,
       .tolerance = 1e-5},
  };
}

}  // namespace registry
