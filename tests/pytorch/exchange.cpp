// exchange DIRECTORY: saves a module's parameters as ours.safetensors, loads those in theirs.safetensors, and writes
// what it makes of x.safetensors with either to y.safetensors. exchange.py does the same in Python.

#include <cstdio>
#include <tapegrad/io/module.hpp>
#include <tapegrad/io/safetensors.hpp>
#include <tapegrad/nn/activation.hpp>
#include <tapegrad/nn/layer_norm.hpp>
#include <tapegrad/nn/linear.hpp>
#include <tapegrad/nn/sequential.hpp>

namespace tg = tapegrad;

namespace {

struct Model : tg::nn::Module {
  explicit Model(tg::Rng& rng) : Module(rng) {
    encode.add<tg::nn::Linear>(12, 20);
    encode.add<tg::nn::Tanh>();
    encode.add<tg::nn::Linear>(20, 8);
    encode.add<tg::nn::SiLU>();
  }
  tg::nn::Sequential encode{*this, "encode"};
  tg::nn::LayerNorm norm{*this, "norm", 8};
  tg::nn::Linear head{*this, "head", 8, 5, {.bias = false}};

  tg::Tensor operator()(const tg::Tensor& x) {
    tg::Tape tape;
    return tg::Tensor(head(norm(encode(tape.constant(x)))).value());
  }
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) throw tg::ValueError("usage: exchange DIRECTORY");
  const tg::io::Path directory = argv[1];
  const tg::Tensor x = tg::io::read_safetensors(directory / "x.safetensors").tensors.at("x");
  tg::Rng rng(1);
  Model model(rng);
  tg::io::save(directory / "ours.safetensors", model);
  const tg::Tensor ours = model(x);
  tg::io::load(directory / "theirs.safetensors", model);
  const tg::Tensor theirs = model(x);
  tg::io::write_safetensors(directory / "y.safetensors", {{"ours", ours}, {"theirs", theirs}});
} catch (const tg::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
