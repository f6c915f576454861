// oneDNN with plain layouts: its sgemm, or (argument "matmul") a matmul primitive for each product, made beforehand.
// Each of them is the faster one for some products.

#include <dnnl.hpp>

#include "serve.hpp"

namespace {

peers::Multiply by_sgemm(const bench::Product& product) {
  return [product](const float* a, const float* b, float* c) {
    const auto [m, n, k, transpose_a, transpose_b] = product;
    dnnl::sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1, a, product.row_of_a(), b,
                product.row_of_b(), 0, c, n);
  };
}

peers::Multiply by_matmul(const bench::Product& product) {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  static dnnl::stream stream(engine);
  const auto matrix = [](int rows, int cols, bool transposed) {
    const auto layout = transposed ? dnnl::memory::format_tag::ba : dnnl::memory::format_tag::ab;
    return dnnl::memory({{rows, cols}, dnnl::memory::data_type::f32, layout}, engine, nullptr);
  };
  const dnnl::memory a_memory = matrix(product.m, product.k, product.transpose_a);
  const dnnl::memory b_memory = matrix(product.k, product.n, product.transpose_b);
  const dnnl::memory c_memory = matrix(product.m, product.n, false);
  const dnnl::matmul matmul({{a_memory.get_desc(), b_memory.get_desc(), c_memory.get_desc()}, engine});
  const std::unordered_map<int, dnnl::memory> arguments{
      {DNNL_ARG_SRC, a_memory}, {DNNL_ARG_WEIGHTS, b_memory}, {DNNL_ARG_DST, c_memory}};
  return [=](const float* a, const float* b, float* c) {
    a_memory.set_data_handle(const_cast<float*>(a));
    b_memory.set_data_handle(const_cast<float*>(b));
    c_memory.set_data_handle(c);
    matmul.execute(stream, arguments);
  };
}

}  // namespace

int main(int argc, char** argv) {
  return peers::serve_products(argc > 1 && argv[1] == std::string("matmul") ? by_matmul : by_sgemm);
}
